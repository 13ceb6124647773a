package saved

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

var verb = regexp.MustCompile(`%[a-z]`)

// TestEveryFaultIsInBothLanguages: a fault or warning that package mapping can report has a sentence in each language,
// with the same arguments, or with none if the arguments are English texts of parsers.
func TestEveryFaultIsInBothLanguages(t *testing.T) {
	english := []string{"bad-filter", "not-pattern"}
	for lang, read := range sentences {
		read, err := read()
		if err != nil {
			t.Fatal(err)
		}
		all := maps.Clone(read)
		for _, code := range mapping.Codes() {
			name, want := code.Label(), verb.FindAllString(code.English(), -1)
			said := all[name]
			if slices.Contains(english, name) {
				want = nil
			}
			if name == "" || code.English() == "" || said == "" {
				t.Errorf("the code %d %q has no sentence in English or in %s", code, name, lang)
			}
			if got := verb.FindAllString(said, -1); !slices.Equal(got, want) {
				t.Errorf("%s takes %v in English and %v in %s", name, want, got, lang)
			}
			delete(all, name)
		}
		if len(all) > 0 {
			t.Errorf("%s has sentences for codes that there are not: %v", lang, all)
		}
	}
}

// TestFaultsInGerman reads the faults and warnings of policies, with their arguments.
func TestFaultsInGerman(t *testing.T) {
	_, _, err := mapping.Parse([]byte(`{"kinds":{"role":{}},"rules":[{"id":"a","group":{"pattern":"("},`+
		`"assign":{"kind":"roll","target":"${nam}"}},`+
		`{"id":"b","user":{"filter":"x eq"},"assign":{"kind":"role","target":""}}]}`),
		schema.DefaultTypes())
	faults, ok := err.(mapping.Faults) //nolint:errorlint // it is documented as it is
	if !ok {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, f := range Faults("de", faults) {
		text.WriteString(f.Pointer + " " + f.Reason + "\n")
	}
	if want := `/rules/0/assign/kind Die Art "roll" gibt es nicht. Arten: role.
/rules/0/assign/target ${nam} gibt es hier nicht. Bekannt: ${group.id}, ${group.displayName}, ${group.externalId}.
/rules/0/group/pattern Ist kein gültiges RE2-Muster.
/rules/1/assign/target Muss angegeben sein.
/rules/1/user/filter Der Filter oder Pfad ist ungültig (RFC 7644, Abschnitt 3.4.2.2).
`; text.String() != want {
		t.Errorf("%s", text.String())
	}
	if en := Faults("en", faults); en[0].Reason != `There is no kind "roll". Kinds: role.` {
		t.Errorf("%v", en)
	}
	_, warnings, err := mapping.Parse([]byte(`{"kinds":{"role":{}}}`), schema.DefaultTypes())
	if err != nil {
		t.Fatal(err)
	}
	if got := Warnings("de", warnings); len(got) != 1 ||
		got[0].Reason != "Keine Regel vergibt diese Art: Sie kann nur von Hand vergeben werden." {
		t.Errorf("%v", got)
	}
}
