package local_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim/scimtest"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

func TestRequirements(t *testing.T) { scimtest.RunRequirements(t, targets(open(t))) }

// "If too many results would be returned, 400 tooMany" (RFC 7644, section 3.4.2.1): here a group with more members than
// an answer has room for.
func TestTooMany(t *testing.T) {
	engine, err := boltstore.Open(":memory:", boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	a := on(t, engine, "rfc")
	path := "/Groups/" + a.group("large", nil)
	for part := range 3 {
		values := make([]string, 6000)
		for i := range values {
			values[i] = fmt.Sprintf("%d-%04d-%s", part, i, strings.Repeat("x", 400))
		}
		if status, body := a.do("PATCH", path,
			patchBody(`{"op":"add","path":"members","value":`+members(values)+`}`)); status != 204 {
			t.Fatalf("PATCH: status %d: %v", status, body)
		}
	}
	for _, read := range []string{
		path, "/Groups", "/Groups?filter=displayName+eq+%22large%22",
		"/?filter=displayName+eq+%22large%22",
	} {
		if got := a.must(400, "GET", read, "")["scimType"]; got != "tooMany" {
			t.Errorf("GET %s: scimType %v", read, got)
		}
	}
	a.must(200, "GET", path+"?excludedAttributes=members", "")
	a.must(200, "GET", "/Groups?excludedAttributes=members", "")
}
