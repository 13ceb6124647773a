package scimtest

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	const body = `{"a":"x","n":2,"f":2.5,"yes":true,"list":[{"type":"work","value":"w","ok":true},
		{"type":"home","value":"h"}],
		"empty":[],"name":{"givenName":"G"},"name.givenName":"literal","urn:a:2.0:User":{"manager":{"value":"m"}}}`
	var doc any
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		path, want string
		holds      bool
	}{
		{"a", `"x"`, true},
		{"$.a", `"x"`, true},
		{"a", `"y"`, false},
		{"b", `"x"`, false},
		{"n", `2`, true},
		{"n", `"2"`, false},
		{"yes", `true`, true},
		{"name.givenName", `"G"`, true},
		{"['name.givenName']", `"literal"`, true},
		{"['urn:a:2.0:User'].manager.value", `"m"`, true},
		{"['urn:b'].manager.value", `{"$absent":true}`, true},
		{"list[1].value", `"h"`, true},
		{"list[2]", `{"$absent":true}`, true},
		{"list[?type=home].value", `"h"`, true},
		{"list[?ok=true].value", `"w"`, true},
		{"list[?type=other]", `{"$exists":true}`, false},
		{"list[?type=other]", `{"$exists":false}`, true},
		{"list", `{"$len":2}`, true},
		{"list", `{"$len":1}`, false},
		{"none", `{"$len":0}`, false},
		{"none", `{"$len_or_absent":0}`, true},
		{"empty", `{"$len_or_absent":0}`, true},
		{"list", `{"$len_or_absent":0}`, false},
		{"list", `{"$min_len":2}`, true},
		{"list", `{"$min_len":3}`, false},
		{"n", `{"$type":"int"}`, true},
		{"f", `{"$type":"int"}`, false},
		{"a", `{"$type":"int"}`, false},
		{"yes", `{"$type":"bool"}`, true},
		{"yes", `{"$ne":false}`, true},
		{"yes", `{"$ne":true}`, false},
		{"list", `{"$not_contains":"work"}`, false},
		{"list", `{"$not_contains":"other"}`, true},
		{"a", `{"$absent":true}`, false},
		{"a", `{"$nonsense":1}`, false},
		{"name", `{"givenName":"G"}`, true},
		{"a..b[", `"x"`, false},
		{"list[x]", `"x"`, false},
		{"list[0", `"x"`, false},
	}
	for _, c := range cases {
		var want any
		if err := json.Unmarshal([]byte(c.want), &want); err != nil {
			t.Fatal(err)
		}
		if got := match(doc, c.path, want); (got == "") != c.holds {
			t.Errorf("%s %s: holds %v, want %v (%s)", c.path, c.want, got == "", c.holds, got)
		}
	}
}

func TestFillEscapes(t *testing.T) {
	values := map[string]string{"id": `a"b c`}
	got, err := fill(`{"x":"${id}"}`, values, jsonEscape)
	if err != nil || got != `{"x":"a\"b c"}` {
		t.Errorf("fill gave %s, %v", got, err)
	}
	if _, err := fill("${other}", values, verbatim); err == nil || !strings.Contains(err.Error(), "other") {
		t.Errorf("a placeholder without a value gave %v", err)
	}
}

func TestDialoguesAreWellFormed(t *testing.T) {
	all, err := Dialogues()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 31 {
		t.Errorf("%d dialogues", len(all))
	}
	for _, d := range all {
		known := map[string]string{"token": "t", "badToken": "b"}
		for _, s := range d.Steps {
			if s.IdP != d.IdP {
				t.Errorf("%s step %d is of %s, the dialogue of %s", d.Name, s.Step, s.IdP, d.IdP)
			}
			if _, err := s.request(known); err != nil {
				t.Errorf("%s step %d: %v", d.Name, s.Step, err)
			}
			for path, want := range s.Expect.BodyContains {
				if _, err := fillValue(want, known); err != nil {
					t.Errorf("%s step %d: %v", d.Name, s.Step, err)
				}
				if path, err = fill(path, known, verbatim); err != nil {
					t.Errorf("%s step %d: %v", d.Name, s.Step, err)
				}
				if _, err := parsePath(path); err != nil {
					t.Errorf("%s step %d: %v", d.Name, s.Step, err)
				}
			}
			for name := range s.Capture {
				known[name] = name
			}
		}
	}
}
