package scimhttp_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scimhttp"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

func bulkBody(operations ...string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[` + strings.Join(operations,
		",") + `]}`
}

const bulkUser = `{"method":"POST","path":"/Users","bulkId":"%[1]s",` +
	`"data":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"%[1]s"}}`

// TestBulkOddOperations sends malformed operations. Each has its own result, and does not affect the others.
func TestBulkOddOperations(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	odd := []string{
		`1`, `null`, `[]`, `{}`, `{"method":1,"path":2,"bulkId":3,"version":4,"data":5}`,
		`{"method":"POST"}`, `{"path":"/Users/x"}`,
	}
	// The last one has a name, so that others can refer to it.
	odd = append(odd, `{"method":"POST","bulkId":"odd"}`)
	r := s.as(a, "POST", "/Bulk", bulkBody(append(odd, fmt.Sprintf(bulkUser, "ann"),
		`{"method":"DELETE","path":"/Users/bulkId:odd"}`)...)).want(200)
	for i := range odd {
		if r.at("Operations", i, "status") != "400" || r.at("Operations", i, "response", "detail") == nil {
			t.Errorf("%s: %v", odd[i], r.at("Operations", i))
		}
	}
	if r.at("Operations", len(odd), "status") != "201" {
		t.Errorf("the good one: %v", r.at("Operations", len(odd)))
	}
	if r.at("Operations", len(odd)+1, "status") != "409" {
		t.Errorf("the one that refers to an odd one: %v", r.at("Operations", len(odd)+1))
	}
}

// due is a context that will end, and has not ended yet.
type due struct {
	context.Context
	at time.Time
}

func (d due) Deadline() (time.Time, bool) { return d.at, true }

// TestBulkOutOfTime sends a bulk request with no time left: nothing is carried out, and the result of each operation
// says so.
func TestBulkOutOfTime(t *testing.T) {
	var config scimhttp.Config
	s := newServer(t, func(c *scimhttp.Config) { config = *c })
	a := s.tenant("acme", "", tenant.Settings{})
	ctx := due{t.Context(), time.Now().Add(2 * time.Second)}
	body := bulkBody(fmt.Sprintf(bulkUser, "ann"), `{"method":"DELETE","path":"/Users/x"}`)
	r := httptest.NewRequest("POST", "http://"+host+"/scim/v2/acme/Bulk", strings.NewReader(body)).WithContext(ctx)
	r.Header.Set("Authorization", "Bearer "+a.token)
	w := httptest.NewRecorder()
	scimhttp.New(config).ServeHTTP(w, r)
	if w.Code != 200 || strings.Count(w.Body.String(), `"status":"503"`) != 4 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	// The same request has its result once there is time.
	again := s.as(a, "POST", "/Bulk", body).want(200)
	if again.at("Operations", 0, "status") != "201" || again.at("Operations", 1, "status") != "204" {
		t.Errorf("repeated: %s", again.raw)
	}
}

// TestScopesOfBulkAndSearch: a search only reads, though it is a POST; a bulk request writes.
func TestScopesOfBulkAndSearch(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	issued, err := s.tenants.Issue(t.Context(), a.id, tenant.NewToken{Scopes: []tenant.Scope{tenant.ScopeRead}})
	if err != nil {
		t.Fatal(err)
	}
	reader := account{a.id, issued.Value}
	const search = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}`
	for _, path := range []string{"/Users/.search", "/Groups/.search", "/.search"} {
		s.as(reader, "POST", path, search).want(200)
	}
	s.as(reader, "GET", "/?filter=userName+pr", "").want(200)
	s.as(reader, "POST", "/Bulk", bulkBody(fmt.Sprintf(bulkUser, "ann"))).wantError(403, scim.NoType)
}

// FuzzBulk sends any body to /Bulk: the answer is never a server error, nor is that of any operation, unless the
// machine is too busy.
func FuzzBulk(f *testing.F) {
	f.Add(bulkBody(fmt.Sprintf(bulkUser, "ann"),
		`{"method":"PATCH","path":"/Users/bulkId:ann",`+
			`"data":{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"title",`+
			`"value":"x"}]}}`))
	f.Add(bulkBody(`{"method":"POST","path":"/Groups","bulkId":"a","data":{"displayName":"a",`+
		`"members":[{"value":"bulkId:a"},{"value":"bulkId:b"}]}}`,
		`{"method":"POST","path":"/Groups","bulkId":"b","data":{"displayName":"b","members":[{"value":"bulkId:a"}]}}`))
	f.Add(bulkBody(`{"method":"PATCH","path":"/Groups/bulkId:a","data":[{"op":"remove","path":"members[value eq `+
		`\"bulkId:x\"]"}]}`, `{"method":"DELETE","path":"/Users/"}`))
	f.Add(bulkBody(`{"method":"POST","path":"/Users","bulkId":"bulkId:","data":{"userName":"bulkId:bulkId:",` +
		`"manager":"bulkId:"}}`))
	f.Add(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"failOnErrors":9223372036854775807,` +
		`"Operations":[null]}`)
	f.Fuzz(func(t *testing.T, body string) {
		s := newServer(t, nil)
		a := s.tenant("acme", "entra", tenant.Settings{})
		r := s.as(a, "POST", "/Bulk", body)
		if r.status >= 500 && r.status != 503 {
			t.Fatalf("%d %s", r.status, r.raw)
		}
		list, _ := r.at("Operations").([]any)
		for i := range list {
			if status, _ := r.at("Operations", i,
				"status").(string); status < "200" || status >= "500" && status != "503" {
				t.Fatalf("operation %d: %s", i, r.raw)
			}
		}
	})
}
