package local_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/internal/dnstest"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// record is the name of the TXT record of the domain of most tests.
const record = "_scim-challenge.example.com"

// onDNS is a tenant on a server that asks a DNS server of the test.
func onDNS(t *testing.T) (*api, *dnstest.Server) {
	t.Helper()
	a, dns, _ := onDNSAt(t, time.Minute)
	return a, dns
}

// onDNSAt is onDNS; the DNS has to answer within patience. wait moves the clock, and does the work that is due then.
func onDNSAt(t *testing.T, patience time.Duration) (a *api, dns *dnstest.Server, wait func(time.Duration)) {
	t.Helper()
	dns = dnstest.New(t)
	var ahead atomic.Int64
	o := quiet()
	o.DNS, o.DNSPatience = dns.Address, patience
	o.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	s := local.New(o, memory(t), io.NopCloser(nil))
	t.Cleanup(func() { _ = s.Close() })
	_, token, err := s.Tenants().Create(t.Context(), tenant.NewTenant{ID: "acme", Name: "Acme", IdP: "generic"})
	if err != nil {
		t.Fatal(err)
	}
	a = &api{t: t, s: s, h: s.Handler(), base: "http://scim.example.com/scim/v2/acme", token: token.Value}
	return a, dns, func(d time.Duration) {
		t.Helper()
		ahead.Add(int64(d))
		if err := s.Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
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
	again := a.mustAdmin(200, "POST", "/domains", `{"name":"example.com."}`)
	if again["record"].(object)["value"] != value {
		t.Errorf("added again: %v", again)
	}
	for _, name := range []string{
		"", "com", "192.0.2.1", "exa mple.com", "ada@example.com", strings.Repeat("a.", 130) + "com",
	} {
		a.mustAdmin(400, "POST", "/domains", fmt.Sprintf(`{"name":%q}`, name))
	}
	for _, says := range []struct {
		name   string
		reply  dnstest.Reply
		answer string
	}{
		{"no such name", dnstest.NotThere, "missing"},
		{"SERVFAIL", dnstest.Reply{Code: dnsmessage.RCodeServerFailure}, "silent"},
		{"REFUSED", dnstest.Reply{Code: dnsmessage.RCodeRefused}, "silent"},
		{"no record", dnstest.Reply{}, "missing"},
		{"others", dnstest.TXT("v=spf1 -all", value+"x", strings.ToLower(value)), "different"},
		{"a CNAME to nothing", dnstest.Reply{Alias: "else.example.net"}, "missing"},
	} {
		dns.Says(record, says.reply)
		if got := a.mustAdmin(200, "POST", "/domains/example.com/verify", ""); got["state"] != "pending" ||
			got["answer"] != says.answer {
			t.Errorf("%s: %v", says.name, got)
		}
	}
	for name, reply := range map[string]func(value string) dnstest.Reply{
		"several strings": func(value string) dnstest.Reply {
			return dnstest.Reply{TXT: [][]string{{"v=spf1 -all"}, {value[:10], value[10:]}}}
		},
		"among others": func(value string) dnstest.Reply { return dnstest.TXT("a", " "+value+" ", "b") },
		"a CNAME": func(value string) dnstest.Reply {
			return dnstest.Reply{Alias: "else.example.net", TXT: [][]string{{value}}}
		},
		"more than a packet": func(value string) dnstest.Reply {
			many := slices.Repeat([][]string{{strings.Repeat("x", 200)}}, 10)
			return dnstest.Reply{Truncate: true, TXT: append(many, []string{value})}
		},
	} {
		a.mustAdmin(204, "DELETE", "/domains/example.com", "")
		dns.Says(record, reply(a.challenge("example.com")))
		if got := a.mustAdmin(200, "POST", "/domains/example.com/verify", ""); got["state"] != "verified" ||
			got["answer"] != "found" || got["by"] != "dns" {
			t.Errorf("%s: %v", name, got)
		}
	}
	if dns.Asked("tcp") == 0 {
		t.Error("a truncated answer was not asked for by TCP")
	}
	dns.Says(record, dnstest.NotThere)
	if got := a.mustAdmin(200, "POST", "/domains/example.com/verify", ""); got["state"] != "verified" ||
		got["answer"] != "missing" {
		t.Errorf("verified, asked again: %v", got)
	}
	if got := a.toldBy("domain.verified"); len(got) != 4 || got[0]["domain"] != "example.com" || got[0]["by"] != "dns" {
		t.Errorf("told %v", got)
	}
	a.mustAdmin(404, "POST", "/domains/example.org/verify", "")
	a.challenge("example.org")
	if d := a.mustAdmin(200, "POST", "/domains/example.org/verify", `{"override":true}`); d["by"] != "operator" {
		t.Errorf("overridden: %v", d)
	}
	a.mustAdmin(204, "DELETE", "/domains/example.org", "")
	a.mustAdmin(404, "GET", "/domains/example.org", "")
	a.mustAdmin(404, "DELETE", "/domains/example.org", "")
	if all := a.mustAdmin(200, "GET", "/domains", "")["domains"].([]any); len(all) != 1 {
		t.Errorf("left: %v", all)
	}
}

// TestDomainWithoutAnswerOfTheDNS: a DNS server that says nothing holds up no request for long.
func TestDomainWithoutAnswerOfTheDNS(t *testing.T) {
	a, dns, _ := onDNSAt(t, 50*time.Millisecond)
	a.challenge("example.com")
	dns.Says(record, dnstest.Reply{Silent: true})
	if got := a.mustAdmin(200, "POST", "/domains/example.com/verify", ""); got["state"] != "pending" ||
		got["answer"] != "silent" {
		t.Errorf("without an answer: %v", got)
	}
}

// TestDomainsAreVerifiedOnce races verifications: one event.
func TestDomainsAreVerifiedOnce(t *testing.T) {
	a, dns := onDNS(t)
	dns.Says(record, dnstest.TXT(a.challenge("example.com")))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			status, d := a.admin("POST", "/domains/example.com/verify", "")
			if status != 200 || d["state"] != "verified" {
				t.Errorf("%d %v", status, d)
			}
		})
	}
	all.Wait()
	if got := a.toldBy("domain.verified"); len(got) != 1 {
		t.Errorf("told %v", got)
	}
}

// TestDomainIsRemovedWhileItIsVerified: a domain that was removed and added again has another record to show.
func TestDomainIsRemovedWhileItIsVerified(t *testing.T) {
	a, dns := onDNS(t)
	dns.Says(record, dnstest.TXT(a.challenge("example.com")))
	dns.First(sync.OnceFunc(func() {
		a.mustAdmin(204, "DELETE", "/domains/example.com", "")
		a.challenge("example.com")
	}))
	a.mustAdmin(404, "POST", "/domains/example.com/verify", "")
	if d := a.mustAdmin(200, "GET", "/domains/example.com", ""); d["state"] != "pending" {
		t.Errorf("verified by the record of the one before: %v", d)
	}
}

// TestDomainIsLostAfterAWeek: a week of failures in a row, no matter which, and nothing less.
func TestDomainIsLostAfterAWeek(t *testing.T) {
	a, dns, wait := onDNSAt(t, time.Minute)
	a.mustAdmin(200, "PATCH", "", `{"settings":{"notices":{"recipients":[{"email":"ada@acme.example"}]}}}`)
	a.mustAdmin(200, "PUT", "/policy", `{"requests":{"domains":["userName"]}}`)
	there := dnstest.TXT(a.challenge("example.com"))
	dns.Says(record, there)
	a.mustAdmin(200, "POST", "/domains/example.com/verify", "")
	a.challenge("example.org")
	a.mustAdmin(200, "POST", "/domains/example.org/verify", `{"override":true}`)
	a.challenge("example.net")
	day := 24 * time.Hour
	state := func(want string, times int, answer string) {
		t.Helper()
		d := a.mustAdmin(200, "GET", "/domains/example.com", "")
		failing, _ := d["failing"].(object)
		if d["state"] != want || times == 0 && failing != nil ||
			times > 0 && (failing["times"] != float64(times) || failing["answer"] != answer) {
			t.Fatalf("%v, want %s after %d failures, the last %s", d, want, times, answer)
		}
	}
	notices := func(want ...string) {
		t.Helper()
		var got []string
		for _, v := range a.mustAdmin(200, "GET", "/notices", "")["notices"].([]any) {
			n := v.(object)
			got = append(got, fmt.Sprint(n["kind"], " ", n["state"]))
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("notices %v, want %v", got, want)
		}
	}
	wait(day)
	asked := dns.Asked("udp")
	wait(time.Hour) // the check is once a day
	if asked == 1 || dns.Asked("udp") != asked {
		t.Errorf("asked %d times in a day, %d in the next hour", asked, dns.Asked("udp")-asked)
	}
	state("verified", 0, "")
	dns.Says(record, dnstest.NotThere)
	for i := range 6 {
		wait(day)
		state("verified", i+1, "missing")
	}
	notices("domain-failing sent")
	dns.Says(record, there)
	wait(day)
	state("verified", 0, "")
	for i, says := range []dnstest.Reply{
		{Code: dnsmessage.RCodeServerFailure},
		dnstest.TXT("another"),
		{Code: dnsmessage.RCodeRefused},
		dnstest.NotThere,
		{Code: dnsmessage.RCodeRefused},
		dnstest.NotThere,
		{},
	} {
		dns.Says(record, says)
		wait(day)
		state("verified", i+1, []string{"silent", "different", "silent", "missing", "silent", "missing", "missing"}[i])
	}
	a.must(201, "POST", "/Users", userBody("ada@example.com", ""))
	dns.Says(record, dnstest.Reply{Code: dnsmessage.RCodeServerFailure})
	wait(day)
	state("lost", 8, "silent")
	notices("domain-failing sent", "domain-failing sent", "domain-lost sent")
	if told := a.toldBy("domain.lost"); len(told) != 1 || told[0]["domain"] != "example.com" ||
		told[0]["answer"] != "silent" {
		t.Errorf("told %v", told)
	}
	a.must(400, "POST", "/Users", userBody("bob@example.com", ""))
	// The operator's word is not checked, and the record alone does not bring a lost domain back.
	a.must(201, "POST", "/Users", userBody("bob@example.org", ""))
	dns.Says(record, there)
	wait(day)
	state("lost", 8, "silent")
	a.mustAdmin(200, "POST", "/domains/example.com/verify", "")
	state("verified", 0, "")
	a.must(201, "POST", "/Users", userBody("bob@example.com", ""))
	if told := a.toldBy("domain.verified"); len(told) != 3 {
		t.Errorf("told %v", told)
	}
}

// TestDomainIsNotLostByFewChecks: days on which nobody asked are no failures.
func TestDomainIsNotLostByFewChecks(t *testing.T) {
	a, dns, wait := onDNSAt(t, time.Minute)
	dns.Says(record, dnstest.TXT(a.challenge("example.com")))
	a.mustAdmin(200, "POST", "/domains/example.com/verify", "")
	dns.Says(record, dnstest.NotThere)
	for range 6 {
		wait(20 * 24 * time.Hour)
	}
	if d := a.mustAdmin(200, "GET", "/domains/example.com", ""); d["state"] != "verified" {
		t.Errorf("after six checks: %v", d)
	}
	wait(24 * time.Hour)
	if d := a.mustAdmin(200, "GET", "/domains/example.com", ""); d["state"] != "lost" || d["lostAt"] == nil {
		t.Errorf("after seven checks: %v", d)
	}
}

// TestAddressesOfVerifiedDomains sends users whose addresses are of verified domains, and others.
func TestAddressesOfVerifiedDomains(t *testing.T) {
	a, dns := onDNS(t)
	early := a.user("early@other.com")
	const policy = `{"requests":{"domains":["userName","emails"]}}`
	warned := func(answer object, want bool) {
		t.Helper()
		warnings := answer["warnings"].([]any)
		if (len(warnings) == 1) != want || want && warnings[0].(object)["pointer"] != "/requests/domains" {
			t.Errorf("warnings %v", warnings)
		}
	}
	warned(a.mustAdmin(200, "POST", "/policy/rehearse", policy), true)
	warned(a.mustAdmin(200, "PUT", "/policy", policy), true)
	refused := func(method, path, body, says string) {
		t.Helper()
		e := a.must(400, method, path, body)
		if detail, _ := e["detail"].(string); e["scimType"] != "invalidValue" || !strings.Contains(detail, says) {
			t.Errorf("%v", e)
		}
	}
	refused("POST", "/Users", userBody("ada@example.com", ""), "example.com")
	dns.Says(record, dnstest.TXT(a.challenge("example.com")))
	refused("POST", "/Users", userBody("ada@example.com", ""), "example.com") // it is listed, and not verified
	a.mustAdmin(200, "POST", "/domains/example.com/verify", "")
	warned(a.mustAdmin(200, "PUT", "/policy", policy), false)
	ada := a.must(201, "POST", "/Users", userBody("ada@EXAMPLE.com", ""))["id"].(string)
	for _, name := range []string{
		"x@mail.example.com", "x@example.com.evil.com", "x", "x@y@example.com", "@example.com",
	} {
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
