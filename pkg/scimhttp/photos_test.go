package scimhttp_test

import (
	"fmt"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// TestP29Photos: a photo must be an absolute https URL in every profile but rfc and interop, however it is written.
func TestP29Photos(t *testing.T) {
	s := newServer(t, nil)
	for i, idp := range scim.IdPs() {
		a := s.tenant(fmt.Sprintf("idp-%d", i), idp, tenant.Settings{})
		strict := idp != "rfc" && idp != "interop"
		check := func(what, value string, got *response, good int) {
			t.Helper()
			if bad := !isGood[value]; bad && strict {
				if got.status != 400 || got.text("scimType") != string(scim.InvalidValue) {
					t.Errorf("%s: %s with %q: %d %s", idp, what, value, got.status, got.raw)
				}
				return
			}
			if got.status != good {
				t.Errorf("%s: %s with %q: %d %s", idp, what, value, got.status, got.raw)
			}
		}
		base := `"schemas":["` + scim.UserURN + `"],`
		id := s.as(a, "POST", "/Users", `{`+base+`"userName":"mia"}`).want(201).text("id")
		for n, value := range photoValues {
			photos := fmt.Sprintf(`"photos":[{"value":"https://example.com/a.jpg","type":"thumbnail"},`+
				`{"value":%q,"type":"photo"}]`, value)
			body := fmt.Sprintf(`{%s"userName":"u%d",%s}`, base, n, photos)
			check("POST", value, s.as(a, "POST", "/Users", body), 201)
			check("PUT", value, s.as(a, "PUT", "/Users/"+id, fmt.Sprintf(`{%s"userName":"mia",%s}`, base, photos)), 200)
			for what, op := range map[string]string{
				"PATCH add":     fmt.Sprintf(`{"op":"add","path":"photos","value":[{"value":%q,"type":"photo"}]}`, value),
				"PATCH replace": fmt.Sprintf(`{"op":"replace","path":"photos[type eq \"thumbnail\"].value","value":%q}`, value),
			} {
				s.as(a, "PUT", "/Users/"+id, `{`+base+`"userName":"mia",`+
					`"photos":[{"value":"https://example.com/a.jpg","type":"thumbnail"}]}`).want(200)
				check(what, value, s.as(a, "PATCH", "/Users/"+id, patchOf(op)), 200)
			}
			r := s.as(a, "POST", "/Bulk", fmt.Sprintf(`{"schemas":[%q],"Operations":[`+
				`{"method":"POST","path":"/Users","bulkId":"b","data":{%s"userName":"b%d",%s}}]}`,
				scim.BulkRequestURN, base, n, photos)).want(200)
			want := "201"
			if strict && !isGood[value] {
				want = "400"
			}
			if got := r.text("Operations", 0, "status"); got != want {
				t.Errorf("%s: /Bulk with %q: %s", idp, value, r.raw)
			}
		}
	}
}

var photoValues = []string{
	"https://example.com/a.jpg", "https://[2001:db8::1]:8443/a%20b?c#d", "HTTPS://EXAMPLE.COM",
	"http://example.com/a.jpg", "/a.jpg", "//example.com/a.jpg", "https:///a.jpg", "https://:443/a.jpg", "https:a.jpg",
	"data:image/png;base64,AAAA", "ftp://example.com/a.jpg", "mia", "https://exa mple.com/a.jpg",
	"https://example.com/a b.jpg",
}

var isGood = map[string]bool{photoValues[0]: true, photoValues[1]: true, photoValues[2]: true}

// TestP29OldPhotos: photos that were taken before are not judged by a request that does not set them.
func TestP29OldPhotos(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "rfc", tenant.Settings{})
	id := s.as(a, "POST", "/Users", `{"schemas":["`+scim.UserURN+`"],"userName":"mia",`+
		`"photos":[{"value":"http://example.com/a.jpg"}]}`).want(201).text("id")
	if _, err := s.tenants.Change(t.Context(), "acme", scim.Object{"idp": "okta"}); err != nil {
		t.Fatal(err)
	}
	r := s.as(a, "PATCH", "/Users/"+id, patchOf(`{"op":"add","path":"title","value":"t"}`)).want(200)
	if r.text("photos", 0, "value") != "http://example.com/a.jpg" {
		t.Errorf("%s", r.raw)
	}
	s.as(a, "PATCH", "/Users/"+id, patchOf(`{"op":"replace","path":"active","value":false}`)).want(200)
}
