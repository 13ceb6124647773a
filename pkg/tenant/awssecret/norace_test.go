//go:build !race

package awssecret_test

// underRaceDetector says that everything takes ten times as long.
const underRaceDetector = false
