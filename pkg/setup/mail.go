package setup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// Limits of mails with links.
const (
	// maxCodes bounds the codes of a link: each try to mail it makes one.
	maxCodes = 32
	// between is how long a recipient waits for another mail, perDay how many come within 24 hours.
	between = 15 * time.Minute
	perDay  = 6
	// renewedHours is how long a link is good that a recipient asked for.
	renewedHours = 24
	// renewable is for how long a link can be asked for by a notice, from the day on which it was sent.
	renewable = 120 * 24 * time.Hour
)

// made is the report of a new link: the event and, if somebody is mailed it, the notice.
func (r *record) made(id string) tenant.Report {
	report := told(event.SetupLinkCreated, id, scim.Object{
		"role": string(r.Role), "expiresAt": scim.FormatTime(timeOf(r.Expires)),
	})
	if r.Email != "" {
		language := r.Language
		if language == "" {
			language = notice.Languages[0]
		}
		report.Notices = []notice.Notice{{
			ID: notice.SetupLinkID(id), Kind: notice.SetupLink,
			Recipients: []notice.Recipient{{Email: r.Email, Language: language}},
		}}
	}
	return report
}

// Invitation creates one more code of a link, for the mail that is sent now: until then nobody can have it, since only
// digests are stored. ok is false if the link is open no longer.
func (s *Service) Invitation(ctx context.Context, tenantID, id string) (in notice.Invitation, ok bool, err error) {
	if of, valid := parseID(id); !valid || of != tenantID {
		return in, false, nil
	}
	code := newCode()
	err = store.Retry(ctx, contendFor, func() error {
		r, version, err := s.read(ctx, id)
		if ok = err == nil && r != nil && r.state(s.o.Now()) == Open; !ok {
			return err
		}
		if r.Codes = append(r.Codes, digest(code)); len(r.Codes) > maxCodes {
			r.Codes = slices.Delete(r.Codes, 1, 2) // the first is the operator's
		}
		in = notice.Invitation{ID: id, Code: code, Until: timeOf(r.Expires), ReadOnly: r.Role == Reader}
		return s.replace(ctx, id, r, version)
	})
	return in, ok, err
}

// replace writes a link in place of the version that was read, without an event. store.ErrStale if it has changed.
func (s *Service) replace(ctx context.Context, id string, r *record, version int64) error {
	op, err := put(id, r, true, version)
	if err != nil {
		return err
	}
	err = s.store.Transact(ctx, op)
	if failed := (*store.ConditionError)(nil); errors.As(err, &failed) {
		return store.ErrStale
	}
	return err
}

// renewal is the stored part of a page on which a recipient of notices asks for a link.
type renewal struct {
	Email    string `json:"email"`
	Language string `json:"language"`
}

// Renewal creates the id of a page on which a recipient of a tenant's notices can have a set-up link mailed to the same
// address. Whoever has the id can do no more than that. Only its digest is stored. tenant.ErrNotFound if the tenant is
// deleted: nothing is stored then.
func (s *Service) Renewal(ctx context.Context, tenantID string, to notice.Recipient) (string, error) {
	id := newID(tenantID)
	doc, err := json.Marshal(renewal(to))
	if err != nil {
		return "", fmt.Errorf("setup: encode: %w", err)
	}
	keys := store.KeysOf(tenantID)
	put := store.PutItem(keys.SetupRenewal(digest(id)), store.Attrs{
		attrDoc: string(doc), attrVersion: int64(1), store.AttrTTL: s.o.Now().Add(renewable).Unix(),
	})
	err = s.store.Transact(ctx, put.When(store.IsAbsent()), tenant.Living(keys))
	if failed := (*store.ConditionError)(nil); errors.As(err, &failed) && failed.At(1) {
		err = tenant.ErrNotFound
	}
	return id, err
}

// Renew has a new set-up link mailed to the recipient for whom Renewal made the id, if the tenant's notices still go to
// that address: one in 15 minutes, six in 24 hours. Nothing that it returns says whether there is such an id. entry
// makes the entry of the provisioning log about the new link, which is written in the same transaction.
func (s *Service) Renew(ctx context.Context, id string, entry func(t tenant.Tenant, link string) store.Op) error {
	tenantID, ok := parseID(id)
	if !ok {
		return nil
	}
	err := store.Retry(ctx, contendFor, func() error { return s.renew(ctx, tenantID, id, entry) })
	switch {
	case errors.Is(err, tenant.ErrNotFound) || errors.Is(err, errSame):
		return nil
	case errors.Is(err, store.ErrStale):
		return fmt.Errorf("%w: %w", tenant.ErrBusy, err)
	}
	return err
}

// renew is one try of Renew. errSame if there is nothing to mail.
func (s *Service) renew(
	ctx context.Context, tenantID, id string, entry func(tenant.Tenant, string) store.Op,
) error {
	t, err := s.tenants.Get(ctx, tenantID)
	if err != nil {
		return err
	}
	now, keys := s.o.Now(), store.KeysOf(tenantID)
	to, err := s.renewal(ctx, keys.SetupRenewal(digest(id)), now)
	if err != nil {
		return err
	}
	same := func(r notice.Recipient) bool { return r.Email == to.Email }
	if !slices.ContainsFunc(t.Settings.Notices.Recipients, same) {
		return errSame
	}
	mailed, err := s.mailed(ctx, keys.SetupMails(digest(strings.ToLower(to.Email))), now)
	if err != nil {
		return err
	}
	link := newID(tenantID)
	n := NewLink{Role: Admin, Email: to.Email, Language: to.Language, ValidHours: renewedHours}
	r := n.record(now)
	r.Renewed = true
	report := r.made(link)
	report.Also = []store.Op{mailed, entry(t, link)}
	if report.Op, err = put(link, r, false, 0); err != nil {
		return err
	}
	return s.tenants.Report(ctx, tenantID, report)
}

// renewal reads the page of an id; errSame if there is none.
func (s *Service) renewal(ctx context.Context, key store.Key, now time.Time) (to renewal, err error) {
	items, err := s.store.Get(ctx, key)
	if err != nil {
		return to, err
	}
	doc, _ := items[0].Attrs[attrDoc].(string)
	if ttl, _ := items[0].Attrs[store.AttrTTL].(int64); ttl <= now.Unix() {
		return to, errSame
	}
	if err := json.Unmarshal([]byte(doc), &to); err != nil {
		return to, fmt.Errorf("setup: stored renewal: %w", err)
	}
	return to, nil
}

// mailed is the write that counts one more mail to a recipient; errSame if there were enough.
func (s *Service) mailed(ctx context.Context, key store.Key, now time.Time) (store.Op, error) {
	items, err := s.store.Get(ctx, key)
	if err != nil {
		return store.Op{}, err
	}
	var times []int64 // Unix seconds, the newest last
	cond, version := store.IsAbsent(), int64(0)
	if items[0].Attrs != nil {
		doc, _ := items[0].Attrs[attrDoc].(string)
		if err := json.Unmarshal([]byte(doc), &times); err != nil {
			return store.Op{}, fmt.Errorf("setup: stored mails: %w", err)
		}
		version, _ = items[0].Attrs[attrVersion].(int64)
		cond = store.Is(attrVersion, version)
	}
	times = slices.DeleteFunc(times, func(at int64) bool { return at <= now.Add(-24*time.Hour).Unix() })
	if n := len(times); n >= perDay || n > 0 && times[n-1] > now.Add(-between).Unix() {
		return store.Op{}, errSame
	}
	doc, err := json.Marshal(append(times, now.Unix()))
	if err != nil {
		return store.Op{}, fmt.Errorf("setup: encode: %w", err)
	}
	return store.PutItem(key, store.Attrs{
		attrDoc: string(doc), attrVersion: version + 1, store.AttrTTL: now.Add(48 * time.Hour).Unix(),
	}).When(cond), nil
}
