//go:build !race

package local_test

const underRaceDetector = false
