package fakelambda

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// flags are those of functions/Makefile.
var flags = []string{
	"-trimpath", "-buildvcs=false", "-tags", "lambda.norpc,nethttpomithttp2", "-ldflags", "-s -w",
	"-gcflags=github.com/aws/...=-l", "-gcflags=net/...=-l", "-gcflags=crypto/...=-l",
	"-gcflags=regexp/...=-l", "-gcflags=math/big=-l", "-gcflags=vendor/...=-l", "-gcflags=log/...=-l", "-gcflags=mime/...=-l",
}

// Build compiles the functions of these names into dir, each under its own name, with the flags of functions/Makefile but for the
// architecture, which is this machine's. root is the top folder of the repository.
func Build(ctx context.Context, root, dir string, names ...string) error {
	packages := make([]string, len(names))
	for i, name := range names {
		packages[i] = "./functions/" + name
	}
	return BuildFor(ctx, runtime.GOARCH, root, dir, packages...)
}

// BuildFor compiles packages for an architecture, as Build does. They are given by their paths from root, "./functions/users".
func BuildFor(ctx context.Context, arch, root, dir string, packages ...string) error {
	out, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	args := append(append([]string{"build"}, flags...), "-o", out+string(filepath.Separator))
	cmd := exec.CommandContext(ctx, "go", append(args, packages...)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+arch)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("fakelambda: build: %w\n%s", err, text)
	}
	return nil
}
