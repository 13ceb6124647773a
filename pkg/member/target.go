package member

import (
	"context"
	"encoding/json"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// attrStale has the sort keys of lookups that are still to be removed.
const attrStale = "stale"

func targetKey(k store.Keys, key mapping.TargetKey) store.Key {
	return k.Target(key.Kind, key.Organisation, key.Name)
}

// targetsOf reads the targets among keys that exist.
func targetsOf(ctx context.Context, ts *store.TenantStore, needs map[mapping.TargetKey]bool) (mapping.Targets, error) {
	wanted := sortedKeys(needs)
	keys := make([]store.Key, len(wanted))
	for i, key := range wanted {
		keys[i] = targetKey(ts.Keys, key)
	}
	items, err := ts.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	targets := mapping.Targets{}
	for i, item := range items {
		if item.Attrs != nil {
			targets[wanted[i]] = decodeTarget(item).Target
		}
	}
	return targets, nil
}

// adoptedOf finds out which of the targets a group names.
func adoptedOf(
	ctx context.Context,
	ts *store.TenantStore,
	keys map[mapping.TargetKey]bool,
) (map[mapping.TargetKey]bool, error) {
	list := sortedKeys(keys)
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
	// Seats is how many active members may have it, or are paid for; Unbounded: as many as want.
	Seats int64
	// Used is how many of them are in use; known for targets that are read one by one or listed.
	Used    int64
	Version int64
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
		o["features"] = list(t.Features)
	}
	if t.Seats != Unbounded {
		o["seats"] = t.Seats
	}
	return string(scim.AppendJSON(nil, o))
}

func decodeTarget(item store.Item) Target {
	var t Target
	if parts := store.Split(item.SK); len(parts) == 3 {
		t.TargetKey = mapping.TargetKey{Kind: parts[0], Organisation: parts[1], Name: parts[2]}
	}
	doc, _ := item.Attrs[attrDoc].(string)
	o, _ := scim.ParseObject(doc)
	t.DisplayName, _ = o["displayName"].(string)
	t.Features = words(o["features"])
	t.Scim = o["origin"] == "scim"
	t.Seats = Unbounded
	if n, ok := o["seats"].(int64); ok {
		t.Seats = n
	}
	t.Version, _ = item.Attrs[attrVer].(int64)
	return t
}

// Object is the target as JSON.
func (t Target) Object() scim.Object {
	o := scim.Object{"kind": t.Kind, "target": t.Name, "origin": "manual", "features": list(t.Features)}
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

// makeTarget appends the operation that makes a target which a rule gives for the first time, and returns its event.
func makeTarget(tx *store.Tx, k store.Keys, key mapping.TargetKey, now time.Time, cause eventlog.Cause) eventlog.Entry {
	t := Target{TargetKey: key, Scim: true, Seats: Unbounded, Version: 1}
	tx.Must(
		store.PutItem(targetKey(k, key), store.Attrs{attrDoc: t.encode(), attrVer: t.Version}).When(store.IsAbsent()),
		store.ErrStale,
	)
	return t.told(EventTargetCreated, now, cause)
}

// told is the entry of the log with an event about the target as it is now.
func (t Target) told(kind string, now time.Time, cause eventlog.Cause) eventlog.Entry {
	return eventlog.Entry{
		Subject: "targets/" + t.Kind + "/" + t.Name, SubjectVersion: t.Version, At: now, Cause: cause,
		Events: []eventlog.Logged{{Type: kind, Data: scim.Object{"target": t.Object()}}},
	}
}

func decodeManual(item store.Item) mapping.Manual {
	var m mapping.Manual
	if parts := store.Split(item.SK); len(parts) == 4 {
		m.TargetKey = mapping.TargetKey{Kind: parts[1], Organisation: parts[2], Name: parts[3]}
	}
	m.Since, _ = item.Attrs[attrAt].(int64)
	return m
}

func decodeItem(item store.Item) (Member, error) {
	doc, _ := item.Attrs[attrDoc].(string)
	return decode(doc)
}

func encodeList(words []string) string {
	text, _ := json.Marshal(words) // strings can always be written
	return string(text)
}

func parseList(v any) any {
	var words []any
	if text, ok := v.(string); ok {
		_ = json.Unmarshal([]byte(text), &words)
	}
	return words
}

// display is the name under which a target is shown; "" if it has none but its own.
func (p *publication) display(sub *subject, key mapping.TargetKey) string {
	if p.policy.Implicit && key.Kind == mapping.KindGroup {
		for _, g := range sub.person.Groups {
			if g.ID == key.Name {
				name, _ := g.Doc["displayName"].(string)
				return name
			}
		}
	}
	return p.targets[key].DisplayName
}
