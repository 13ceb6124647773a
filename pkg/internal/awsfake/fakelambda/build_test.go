package fakelambda

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFlagsAreTheMakefiles: the functions tested here are built with the same flags as the deployed ones.
func TestFlagsAreTheMakefiles(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "functions", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	_, recipe, _ := strings.Cut(string(makefile), "go build ")
	recipe, _, _ = strings.Cut(recipe, " -o ")
	recipe, _, _ = strings.Cut(recipe, "-o ")
	want := strings.Fields(strings.NewReplacer("'", "", "\\\n", "").Replace(recipe))
	if got := strings.Fields(strings.Join(flags, " ")); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("Build uses %q, functions/Makefile %q", got, want)
	}
}
