package pkg_test

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

func document(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestProfileTable: the table of profiles has each option of scim.Dialect once, with the profiles that have it on.
func TestProfileTable(t *testing.T) {
	// okta stands for the other identity providers
	profiles := []string{"entra", "onelogin", "okta", "interop", "generic", "rfc"}
	rows := regexp.MustCompile("(?m)^\\| `([A-Za-z]+)`:? ?[^|]*\\|(.*)\\|$")
	table := map[string][]string{}
	for _, m := range rows.FindAllStringSubmatch(document(t, "docs/identity-providers.md"), -1) {
		if _, twice := table[m[1]]; twice {
			t.Errorf("the table has %s twice", m[1])
		}
		table[m[1]] = strings.Split(m[2], "|")
	}
	for field := range reflect.TypeFor[scim.Dialect]().Fields() {
		cells, there := table[field.Name]
		if !there || len(cells) != len(profiles) {
			t.Errorf("docs/identity-providers.md has no row for %s, or one of other columns: %q", field.Name, cells)
			continue
		}
		for i, profile := range profiles {
			d, _ := scim.DialectOf(profile)
			value := reflect.ValueOf(d).FieldByName(field.Name)
			want := map[bool]string{true: "yes"}[!value.IsZero()]
			if value.Kind() == reflect.Int && !value.IsZero() {
				want = fmt.Sprint(value.Int())
			}
			cell := strings.TrimSpace(cells[i])
			if exception := profile == "okta" && strings.HasPrefix(cell, "`"); cell != want && !exception {
				t.Errorf("docs/identity-providers.md says %q of %s under %s, which is %q", cell,
					field.Name, profile, want)
			}
		}
	}
}

// TestAlarmTable: the docs describe as many alarms as the template has.
func TestAlarmTable(t *testing.T) {
	alarms := strings.Count(document(t, "template.yaml"), "Type: AWS::CloudWatch::Alarm")
	_, rest, _ := strings.Cut(document(t, "docs/operations.md"), "| alarm |")
	table, _, _ := strings.Cut(rest, "\n\n")
	if rows := strings.Count(table, "\n") - 1; rows != alarms {
		t.Errorf("docs/operations.md describes %d alarms, template.yaml has %d", rows, alarms)
	}
	named := regexp.MustCompile(`(?m)^  ([A-Za-z]+)Alarm:$`)
	for _, m := range named.FindAllStringSubmatch(document(t, "template.yaml"), -1) {
		if !strings.Contains(table, "\n| "+m[1]+" |") {
			t.Errorf("docs/operations.md does not describe the alarm %s", m[1])
		}
	}
}

// TestPagesSayWhoTheyAreFor: each page of docs says under its title who it is for.
func TestPagesSayWhoTheyAreFor(t *testing.T) {
	begin := regexp.MustCompile(`^# [^\n]+\n\nFor [a-z]`)
	for _, page := range pages(t) {
		if !begin.MatchString(document(t, page)) {
			t.Errorf("%s does not begin with a title and a paragraph \"For …\"", page)
		}
	}
}

// TestLinksOfPages: each relative link of the README and docs leads to a file, and to a heading of it if it names one.
func TestLinksOfPages(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:\s]*)(#[^)\s]+)?\)`)
	for _, page := range append(pages(t), "README.md", "CONTRIBUTING.md", "SECURITY.md") {
		for _, m := range link.FindAllStringSubmatch(document(t, page), -1) {
			to := page
			if m[1] != "" {
				to = path.Join(path.Dir(page), m[1])
			}
			if _, err := os.Stat(filepath.Join("..", to)); err != nil {
				t.Errorf("%s: a link to %s, which is not there", page, m[1])
				continue
			}
			if m[2] != "" && strings.HasSuffix(to, ".md") && !slices.Contains(anchors(document(t, to)), m[2]) {
				t.Errorf("%s: a link to %s, which has no heading %s", page, to, m[2])
			}
		}
	}
}

// TestProseOfPages: no line of prose has more than 100 characters, and no paragraph more than five lines.
func TestProseOfPages(t *testing.T) {
	const maxLine, maxLines = 100, 5
	begins := regexp.MustCompile(`^\s*([-*]|\d+\.) `)
	for _, page := range append(pages(t), "README.md") {
		code, lines := false, 0
		for i, line := range strings.Split(document(t, page), "\n") {
			text := strings.TrimSpace(line)
			fence := strings.HasPrefix(text, "```")
			if fence {
				code = !code
			}
			if code || fence || text == "" || strings.ContainsAny(text[:1], "|#<") {
				lines = 0
				continue
			}
			if begins.MatchString(line) {
				lines = 0
			}
			if lines++; lines == maxLines+1 {
				t.Errorf("%s:%d: a paragraph of more than %d lines", page, i+1, maxLines)
			}
			if n := utf8.RuneCountInString(line); n > maxLine && strings.Contains(text, " ") {
				t.Errorf("%s:%d: a line of %d characters", page, i+1, n)
			}
		}
	}
}

// pages are the files of docs.
func pages(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("../docs/*.md")
	if err != nil || len(files) == 0 {
		t.Fatal("docs has no pages: ", err)
	}
	for _, file := range files {
		names = append(names, "docs/"+filepath.Base(file))
	}
	return names
}

// anchors are the names by which a page's headings are linked to, as GitHub makes them.
func anchors(text string) (names []string) {
	heading := regexp.MustCompile(`(?m)^#+ (.+)$`)
	dropped := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		name := dropped.ReplaceAllString(strings.ToLower(m[1]), "")
		names = append(names, "#"+strings.ReplaceAll(name, " ", "-"))
	}
	return names
}
