package record

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Put is the operation that stores a target.
func (t Target) Put(k store.Keys) store.Op {
	return store.PutItem(TargetKey(k, t.TargetKey), store.Attrs{AttrDoc: t.encode(), AttrVer: t.Version})
}

// Unbounded is the number of seats of a target that has as many as members want.
const Unbounded = -1

// TargetKey is the key of the item of a target.
func TargetKey(k store.Keys, key mapping.TargetKey) store.Key {
	return k.Target(key.Kind, key.Organisation, key.Name)
}

// TargetsOf reads the targets among keys that exist.
func TargetsOf(ctx context.Context, ts *store.TenantStore, needs map[mapping.TargetKey]bool) (mapping.Targets, error) {
	wanted := SortedKeys(needs)
	keys := store.EachKey(wanted, func(key mapping.TargetKey) store.Key { return TargetKey(ts.Keys, key) })
	items, err := ts.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	targets := mapping.Targets{}
	for i, item := range items {
		if item.Attrs != nil {
			targets[wanted[i]] = DecodeTarget(item).Target
		}
	}
	return targets, nil
}

// Full reports whether a kind has as many targets as it can have. It reads the keys of those that are there. Targets
// that are made at the same moment, or in one publication, are not counted.
func Full(ctx context.Context, ts *store.TenantStore, kind string) (bool, error) {
	prefix, n := ts.TargetPrefix(kind), 0
	q := store.Query{PK: prefix.PK, Prefix: prefix.SK, Select: store.CountOnly, Limit: mapping.MaxTargets}
	for {
		page, err := ts.Query(ctx, q)
		if n += page.Count; err != nil || !page.More || n >= mapping.MaxTargets {
			return n >= mapping.MaxTargets, err
		}
		q.After = page.Last
	}
}

// FullKinds finds the kinds that would make one of the keys, which are not among targets, and are full.
func FullKinds(
	ctx context.Context, ts *store.TenantStore, kinds map[string]mapping.Kind, keys map[mapping.TargetKey]bool,
	targets mapping.Targets,
) (map[string]bool, error) {
	full := map[string]bool{}
	for key := range keys {
		_, exists := targets[key]
		if _, counted := full[key.Kind]; exists || counted || !kinds[key.Kind].Create {
			continue
		}
		var err error
		if full[key.Kind], err = Full(ctx, ts, key.Kind); err != nil {
			return nil, err
		}
	}
	return full, nil
}

// AdoptedOf finds out which of the targets a group names.
func AdoptedOf(
	ctx context.Context,
	ts *store.TenantStore,
	keys map[mapping.TargetKey]bool,
) (map[mapping.TargetKey]bool, error) {
	list := SortedKeys(keys)
	prefixes := make([]string, len(list))
	for i, key := range list {
		prefixes[i] = ts.AdoptedPrefix(key.Kind, key.Organisation, key.Name).SK
	}
	adopted := map[mapping.TargetKey]bool{}
	if len(list) == 0 {
		return adopted, nil
	}
	found := make([]bool, len(list))
	err := ts.EachUnder(ctx, ts.AdoptedPrefix("", "", "").PK, prefixes, func(i int, _ string) bool {
		found[i] = true
		return false
	})
	for i, key := range list {
		if found[i] {
			adopted[key] = true
		}
	}
	return adopted, err
}

// Target is a target as stored.
type Target struct {
	mapping.TargetKey
	mapping.Target
	// Scim says that a rule has made it.
	Scim bool
	// Seats is the number of active members that may have it, or are paid for; Unbounded: as many as want.
	Seats int64
	// Used is the number of seats in use; known for targets that are read one by one, listed or saved.
	Used    int64
	Version int64
	// Created is in Unix seconds; 0 if that was not recorded.
	Created int64
}

// Named reports whether the display name or the name of a target begins with a prefix, upper or lower case.
func (t Target) Named(prefix string) bool {
	prefix = scim.Fold(prefix)
	return strings.HasPrefix(scim.Fold(t.DisplayName), prefix) || strings.HasPrefix(scim.Fold(t.Name), prefix)
}

func (t Target) encode() string {
	o := scim.Object{"origin": "manual"}
	if t.Scim {
		o["origin"] = "scim"
	}
	if t.DisplayName != "" {
		o["displayName"] = t.DisplayName
	}
	if len(t.Features) > 0 {
		o["features"] = Texts(t.Features)
	}
	if t.Seats != Unbounded {
		o["seats"] = t.Seats
	}
	if t.Created != 0 {
		o["created"] = t.Created
	}
	return string(scim.AppendJSON(nil, o))
}

// DecodeTarget reads the item of a target.
func DecodeTarget(item store.Item) Target {
	var t Target
	if parts := store.Split(item.SK); len(parts) == 3 {
		t.TargetKey = mapping.TargetKey{Kind: parts[0], Organisation: parts[1], Name: parts[2]}
	}
	doc, _ := item.Attrs[AttrDoc].(string)
	o, _ := scim.ParseObject(doc)
	t.DisplayName, _ = o["displayName"].(string)
	t.Features = textsOf(o["features"])
	t.Scim = o["origin"] == "scim"
	t.Seats = Unbounded
	if n, ok := o["seats"].(int64); ok {
		t.Seats = n
	}
	t.Created, _ = o["created"].(int64)
	t.Version, _ = item.Attrs[AttrVer].(int64)
	return t
}

// Object is the target as JSON.
func (t Target) Object() scim.Object {
	o := scim.Object{"kind": t.Kind, "target": t.Name, "origin": "manual", "features": Texts(t.Features)}
	if t.Organisation != "" {
		o["organisation"] = t.Organisation
	}
	if t.DisplayName != "" {
		o["displayName"] = t.DisplayName
	}
	if t.Scim {
		o["origin"] = "scim"
	}
	if t.Seats != Unbounded {
		o["seats"] = scim.Object{"size": t.Seats, "used": t.Used}
	}
	return o
}

// MakeTarget appends the operation that makes a target which a rule gives for the first time, and returns its event.
func MakeTarget(tx *store.Tx, k store.Keys, key mapping.TargetKey, now time.Time, cause eventlog.Cause) eventlog.Entry {
	t := Target{TargetKey: key, Scim: true, Seats: Unbounded, Version: 1, Created: now.Unix()}
	tx.Must(
		store.PutItem(TargetKey(k, key), store.Attrs{AttrDoc: t.encode(), AttrVer: t.Version}).When(store.IsAbsent()),
		store.ErrStale,
	)
	return t.Told(EventTargetCreated, now, cause)
}

// Told is the entry of the log with an event about the target as it is now.
func (t Target) Told(kind string, now time.Time, cause eventlog.Cause) eventlog.Entry {
	return eventlog.Entry{
		Subject: "targets/" + t.Kind + "/" + t.Name, SubjectVersion: t.Version, At: now, Cause: cause,
		Events: []eventlog.Logged{{Type: kind, Data: scim.Object{"target": t.Object()}}},
	}
}

// DecodeManual reads the item of a manual assignment.
func DecodeManual(item store.Item) mapping.Manual {
	var m mapping.Manual
	if parts := store.Split(item.SK); len(parts) == 4 {
		m.TargetKey = mapping.TargetKey{Kind: parts[1], Organisation: parts[2], Name: parts[3]}
	}
	m.Since, _ = item.Attrs[AttrAt].(int64)
	return m
}

// DecodeItem reads the item of a published member.
func DecodeItem(item store.Item) (Member, error) {
	doc, _ := item.Attrs[AttrDoc].(string)
	return decode(doc)
}

// EncodeList is the stored form of a list of texts.
func EncodeList(words []string) string {
	text, _ := json.Marshal(words) // strings can always be written
	return string(text)
}

// ParseList reads the stored form of a list of texts.
func ParseList(v any) []string {
	var words []string
	if text, ok := v.(string); ok {
		_ = json.Unmarshal([]byte(text), &words)
	}
	return words
}
