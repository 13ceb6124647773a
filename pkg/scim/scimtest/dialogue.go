package scimtest

import (
	"bufio"
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

//go:embed testdata/dialogues/*.jsonl
var dialogues embed.FS

// Dialogue is a conversation between an identity provider and a server, from a file of testdata/dialogues. It begins
// with an empty tenant whose profile is IdP.
type Dialogue struct {
	Name  string
	Title string
	IdP   string
	Steps []Step
}

// Step is one request of a dialogue and the answer that the identity provider needs. Strings may hold placeholders
// ${name}: ${token} and ${badToken} are the target's, all others were captured from earlier answers.
type Step struct {
	Step  int    `json:"step"`
	IdP   string `json:"idp"`
	Title string `json:"title"`
	// Kind is "idp" for a request of the identity provider, "setup" for one that prepares data, "assert" for a read
	// that checks the state.
	Kind string `json:"kind"`
	// Provenance and Source name the origin of the request.
	Provenance string            `json:"provenance"`
	Source     string            `json:"source"`
	Name       string            `json:"name"`
	Method     string            `json:"method"`
	Path       string            `json:"path"`  // below the tenant's base URL
	Query      string            `json:"query"` // raw; "?" is a URL that ends in a bare question mark
	Headers    map[string]string `json:"headers"`
	Body       json.RawMessage   `json:"body"` // null: no body
	Expect     Expectation       `json:"expect"`
	Capture    map[string]string `json:"capture"` // placeholder name -> path into the answer
	Note       string            `json:"note"`
}

// Expectation is the expected answer of a step.
type Expectation struct {
	Status []int `json:"status"` // each of them will do
	// BodyContains maps a path into the answer to a value or to one of $exists, $absent, $len, $len_or_absent,
	// $min_len, $type, $ne, $not_contains. Checked only if the answer has a body.
	BodyContains map[string]any `json:"body_contains"`
}

// Dialogues returns all embedded dialogues, by file name.
func Dialogues() ([]Dialogue, error) {
	files, err := fs.Glob(dialogues, "testdata/dialogues/*.jsonl")
	if err != nil {
		return nil, fmt.Errorf("scimtest: %w", err)
	}
	all := make([]Dialogue, 0, len(files))
	for _, file := range files {
		raw, err := dialogues.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("scimtest: %w", err)
		}
		d, err := parseDialogue(strings.TrimSuffix(path.Base(file), ".jsonl"), raw)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

// parseDialogue reads a dialogue, one JSON object a line.
func parseDialogue(name string, raw []byte) (Dialogue, error) {
	d := Dialogue{Name: name}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var s Step
		dec := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		if err := dec.Decode(&s); err != nil {
			return Dialogue{}, fmt.Errorf("scimtest: dialogue %s, line %d: %w", name, len(d.Steps)+1, err)
		}
		if len(s.Expect.Status) == 0 {
			return Dialogue{}, fmt.Errorf("scimtest: dialogue %s, step %d expects no status", name, s.Step)
		}
		if d.IdP == "" {
			d.IdP, d.Title = s.IdP, s.Title
		}
		d.Steps = append(d.Steps, s)
	}
	if err := lines.Err(); err != nil {
		return Dialogue{}, fmt.Errorf("scimtest: dialogue %s: %w", name, err)
	}
	if len(d.Steps) == 0 {
		return Dialogue{}, fmt.Errorf("scimtest: dialogue %s is empty", name)
	}
	return d, nil
}
