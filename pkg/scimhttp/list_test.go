package scimhttp_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

func escape(filter string) string { return url.QueryEscape(filter) }

// crowd creates a tenant of n users, u000, u001, ...
func crowd(s *server, n int) account {
	a := s.tenant("acme", "", tenant.Settings{})
	for i := range n {
		s.as(a, "POST", "/Users", fmt.Sprintf(`{"userName":"u%03d","externalId":"E%03d","active":%v}`, i, i, i%2 == 0)).
			want(201)
	}
	return a
}

func TestPaging(t *testing.T) {
	s := newServer(t, nil)
	const n = 120
	a := crowd(s, n)
	for query, want := range map[string]struct{ startIndex, items float64 }{
		"":                                   {1, 100}, // the default page
		"startIndex=1&count=50":              {1, 50},
		"StartIndex=101&COUNT=50":            {101, 20},
		"startIndex=-5&count=3":              {1, 3},
		"startIndex=0":                       {1, 100},
		"startIndex=500":                     {500, 0},
		"startIndex=99999999999999999999":    {1<<53 - 1, 0},
		"startIndex=-99999999999999999999":   {1, 100},
		"count=0":                            {1, 0},
		"count=-1":                           {1, 0},
		"count=1000000":                      {1, n},
		"count=99999999999999999999":         {1, n},
		"count=":                             {1, 100},
		"filter=":                            {1, 100},
		"filter=+&count=2":                   {1, 2},
		"sortBy=userName&sortOrder=&count=1": {1, 1},
		"aadOptscim062020&count=2":           {1, 2},
		"count=2&count=2":                    {1, 2},
		"count=2&note=a;b%3Bc":               {1, 2},
	} {
		r := s.as(a, "GET", "/Users?"+query, "").want(200)
		resources, isArray := r.at("Resources").([]any)
		if r.at("totalResults") != float64(n) || r.at("startIndex") != want.startIndex ||
			r.at("itemsPerPage") != want.items ||
			!isArray || float64(len(resources)) != want.items || r.text("schemas", 0) != scim.ListResponseURN ||
			len(r.body) != 5 {
			t.Errorf("%q: totalResults %v, startIndex %v, itemsPerPage %v, %d resources", query, r.at("totalResults"),
				r.at("startIndex"), r.at("itemsPerPage"), len(resources))
		}
	}
	// "Default order stable across pages without sortBy (no overlap, no gap)".
	seen := map[string]bool{}
	for start := 1; start <= n; start += 7 {
		r := s.as(a, "GET", fmt.Sprintf("/Users?startIndex=%d&count=7", start), "").want(200)
		for i := range r.at("Resources").([]any) {
			seen[r.text("Resources", i, "userName")] = true
		}
	}
	if len(seen) != n {
		t.Errorf("%d of %d users were listed", len(seen), n)
	}
}

func TestFilters(t *testing.T) {
	s := newServer(t, nil)
	a := crowd(s, 12)
	for filter, want := range map[string]float64{
		`userName eq "U003"`: 1, `USERNAME EQ "u003"`: 1, `externalId eq "E003"`: 1, `externalId eq "e003"`: 0,
		`userName eq "nobody"`:                 0,
		`userName sw "u00" and active eq true`: 5, `userName eq "u001" or userName eq "u002"`: 2, `not (active eq false)`: 6,
		`active eq "True"`: 6,
		`urn:ietf:params:scim:schemas:core:2.0:User:userName eq "u001"`: 1,
		`meta.created ge "2026-11-22T09:00:00.0000000+01:00"`:           12,
		`emails[type eq "work"].value eq "x"`:                           0,
	} {
		r := s.as(a, "GET", "/Users?filter="+escape(filter), "").want(200)
		if _, isArray := r.at("Resources").([]any); r.at("totalResults") != want || !isArray {
			t.Errorf("%s: %v results, want %v", filter, r.at("totalResults"), want)
		}
	}
	for _, filter := range []string{
		`userName xx "a"`, `active gt true`, `(userName eq "a"`, `userName eq u001`,
		`email co "x"`, `userName eq "a" and`,
	} {
		s.as(a, "GET", "/Users?filter="+escape(filter), "").wantError(400, scim.InvalidFilter)
	}
	// The query is form-encoded, and Entra's validator encodes a filter twice.
	for _, query := range []string{
		`userName+eq+%22u003%22`, `userName%20eq%20%22u003%22`, escape(escape(`userName eq "u003"`)),
		"userName%2520eq%2520%2522u003%2522",
	} {
		if r := s.as(a, "GET", "/Users?filter="+query, "").want(200); r.at("totalResults") != 1.0 {
			t.Errorf("%s: %v results", query, r.at("totalResults"))
		}
	}
}

// "a page cut short where it would pass 4.5 MB (itemsPerPage true)".
func TestPageIsCutShort(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	const n = 40
	filler := strings.Repeat(`\"`, 90_000) // doubles twice: in the resource, and on the way out of the function
	for i := range n {
		s.as(a, "POST", "/Users", fmt.Sprintf(`{"userName":"u%d","title":"%s"}`, i, filler)).want(201)
	}
	var got int
	for start := 1; start <= n; {
		r := s.as(a, "GET", fmt.Sprintf("/Users?startIndex=%d&count=1000", start), "").want(200)
		resources := r.at("Resources").([]any)
		if len(r.raw) > 4_500_000 || r.at("itemsPerPage") != float64(len(resources)) ||
			r.at("totalResults") != float64(n) || len(resources) == 0 {
			t.Fatalf("%d bytes, %v items, %d resources", len(r.raw), r.at("itemsPerPage"), len(resources))
		}
		got += len(resources)
		start += len(resources)
	}
	if got != n {
		t.Errorf("%d of %d users were listed", got, n)
	}
}

// A whole number may be written with a fraction of nothing.
func TestSearchTakesWholeNumbers(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	search := func(count string) *response {
		return s.as(a, "POST", "/Users/.search",
			`{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"count":`+count+`}`)
	}
	s.as(a, "POST", "/Users", `{"userName":"anna"}`).want(201)
	for count, want := range map[string]float64{"1": 1, "1.0": 1, "0.0": 0} {
		if got := search(count).want(200).at("itemsPerPage"); got != want {
			t.Errorf("count %s: itemsPerPage %v, want %v", count, got, want)
		}
	}
	search("1.5").want(400)
	search("true").want(400)
}
