package saved

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
)

//go:embed faults.de.json
var german []byte

// sentences are those of a language by the name of their code. English is that of the policy itself.
var sentences = map[string]func() (map[string]string, error){
	"de": sync.OnceValues(func() (all map[string]string, err error) {
		err = json.Unmarshal(german, &all)
		return all, err
	}),
}

// reason says in a language what is wrong with a policy, or may be: the reason of a fault or of a warning.
// Details that the parsers of filters and patterns give are in English only: other languages leave them out.
func reason(lang, english string, code mapping.Code, args []any) string {
	read, other := sentences[lang]
	if !other {
		return english
	}
	all, err := read()
	format := all[code.Label()]
	switch {
	case err != nil || format == "":
		return english // a test finds it
	case !strings.Contains(format, "%"):
		return format
	}
	return fmt.Sprintf(format, args...)
}

// Fault is a fault or a warning as a page shows it.
type Fault struct{ Pointer, Reason string }

// Faults are the faults of a policy in a language.
func Faults(lang string, faults mapping.Faults) []Fault {
	all := make([]Fault, len(faults))
	for i, f := range faults {
		all[i] = Fault{f.Pointer, reason(lang, f.Reason, f.Code, f.Args)}
	}
	return all
}

// Warnings are the warnings about a policy in a language.
func Warnings(lang string, warnings []mapping.Warning) []Fault {
	all := make([]Fault, len(warnings))
	for i, w := range warnings {
		all[i] = Fault{w.Pointer, reason(lang, w.Reason, w.Code, w.Args)}
	}
	return all
}
