package adminhttp

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/openapi"
	"github.com/serverless-scim/serverless-scim/pkg/internal/contract"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/provlog"
	"github.com/serverless-scim/serverless-scim/pkg/provlog/diagnosis"
	"github.com/serverless-scim/serverless-scim/pkg/webhook"
)

// TestRoutesAreDescribed: every route is in the OpenAPI document, and the document has no other.
func TestRoutesAreDescribed(t *testing.T) {
	a := &api{
		moveTo:  func(context.Context, time.Time) (time.Time, error) { return time.Time{}, nil },
		journal: &provlog.Journal{}, doctor: &diagnosis.Service{}, members: &member.Service{},
		webhooks: &webhook.Service{},
	}
	var served []string
	for path, m := range a.routes() {
		for method := range maps.Keys(m) {
			served = append(served, method+" "+Root+strings.ReplaceAll(path, "...}", "}"))
		}
	}
	slices.Sort(served)
	c, err := contract.New()
	if err != nil {
		t.Fatal(err)
	}
	described := c.Operations()
	for _, route := range served {
		if !slices.Contains(described, route) {
			t.Errorf("the document does not have %s", route)
		}
	}
	for _, route := range described {
		if !slices.Contains(served, route) {
			t.Errorf("there is no route %s", route)
		}
	}
	for _, route := range slices.Concat(queried, searched, reading, answering) {
		if method, path, _ := strings.Cut(route, " "); a.routes()[path][method] == nil {
			t.Errorf("there is no route %s", route)
		}
	}
}

// TestHeadersAreDescribed: the document names Idempotency-Key for each POST that changes something, and If-Match for
// each change of a resource that has an entity tag.
func TestHeadersAreDescribed(t *testing.T) {
	var document struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(openapi.Document(), &document); err != nil {
		t.Fatal(err)
	}
	for path, methods := range document.Paths {
		for method, operation := range methods {
			if method == "parameters" {
				continue
			}
			route := strings.ToUpper(method) + " " + strings.TrimPrefix(path, Root)
			described := func(name string) bool {
				return strings.Contains(string(operation), "#/components/parameters/"+name+`"`)
			}
			if keyed := method == "post" && !slices.Contains(reading, route); described("IdempotencyKey") != keyed {
				t.Errorf("%s: Idempotency-Key is described: %v", route, !keyed)
			}
			if change := method == "put" || method == "patch" || method == "delete"; !change {
				continue
			}
			if without := withoutTag[route] != ""; described("IfMatch") == without {
				t.Errorf("%s: If-Match is described: %v", route, !without)
			}
		}
	}
}

// withoutTag are the changes without If-Match, each for a reason.
var withoutTag = map[string]string{
	"PUT /clock": "a local program has one",
}
