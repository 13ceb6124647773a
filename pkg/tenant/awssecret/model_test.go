package awssecret_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/internal/awsfake/fakesecrets"
	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/awssecret"
)

const day = 24 * time.Hour

// model simulates many tenants over years, with all possible faults, and checks their invariants.
type model struct {
	t      *testing.T
	rand   *rand.Rand
	engine *faultstore.Engine
	fake   *fakesecrets.Server
	good   *tenant.Service // on the engine without faults: how the test looks at the world
	mu     sync.Mutex      // guards the fields below; rotation calls in parallel
	now    time.Time
	faults *rand.Rand
	rate   float64 // of failing calls of the vault and of deliveries
	people map[string]*customer
	// entered are the same people by the token that their identity provider has.
	entered map[string]*customer
	made    map[string]int       // successors by tenant
	ended   map[string]bool      // tokens of which an end was told
	failing map[string]time.Time // since when a notice can't be sent
	failed  map[string]bool      // notices of which the operator was told that they could not be
	clean   []time.Time          // runs of the job without a fault, latest last
}

// customer is a tenant's administrator and identity provider.
type customer struct {
	id       string
	value    string    // the token entered in the identity provider
	expires  time.Time // of that
	patience int       // days from a notice to the swap; -1: never swaps
	swap     time.Time // when it will be done
}

func newModel(t *testing.T, seed uint64, tenants int) *model {
	m := &model{
		t: t, rand: rand.New(rand.NewPCG(seed, 1)), faults: rand.New(rand.NewPCG(seed, 2)),
		now:    time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC),
		people: map[string]*customer{}, entered: map[string]*customer{}, made: map[string]int{},
		ended:   map[string]bool{},
		failing: map[string]time.Time{}, failed: map[string]bool{},
	}
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: m.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	m.engine = faultstore.New(engine, nil)
	m.fake = fakesecrets.Start(t)
	m.fake.Fault = func(string) (bool, bool) { return m.fails(), m.fails() }
	m.good = m.process(engine)
	for i := range tenants {
		id := fmt.Sprintf("tenant-%04d", i)
		_, token, err := m.good.Create(t.Context(), tenant.NewTenant{ID: id, Name: id, Settings: tenant.Settings{
			Notices: tenant.NoticeSettings{Recipients: []notice.Recipient{{Email: "it@example.com", Language: "en"}}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		patience := m.rand.IntN(40)
		if i%10 == 0 {
			patience = -1
		}
		m.people[id] = &customer{id: id, value: token.Value, expires: token.ExpiresAt, patience: patience}
		m.entered[token.ID] = m.people[id]
		m.now = m.now.Add(time.Duration(m.rand.IntN(600)) * time.Second)
	}
	return m
}

func (m *model) clock() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// fails draws whether something that may fail does.
func (m *model) fails() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.faults.Float64() < m.rate
}

// process starts a new process: the state of the previous one is lost.
func (m *model) process(engine store.Engine) *tenant.Service {
	st := store.New(engine, store.Options{BaseDelay: time.Microsecond})
	return tenant.New(st, awssecret.New(m.fake.Client(), awssecret.Options{Prefix: "s/"}), tenant.Options{Now: m.clock})
}

var errDown = errors.New("down")

func (m *model) delivery() tenant.Delivery {
	return func(_ context.Context, _ notice.Tenant, n notice.Notice) (notice.State, error) {
		before, after := m.fails(), m.fails()
		if !before {
			m.notice(n)
		}
		if before || after {
			return "", m.down(n)
		}
		return notice.Sent, nil
	}
}

// down notes that a notice could not be sent.
func (m *model) down(n notice.Notice) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failing[n.ID].IsZero() {
		m.failing[n.ID] = m.now
	}
	return errDown
}

// events takes the events of all tenants out of the table, as the publisher of the logs does.
func (m *model) events() {
	st := store.New(m.engine, store.Options{})
	for id := range m.people {
		prefix := store.KeysOf(id).MarkerPrefix(eventlog.AnnouncementKind)
		for item, err := range st.All(m.t.Context(), store.Query{PK: prefix.PK, Prefix: prefix.SK}) {
			if err != nil {
				m.t.Fatal(err)
			}
			a, err := eventlog.DecodeAnnouncement(item)
			if err == nil {
				err = st.Write(m.t.Context(), a.Done())
			}
			if err != nil {
				m.t.Fatal(err)
			}
			m.event(id, a.Entry)
		}
	}
}

func (m *model) event(tenantID string, e eventlog.Entry) {
	switch event.Kind(e.Events[0].Type) {
	case event.NoticeFailed:
		id, _ := e.Events[0].Data["noticeId"].(string)
		if since := m.failing[id]; since.IsZero() || e.At.Sub(since) < 23*time.Hour {
			m.t.Errorf("%s: notice %s was given up at %v, which fails since %v", tenantID, id, e.At, since)
		}
		m.failed[id] = true
	case event.SuccessorCreated:
		m.made[tenantID]++
	case event.TokenExpired:
		if m.ended[strings.TrimPrefix(e.Subject, "tokens/")] {
			m.t.Errorf("%s: the end of %s was told twice", tenantID, strings.TrimPrefix(e.Subject, "tokens/"))
		}
		m.ended[strings.TrimPrefix(e.Subject, "tokens/")] = true
	}
}

// notice does the work of a person who gets one. The same message may come twice, another one of its kind may not.
func (m *model) notice(n notice.Notice) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.entered[n.TokenID]; c != nil && c.patience >= 0 && c.swap.IsZero() {
		c.swap = m.now.Add(time.Duration(c.patience) * day)
	}
}

// TestYearsOfRotation walks two years of a thousand tenants. Calls of the table, of the vault and of deliveries fail
// before or after their work, the process dies anywhere, two run at once, outages keep the job away for up to three
// weeks.
func TestYearsOfRotation(t *testing.T) {
	tenants := 1000
	if !slow.Volume(t, "900 of 1,000 tenants") {
		tenants = 100
	}
	m := newModel(t, 1, tenants)
	end := m.clock().Add(2 * 365 * day)
	for m.clock().Before(end) {
		m.mu.Lock()
		m.now = m.now.Add(time.Duration(12+m.rand.IntN(36)) * time.Hour)
		m.rate = []float64{0, 0, 0, 0.02, 0.02, 0.02, 0.1, 1}[m.rand.IntN(8)]
		m.mu.Unlock()
		if m.rand.IntN(60) == 0 {
			m.mu.Lock()
			m.now = m.now.Add(time.Duration(m.rand.IntN(21)) * day)
			m.mu.Unlock()
		}
		m.run()
		m.swap()
		m.check(false)
		if t.Failed() {
			return
		}
	}
	// The faults end: everything comes to rest.
	m.rate = 0
	m.engine.SetPlan(nil)
	for range 3 {
		m.mu.Lock()
		m.now = m.now.Add(2 * time.Hour)
		m.mu.Unlock()
		if run, err := m.process(m.engine).Rotate(t.Context(), m.delivery()); err != nil || run.Failed > 0 || run.More {
			t.Fatalf("without faults: %+v, %v", run, err)
		}
	}
	m.events()
	m.check(true)
}

// run is one run of the job, or two at once, or one that dies.
func (m *model) run() {
	seed := m.rand.Uint64()
	rate := []float64{0, 0.02, 0.1}[m.rand.IntN(3)]
	m.engine.SetPlan(faultstore.Random(seed, rate))
	jobs := 1 + m.rand.IntN(4)/3
	if m.rand.IntN(3) == 0 {
		m.engine.KillAfterWrites(m.rand.IntN(60))
	} else if rate == 0 && m.rate == 0 {
		m.clean = append(m.clean, m.now)
	}
	var wg sync.WaitGroup
	for range jobs {
		wg.Go(func() {
			_, err := m.process(m.engine).Rotate(m.t.Context(), m.delivery())
			if err != nil && !errors.Is(err, faultstore.ErrKilled) && !tenant.Temporary(err) {
				m.t.Error(err)
			}
		})
	}
	wg.Wait()
	m.engine.Revive()
	m.engine.SetPlan(nil)
	m.events()
}

// swap has the people act whose time has come: they enter the newest token, and the identity provider uses it.
func (m *model) swap() {
	rate := m.rate
	m.rate = 0
	defer func() { m.rate = rate }()
	for _, c := range m.people {
		if c.swap.IsZero() || c.swap.After(m.now) {
			continue
		}
		tokens, err := m.good.Tokens(m.t.Context(), c.id)
		if err != nil {
			m.t.Fatal(err)
		}
		shown, err := m.good.Reveal(m.t.Context(), c.id, tokens[len(tokens)-1].ID)
		if err != nil {
			m.t.Fatalf("%s: reveal: %v; %v", c.id, err, m.fake.Show("s/"+c.id))
		}
		c.value, c.expires, c.swap = shown.Value, shown.ExpiresAt, time.Time{}
		m.entered[shown.ID] = c
		m.good.Touch(m.t.Context(), c.id, shown.ID)
	}
}

// check looks at some tenants, or at all of them.
func (m *model) check(all bool) {
	rate := m.rate
	m.rate = 0
	defer func() { m.rate = rate }()
	for _, c := range m.people {
		if all || m.rand.IntN(60) == 0 {
			m.checkTenant(c, all)
		}
	}
}

func (m *model) checkTenant(c *customer, rest bool) {
	ctx, t := m.t.Context(), m.t
	// The entered token is valid to its last second; after that the error says when it ended.
	_, _, err := m.good.Authenticate(ctx, c.id, tenant.ReadBearer(c.value))
	unauthorized := (*tenant.UnauthorizedError)(nil)
	switch past := !m.now.Before(c.expires); {
	case past && (!errors.As(err, &unauthorized) || m.now.Before(c.expires.Add(90*day)) &&
		!strings.Contains(unauthorized.Detail, "expired on")):
		t.Errorf("%s: an expired token: %v", c.id, err)
	case !past && err != nil:
		t.Errorf("%s: a token %v before its end: %v", c.id, c.expires.Sub(m.now), err)
	}
	tokens, err := m.good.Tokens(ctx, c.id)
	if err != nil {
		t.Fatal(err)
	}
	var live []tenant.Token
	for _, token := range tokens {
		if token.State == tenant.TokenActive || token.State == tenant.TokenSuccessor {
			live = append(live, token)
		}
	}
	// A run that failed may have left a successor out, but not for as long as the period of notice.
	if len(live) == 0 || len(live) > 2 {
		t.Errorf("%s: %d live tokens at %v: %+v", c.id, len(live), m.now, tokens)
		return
	}
	if last := live[len(live)-1]; rest && last.ExpiresAt.Sub(m.now) <= 28*day {
		t.Errorf("%s: no successor %v before the end", c.id, last.ExpiresAt.Sub(m.now))
	}
	for _, token := range live {
		if shown, err := m.good.Reveal(ctx, c.id, token.ID); err != nil || m.digest(c.id, shown.Value) != token.ID {
			t.Errorf("%s: a live token is not to be had: %v; %v", c.id, err, m.fake.Show("s/"+c.id))
		}
	}
	m.checkNotices(c, tokens, rest)
}

// digest is the token that a value authenticates as.
func (m *model) digest(id, value string) string {
	_, token, err := m.good.Authenticate(m.t.Context(), id, tenant.ReadBearer(value))
	if err != nil {
		return ""
	}
	return token.ID
}

func (m *model) checkNotices(c *customer, tokens []tenant.Token, rest bool) {
	t := m.t
	notices, err := m.good.Notices(t.Context(), c.id)
	if err != nil {
		t.Fatal(err)
	}
	kinds, expiredAt, at := map[string][]string{}, map[string]time.Time{}, map[string][]time.Time{}
	for _, n := range notices {
		if slices.Contains(kinds[n.TokenID], string(n.Kind)) {
			t.Errorf("%s: two notices %s", c.id, n.Kind)
		}
		kinds[n.TokenID] = append(kinds[n.TokenID], string(n.Kind))
		at[n.TokenID] = append(at[n.TokenID], n.At)
		if n.Kind == notice.Expired {
			expiredAt[n.TokenID] = n.At
		}
		if rest && n.State != notice.Sent && (n.State != notice.Failed || !m.failed[n.ID]) {
			t.Errorf("%s: notice %s of %v is %s", c.id, n.Kind, n.At, n.State)
		}
	}
	for i, token := range tokens {
		has := func(kind notice.Kind) bool { return slices.Contains(kinds[token.ID], string(kind)) }
		expired := token.State == tenant.TokenExpired
		if has(notice.Expired) && !expired || rest && expired && (!has(notice.Expired) || !m.ended[token.ID]) {
			t.Errorf("%s: token %d is %s, told %v", c.id, i, token.State, kinds[token.ID])
		}
		if rest && expired && !has(notice.SuccessorReady) {
			t.Errorf("%s: token %d ended without notice: %v", c.id, i, kinds[token.ID])
		}
		unused := i+1 < len(tokens) &&
			(tokens[i+1].FirstUsedAt.IsZero() || tokens[i+1].FirstUsedAt.After(expiredAt[token.ID]))
		if rest && expired && unused {
			m.checkReminders(c, token, kinds[token.ID], at[token.ID])
		}
	}
	// One successor for each token whose period of notice has begun, and no other.
	if made := m.made[c.id]; rest && made != 4 && made != 5 {
		t.Errorf("%s: %d successors in two years", c.id, made)
	}
}

// checkReminders checks that no notice about a token that nobody swapped was left out: if a run without a fault came
// between two milestones, the notice of the first was sent by then. Otherwise one notice may announce both.
func (m *model) checkReminders(c *customer, token tenant.Token, kinds []string, at []time.Time) {
	left := []int{28, 14, 7, 1, 0}
	for i, days := range left {
		from := token.ExpiresAt.Add(-time.Duration(days) * day)
		until := m.now
		if i+1 < len(left) {
			until = token.ExpiresAt.Add(-time.Duration(left[i+1]) * day)
		}
		run := slices.IndexFunc(m.clean, func(r time.Time) bool { return !r.Before(from) && r.Before(until) })
		told := slices.ContainsFunc(at, func(at time.Time) bool {
			return !at.Before(from) && (run < 0 || !at.After(m.clean[run]))
		})
		if run >= 0 && !told {
			m.t.Errorf("%s: token %s, which was never swapped, was told %v at %v, and not at %v",
				c.id, token.ID, kinds, at, m.clean[run])
		}
	}
}
