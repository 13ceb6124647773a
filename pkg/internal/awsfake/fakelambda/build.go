package fakelambda

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
)

const scim = "github.com/serverless-scim/serverless-scim/pkg/scim"

// flags are those of functions/Makefile.
var flags = []string{
	"-trimpath", "-buildvcs=false", "-tags", "lambda.norpc,nethttpomithttp2", "-ldflags", "-s -w",
	"-gcflags=github.com/aws/...=-l", "-gcflags=net/...=-l", "-gcflags=crypto/...=-l",
	"-gcflags=regexp/...=-l", "-gcflags=math/big=-l", "-gcflags=vendor/...=-l", "-gcflags=log/...=-l",
	"-gcflags=mime/...=-l", "-gcflags=fmt=-l", "-gcflags=os/...=-l", "-gcflags=syscall=-l",
	"-gcflags=internal/poll=-l", "-gcflags=encoding/asn1=-l", "-gcflags=github.com/go-jose/...=-l",
	"-gcflags=github.com/awslabs/...=-l", "-gcflags=io/...=-l",
	"-gcflags=reflect=-l", "-gcflags=encoding/...=-l", "-gcflags=time=-l", "-gcflags=context=-l", "-gcflags=errors=-l",
	"-gcflags=strconv=-l", "-gcflags=internal/strconv=-l", "-gcflags=internal/reflectlite=-l",
	"-gcflags=internal/sync=-l", "-gcflags=sort=-l", "-gcflags=bufio=-l", "-gcflags=path/...=-l", "-gcflags=unique=-l",
	"-gcflags=compress/...=-l",
	"-gcflags=unicode/...=-l", "-gcflags=hash/...=-l", "-gcflags=sync=-l", "-gcflags=slices=-l", "-gcflags=maps=-l",
	"-gcflags=iter=-l", "-gcflags=html=-l", "-gcflags=strings=-l", "-gcflags=bytes=-l",
	"-gcflags=internal/godebug=-l", "-gcflags=internal/bisect=-l", "-gcflags=internal/fmtsort=-l",
	"-gcflags=internal/syscall/...=-l",
	"-gcflags=golang.org/...=-l", "-gcflags=github.com/google/...=-l",
	"-gcflags=github.com/serverless-scim/...=-l", "-gcflags=" + scim + "=",
}

// Build compiles the functions of these names into dir, each under its own name, with the flags of functions/Makefile
// but for the architecture, which is this machine's. root is the top folder of the repository.
func Build(ctx context.Context, root, dir string, names ...string) error {
	return BuildFor(ctx, runtime.GOARCH, root, dir, packages(names)...)
}

// BuildPlain is Build without flags: larger programs that do the same, of parts that tests have compiled before.
func BuildPlain(ctx context.Context, root, dir string, names ...string) error {
	return compile(ctx, root, dir, packages(names), nil)
}

func packages(names []string) []string {
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = "./functions/" + name
	}
	return paths
}

// BuildFor compiles packages for an architecture, as Build does. They are given by their paths from root,
// "./functions/users".
func BuildFor(ctx context.Context, arch, root, dir string, packages ...string) error {
	return compile(ctx, root, dir, slices.Concat(flags, packages), []string{"CGO_ENABLED=0", "GOARCH=" + arch})
}

// compile runs a build into dir.
func compile(ctx context.Context, root, dir string, arguments, env []string) error {
	out, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	args := append([]string{"build", "-o", out + string(filepath.Separator)}, arguments...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), env...)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("fakelambda: build: %w\n%s", err, text)
	}
	return nil
}
