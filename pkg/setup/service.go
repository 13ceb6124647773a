package setup

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/precondition"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// Errors of a Service, beside those of package tenant.
var (
	// ErrCode says that a code is not that of the link.
	ErrCode = errors.New("setup: the code is wrong")
	// ErrOver says that a link or a session is good no longer, or never was.
	ErrOver = errors.New("setup: the link is no longer valid")
)

// The attributes of a link's item, beside those of all items.
const (
	attrDoc     = "doc" // a record as JSON
	attrVersion = "ver" // grows with every write
)

// contendFor is how long a change is tried against others of the tenant.
const contendFor = 5 * time.Second

// Options of a Service.
type Options struct {
	// Now is the clock; required.
	Now func() time.Time
	// Session is how long a session lasts; 0 and more than MaxSession mean MaxSession.
	Session time.Duration
}

// Service creates links and redeems them. It is safe for concurrent use, in any number of processes.
type Service struct {
	store   *store.Store
	tenants *tenant.Service
	o       Options
}

// New returns a Service of the links of tenants.
func New(s *store.Store, tenants *tenant.Service, o Options) *Service {
	if o.Session <= 0 || o.Session > MaxSession {
		o.Session = MaxSession
	}
	return &Service{store: s, tenants: tenants, o: o}
}

// Create creates a link and returns it with its code, which is shown nowhere else: only a digest is stored. A
// *tenant.InvalidError for a request that is not in order, a *tenant.ConflictError if there are too many links.
func (s *Service) Create(ctx context.Context, tenantID string, n NewLink) (Link, string, error) {
	if err := n.check(); err != nil {
		return Link{}, "", err
	}
	now := s.o.Now()
	all, err := s.List(ctx, tenantID)
	if err != nil {
		return Link{}, "", err
	}
	open := 0
	for _, l := range all {
		if !l.Renewed && (l.State == Open || l.State == Redeemed) {
			open++
		}
	}
	if open >= maxOpen {
		return Link{}, "", &tenant.ConflictError{Detail: fmt.Sprintf(
			"The tenant has %d links that are open or in use. Revoke one of them first.", maxOpen)}
	}
	id, code := cmp.Or(n.ID, newID(tenantID)), newCode()
	if of, ok := parseID(id); !ok || of != tenantID {
		return Link{}, "", &tenant.InvalidError{
			Field: "id", Problem: "must be the tenant's id, a dot, and 16 characters of a-z and 0-9",
		}
	}
	r := n.record(now)
	r.Codes = []string{digest(code)}
	err = s.change(ctx, id, func(old *record) (*record, tenant.Report, error) {
		if old != nil {
			return nil, tenant.Report{}, &tenant.ConflictError{Detail: "A set-up link has this id already."}
		}
		return r, r.made(id), nil
	})
	return r.link(id, now), code, err
}

// told is the report of an event about a link.
func told(kind event.Kind, id string, data scim.Object) tenant.Report {
	data["linkId"] = id
	return tenant.Report{Events: []event.Event{{Kind: kind, Subject: event.OfSetupLink(id), Data: data}}}
}

// List returns the links of an active tenant, the newest first; else tenant.ErrNotFound. Links that are over are listed
// for 90 days.
func (s *Service) List(ctx context.Context, tenantID string) ([]Link, error) {
	var all []Link
	g, within := task.WithContext(ctx)
	g.Go(func() error { _, err := s.tenants.Get(within, tenantID); return err })
	g.Go(func() (err error) { all, err = s.all(within, tenantID); return err })
	if err := g.Wait(); err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b Link) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return all, nil
}

// all reads the links of a tenant, in no order.
func (s *Service) all(ctx context.Context, tenantID string) (all []Link, err error) {
	now, ts := s.o.Now(), s.store.Tenant(tenantID)
	prefix := ts.SetupLinkPrefix()
	for item, err := range ts.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK}) {
		if err != nil {
			return nil, err
		}
		r, _, err := decode(item)
		if err != nil {
			return nil, err
		}
		if ttl, _ := item.Attrs[store.AttrTTL].(int64); ttl > now.Unix() {
			all = append(all, r.link(store.LastPart(item.Key.SK), now))
		}
	}
	return all, nil
}

// Get returns a link of an active tenant; tenant.ErrNotFound if there is none of the id.
func (s *Service) Get(ctx context.Context, tenantID, id string) (Link, error) {
	of, ok := parseID(id)
	if !ok || of != tenantID {
		return Link{}, tenant.ErrNotFound
	}
	if _, err := s.tenants.Get(ctx, tenantID); err != nil {
		return Link{}, err
	}
	r, _, err := s.read(ctx, id)
	if err == nil && r == nil {
		err = tenant.ErrNotFound
	}
	if err != nil {
		return Link{}, err
	}
	return r.link(id, s.o.Now()), nil
}

// Revoke ends a link and the session that it was redeemed for, at once. tenant.ErrNotFound if there is none of the id;
// to revoke it again does nothing.
func (s *Service) Revoke(ctx context.Context, tenantID, id string) error {
	if _, err := s.Get(ctx, tenantID, id); err != nil {
		return err
	}
	return s.end(ctx, id, "revoked")
}

// end marks a link as ended, for a reason.
func (s *Service) end(ctx context.Context, id, reason string) error {
	return s.change(ctx, id, func(r *record) (*record, tenant.Report, error) {
		if r == nil {
			return nil, tenant.Report{}, tenant.ErrNotFound
		}
		if err := precondition.Of(ctx, func() any { return r.link(id, s.o.Now()) }); err != nil {
			return nil, tenant.Report{}, err
		}
		if r.Ended != 0 {
			return nil, tenant.Report{}, errSame
		}
		r.Ended, r.Codes, r.Session = s.o.Now().Unix(), nil, ""
		return r, told(event.SetupLinkEnded, id, scim.Object{"reason": reason}), nil
	})
}

// Look returns the link of an id that a browser asks for, whatever its state; ErrOver if there is none. It changes
// nothing.
func (s *Service) Look(ctx context.Context, id string) (Link, error) {
	tenantID, ok := parseID(id)
	if !ok {
		return Link{}, ErrOver
	}
	l, err := s.Get(ctx, tenantID, id)
	if errors.Is(err, tenant.ErrNotFound) {
		err = ErrOver
	}
	return l, err
}

// Redemption is the request to redeem a link.
type Redemption struct {
	// ID is that of the link; Code can be typed with spaces and hyphens.
	ID, Code string
	// Nonce is a secret of the browser, by which it can redeem the link again for two minutes if the answer was lost;
	// "" is none.
	Nonce string
	// Entry makes the entry of the provisioning log about it, and Wrong that about a wrong code, which are written in
	// the same transaction; nil is none.
	Entry, Wrong func(tenant.Tenant) store.Op
}

// Redeem takes a link and its code for a session. ErrCode if the code is not right: the tenth wrong one ends the link.
// ErrOver if the link can't be redeemed. Of many callers at once one gets the session.
func (s *Service) Redeem(ctx context.Context, q Redemption) (Session, error) {
	tenantID, ok := parseID(q.ID)
	if !ok {
		return Session{}, ErrOver
	}
	t, err := s.tenants.Get(ctx, tenantID)
	if errors.Is(err, tenant.ErrNotFound) {
		return Session{}, ErrOver
	}
	if err != nil {
		return Session{}, err
	}
	secret := rand.Text()
	var redeemed *record
	var outcome error
	err = s.change(ctx, q.ID, func(r *record) (*record, tenant.Report, error) {
		redeemed, outcome = nil, nil
		var report tenant.Report
		var err error
		if report, outcome, err = r.redeem(q, secret, s.o.Now(), s.o.Session); err != nil {
			return nil, report, err
		}
		redeemed = r
		entry := q.Entry
		if outcome != nil {
			entry = q.Wrong
		}
		if entry != nil {
			report.Also = []store.Op{entry(t)}
		}
		return r, report, nil
	})
	if errors.Is(err, tenant.ErrNotFound) {
		err = ErrOver
	}
	if err = errors.Join(err, outcome); err != nil {
		return Session{}, err
	}
	return Session{Link: redeemed.link(q.ID, s.o.Now()), Cookie: q.ID + "." + secret}, nil
}

// redeem creates a session of a link, which may be nil. outcome is ErrCode if the record only counts a wrong code.
func (r *record) redeem(
	q Redemption, secret string, now time.Time, session time.Duration,
) (report tenant.Report, outcome, err error) {
	if r == nil {
		return report, nil, ErrOver
	}
	given := digest(typed(q.Code))
	switch {
	case r.again(given, q.Nonce, now):
		r.Session = digest(secret) // the session whose cookie was lost is none any more
		return report, nil, nil
	case r.state(now) != Open:
		return report, nil, ErrOver
	case r.has(given):
		r.Redeemed, r.Until, r.Session, r.Codes = now.Unix(), now.Add(session).Unix(), digest(secret), nil
		if q.Nonce != "" {
			r.Code, r.Nonce = given, digest(q.Nonce)
		}
		return told(event.SetupLinkRedeemed, q.ID, scim.Object{
			"role": string(r.Role), "until": scim.FormatTime(timeOf(r.Until)),
		}), nil, nil
	}
	if r.Wrong++; r.Wrong == maxWrong {
		r.Ended, r.Codes = now.Unix(), nil
		report = told(event.SetupLinkEnded, q.ID, scim.Object{"reason": "wrong-codes"})
	}
	return report, ErrCode, nil
}

// again reports whether the browser that has just redeemed a link does so once more.
func (r *record) again(given, nonce string, now time.Time) bool {
	return r.state(now) == Redeemed && now.Before(timeOf(r.Redeemed).Add(lost)) && r.Nonce != "" && nonce != "" &&
		equal(r.Nonce, digest(nonce)) && equal(r.Code, given)
}

// has reports whether a digest is that of one of the codes. It compares with all.
func (r *record) has(given string) bool {
	found := false
	for _, c := range r.Codes {
		found = equal(c, given) || found
	}
	return found
}

// Session returns the session of a cookie, by one read; ErrOver if it is none, or is over. That the tenant is active is
// for the caller to see.
func (s *Service) Session(ctx context.Context, cookie string) (Session, error) {
	id, secret := parseCookie(cookie)
	if _, ok := parseID(id); !ok {
		return Session{}, ErrOver
	}
	r, _, err := s.read(ctx, id)
	if err != nil {
		return Session{}, err
	}
	if r == nil || r.state(s.o.Now()) != Redeemed || !equal(r.Session, digest(secret)) {
		return Session{}, ErrOver
	}
	return Session{Link: r.link(id, s.o.Now())}, nil
}

// CookieTenant is the tenant whose session a cookie claims to be; "" if it has not the form of one. Only Session says
// that it is one.
func CookieTenant(cookie string) string {
	id, _ := parseCookie(cookie)
	if tenantID, ok := parseID(id); ok {
		return tenantID
	}
	return ""
}

// parseCookie takes a cookie apart; the id is "" if it has no secret.
func parseCookie(cookie string) (id, secret string) {
	i := strings.LastIndexByte(cookie, '.')
	return cookie[:max(i, 0)], cookie[i+1:]
}

// End ends a session, as somebody who signs out does.
func (s *Service) End(ctx context.Context, session Session) error {
	return s.end(ctx, session.ID, "signed-out")
}

// read returns a link and the version of its item; nil if there is none.
func (s *Service) read(ctx context.Context, id string) (*record, int64, error) {
	tenantID, _ := parseID(id)
	ts := s.store.Tenant(tenantID)
	items, err := ts.Get(ctx, ts.SetupLink(id))
	if err != nil || items[0].Attrs == nil {
		return nil, 0, err
	}
	return decode(items[0])
}

func decode(item store.Item) (*record, int64, error) {
	version, _ := item.Attrs[attrVersion].(int64)
	doc, _ := item.Attrs[attrDoc].(string)
	r := &record{}
	if err := json.Unmarshal([]byte(doc), r); err != nil {
		return nil, 0, fmt.Errorf("setup: stored link: %w", err)
	}
	return r, version, nil
}

// errSame ends a change that has nothing to write.
var errSame = errors.New("setup: nothing to write")

// change writes the link that edit returns (edit gets nil if there is none) with the events, in one transaction on the
// version that was read.
func (s *Service) change(
	ctx context.Context, id string, edit func(*record) (*record, tenant.Report, error),
) error {
	tenantID, _ := parseID(id)
	err := store.Retry(ctx, contendFor, func() error {
		r, version, err := s.read(ctx, id)
		if err != nil {
			return err
		}
		next, report, err := edit(r)
		if err != nil {
			return err
		}
		if report.Op, err = put(id, next, r != nil, version); err != nil {
			return err
		}
		return s.tenants.Report(ctx, tenantID, report)
	})
	switch {
	case errors.Is(err, errSame):
		return nil
	case errors.Is(err, store.ErrStale):
		return fmt.Errorf("%w: %w", tenant.ErrBusy, err)
	}
	return err
}

// put is the write of a link in place of the version that was read, if there was one.
func put(id string, r *record, known bool, version int64) (store.Op, error) {
	doc, err := json.Marshal(r)
	if err != nil {
		return store.Op{}, fmt.Errorf("setup: encode: %w", err)
	}
	cond := store.IsAbsent()
	if known {
		cond = store.Is(attrVersion, version)
	}
	tenantID, _ := parseID(id)
	return store.PutItem(store.KeysOf(tenantID).SetupLink(id), store.Attrs{
		attrDoc: string(doc), attrVersion: version + 1,
		store.AttrTTL: timeOf(max(r.Expires, r.Until)).Add(kept).Unix(),
	}).When(cond), nil
}
