package work

import (
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/serverless-scim/serverless-scim/pkg/domain/claim"
	"github.com/serverless-scim/serverless-scim/pkg/internal/dnstest"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// TestRotateChecksDomains: a run asks the DNS about a verified domain, and does not count the answer about one that was
// removed and added again while it asked.
func TestRotateChecksDomains(t *testing.T) {
	r, engine := rotation(t)
	dns := dnstest.New(t)
	now := time.Now().AddDate(2, 0, 0) // a check is due
	r.domains = claim.New(store.New(engine, store.Options{}), r.tenants, claim.Options{
		Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler), Resolver: claim.At(dns.Address),
	})
	verified := func(name string) {
		t.Helper()
		d, _, err := r.domains.Add(t.Context(), "acme", name)
		if err != nil {
			t.Fatal(err)
		}
		dns.Says(claim.RecordName(d.Name), dnstest.TXT(d.Value))
		if d, _, err = r.domains.Verify(t.Context(), "acme", d.Name); err != nil || d.State != claim.Verified {
			t.Fatalf("%+v, %v", d, err)
		}
		dns.Says(claim.RecordName(d.Name), dnstest.NotThere)
	}
	checked := func() claim.Domain {
		t.Helper()
		now = now.Add(25 * time.Hour)
		if err := r.Handle(t.Context(), json.RawMessage(`{}`)); err != nil {
			t.Fatal(err)
		}
		d, err := r.domains.Get(t.Context(), "acme", "example.com")
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	verified("example.com")
	if d := checked(); d.Failing == nil || d.Failing.Times != 1 || d.Failing.Answer != claim.Missing {
		t.Errorf("after a failure: %+v", d)
	}
	dns.First(sync.OnceFunc(func() {
		if err := r.domains.Remove(t.Context(), "acme", "example.com"); err != nil {
			t.Error(err)
		}
		if _, _, err := r.domains.Add(t.Context(), "acme", "example.com"); err != nil {
			t.Error(err)
		}
		if _, err := r.domains.Override(t.Context(), "acme", "example.com"); err != nil {
			t.Error(err)
		}
	}))
	if d := checked(); d.Failing != nil || d.State != claim.Verified || d.By != claim.ByOperator {
		t.Errorf("the answer about another record counts: %+v", d)
	}
	asked := dns.Asked("udp")
	if d := checked(); d.Failing != nil || dns.Asked("udp") != asked {
		t.Errorf("a domain of the operator was checked: %+v", d)
	}
	// If the DNS is silent about all of several domains, the function fails: the operator hears of it within the week.
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		verified(name + ".example.com")
		dns.Says(claim.RecordName(name+".example.com"), dnstest.Reply{Code: dnsmessage.RCodeServerFailure})
	}
	now = now.Add(25 * time.Hour)
	err := r.Handle(t.Context(), json.RawMessage(`{}`))
	if err == nil || !strings.Contains(err.Error(), "silent about all 5") {
		t.Errorf("a DNS out of reach: %v", err)
	}
	dns.Says(claim.RecordName("a.example.com"), dnstest.NotThere)
	checked()
}
