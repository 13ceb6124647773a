//go:build race

package local_test

// underRaceDetector says that everything takes ten times as long.
const underRaceDetector = true
