package e2e

import (
	"os"
	"syscall"
)

// attributes has the kernel end a process when the thread that started it ends, in whatever way.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// freeze stops a process where it stands, as Lambda does between invocations; thaw lets it go on.
func freeze(p *os.Process) { _ = p.Signal(syscall.SIGSTOP) }

func thaw(p *os.Process) { _ = p.Signal(syscall.SIGCONT) }
