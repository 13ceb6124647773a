package local_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// nameServer is a DNS server that changes its mind.
type nameServer struct {
	address string

	mu      sync.Mutex
	code    dnsmessage.RCode
	records [][]string // TXT, each in parts, of any name
	before  func()     // called before each answer
}

func (n *nameServer) says(code dnsmessage.RCode, records ...[]string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.code, n.records = code, records
}

// first has do called before each answer.
func (n *nameServer) first(do func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.before = do
}

func (n *nameServer) answer(query []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.before != nil {
		n.before()
	}
	m.Header = dnsmessage.Header{
		ID: m.ID, Response: true, Authoritative: true, RecursionAvailable: true, RCode: n.code,
	}
	m.Additionals = nil
	if n.code == dnsmessage.RCodeSuccess && strings.HasPrefix(m.Questions[0].Name.String(), "_scim-challenge.") {
		for _, parts := range n.records {
			m.Answers = append(m.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: dnsmessage.ClassINET},
				Body:   &dnsmessage.TXTResource{TXT: parts},
			})
		}
	}
	out, err := m.Pack()
	if err != nil {
		return nil
	}
	return out
}

// onDNS is a tenant on a server that asks a DNS server of the test.
func onDNS(t *testing.T) (*api, *nameServer) {
	t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &nameServer{address: socket.LocalAddr().String(), code: dnsmessage.RCodeNameError}
	done := make(chan struct{})
	go func() {
		defer close(done)
		query := make([]byte, 2048)
		for {
			size, from, err := socket.ReadFrom(query)
			if err != nil {
				return
			}
			_, _ = socket.WriteTo(n.answer(query[:size]), from)
		}
	}()
	t.Cleanup(func() { _ = socket.Close(); <-done })
	o := quiet()
	o.DNS = n.address
	s := local.New(o, memory(t), io.NopCloser(nil))
	t.Cleanup(func() { _ = s.Close() })
	_, token, err := s.Tenants().Create(t.Context(), tenant.NewTenant{ID: "acme", Name: "Acme", IdP: "generic"})
	if err != nil {
		t.Fatal(err)
	}
	return &api{t: t, s: s, h: s.Handler(), base: "http://scim.example.com/scim/v2/acme", token: token.Value}, n
}

// challenge adds a domain and returns the value of its record.
func (a *api) challenge(name string) string {
	a.t.Helper()
	d := a.mustAdmin(201, "POST", "/domains", fmt.Sprintf(`{"name":%q}`, name))
	record := d["record"].(object)
	if d["state"] != "pending" || record["type"] != "TXT" || record["name"] != "_scim-challenge."+d["name"].(string) {
		a.t.Errorf("added: %v", d)
	}
	return record["value"].(string)
}

func userBody(name string, more string) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q%s}`, name, more)
}

// TestDomainsAreVerified verifies a domain by each answer that a DNS server can give.
func TestDomainsAreVerified(t *testing.T) {
	a, dns := onDNS(t)
	value := a.challenge("Example.com")
	if again := a.mustAdmin(200, "POST", "/domains", `{"name":"example.com."}`); again["record"].(object)["value"] != value {
		t.Errorf("added again: %v", again)
	}
	for _, name := range []string{"", "com", "192.0.2.1", "exa mple.com", "ada@example.com"} {
		a.mustAdmin(400, "POST", "/domains", fmt.Sprintf(`{"name":%q}`, name))
	}
	for _, says := range []struct {
		code    dnsmessage.RCode
		records [][]string
		state   string
	}{
		{dnsmessage.RCodeNameError, nil, "pending"},
		{dnsmessage.RCodeServerFailure, nil, "pending"},
		{dnsmessage.RCodeSuccess, nil, "pending"},
		{dnsmessage.RCodeSuccess, [][]string{{"v=spf1 -all"}, {value + "x"}}, "pending"},
		{dnsmessage.RCodeSuccess, [][]string{{"v=spf1 -all"}, {value[:10], value[10:]}}, "verified"},
		{dnsmessage.RCodeNameError, nil, "verified"},
	} {
		dns.says(says.code, says.records...)
		if got := a.mustAdmin(200, "POST", "/domains/example.com/verify", ""); got["state"] != says.state {
			t.Errorf("%v %v: %v", says.code, says.records, got)
		}
	}
	if got := a.told("domain.verified"); len(got) != 1 || got[0]["domain"] != "example.com" || got[0]["by"] != "dns" {
		t.Errorf("told %v", got)
	}
	a.mustAdmin(404, "POST", "/domains/example.org/verify", "")
	a.challenge("example.org")
	if d := a.mustAdmin(200, "POST", "/domains/example.org/verify", `{"override":true}`); d["by"] != "operator" {
		t.Errorf("overridden: %v", d)
	}
	a.mustAdmin(204, "DELETE", "/domains/example.org", "")
	a.mustAdmin(404, "GET", "/domains/example.org", "")
	if all := a.mustAdmin(200, "GET", "/domains", "")["domains"].([]any); len(all) != 1 {
		t.Errorf("left: %v", all)
	}
}

// TestDomainsAreVerifiedOnce races verifications: one event.
func TestDomainsAreVerifiedOnce(t *testing.T) {
	a, dns := onDNS(t)
	dns.says(dnsmessage.RCodeSuccess, []string{a.challenge("example.com")})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if status, d := a.admin("POST", "/domains/example.com/verify", ""); status != 200 || d["state"] != "verified" {
				t.Errorf("%d %v", status, d)
			}
		})
	}
	all.Wait()
	if got := a.told("domain.verified"); len(got) != 1 {
		t.Errorf("told %v", got)
	}
}

// TestDomainIsRemovedWhileItIsVerified: a domain that was removed and added again has another record to show.
func TestDomainIsRemovedWhileItIsVerified(t *testing.T) {
	a, dns := onDNS(t)
	dns.says(dnsmessage.RCodeSuccess, []string{a.challenge("example.com")})
	dns.first(sync.OnceFunc(func() {
		a.mustAdmin(204, "DELETE", "/domains/example.com", "")
		a.challenge("example.com")
	}))
	a.mustAdmin(404, "POST", "/domains/example.com/verify", "")
	if d := a.mustAdmin(200, "GET", "/domains/example.com", ""); d["state"] != "pending" {
		t.Errorf("verified by the record of the one before: %v", d)
	}
}

// TestAddressesOfVerifiedDomains sends users whose addresses are of verified domains, and others.
func TestAddressesOfVerifiedDomains(t *testing.T) {
	a, dns := onDNS(t)
	early := a.user("early@other.com")
	a.mustAdmin(200, "PUT", "/policy", `{"requests":{"domains":["userName","emails"]}}`)
	refused := func(method, path, body, says string) {
		t.Helper()
		e := a.must(400, method, path, body)
		if detail, _ := e["detail"].(string); e["scimType"] != "invalidValue" || !strings.Contains(detail, says) {
			t.Errorf("%v", e)
		}
	}
	refused("POST", "/Users", userBody("ada@example.com", ""), "example.com")
	dns.says(dnsmessage.RCodeSuccess, []string{a.challenge("example.com")})
	refused("POST", "/Users", userBody("ada@example.com", ""), "example.com") // it is listed, and not verified
	a.mustAdmin(200, "POST", "/domains/example.com/verify", "")
	ada := a.must(201, "POST", "/Users", userBody("ada@EXAMPLE.com", ""))["id"].(string)
	for _, name := range []string{"x@mail.example.com", "x@example.com.evil.com", "x", "x@y@example.com", "@example.com"} {
		refused("POST", "/Users", userBody(name, ""), "verified")
	}
	refused("POST", "/Users", userBody("bob@example.com", `,"active":false,"emails":[{"value":"b@evil.com"}]`), "emails")
	set := func(path, value string) string {
		return patchBody(`{"op":"replace","path":"` + path + `","value":` + value + `}`)
	}
	refused("PATCH", "/Users/"+ada, set("userName", `"ada@evil.com"`), "evil.com")
	if got := a.must(200, "PATCH", "/Users/"+ada, set("userName", `"lovelace@example.com"`)); got["id"] != ada {
		t.Errorf("the id is %v", got["id"])
	}
	// Only values that a request sets are judged, and none of one that deactivates or deletes.
	a.must(200, "PATCH", "/Users/"+early, set("displayName", `"Early"`))
	a.must(200, "PATCH", "/Users/"+early, set("active", "false"))
	refused("PATCH", "/Users/"+early, set("active", "true"), "other.com")
	a.must(204, "DELETE", "/Users/"+early, "")
	a.mustAdmin(204, "DELETE", "/domains/example.com", "")
	refused("POST", "/Users", userBody("eve@example.com", ""), "example.com")
	a.must(204, "DELETE", "/Users/"+ada, "")
}
