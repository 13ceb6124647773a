package statements_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/internal/dnstest"
)

// withDomains is a world whose policy takes only addresses of verified domains, with a DNS that knows nothing.
func withDomains(t *testing.T) (*world, *dnstest.Server) {
	t.Helper()
	dns := dnstest.New(t)
	w := newWorldOf(t, local.Options{DNS: dns.Address}, "entra", `{"requests": {"domains": ["userName", "emails"]}}`)
	return w, dns
}

// claim adds a domain and returns its record: name and value.
func (w *world) claim(domain string) (name, value string) {
	w.t.Helper()
	record := w.admin(201, "POST", "/domains", fmt.Sprintf(`{"name": %q}`, domain))["record"].(object)
	return record["name"].(string), record["value"].(string)
}

// refuses sends a user who has to be refused for a domain.
func (w *world) refuses(userName, domain string) {
	w.t.Helper()
	answer := w.scim(400, "POST", "/Users", userBody(userName, address(userName)))
	detail, _ := answer["detail"].(string)
	if answer["scimType"] != "invalidValue" || !strings.Contains(detail, domain) {
		w.t.Errorf("%s is refused with %v", userName, answer)
	}
}

func TestL16DomainsAreListed(t *testing.T) {
	w, _ := withDomains(t)
	w.claim("new-company.de")
	w.admin(200, "POST", "/domains/new-company.de/verify", `{"override": true}`)
	id := w.user(newAddress, address(newAddress))
	w.refuses(oldAddress, "old-company.de")
	w.refuses("ann@mail.new-company.de", "mail.new-company.de")
	for _, path := range []string{"userName", `emails[type eq \"work\"].value`} {
		w.scim(400, "PATCH", "/Users/"+id, fmt.Sprintf(`{"schemas": [%q], "Operations": [{"op": "Replace", "path": "%s",
			"value": %q}]}`, patchURN, path, oldAddress))
	}
	w.scim(400, "PUT", "/Users/"+id, userBody(oldAddress, address(newAddress)))
	if m := w.member(id); m["userName"] != newAddress || m["email"] != newAddress {
		t.Errorf("the member is %v", m)
	}
}

func TestL17DomainsAreVerified(t *testing.T) {
	w, dns := withDomains(t)
	name, value := w.claim("new-company.de")
	w.refuses(newAddress, "new-company.de") // it is listed, and not verified
	d := w.admin(200, "POST", "/domains/new-company.de/verify", "")
	if d["state"] != "pending" || d["answer"] != "missing" {
		t.Errorf("without a record: %v", d)
	}
	dns.Says(name, dnstest.TXT("v=spf1 -all", "not "+value))
	w.admin(200, "POST", "/domains/new-company.de/verify", "")
	w.refuses(newAddress, "new-company.de")
	dns.Says(name, dnstest.TXT("v=spf1 -all", value))
	d = w.admin(200, "POST", "/domains/new-company.de/verify", "")
	if d["state"] != "verified" || d["by"] != "dns" {
		t.Errorf("with the record: %v", d)
	}
	w.user(newAddress, address(newAddress))
}

func TestL18OneUserIsRefused(t *testing.T) {
	w, dns := withDomains(t)
	name, value := w.claim("new-company.de")
	w.claim("old-company.de")
	w.admin(200, "POST", "/domains/old-company.de/verify", `{"override": true}`)
	// One cycle: the users before and after are taken, and the same person can still be changed otherwise.
	first := w.user("first@old-company.de")
	w.refuses(newAddress, "new-company.de")
	last := w.user("last@old-company.de")
	w.replace("/Users/"+first, "displayName", `"First"`)
	w.wants(first, "active: ")
	w.wants(last, "active: ")
	logged := w.admin(200, "GET", "/log?filter=outcome+eq+%22refused%22", "")["entries"].([]any)
	if len(logged) != 1 {
		t.Fatalf("logged: %v", logged)
	}
	entry := logged[0].(object)
	if detail, _ := entry["detail"].(string); entry["subject"] != newAddress || entry["status"] != float64(400) ||
		entry["scimType"] != "invalidValue" || !strings.Contains(detail, "Add and verify new-company.de") {
		t.Errorf("logged: %v", entry)
	}
	// The same request passes after the domain is verified, with nothing done about the user.
	dns.Says(name, dnstest.TXT(value))
	w.admin(200, "POST", "/domains/new-company.de/verify", "")
	w.wants(w.user(newAddress, address(newAddress)), "active: ")
}
