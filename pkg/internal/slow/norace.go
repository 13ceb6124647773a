//go:build !race

package slow

// RaceDetector says that the test runs under the race detector, which makes everything ten times as slow.
const RaceDetector = false
