package slow

import (
	"os"
	"runtime/debug"
	"testing"
)

// garbage is the heap that a collection leaves time for, in percent of what lives. The heaps of most tests are small,
// and the collector, which has to start from 4 MB on, takes a third of their time if it is not told to wait.
const garbage = 400

// Main runs the tests of a package that fills servers: func TestMain(m *testing.M) { slow.Main(m) }. The variable GOGC
// is obeyed if it is set.
func Main(m *testing.M) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	m.Run()
}
