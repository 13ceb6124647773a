// Package slow skips the tests that double the running time, unless TEST_SLOW=1 asks for them, which .ci/run sets.
// It reports each skipped test with the words NOT RUN, which .ci/test collects. The others it makes cheaper, by Main.
package slow

import (
	"os"
	"testing"
)

// Env is the variable that asks for all tests.
const Env = "TEST_SLOW"

// Asked reports whether all tests are asked for.
func Asked() bool { return os.Getenv(Env) == "1" }

// Test skips a test that takes long, unless all are asked for. why says how long it takes, or which others prove
// nearly the same.
func Test(t testing.TB, why string) {
	t.Helper()
	if !Asked() {
		t.Skipf("NOT RUN: %s; set %s=1", why, Env)
	}
}

// NightEnv is the variable that asks for tests of minutes, which run in the night only: bash .ci/run nightly sets
// it.
const NightEnv = "TEST_NIGHTLY"

// Night skips a test that takes minutes, unless it is asked for. why says which others prove nearly the same.
func Night(t testing.TB, why string) {
	t.Helper()
	if os.Getenv(NightEnv) != "1" {
		t.Skipf("NOT RUN: %s; set %s=1", why, NightEnv)
	}
}

// Part reports whether to run a part of a test, and logs the part if not. The second parameter names the part.
func Part(t testing.TB, what string) bool {
	t.Helper()
	if !Asked() {
		t.Logf("NOT RUN: %s; set %s=1", what, Env)
	}
	return Asked()
}

// Volume is Part for many rounds of code that the race detector has seen in a few rounds: it is skipped under the
// race detector. .ci/run runs the test again without it.
func Volume(t testing.TB, what string) bool {
	t.Helper()
	if RaceDetector {
		t.Logf("NOT RUN: %s, for the race detector", what)
		return false
	}
	return Part(t, what)
}

// NoRace skips a test under the race detector: one goroutine that does much, while others show the detector as
// much. .ci/run runs it without.
func NoRace(t testing.TB) {
	t.Helper()
	if RaceDetector {
		t.Skip("NOT RUN: it is one goroutine that does much, for the race detector")
	}
}

// Rounds is n, and few under the race detector, which has seen all there is to see by then.
func Rounds(n, few int) int {
	if RaceDetector {
		return few
	}
	return n
}
