package local_test

import (
	"os"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
)

func TestMain(m *testing.M) {
	if args := os.Getenv(stormVar); args != "" {
		runStorm(strings.Fields(args))
		return
	}
	slow.Main(m)
}
