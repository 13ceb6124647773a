package slow

import (
	"os"
	"runtime/debug"
	"testing"
)

// garbage is the growth of the heap after which the next collection begins, in percent of the live heap. Most tests
// have small heaps, and with the default of 100, collections, which begin at 4 MB, take a third of their time.
const garbage = 400

// Main runs the tests of a package that fills servers: func TestMain(m *testing.M) { slow.Main(m) }. The variable GOGC
// is obeyed if it is set.
func Main(m *testing.M) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	m.Run()
}
