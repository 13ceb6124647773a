//go:build !linux

package e2e

import (
	"os"
	"syscall"
)

// Elsewhere a process is not frozen between invocations.

func attributes() *syscall.SysProcAttr { return nil }

func freeze(*os.Process) {}

func thaw(*os.Process) {}
