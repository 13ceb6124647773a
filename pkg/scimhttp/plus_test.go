package scimhttp_test

import (
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// TestPlusInAQuery: a plus is a plus if the blanks of the parameter are written %20, otherwise a blank.
func TestPlusInAQuery(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	s.as(a, "POST", "/Users", `{"userName":"jane+test@example.com"}`).want(201)
	s.as(a, "POST", "/Users", `{"userName":"jane test@example.com"}`).want(201)
	for query, want := range map[string]string{
		`userName%20eq%20%22jane+test@example.com%22`:           "jane+test@example.com",
		`userName%20eq%20"jane+test@example.com"`:               "jane+test@example.com",
		`userName%20eq%20%22jane%2Btest@example.com%22`:         "jane+test@example.com",
		`userName%20eq%20%22jane%20test@example.com%22`:         "jane test@example.com",
		`userName+eq+%22jane+test@example.com%22`:               "jane test@example.com",
		`userName+eq+%22jane%2Btest@example.com%22`:             "jane+test@example.com",
		`userName%2520eq%2520%2522jane+test%40example.com%2522`: "jane+test@example.com",
		`userName%2520eq%2520%2522jane%2Btest@example.com%2522`: "jane+test@example.com",
	} {
		r := s.as(a, "GET", "/Users?filter="+query, "").want(200)
		if got := r.text("Resources", 0, "userName"); got != want || r.at("totalResults") != 1.0 {
			t.Errorf("%s: found %q, want %q", query, got, want)
		}
	}
	// Each parameter is decoded by itself: another one with %20 must not change the value of the filter.
	for _, other := range []string{"attributes=userName,%20id", "sortBy=userName%20"} {
		r := s.as(a, "GET", "/Users?"+other+"&filter=userName+eq+%22jane%2Btest@example.com%22", "").want(200)
		if got := r.text("Resources", 0, "userName"); got != "jane+test@example.com" {
			t.Errorf("beside %s: found %q", other, got)
		}
	}
	s.as(a, "GET", "/Users?count=1&sortBy=userName&filter=userName%20co%20%22+%22", "").want(200)
	r := s.as(a, "GET", "/Users?attributes=userName,+id&filter=userName+co+%22+%22", "").want(200)
	if r.text("Resources", 0, "userName") != "jane test@example.com" {
		t.Errorf("got %s", r.raw)
	}
}
