package scimhttp_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scimhttp"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// fill repeats a text, with commas between, until it has about so many bytes.
func fill(text string, bytes int) string {
	return strings.Repeat(text+",", max(1, bytes/(len(text)+1)-1)) + text
}

// largeBulk is a bulk request, and the bytes that may be allocated for each of its own. Data that is not small is
// decoded twice, so it takes twice its decoded form over time, and never at once.
type largeBulk struct {
	body string
	most float64
}

// largeBulks are bulk requests as large as one may be, in the shapes that cost most when they are decoded.
func largeBulks() map[string]largeBulk {
	const most = scimhttp.DefaultMaxBodyBytes - 200
	each := func(operation func(i, bytes int) string) string {
		const n, around = 1000, 200
		ops := make([]string, n)
		for i := range ops {
			ops[i] = operation(i, most/n-around)
		}
		return bulkBody(ops...)
	}
	put := func(data string) string { return `{"method":"PUT","path":"/Users/none","data":` + data + `}` }
	user := func(i int, more string) string {
		return fmt.Sprintf(`{"method":"POST","path":"/Users","bulkId":"%d","data":{"schemas":[%q],"userName":"user-%d",%s}}`,
			i, scim.UserURN, i, more)
	}
	return map[string]largeBulk{
		"empty operations": {bulkBody(fill(`{}`, most)), 15},
		"one with empties": {bulkBody(put(`{"x":[` + fill(`{}`, most-200) + `]}`)), 15},
		"one with small":   {bulkBody(put(`{"x":[` + fill(`{"a":1}`, most-200) + `]}`)), 20},
		"thousand with small": {each(func(_, bytes int) string {
			return put(`{"x":[` + fill(`{"a":1}`,
				bytes) + `]}`)
		}), 110},
		"thousand with texts": {each(func(_, bytes int) string {
			return put(`"{\"x\":[` + fill(`{\"a\":1}`, bytes) + `]}"`)
		}), 110},
		"thousand users": {each(func(i, bytes int) string {
			return user(i, `"title":"`+strings.Repeat("x",
				bytes)+`"`)
		}), 25},
		"many addresses": {each(func(i, bytes int) string {
			return user(i,
				`"addresses":[`+fill(`{"type":"work","locality":"Berlin","country":"DE","postalCode":"10115"}`,
					bytes)+`]`)
		}), 45},
		"one large group": {bulkBody(`{"method":"POST","path":"/Groups","bulkId":"g","data":{"schemas":["` + scim.GroupURN +
			`"],"displayName":"g","members":[` + fill(`{"value":"01234567-89ab-cdef-0123-456789abcdef"}`,
			most-300) + `]}}`), 50},
	}
}

// TestBulkAllocations carries out bulk requests of the largest size and counts the bytes that are allocated for each
// byte of them.
func TestBulkAllocations(t *testing.T) {
	for name, c := range largeBulks() {
		t.Run(name, func(t *testing.T) {
			var config scimhttp.Config
			s := newServer(t, func(c *scimhttp.Config) { config = *c })
			a := s.tenant("acme", "", tenant.Settings{})
			h := scimhttp.New(config)
			r := httptest.NewRequest(http.MethodPost, "http://"+host+"/scim/v2/acme/Bulk", strings.NewReader(c.body))
			r.Header.Set("Authorization", "Bearer "+a.token)
			w := httptest.NewRecorder()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			h.ServeHTTP(w, r)
			runtime.ReadMemStats(&after)
			each := float64(after.TotalAlloc-before.TotalAlloc) / float64(len(c.body))
			t.Logf("%d bytes: %.1f bytes allocated for each", len(c.body), each)
			if w.Code != 200 && w.Code != 413 || each > c.most {
				t.Errorf("%d bytes, want %.0f allocated for each byte at most: %.1f; %d %.200s", len(c.body), c.most,
					each, w.Code, w.Body)
			}
		})
	}
}
