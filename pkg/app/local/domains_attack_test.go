package local_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/internal/dnstest"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// takes sends a user with an address, and reports whether they are taken. They are deleted then.
func (a *api) takes(address string) bool {
	a.t.Helper()
	status, user := a.do("POST", "/Users", userBody(address, ""))
	if status == 201 {
		a.must(204, "DELETE", "/Users/"+user["id"].(string), "")
	} else if status != 400 || user["scimType"] != "invalidValue" {
		a.t.Errorf("%q: status %d: %v", address, status, user)
	}
	return status == 201
}

// TestDomainUnderContention has 16 clients add, verify and remove one domain: none of them sees an error of the
// server, and requests are judged by the domains that are listed.
func TestDomainUnderContention(t *testing.T) {
	a, _ := onDNS(t)
	a.mustAdmin(200, "PUT", "/policy", `{"requests":{"domains":["userName"]}}`)
	a.mustAdmin(201, "POST", "/domains", `{"name":"example.org"}`)
	a.mustAdmin(200, "POST", "/domains/example.org/verify", `{"override":true}`)
	for round := range 2 {
		var all sync.WaitGroup
		for client := range 16 {
			all.Go(func() {
				for i := range 3 {
					call := [][3]string{
						{"POST", "/domains", `{"name":"example.com"}`},
						{"POST", "/domains/example.com/verify", `{"override":true}`},
						{"DELETE", "/domains/example.com", ""},
					}[(client+i)%3]
					status, answer := a.admin(call[0], call[1], call[2])
					if !slices.Contains([]int{200, 201, 204, 404}, status) {
						t.Errorf("%v: %d %v", call, status, answer)
					}
				}
			})
		}
		all.Wait()
		if round == 1 {
			a.admin("POST", "/domains", `{"name":"example.com"}`)
			a.mustAdmin(200, "POST", "/domains/example.com/verify", `{"override":true}`)
		}
		status, d := a.admin("GET", "/domains/example.com", "")
		if verified := status == 200 && d["state"] == "verified"; a.takes("ada@example.com") != verified {
			t.Errorf("listed: %d %v, and judged otherwise", status, d)
		}
		if !a.takes("ada@example.org") {
			t.Error("another domain was lost")
		}
	}
}

// TestDomainsOfTwoTenants: each has a value of its own, and a domain that one has verified is not verified for the
// other.
func TestDomainsOfTwoTenants(t *testing.T) {
	a, dns := onDNS(t)
	_, token, err := a.s.Tenants().Create(t.Context(), tenant.NewTenant{
		ID: "umbrella", Name: "Umbrella", IdP: "generic",
	})
	if err != nil {
		t.Fatal(err)
	}
	b := &api{
		t: t, s: a.s, h: a.h, base: "http://scim.example.com/scim/v2/umbrella", token: token.Value, tenant: "umbrella",
	}
	values := []string{a.challenge("example.com"), b.challenge("example.com")}
	if values[0] == values[1] {
		t.Error("two tenants have the same value")
	}
	dns.Says(record, dnstest.TXT(values[0]))
	a.mustAdmin(200, "POST", "/domains/example.com/verify", "")
	for _, api := range []*api{a, b} {
		api.mustAdmin(200, "PUT", "/policy", `{"requests":{"domains":["userName"]}}`)
	}
	if d := b.mustAdmin(200, "POST", "/domains/example.com/verify", ""); d["answer"] != "different" ||
		!a.takes("ada@example.com") || b.takes("ada@example.com") {
		t.Errorf("the second tenant has the domain of the first: %v", d)
	}
	dns.Says(record, dnstest.TXT(values...))
	b.mustAdmin(200, "POST", "/domains/example.com/verify", "")
	a.mustAdmin(204, "DELETE", "/domains/example.com", "")
	if a.takes("ada@example.com") || !b.takes("ada@example.com") {
		t.Error("removing a domain of one tenant is seen by the other")
	}
}

// TestAddressesThatLookAlike are near those of verified domains.
func TestAddressesThatLookAlike(t *testing.T) {
	a, _ := onDNS(t)
	a.mustAdmin(200, "PUT", "/policy", `{"requests":{"domains":["userName"]}}`)
	long := strings.Repeat(strings.Repeat("a", 60)+".", 3) + "example"
	for _, name := range []string{"paypal.com", "münchen.de", "ibm.com", "straße.de", long} {
		a.mustAdmin(201, "POST", "/domains", fmt.Sprintf(`{"name":%q}`, name))
		a.mustAdmin(200, "POST", "/domains/"+url.PathEscape(name)+"/verify", `{"override":true}`)
	}
	for _, address := range []string{
		"a@paypal.com", "A@PayPal.COM", "a@münchen.de", "a@MÜNCHEN.DE", "a@xn--mnchen-3ya.de", "a@XN--MNCHEN-3YA.de",
		"a@straße.de", "ä@ibm.com", "a@" + long,
	} {
		if !a.takes(address) {
			t.Errorf("%q is refused", address)
		}
	}
	for _, address := range []string{
		"a@pаypal.com", "a@раураl.com", "a@paypal.com.", "a@.paypal.com", "a@mail.paypal.com", "a@paypal.com.evil.org",
		"a@paypal.com@evil.org", "a@evil.org@paypal.com", `"a@evil.org"@paypal.com`, "a@@paypal.com", "@paypal.com",
		"a@paypal.com ", "a@ paypal.com", "a@pay\u200bpal.com", "a@ｐａｙｐａｌ.com", "a@paypal。com",
		"a@mu\u0308nchen.de", "a@munchen.de", "a@strasse.de", "a@İbm.com", "a@ıbm.com", "a@[127.0.0.1]", "a@x" + long,
		"a@" + strings.Repeat("b.", 5000) + "com", "paypal.com", "a<b@paypal.com>", "a@paypal.com,b@evil.org",
		"a@paypal.com/x", "a%evil.org@paypal.com@", "mailto:a@paypal.com@",
	} {
		if a.takes(address) {
			t.Errorf("%q is taken", address)
		}
	}
}

// TestAddressesByEachPath tries to bring an address in by each way to write a user.
func TestAddressesByEachPath(t *testing.T) {
	a, _ := onDNS(t)
	a.mustAdmin(200, "PUT", "/policy", `{"requests":{"domains":["userName","emails"]},
		"members":{"exclude":{"users":"title eq \"Guest\""}}}`)
	a.challenge("example.com")
	a.mustAdmin(200, "POST", "/domains/example.com/verify", `{"override":true}`)
	const emails = `"emails":[{"type":"work","value":"ada@example.com"}]`
	ada := "/Users/" + a.must(201, "POST", "/Users", userBody("ada@example.com", ","+emails))["id"].(string)
	for _, operation := range []string{
		`{"op":"replace","path":"userName","value":"ada@evil.com"}`,
		`{"op":"replace","value":{"userName":"ada@evil.com"}}`,
		`{"op":"add","path":"emails","value":[{"type":"home","value":"ada@evil.com"}]}`,
		`{"op":"add","value":{"emails":[{"type":"home","value":"ada@evil.com"}]}}`,
		`{"op":"replace","path":"emails","value":[{"value":"ada@evil.com"}]}`,
		`{"op":"replace","path":"emails[type eq \"work\"].value","value":"ada@evil.com"}`,
		`{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":"ada@evil.com"}}`,
		`{"op":"replace","path":"emails[type eq \"work\"].value","value":"ada@sub.example.com"}`,
		`{"op":"remove","path":"emails"},{"op":"add","path":"emails","value":{"value":"ada@evil.com"}}`,
		`{"op":"replace","path":"active","value":false},{"op":"replace","path":"userName","value":"ada@evil.com"},` +
			`{"op":"replace","path":"active","value":true}`,
	} {
		status, answer := a.do("PATCH", ada, patchBody(operation))
		if status != 400 || answer["scimType"] != "invalidValue" {
			t.Errorf("%s: %d %v", operation, status, answer)
		}
	}
	for _, body := range []string{
		userBody("ada@evil.com", ""), userBody("ada@example.com", `,"emails":[{"value":"a@evil.com"}]`),
	} {
		a.must(400, "PUT", ada, body)
	}
	answer := a.must(200, "POST", "/Bulk", fmt.Sprintf(
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
		{"method":"POST","path":"/Users","bulkId":"1","data":%s},{"method":"POST","path":"/Users","bulkId":"2","data":%s},
		{"method":"PATCH","path":%q,"data":{"Operations":[{"op":"replace","path":"userName","value":"ada@evil.com"}]}},
		{"method":"PUT","path":%q,"data":%s}]}`, userBody("bad@evil.com", ""), userBody("good@example.com", ""), ada, ada,
		userBody("ada@evil.com", "")))
	var statuses []any
	for _, o := range answer["Operations"].([]any) {
		statuses = append(statuses, o.(object)["status"])
	}
	if got := fmt.Sprint(statuses); got != "[400 201 400 400]" {
		t.Errorf("in bulk: %v", got)
	}
	// Ways round: an excluded user, and an inactive one, who become neither.
	guest := "/Users/" + a.must(201, "POST", "/Users", userBody("g@evil.com", `,"title":"Guest"`))["id"].(string)
	a.must(400, "PATCH", guest, patchBody(`{"op":"replace","path":"title","value":"Boss"}`))
	a.must(200, "PATCH", ada, patchBody(`{"op":"replace","path":"active","value":false},`+
		`{"op":"replace","path":"userName","value":"ada@evil.com"}`))
	a.must(400, "PATCH", ada, patchBody(`{"op":"replace","path":"active","value":"True"}`))
	a.must(200, "PATCH", ada, patchBody(`{"op":"replace","path":"active","value":true},`+
		`{"op":"replace","path":"userName","value":"ada@example.com"}`))
	// Users keep addresses of a domain that goes, and can be sent again with them.
	a.mustAdmin(204, "DELETE", "/domains/example.com", "")
	a.must(200, "PUT", ada, userBody("ada@example.com", `,"displayName":"Ada",`+emails))
	a.must(400, "PUT", ada, userBody("ada@example.com", `,"emails":[{"value":"lovelace@example.com"}]`))
	a.must(200, "PATCH", ada, patchBody(`{"op":"remove","path":"emails"}`))
	a.must(400, "PATCH", ada, patchBody(`{"op":"add","path":"emails","value":[{"value":"ada@example.com"}]}`))
}

// TestDomainRequests are requests of the admin API that can't be taken.
func TestDomainRequests(t *testing.T) {
	a, _ := onDNS(t)
	for i := range 100 {
		a.mustAdmin(201, "POST", "/domains", fmt.Sprintf(`{"name":"d%d.example.com"}`, i))
	}
	a.mustAdmin(409, "POST", "/domains", `{"name":"example.com"}`, "100 domains")
	a.mustAdmin(200, "POST", "/domains", `{"name":"D7.example.com"}`)
	a.mustAdmin(204, "DELETE", "/domains/D7.EXAMPLE.com.", "")
	for _, body := range []string{
		``, `{}`, `[]`, `{"name":7}`, `{"name":null}`, `{"name":"example.com","x":1}`, `{"name":"_dmarc.example.com"}`,
		`{"name":"` + strings.Repeat("a", 5000) + `.com"}`, `{"name":"example.com/../x"}`, `{"name":"xn--zzzzzzzz.com"}`,
	} {
		a.mustAdmin(400, "POST", "/domains", body)
	}
	for _, body := range []string{`{"override":"yes"}`, `{"override":1}`, `{"x":true}`, `[]`} {
		a.mustAdmin(400, "POST", "/domains/d1.example.com/verify", body)
	}
	for _, name := range []string{"x", "example.com", "%2e", "a%2Fb", "%00", "%ff", "d7.example.com"} {
		for _, method := range []string{"GET", "DELETE"} {
			a.mustAdmin(404, method, "/domains/"+name, "")
		}
		a.mustAdmin(404, "POST", "/domains/"+name+"/verify", `{"override":true}`)
	}
	gone := *a
	gone.tenant = "nobody"
	gone.mustAdmin(404, "GET", "/domains", "")
	gone.mustAdmin(404, "POST", "/domains", `{"name":"example.com"}`)
	gone.mustAdmin(404, "POST", "/domains/example.com/verify", `{"override":true}`)
}
