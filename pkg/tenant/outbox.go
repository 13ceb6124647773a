package tenant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// keptNotices is how long a notice is listed.
const keptNotices = 400 * day

// outgoing is what a change of a tenant writes beside the tenant's item, in the same transaction.
type outgoing struct {
	events  []Event
	notices []Notice
	with    []store.Op
	// hint leaves the tenant's place in the order of due times and puts one more entry there, for now. It is for functions
	// that may not delete.
	hint bool
}

// tell notes an event for the next write of the record.
func (r *record) tell(now time.Time, kind EventKind, tokenID string, data scim.Object) {
	r.out.events = append(r.out.events, Event{Kind: kind, TokenID: tokenID, At: now, Data: data})
}

// notify notes a notice for the next write of the record, to the recipients as they are now.
func (r *record) notify(now time.Time, n Notice) {
	n.At, n.Recipients, n.State = now, r.Settings.Notices.Recipients, NoticePending
	if len(n.Recipients) == 0 {
		n.State = NoticeNoRecipient
		r.tell(now, EventNoticeFailed, n.TokenID, n.data())
	}
	r.out.notices = append(r.out.notices, n)
}

// data is what an event about the notice says.
func (n Notice) data() scim.Object {
	return scim.Object{"noticeId": n.ID, "kind": string(n.Kind), "state": string(n.State)}
}

// outbox makes the writes of what the record has to tell, and notes on the record that there is something to deliver.
func (r *record) outbox(id string, now time.Time) ([]store.Op, error) {
	keys := store.KeysOf(id)
	ops := r.out.with
	for i, e := range r.out.events {
		// Ids sort as things happened; the random part tells a tenant from an earlier one of its name.
		e.ID = fmt.Sprintf("%012d-%02d-%s", r.version, i, random(base36, 10))
		doc, err := encode(eventRecord{Kind: e.Kind, Token: e.TokenID, At: e.At.UnixMilli(), Data: e.Data})
		if err != nil {
			return nil, err
		}
		ops = append(ops, store.Op{
			Kind: store.Put, Key: keys.Event(e.ID),
			Set: store.Attrs{attrDoc: doc, store.AttrWake: "1", store.AttrSchema: store.SchemaVersion},
		})
		r.Outbox = r.version
	}
	for _, n := range r.out.notices {
		stored := storedNotice{Notice: n}
		attrs, err := stored.attrs()
		if err != nil {
			return nil, err
		}
		if n.State == NoticePending {
			attrs[store.AttrWake] = "1"
			r.Outbox = r.version
		}
		ops = append(ops, store.Op{
			Kind: store.Put, Key: noticeKey(keys, n.ID), Set: attrs,
			If: []store.Cond{{Test: store.Absent}},
		})
	}
	r.out = outgoing{}
	return ops, nil
}

// eventRecord is the stored form of an event.
type eventRecord struct {
	Kind  EventKind   `json:"kind"`
	Token string      `json:"token,omitempty"`
	At    int64       `json:"at"` // milliseconds
	Data  scim.Object `json:"data,omitempty"`
}

func decodeEvent(tenantID string, item store.Item) (Event, error) {
	doc, _ := item.Attrs[attrDoc].(string)
	var stored eventRecord
	if err := json.Unmarshal([]byte(doc), &stored); err != nil {
		return Event{}, fmt.Errorf("tenant: stored event: %w", err)
	}
	parts := store.Split(item.SK)
	return Event{
		ID: parts[len(parts)-1], TenantID: tenantID, Kind: stored.Kind, TokenID: stored.Token,
		At: time.UnixMilli(stored.At).UTC(), Data: stored.Data,
	}, nil
}

// storedNotice is the stored form of a notice, and who is sending it.
type storedNotice struct {
	Notice
	version int64
	By      string // the process that sends it
	Until   int64  // for how long nobody else does; Unix seconds
	After   int64  // when trying again makes sense
	Failing int64  // since when sending it fails, 0 where it does not
}

// noticeRecord is its JSON.
type noticeRecord struct {
	At         int64       `json:"at"` // milliseconds
	Recipients []Recipient `json:"recipients,omitempty"`
	Attempts   int         `json:"attempts,omitempty"`
	Ends       int64       `json:"ends,omitempty"` // Unix seconds, of the token
	Client     string      `json:"client,omitempty"`
	ClientEnds int64       `json:"clientEnds,omitempty"` // Unix seconds
	By         string      `json:"by,omitempty"`
	Until      int64       `json:"until,omitempty"`
	After      int64       `json:"after,omitempty"`
	Failing    int64       `json:"failing,omitempty"`
}

func (n storedNotice) attrs() (store.Attrs, error) {
	stored := noticeRecord{
		At: n.At.UnixMilli(), Recipients: n.Recipients, Attempts: n.Attempts, By: n.By, Until: n.Until, After: n.After,
		Failing: n.Failing,
		Client:  n.ClientID,
	}
	if !n.TokenEnds.IsZero() {
		stored.Ends = n.TokenEnds.Unix()
	}
	if n.ClientID != "" {
		stored.ClientEnds = n.ClientSecretEnds.Unix()
	}
	doc, err := encode(stored)
	if err != nil {
		return nil, err
	}
	return store.Attrs{
		attrDoc: doc, attrState: string(n.State), attrVersion: n.version + 1,
		store.AttrTTL: n.At.Add(keptNotices).Unix(), store.AttrSchema: store.SchemaVersion,
	}, nil
}

// put is the write of a notice in place of the version that was read.
func (n storedNotice) put(tenantID string) (store.Op, error) {
	attrs, err := n.attrs()
	return store.Op{
		Kind: store.Put, Key: noticeKey(store.KeysOf(tenantID), n.ID), Set: attrs,
		If: []store.Cond{{Test: store.Equal, Attr: attrVersion, Value: n.version}},
	}, err
}

func decodeNotice(item store.Item) (storedNotice, error) {
	doc, _ := item.Attrs[attrDoc].(string)
	var stored noticeRecord
	if err := json.Unmarshal([]byte(doc), &stored); err != nil {
		return storedNotice{}, fmt.Errorf("tenant: stored notice: %w", err)
	}
	st, _ := item.Attrs[attrState].(string)
	version, _ := item.Attrs[attrVersion].(int64)
	parts := store.Split(item.SK)
	if len(parts) != 4 {
		return storedNotice{}, fmt.Errorf("tenant: key of a notice has %d parts", len(parts))
	}
	n := Notice{
		ID: strings.Join(parts[1:], "."), Kind: NoticeKind(parts[2]), TokenID: parts[1], At: time.UnixMilli(stored.At).UTC(),
		Recipients: stored.Recipients, State: NoticeState(st), Attempts: stored.Attempts, TokenEnds: unix(stored.Ends),
		ClientID: stored.Client, ClientSecretEnds: unix(stored.ClientEnds),
	}
	return storedNotice{
		Notice: n, version: version, By: stored.By, Until: stored.Until, After: stored.After,
		Failing: stored.Failing,
	}, nil
}

// noticeID names a notice: the token that ends, the kind, and which period of notice of the token it is.
func noticeID(tokenID string, kind NoticeKind, period string) string {
	return tokenID + "." + string(kind) + "." + period
}

func noticeKey(keys store.Keys, id string) store.Key {
	token, rest, _ := strings.Cut(id, ".")
	kind, period, _ := strings.Cut(rest, ".")
	return keys.Notice(token, kind, period)
}

// stored reads all notices of a tenant.
func (s *Service) stored(ctx context.Context, tenantID string) ([]storedNotice, error) {
	prefix := store.KeysOf(tenantID).NoticePrefix()
	var all []storedNotice
	for item, err := range s.store.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK}) {
		if err != nil {
			return nil, err
		}
		n, err := decodeNotice(item)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}

// inactive reports whether err says that there is no active tenant.
func inactive(err error) bool { return errors.Is(err, ErrNotFound) }
