package scimtest

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// go test ./pkg/scim/scimtest -url https://host/scim/v2/TENANT -token TOKEN [-idp generic] -v
var (
	flagURL   = flag.String("url", "", "base URL of the tenant to judge, such as https://host/scim/v2/acme")
	flagToken = flag.String("token", "", "bearer token for the tenant")
	flagIdP   = flag.String("idp", "generic", "profile of the tenant; tests of other profiles are left out")
)

// TestURL judges the server after -url. Everything that a test makes is deleted after it. RunRequirements copes with
// a tenant that holds more; RunBehaviours, RunHostile and RunRaces need one without users and groups, and are left out
// of any other.
func TestURL(t *testing.T) {
	if *flagURL == "" {
		t.Skip("no server to judge: give -url and -token")
	}
	target := Target{BaseURL: strings.TrimSuffix(*flagURL, "/"), Token: *flagToken, Shared: true, IdP: *flagIdP}
	shared := func(t *testing.T, idp string) Target {
		t.Helper()
		if idp != *flagIdP {
			t.Skipf("needs a tenant of profile %s, this one is %s", idp, *flagIdP)
		}
		return target
	}
	t.Run("requirements", func(t *testing.T) {
		RunRequirements(t, func(t *testing.T, idp string) Target {
			t.Helper()
			if *flagIdP != "rfc" {
				idp = "generic"
			}
			return shared(t, idp)
		})
	})
	if n := resources(t, target); n > 0 {
		t.Logf("NOT RUN: behaviours, hostile input and races, which need a tenant without users "+
			"and groups; this one has %d", n)
		return
	}
	t.Run("behaviours", func(t *testing.T) { RunBehaviours(t, shared) })
	t.Run("hostile", func(t *testing.T) { RunHostile(t, shared) })
	t.Run("races", func(t *testing.T) { RunRaces(t, shared) })
}

// resources counts the users and groups of a tenant.
func resources(t *testing.T, target Target) int {
	t.Helper()
	c := &client{t: t, target: target, idp: *flagIdP}
	total := 0
	for _, path := range []string{"/Users", "/Groups"} {
		n, _ := c.get(path, params("count", "0")).want(http.StatusOK).at("totalResults").(float64)
		total += int(n)
	}
	return total
}

// goTest is evidence by a test outside of the suites.
var goTest = regexp.MustCompile(`^go: (\S+_test\.go) (Test\w+)$`)

// TestRequirements prints how each requirement is met. It fails if one that binds a server has no test, if a test
// does not exist, and if DIVERGENCES.md does not name a requirement that is not followed.
func TestRequirements(t *testing.T) {
	all, err := Requirements()
	if err != nil {
		t.Fatal(err)
	}
	const root = "../../.."
	divergences, err := os.ReadFile("../DIVERGENCES.md")
	if err != nil {
		t.Fatal(err)
	}
	levels := []string{
		"MUST", "MUST NOT", "SHALL", "SHALL NOT", "REQUIRED", "SHOULD", "SHOULD NOT", "RECOMMENDED", "MAY", "OPTIONAL",
		"ERRATUM", "TEXT",
	}
	names, seen, count := testNames(), map[string]bool{}, map[string]int{}
	for _, r := range all {
		t.Logf("%-16s %-11s %s\n\t%s", r.ID, r.Level, r.Text, strings.Join(r.Evidence, "\n\t"))
		if seen[r.ID] || !slices.Contains(levels, r.Level) || r.Text == "" {
			t.Errorf("%s: the id is there twice, or the level %q or the text is none", r.ID, r.Level)
		}
		seen[r.ID] = true
		kind := "shown"
		for _, e := range r.Evidence {
			switch found := goTest.FindStringSubmatch(e); {
			case strings.HasPrefix(e, "n/a: "):
				kind = "not for a server"
			case strings.HasPrefix(e, "not followed: "):
				kind = "not followed"
				if !strings.Contains(string(divergences), r.ID) && r.Level != "MAY" && r.Level != "OPTIONAL" {
					t.Errorf("%s is not followed, and DIVERGENCES.md does not name it", r.ID)
				}
			case found != nil:
				source, err := os.ReadFile(filepath.Join(root, found[1]))
				if err != nil || !strings.Contains(string(source), "func "+found[2]+"(") {
					t.Errorf("%s: there is no test %s in %s", r.ID, found[2], found[1])
				}
			case !slices.Contains(names, e):
				t.Errorf("%s: there is no test %q", r.ID, e)
			}
		}
		if r.Binding() && kind == "not followed" {
			t.Logf("%s binds and is not followed", r.ID)
		}
		count[r.RFC+" "+kind]++
	}
	summary, err := json.Marshal(count)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(fmt.Sprintf("%d requirements: ", len(all)) + string(summary))
}

// Each test name is there once, so that a requirement that names it can mean no other.
func TestNamesAreUnique(t *testing.T) {
	names := testNames()
	slices.Sort(names)
	if len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Error("a test name is there twice")
	}
	for _, name := range names {
		if strings.Contains(name, "; ") {
			t.Errorf("%q can't be told apart in a list", name)
		}
	}
}
