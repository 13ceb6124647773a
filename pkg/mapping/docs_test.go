package mapping_test

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// shown finds the blocks of JSON in a text, the marker before each, and the text block after it.
var shown = regexp.MustCompile("(?s)(?:<!-- (\\w+) -->\n)?```json\n(.*?)```(?:[^`]*```text\n(.*?)\n```)?")

// TestDocumentedPolicies: each policy of docs/policy.md can be saved as it is, without a warning, unless the page
// names its fault, and then in the same words.
func TestDocumentedPolicies(t *testing.T) {
	text, err := os.ReadFile("../../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	all := shown.FindAllStringSubmatch(string(text), -1)
	if len(all) < 6 {
		t.Fatalf("found only %d policies", len(all))
	}
	for _, m := range all {
		marker, policy, said := m[1], m[2], m[3]
		_, warnings, err := mapping.Parse([]byte(policy), schema.DefaultTypes())
		var faults mapping.Faults
		errors.As(err, &faults)
		var lines []string
		for _, f := range faults {
			lines = append(lines, f.Pointer+": "+f.Reason)
		}
		for _, w := range warnings {
			lines = append(lines, w.Pointer+": "+w.Reason)
		}
		if faults == nil && err != nil || (len(faults) > 0) != (marker == "faults") ||
			(len(warnings) > 0) != (marker == "warnings") {
			t.Errorf("error %v, warnings %v of the policy %s", err, warnings, policy)
		}
		if got := strings.Join(lines, " "); marker != "" && got != strings.Join(strings.Fields(said), " ") {
			t.Errorf("the policy %s is answered with\n%s", policy, strings.Join(lines, "\n"))
		}
	}
}

// TestDocumentedReasons: docs/policy.md explains each reason of a missing assignment, and no other.
func TestDocumentedReasons(t *testing.T) {
	source, err := os.ReadFile("facts.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| reason |")
	find := func(pattern, text string) (all []string) {
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			all = append(all, m[1])
		}
		slices.Sort(all)
		return all
	}
	want, got := find(`Reason += "([a-z-]+)"`, string(source)), find("(?m)^\\| `([a-z-]+)` \\|", table)
	want = append(want, find(`(?m)^\t\w+ +Reason = "([a-z-]+)"`, string(source))...)
	slices.Sort(want)
	want = slices.Compact(want)
	if len(want) < 10 || !slices.Equal(got, want) {
		t.Errorf("docs/policy.md explains %q, the reasons are %q", got, want)
	}
}
