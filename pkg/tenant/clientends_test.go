package tenant_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// ofClient returns the kinds of events and notices about a client that came since the last call.
func (d *told) ofClient(id string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var kinds []string
	for _, e := range d.events {
		if e.Data["clientId"] == id {
			kinds = append(kinds, string(e.Kind))
		}
	}
	for _, n := range d.notices {
		if n.ClientID == id {
			kinds = append(kinds, string(n.Kind))
			if n.Token.ID != n.TokenID || n.Token.ExpiresAt.IsZero() {
				kinds = append(kinds, "without its secret")
			}
		}
	}
	d.events, d.notices = nil, nil
	return strings.Join(kinds, " ")
}

func TestEndsOfClientSecretsAreTold(t *testing.T) {
	w, d := newWorld(t), &told{}
	w.createWith(t, "acme", mailAda)
	w.clock.add(40 * day)
	c, err := w.CreateClient(w.ctx, "acme", tenant.NewClient{})
	if err != nil {
		t.Fatal(err)
	}
	end := c.Secrets[0].ExpiresAt
	if want := w.clock.Now().Add(180 * day).Truncate(time.Second); !end.Equal(want) {
		t.Fatalf("the secret ends at %s, not %s", end, want)
	}
	w.rotate(t, d)
	if got := d.ofClient(c.ID); got != "client.created" {
		t.Errorf("at first: %s", got)
	}
	for _, step := range []struct {
		before time.Duration
		want   string
	}{
		{28*day + time.Minute, ""},
		{28 * day, string(notice.SuccessorReady)},
		{27 * day, ""},
		{14 * day, "reminder-14"},
		{7 * day, "reminder-7"},
		{7*day - time.Hour, ""},
		{day, "reminder-1"},
		{time.Second, ""},
	} {
		w.to(end.Add(-step.before))
		w.rotate(t, d)
		w.rotate(t, d) // twice is once
		if got := d.ofClient(c.ID); got != step.want {
			t.Errorf("%s before: %q, want %q", step.before, got, step.want)
		}
	}
	if w.grant(t, "acme", c) == "" {
		t.Error("refused before its end")
	}
	w.to(end)
	w.rotate(t, d)
	if got := d.ofClient(c.ID); got != "client.secret-expired expired" {
		t.Errorf("at the end: %q", got)
	}
	if w.grant(t, "acme", c) != "" {
		t.Error("good after its end")
	}
	w.clock.add(30 * day)
	w.rotate(t, d)
	if got := d.ofClient(c.ID); got != "" {
		t.Errorf("later: %q", got)
	}
	again, err := w.RenewClient(w.ctx, "acme", c.ID, tenant.NewClient{})
	if err != nil || len(again.Secrets) != 1 || w.grant(t, "acme", again) == "" {
		t.Errorf("%+v %v", again, err)
	}
}

// A run that comes late says it once; a secret that ends within its notice period says nothing before the next step.
func TestLateAndShortEndsOfClientSecrets(t *testing.T) {
	w, d := newWorld(t), &told{}
	w.createWith(t, "acme", mailAda)
	w.clock.add(40 * day)
	late, err := w.CreateClient(w.ctx, "acme", tenant.NewClient{})
	if err != nil {
		t.Fatal(err)
	}
	w.rotate(t, d)
	w.to(late.Secrets[0].ExpiresAt.Add(-6 * day))
	w.rotate(t, d)
	if got := d.ofClient(late.ID); got != "client.created successor-ready" && got != "successor-ready" {
		t.Errorf("late: %q", got)
	}
	var listed []string
	all, err := w.Notices(w.ctx, "acme")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range all {
		if n.ClientID == late.ID {
			listed = append(listed, fmt.Sprintf("%s:%s", n.Kind, n.State))
		}
	}
	if got := strings.Join(listed, " "); got != "successor-ready:sent" {
		t.Errorf("listed: %s", got)
	}

	short, err := w.CreateClient(w.ctx, "acme", tenant.NewClient{ExpiresAt: w.clock.Now().Add(10 * day)})
	if err != nil {
		t.Fatal(err)
	}
	w.rotate(t, d)
	if got := d.ofClient(short.ID); got != "client.created" {
		t.Errorf("short: %q", got)
	}
	w.clock.add(3 * day)
	w.rotate(t, d)
	if got := d.ofClient(short.ID); got != "reminder-7" {
		t.Errorf("short, 7 days before: %q", got)
	}
	if err := w.DeleteClient(w.ctx, "acme", short.ID); err != nil {
		t.Fatal(err)
	}
	w.clock.add(10 * day)
	w.rotate(t, d)
	if got := d.ofClient(short.ID); got != "client.deleted" {
		t.Errorf("deleted: %q", got)
	}
}

// TestRemindersStopOnceTheNewSecretIsUsed: as with tokens, nobody is reminded of a secret that has been silent for a
// week while a newer one of the client is in use; and the API says when each was used.
func TestRemindersStopOnceTheNewSecretIsUsed(t *testing.T) {
	w, d := newWorld(t), &told{}
	w.createWith(t, "acme", mailAda)
	c, err := w.CreateClient(w.ctx, "acme", tenant.NewClient{})
	if err != nil {
		t.Fatal(err)
	}
	use := func(secret string) {
		t.Helper()
		if _, err := w.Grant(w.ctx, "acme", tenant.ClientProof{ID: c.ID, Secret: secret}, "", nil); err != nil {
			t.Fatal(err)
		}
	}
	end := c.Secrets[0].ExpiresAt
	at := func(before time.Duration, want string) {
		t.Helper()
		w.to(end.Add(-before))
		w.rotate(t, d)
		if got := d.ofClient(c.ID); got != want {
			t.Errorf("%s before the end: %q, want %q", before, got, want)
		}
	}
	use(c.Secret)
	at(28*day, "client.created successor-ready")
	renewed, err := w.RenewClient(w.ctx, "acme", c.ID, tenant.NewClient{})
	if err != nil {
		t.Fatal(err)
	}
	at(14*day, "client.renewed reminder-14") // it is not in use yet
	at(8*day, "")
	use(c.Secret)
	use(renewed.Secret)
	listed, err := w.Client(w.ctx, "acme", c.ID)
	if now := w.clock.Now().Truncate(time.Second); err != nil || !listed.Secrets[0].LastUsedAt.Equal(now) ||
		!listed.Secrets[1].LastUsedAt.Equal(now) {
		t.Errorf("last uses of the secrets: %+v, %v", listed.Secrets, err)
	}
	at(7*day, "reminder-7") // the old one was used yesterday
	at(day, "")
	at(-time.Second, "client.secret-expired expired")
	if run := w.rotate(t, d); run.Tenants != 0 {
		t.Errorf("the tenant is due without end: %+v", run)
	}
	if err := w.DeleteClient(w.ctx, "acme", c.ID); err != nil {
		t.Fatal(err)
	}
	page, err := w.store.Query(w.ctx, store.Query{PK: store.KeysOf("acme").Tenant().PK, Prefix: "USED"})
	if err != nil || page.Count != 0 {
		t.Errorf("%d items of last use are left of a client that is gone; %v", page.Count, err)
	}
}
