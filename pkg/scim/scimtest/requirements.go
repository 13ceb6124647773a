package scimtest

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
)

//go:embed requirements/*.tsv
var requirementFiles embed.FS

// Requirement is one rule of an RFC about the duties or options of a party, in our words.
type Requirement struct {
	// ID is the RFC, the section and a number, such as 7644-3.5.2-04.
	ID string
	// RFC and Section are the parts of the ID: "7644", "3.5.2".
	RFC, Section string
	// Level is the RFC's word: MUST, MUST NOT, SHALL, SHALL NOT, REQUIRED, SHOULD, SHOULD NOT, RECOMMENDED, MAY,
	// OPTIONAL; or ERRATUM for a change by a verified erratum, or TEXT for a statement without any of these words.
	Level string
	Text  string
	// Evidence says how it is met: names of tests, as testNames lists them; "go: FILE TestName" for a test elsewhere
	// in this module; "n/a: REASON" if it is not for a server to meet; "not followed: REASON".
	Evidence []string
}

// Binding reports whether the requirement leaves no choice.
func (r Requirement) Binding() bool {
	return strings.HasPrefix(r.Level, "MUST") || strings.HasPrefix(r.Level, "SHALL") || r.Level == "REQUIRED" ||
		r.Level == "ERRATUM" || r.Level == "TEXT"
}

// Requirements lists the requirements of RFC 7643, RFC 7644 and RFC 9865, with their verified errata, in the order
// of the texts.
func Requirements() ([]Requirement, error) {
	names, err := fs.Glob(requirementFiles, "requirements/*.tsv")
	if err != nil {
		return nil, err
	}
	var all []Requirement
	for _, name := range names {
		data, err := requirementFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for i, line := range strings.Split(strings.TrimRight(string(data), "\n"), "\n") {
			fields := strings.Split(line, "\t")
			if len(fields) != 4 {
				return nil, fmt.Errorf("scimtest: %s line %d has %d fields, want 4", name, i+1, len(fields))
			}
			id := strings.Split(fields[0], "-")
			if len(id) != 3 {
				return nil, fmt.Errorf("scimtest: %s line %d: %s is no id", name, i+1, fields[0])
			}
			evidence := []string{fields[3]}
			if !strings.HasPrefix(fields[3], "n/a: ") && !strings.HasPrefix(fields[3], "not followed: ") {
				evidence = strings.Split(fields[3], "; ")
			}
			all = append(all, Requirement{
				ID: fields[0], RFC: id[0], Section: id[1], Level: fields[1], Text: fields[2],
				Evidence: evidence,
			})
		}
	}
	return all, nil
}

// chapter is a named part of a suite.
type chapter struct {
	name       string
	behaviours []behaviour
}

func requirementChapters() []chapter {
	return []chapter{
		{"rfc7643 schemas", rfc7643Schema},
		{"rfc7643 values", rfc7643Values},
		{"rfc7644 protocol", rfc7644Protocol},
		{"rfc7644 queries", rfc7644Query},
		{"rfc7644 bulk", rfc7644Bulk},
		{"rfc9865", rfc9865},
	}
}

// RunRequirements runs the tests of those requirements that RunBehaviours does not show. They work in a tenant that
// holds other resources, and skip features that the ServiceProviderConfig does not offer. newTarget creates a tenant
// of a profile; all tests ask for rfc or generic.
func RunRequirements(t *testing.T, newTarget func(t *testing.T, idp string) Target) {
	t.Helper()
	run(t, requirementChapters(), newTarget)
}

func run(t *testing.T, chapters []chapter, newTarget func(t *testing.T, idp string) Target) {
	t.Helper()
	for _, part := range chapters {
		t.Run(part.name, func(t *testing.T) {
			for _, b := range part.behaviours {
				t.Run(b.name, func(t *testing.T) { b.test(t, newTarget) })
			}
		})
	}
}

// test runs one behaviour. In a shared tenant, its resources are deleted before it asks for the next tenant, and at
// its end.
func (b behaviour) test(t *testing.T, newTarget func(t *testing.T, idp string) Target) {
	t.Helper()
	var all *made
	b.run(func(idp string) *client {
		c := newClient(t, newTarget, idp)
		if !c.target.Shared {
			return c
		}
		if c.target.IdP != "" {
			c.idp = c.target.IdP
		}
		if all == nil {
			all = &made{}
			t.Cleanup(func() { all.deleteAll(t, c.target) })
		}
		all.deleteAll(t, c.target)
		c.made = all
		return c
	})
}

// testNames lists the tests of all suites as SUITE/CHAPTER/NAME.
func testNames() []string {
	var names []string
	add := func(suite string, chapters ...chapter) {
		for _, part := range chapters {
			for _, b := range part.behaviours {
				names = append(names, strings.Join(slices.DeleteFunc([]string{suite, part.name, b.name},
					func(s string) bool { return s == "" }), "/"))
			}
		}
	}
	add("behaviours", behaviourChapters()...)
	add("requirements", requirementChapters()...)
	add("hostile", chapter{"", hostileInput})
	add("races", chapter{"", races})
	return names
}
