package provlog

import (
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// TestEntryIsWrittenAsItsObject: the stored form is written field by field, and is the JSON of the object all the same.
func TestEntryIsWrittenAsItsObject(t *testing.T) {
	whole := Entry{
		RequestID: "r", TokenID: "t", Caller: "c", IdP: "okta", Operation: Patch, Method: "PATCH", Path: `/Users/"1"`,
		ResourceType: "User", ResourceID: "1", Subject: "jané", Group: "g", Added: []string{"a", "b"},
		Removed: []string{"x"}, Outcome: Refused, Status: 400, ScimType: "invalidValue", Detail: "d\n",
		Duration: 3 * time.Millisecond, Changed: []string{"title"}, Number: 2, Flag: true, Body: `{"a":"b"}`,
		BodyCut: true, Erased: true,
	}
	for _, e := range []Entry{{}, {ResourceID: "1"}, {Removed: []string{"x"}}, whole} {
		want := string(scim.AppendJSON(nil, e.object(func(f field) string { return f.short })))
		if got := e.encode(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if set := whole.object(func(f field) string { return f.long }); len(set) != len(whole.fields()) {
		t.Errorf("%d of %d fields are set", len(set), len(whole.fields()))
	}
}
