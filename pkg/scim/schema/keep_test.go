package schema_test

import (
	"fmt"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

func TestTooManyUniqueValues(t *testing.T) {
	user := defined(t, attributes(badge, `{"name":"numbers","multiValued":true,"uniqueness":"server"}`),
		`{"id":"User","schemaExtensions":[{"schema":"`+badge+`"}]}`).User()
	numbers := func(n int) scim.Object {
		list := make([]any, n)
		for i := range list {
			list[i] = fmt.Sprint(i)
		}
		return scim.Object{badge: scim.Object{"numbers": list}}
	}
	if got, err := user.UniqueValues(numbers(20)); err != nil || len(got) != 20 {
		t.Errorf("20 values: %v %v", got, err)
	}
	_, err := user.UniqueValues(numbers(21))
	refused(t, "21 values", err, scim.InvalidValue, "20")
}

func TestKeep(t *testing.T) {
	user := defined(t, attributes(badge,
		`{"name":"number","mutability":"immutable"},{"name":"pin","mutability":"writeOnly"},{"name":"note"},{"name":"cards","multiValued":true,"mutability":"immutable"},
		{"name":"desk","type":"complex","subAttributes":[{"name":"floor","mutability":"immutable"},{"name":"room"},{"name":"code","returned":"never"}]}`),
		`{"id":"User","schemaExtensions":[{"schema":"`+badge+`"}]}`).User()
	old := object(t, `{"userName":"a","`+badge+
		`":{"number":"1","pin":"2","note":"3","cards":["7","8"],"desk":{"floor":"4","room":"5","code":"6"}}}`)
	for next, want := range map[string]string{
		`{}`:                       `{"number":"1","pin":"2","cards":["7","8"]}`,
		`{"number":"1","pin":"9"}`: `{"number":"1","pin":"9","cards":["7","8"]}`,
		`{"desk":{"room":"7"}}`:    `{"number":"1","pin":"2","cards":["7","8"],"desk":{"floor":"4","room":"7","code":"6"}}`,
		`{"desk":{"floor":"4"}}`:   `{"number":"1","pin":"2","cards":["7","8"],"desk":{"floor":"4","code":"6"}}`,
		`{"cards":["8","7"]}`:      `{"number":"1","pin":"2","cards":["8","7"]}`,
		`{"note":"8"}`:             `{"number":"1","pin":"2","note":"8","cards":["7","8"]}`,
	} {
		doc := object(t, `{"userName":"a","`+badge+`":`+next+`}`)
		if err := user.Keep(old, doc); err != nil {
			t.Errorf("%s: %v", next, err)
		} else if got := doc[badge]; !scim.Equal(got, object(t, want)) {
			t.Errorf("%s: got %s", next, text(got))
		}
	}
	for next, word := range map[string]string{
		`{"number":"2"}`: badge + ":number", `{"cards":["7"]}`: badge + ":cards",
		`{"cards":["7","7"]}`: badge + ":cards", `{"desk":{"floor":"5"}}`: badge + ":desk.floor",
	} {
		refused(t, next, user.Keep(old, object(t, `{"userName":"a","`+badge+`":`+next+`}`)), scim.Mutability, word)
	}
}

// The stored document stays valid, no matter which attributes a PUT leaves out.
func TestKeepOfWhatIsLeftOut(t *testing.T) {
	for name, tc := range map[string]struct{ attributes, old, want, word string }{
		"visible": {
			`{"name":"a","required":true},{"name":"pin","mutability":"writeOnly"}`,
			`{"a":"1","pin":"2"}`, ``, "",
		},
		"nothing visible": {`{"name":"a"},{"name":"pin","mutability":"writeOnly"}`, `{"pin":"2"}`, `{"pin":"2"}`, ""},
		"immutable": {
			`{"name":"a","mutability":"immutable"},{"name":"b"},{"name":"pin","returned":"never"}`,
			`{"a":"1","b":"2","pin":"3"}`, `{"a":"1","pin":"3"}`, "",
		},
		"immutable and required": {
			`{"name":"a","mutability":"immutable"},{"name":"b","required":true}`, `{"a":"1","b":"2"}`,
			``, ":b is required",
		},
		"hidden complex": {
			`{"name":"c","type":"complex","subAttributes":[{"name":"pin","returned":"never"},{"name":"b"}]}`,
			`{"c":{"pin":"1"}}`, `{"c":{"pin":"1"}}`, "",
		},
	} {
		rt := withBadge(t, tc.attributes, false)
		next := object(t, `{"userName":"a"}`)
		err := rt.Keep(object(t, `{"userName":"a","`+badge+`":`+tc.old+`}`), next)
		if tc.word != "" {
			refused(t, name, err, scim.InvalidValue, tc.word)
			continue
		}
		got := ""
		if next[badge] != nil {
			got = text(next[badge])
		}
		if err != nil || got != tc.want {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, tc.want)
		}
	}
}

// A value keeps the hidden part of a former one that the client can't tell from it, but takes none if several look
// the same.
func TestKeepOfHiddenParts(t *testing.T) {
	rt := withBadge(t, `{"name":"c","type":"complex","multiValued":true,"subAttributes":[{"name":"value"},`+
		`{"name":"pin","returned":"never"}]}`, false)
	for _, tc := range []struct{ old, put, want string }{
		{`[{"value":"a","pin":"1"}]`, `[{"value":"a"}]`, `[{"pin":"1","value":"a"}]`},
		{`[{"value":"a","pin":"1"}]`, `[{"value":"a","pin":"2"}]`, `[{"pin":"2","value":"a"}]`},
		{`[{"value":"a","pin":"1"}]`, `[{"value":"b"}]`, `[{"value":"b"}]`},
		{
			`[{"value":"a"},{"value":"a","pin":"1"}]`, `[{"value":"a"},{"value":"a","pin":"1"}]`,
			`[{"value":"a"},{"pin":"1","value":"a"}]`,
		},
	} {
		body := func(list string) scim.Object { return object(t, `{"userName":"a","`+badge+`":{"c":`+list+`}}`) }
		next := body(tc.put)
		if err := rt.Keep(body(tc.old), next); err != nil || text(next[badge]) != `{"c":`+tc.want+`}` {
			t.Errorf("%s by %s: got %s, %v, want %s", tc.old, tc.put, text(next[badge]), err, tc.want)
		}
	}
}
