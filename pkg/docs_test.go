package pkg_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

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

// TestProfileTable: the table of profiles has each option of scim.Dialect once, and says where it is on.
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
				t.Errorf("docs/identity-providers.md says %q of %s under %s, which is %q", cell, field.Name, profile, want)
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
	numbers := []string{"no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}
	text := strings.Join(strings.Fields(document(t, "docs/operations.md")), " ")
	if want := numbers[alarms] + " alarms"; !strings.Contains(text, want) {
		t.Errorf("docs/operations.md does not say %q", want)
	}
}
