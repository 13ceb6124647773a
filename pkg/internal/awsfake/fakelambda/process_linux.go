package fakelambda

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// attributes has the kernel end a process when the thread that started it ends in any way.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// freeze stops a process as it is, as Lambda does between invocations; thaw lets it go on.
func freeze(p *os.Process) { _ = p.Signal(syscall.SIGSTOP) }

func thaw(p *os.Process) { _ = p.Signal(syscall.SIGCONT) }

// peak returns the most memory that a process ever had, in bytes.
func peak(p *os.Process) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid))
	if err != nil {
		return 0, err
	}
	_, line, _ := strings.Cut(string(status), "VmHWM:")
	var kib int64
	if _, err := fmt.Sscanf(line, "%d kB", &kib); err != nil {
		return 0, fmt.Errorf("fakelambda: no VmHWM: %w", err)
	}
	return kib << 10, nil
}
