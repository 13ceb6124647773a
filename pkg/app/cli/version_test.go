package cli_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/openapi"
	"github.com/serverless-scim/serverless-scim/pkg/app/cli"
)

// TestVersionIsOne: the newest release in CHANGELOG.md, the template, the OpenAPI document and the command have the
// version of the code.
func TestVersionIsOne(t *testing.T) {
	var o struct{ Info struct{ Version string } }
	if err := json.Unmarshal(openapi.Document(), &o); err != nil {
		t.Fatal(err)
	}
	_, printed, _ := run(t, "version")
	for name, got := range map[string]string{
		"OpenAPI":      o.Info.Version,
		"CHANGELOG.md": found(t, "../../../CHANGELOG.md", `(?m)^## (\d+\.\d+\.\d+) — \d{4}-\d\d-\d\d$`),
		"template":     found(t, "../../../template.yaml", `(?m)^Description: serverless-scim (\d+\.\d+\.\d+),`),
		"command":      strings.Fields(printed)[1],
	} {
		if got != cli.Version {
			t.Errorf("%s has the version %q, the code %q", name, got, cli.Version)
		}
	}
}

// found returns the first group of the first match of a pattern in a file.
func found(t *testing.T, file, pattern string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(pattern).FindSubmatch(text)
	if m == nil {
		t.Fatalf("%s does not match %s", file, pattern)
	}
	return string(m[1])
}
