package adminhttp

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

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
		journal: &provlog.Journal{}, doctor: &diagnosis.Service{}, members: &member.Service{}, webhooks: &webhook.Service{},
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
	for _, route := range queried {
		if method, path, _ := strings.Cut(route, " "); a.routes()[path][method] == nil {
			t.Errorf("there is no route %s", route)
		}
	}
}
