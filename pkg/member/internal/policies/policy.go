package policies

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory/counter"
	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/policy"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// ErrVersion says that a document has another version than the one that was expected.
var ErrVersion = errors.New("member: another version")

// Attributes of the policy's item beside its document and version: when the first version was saved, in Unix seconds;
// which version every member was evaluated with, and when.
const (
	attrCreated  = "created"
	attrApplied  = "applied"
	attrFinished = "finished"
)

// PolicyDocument is a saved policy. Version is 0 if none was saved.
type PolicyDocument struct {
	Document []byte
	Version  int64
	// Created is the time at which the first version was saved, in Unix seconds; 0 if that was not recorded.
	Created int64
}

// Policy reads the tenant's policy as it was saved.
func (s *Policies) Policy(ctx context.Context, t Tenant) (PolicyDocument, error) {
	ts := s.store.Tenant(t.ID)
	items, err := ts.Get(ctx, ts.Policy())
	if err != nil {
		return PolicyDocument{}, err
	}
	doc, _ := items[0].Attrs[record.AttrDoc].(string)
	version, _ := items[0].Attrs[record.AttrVer].(int64)
	created, _ := items[0].Attrs[attrCreated].(int64)
	return PolicyDocument{[]byte(doc), version, created}, nil
}

// ErrTenantChanged says that a tenant was changed since it was read, perhaps its schemas, or is gone: read it again.
var ErrTenantChanged = errors.New("member: the tenant was changed meanwhile")

// Save puts a policy in the place of the present one, and marks everybody. An equal document changes nothing. The
// error is mapping.Faults or a *scim.Error 400 if the document is not a valid policy; ErrVersion if
// expected is not negative and not the present version; ErrTenantChanged, so that a policy is never
// saved beside schemas that it was not checked against: a change of schemas looks at the saved policy
// under the same condition. Requests that begin later follow the new policy.
func (s *Policies) Save(
	ctx context.Context, t Tenant, document []byte, expected int64,
) (saved PolicyDocument, warnings []mapping.Warning, err error) {
	if _, warnings, err = mapping.Parse(document, t.Types); err != nil {
		return PolicyDocument{}, nil, err
	}
	ts := s.store.Tenant(t.ID)
	save := func() error {
		now, err := s.Policy(ctx, t)
		if err != nil {
			return err
		}
		if expected >= 0 && expected != now.Version {
			return ErrVersion
		}
		if now.Version > 0 && bytes.Equal(now.Document, document) {
			saved = now
			return nil
		}
		at := s.now()
		saved = PolicyDocument{document, now.Version + 1, now.Created}
		cond := store.Is(record.AttrVer, now.Version)
		attrs := store.Attrs{
			record.AttrDoc: string(document), record.AttrVer: saved.Version, store.AttrSchema: store.SchemaVersion,
		}
		if now.Version == 0 {
			cond, saved.Created = store.IsAbsent(), at.Unix()
			attrs[attrCreated] = saved.Created
		}
		var tx store.Tx
		tx.Must(store.Op{Kind: store.Update, Key: ts.Policy(), Set: attrs}.When(cond), store.ErrStale)
		tx.Must(tenant.PolicySaved(ts.Keys, t.Version, policy.Digest(document)), ErrTenantChanged)
		tx.Add(marker.Mark(ts.Keys, marker.Subject{Kind: marker.Policy}, marker.CauseOf(ctx), at))
		tx.Add(eventlog.Announce(ts.Keys, saved.Version, eventlog.Entry{
			Subject: "policy", SubjectVersion: saved.Version, At: at, Cause: marker.CauseOf(ctx),
			Events: []eventlog.Logged{{Type: record.EventPolicyChanged, Data: scim.Object{"version": saved.Version}}},
		})...)
		err = tx.Commit(ctx, ts)
		s.wake(t.ID)
		return err
	}
	err = store.Retry(ctx, record.ContendFor, save)
	return saved, warnings, err
}

// PolicyConflict says that the saved policy does not go with resource types that a tenant is to get.
type PolicyConflict struct{ Faults mapping.Faults }

func (e *PolicyConflict) Error() string { return "member: the saved policy: " + e.Faults.Error() }

// CheckTypes decides whether a tenant's resource types may change to next: its saved policy has to go with them. The
// error is then a *PolicyConflict. It is a tenant.CheckTypes.
func (s *Policies) CheckTypes(ctx context.Context, tenantID string, _, next *schema.Types) error {
	saved, err := s.Policy(ctx, Tenant{ID: tenantID})
	if err != nil || len(saved.Document) == 0 {
		return err
	}
	_, _, err = mapping.Parse(saved.Document, next)
	if faults := mapping.Faults(nil); errors.As(err, &faults) {
		return &PolicyConflict{faults}
	}
	return err
}

// PolicyStatus is the progress of applying a saved policy.
type PolicyStatus struct {
	Version, Applied int64
	// Done is the number of members that the current pass has reached. It is Of if there is no pass.
	Done int64
	// Of is the number of people of the tenant.
	Of         int64
	FinishedAt time.Time // of the pass that applied Applied; zero: never
}

// PolicyStatus reads the progress of applying the policy.
func (s *Policies) PolicyStatus(ctx context.Context, t Tenant) (PolicyStatus, error) {
	ts := s.store.Tenant(t.ID)
	items, err := ts.Get(
		ctx, ts.Policy(), ts.Pass(string(marker.Policy), ""), ts.Marker(string(marker.Policy), ""),
	)
	if err != nil {
		return PolicyStatus{}, err
	}
	var st PolicyStatus
	st.Version, _ = items[0].Attrs[record.AttrVer].(int64)
	st.Applied, _ = items[0].Attrs[attrApplied].(int64)
	if at, ok := items[0].Attrs[attrFinished].(int64); ok {
		st.FinishedAt = time.UnixMilli(at).UTC()
	}
	if st.Of, err = s.Count(ctx, t); err != nil {
		return PolicyStatus{}, err
	}
	if items[2].Attrs == nil {
		if st.Applied == st.Version {
			st.Done = st.Of
		}
		return st, nil
	}
	m, err := marker.Decode(items[2])
	if err == nil && items[1].Attrs[record.AttrStamp] == m.Stamp { // else the pass of this marker has not begun
		done, _ := items[1].Attrs[record.AttrDone].(int64)
		st.Done = min(done, st.Of)
	}
	return st, err
}

// Count is the number of users of a tenant.
func (s *Policies) Count(ctx context.Context, t Tenant) (int64, error) {
	tally, err := counter.Read(ctx, s.store.Tenant(t.ID), schema.UserType().ID)
	return tally.N, err
}

// Applied notes that every member was published since a version of the policy was saved. A version that is saved
// meanwhile has a marker of its own.
func (s *Policies) Applied(ctx context.Context, t Tenant, m marker.Marker) error {
	ts := s.store.Tenant(t.ID)
	saved, err := s.Policy(ctx, t)
	if err != nil || saved.Version == 0 {
		return err
	}
	var tx store.Tx
	tx.Must(store.CheckItem(m.Key, m.Unchanged()), errNewer) // else the version may be a newer one
	tx.Must(store.Op{
		Kind: store.Update, Key: ts.Policy(),
		Set: store.Attrs{attrApplied: saved.Version, attrFinished: s.now().UnixMilli()},
		If:  []store.Cond{store.Is(record.AttrVer, saved.Version)},
	}, errNewer)
	if err := tx.Commit(ctx, ts); !errors.Is(err, errNewer) {
		return err
	}
	return nil
}

// errNewer says that a newer version of the policy was saved, or that another process has ended the pass of this
// one.
var errNewer = errors.New("member: a newer policy was saved")
