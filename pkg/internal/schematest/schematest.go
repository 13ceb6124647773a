package define_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// object reads a JSON object that a test wrote.
func object(t testing.TB, text string) scim.Object {
	t.Helper()
	o, err := scim.ParseObject([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return o
}

func text(v any) string { return string(scim.AppendJSON(nil, v)) }

// refused checks that err is a 400 of that type whose detail has all the words.
func refused(t testing.TB, about string, err error, typ scim.ErrorType, words ...string) {
	t.Helper()
	var e *scim.Error
	if !errors.As(err, &e) {
		t.Errorf("%s: got %v, want a *scim.Error", about, err)
		return
	}
	if e.Status != 400 || e.Type != typ {
		t.Errorf("%s: got %v, want 400 %s", about, err, typ)
	}
	for _, w := range words {
		if !strings.Contains(e.Detail, w) {
			t.Errorf("%s: the detail %q lacks %q", about, e.Detail, w)
		}
	}
}
