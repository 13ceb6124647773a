package scimtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// RunDialogues runs every embedded dialogue as a subtest, each on a fresh tenant of the dialogue's profile.
func RunDialogues(t *testing.T, newTarget func(t *testing.T, idp string) Target) {
	t.Helper()
	all, err := Dialogues()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		t.Run(d.Name, func(t *testing.T) { RunDialogue(t, d, newTarget(t, d.IdP)) })
	}
}

// RunDialogue sends the steps of a dialogue in order and reports each answer that differs from its Expectation.
// Every answer must also pass the checks that hold for any SCIM answer. It stops if a value that later steps need
// could not be captured.
func RunDialogue(t testing.TB, d Dialogue, target Target) {
	t.Helper()
	values := map[string]string{"token": target.Token, "badToken": target.badToken()}
	for _, s := range d.Steps {
		at := fmt.Sprintf("%s step %d (%s): %s %s", d.Name, s.Step, s.Name, s.Method, s.Path)
		r, err := s.request(values)
		if err != nil {
			t.Fatalf("%s: %v", at, err)
		}
		answer, err := target.send(r)
		if err != nil {
			t.Fatalf("%s: %v", at, err)
		}
		problems := s.problems(answer, values)
		problems = append(problems, checkAnswer(d.IdP, r, answer)...)
		for _, p := range problems {
			t.Errorf("%s: %s", at, p)
		}
		if len(problems) > 0 {
			t.Logf("%s answered %d %s", at, answer.Status, clip(answer.Body))
		}
		if err := s.capture(answer, values); err != nil {
			t.Fatalf("%s: %v", at, err)
		}
	}
}

// problems compares an answer with the step's expectation.
func (s Step) problems(answer response, values map[string]string) []string {
	var problems []string
	if !slices.Contains(s.Expect.Status, answer.Status) {
		problems = append(problems, fmt.Sprintf("status %d, want one of %v", answer.Status, s.Expect.Status))
	}
	if len(bytes.TrimSpace(answer.Body)) == 0 || len(s.Expect.BodyContains) == 0 {
		return problems
	}
	var body any
	if err := json.Unmarshal(answer.Body, &body); err != nil {
		return append(problems, fmt.Sprintf("the answer is not JSON: %v", err))
	}
	for path, want := range s.Expect.BodyContains {
		filled, err := fillValue(want, values)
		if err == nil {
			path, err = fill(path, values, verbatim)
		}
		if err != nil {
			problems = append(problems, err.Error())
		} else if p := match(body, path, filled); p != "" {
			problems = append(problems, p)
		}
	}
	slices.Sort(problems)
	return problems
}

// capture keeps values of the answer for later steps.
func (s Step) capture(answer response, values map[string]string) error {
	if len(s.Capture) == 0 {
		return nil
	}
	var body any
	if err := json.Unmarshal(answer.Body, &body); err != nil {
		return fmt.Errorf("nothing to capture from: %w", err)
	}
	for name, path := range s.Capture {
		got, found, err := find(body, path)
		if err != nil {
			return err
		}
		if !found {
			return fmt.Errorf("nothing to capture as %s: %s is absent", name, path)
		}
		values[name] = text(got)
	}
	return nil
}

// request fills the placeholders in.
func (s Step) request(values map[string]string) (request, error) {
	path, err := fill(s.Path, values, url.PathEscape)
	if err != nil {
		return request{}, err
	}
	query, err := fill(s.Query, values, url.QueryEscape)
	if err != nil {
		return request{}, err
	}
	header := http.Header{}
	for name, value := range s.Headers {
		if value, err = fill(value, values, verbatim); err != nil {
			return request{}, err
		}
		header.Set(name, value)
	}
	r := request{Method: s.Method, Path: path, Query: query, Header: header, NoBody: true}
	if len(s.Body) > 0 && string(s.Body) != "null" {
		body, err := fill(string(s.Body), values, jsonEscape)
		if err != nil {
			return request{}, err
		}
		r.Body, r.NoBody = []byte(body), false
	}
	return r, nil
}

var placeholder = regexp.MustCompile(`\$\{([A-Za-z0-9]+)\}`)

// fill replaces the placeholders in s by escaped values; one that has no value is an error.
func fill(s string, values map[string]string, escape func(string) string) (string, error) {
	var missing []string
	out := placeholder.ReplaceAllStringFunc(s, func(p string) string {
		value, ok := values[p[2:len(p)-1]]
		if !ok {
			missing = append(missing, p)
		}
		return escape(value)
	})
	if len(missing) > 0 {
		return "", fmt.Errorf("nothing was captured for %s", strings.Join(missing, ", "))
	}
	return out, nil
}

// fillValue fills the placeholders in all strings of a JSON value.
func fillValue(v any, values map[string]string) (any, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	filled, err := fill(string(raw), values, jsonEscape)
	if err != nil {
		return nil, err
	}
	var out any
	err = json.Unmarshal([]byte(filled), &out)
	return out, err
}

func verbatim(s string) string { return s }

// jsonEscape is s as it stands between the quotes of a JSON string.
func jsonEscape(s string) string {
	raw, err := json.Marshal(s)
	if err != nil {
		return s
	}
	return string(raw[1 : len(raw)-1])
}

// clip shortens a body for a test log.
func clip(body []byte) string {
	const most = 2000
	if len(body) > most {
		return string(body[:most]) + " ..."
	}
	return string(body)
}
