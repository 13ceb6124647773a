package directory

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Attributes of the items of users and groups.
const (
	attrDoc      = "doc"      // the stored document as JSON, without id, meta, groups and members
	attrVersion  = "ver"      // counts changes; what the ETag shows
	attrCreated  = "created"  // Unix milliseconds
	attrModified = "modified" // Unix milliseconds
	attrOpen     = "open"     // of a group: the id of the open work that changes its members
	attrHolds    = "holds"    // of a group: 1 if it holds its name's uniqueness item
	attrMembers  = "members"  // of a group: how many it has, as of its version; missing in a group of an earlier version
	// the sort keys of the items that make its values unique, as a JSON array; missing where there are none
	attrUnique = "unique"
)

// record is a user, a group or a resource of an own type as it is stored.
type record struct {
	rt                *schema.ResourceType
	id                string
	version           int64
	created, modified time.Time
	doc               scim.Object
	bytes             int    // size of the stored document
	stored            string // the document as it was read
	open              string
	holds             bool
	counted           bool     // of a group: members is known
	members           int64    // of a group
	unique            []string // sort keys of the unique values that it holds
}

func isGroup(rt *schema.ResourceType) bool { return rt.ID == schema.GroupType().ID }

// ResourceKey is the key of the item that a resource of a type is stored in.
func ResourceKey(k store.Keys, rt *schema.ResourceType, id string) store.Key {
	switch {
	case isGroup(rt):
		return k.Group(id)
	case isUser(rt):
		return k.User(id)
	}
	return k.Other(rt.ID, id)
}

// decodeRecord reads an item of a user or group. Anything wrong with it is damage in the table, not a client's mistake.
func decodeRecord(rt *schema.ResourceType, it store.Item) (record, error) {
	r := record{rt: rt, id: it.SK}
	text, ok := it.Attrs[attrDoc].(string)
	if !ok {
		return r, fmt.Errorf("directory: item %s without document", it.PK)
	}
	doc, err := scim.ParseObject(text)
	if err != nil {
		return r, fmt.Errorf("directory: item %s with a broken document: %w", it.PK, errInternal(err))
	}
	r.doc, r.bytes, r.stored = doc, len(text), text
	r.version, _ = it.Attrs[attrVersion].(int64)
	r.created = fromMillis(it.Attrs[attrCreated])
	r.modified = fromMillis(it.Attrs[attrModified])
	r.open, _ = it.Attrs[attrOpen].(string)
	holds, _ := it.Attrs[attrHolds].(int64)
	r.holds = holds == 1
	r.members, r.counted = it.Attrs[attrMembers].(int64)
	r.unique = decodeUnique(it.Attrs[attrUnique])
	return r, nil
}

// errInternal hides that err might be a *scim.Error: what is wrong with stored data is nothing to tell a client.
func errInternal(err error) error { return fmt.Errorf("%s", err.Error()) }

func fromMillis(v any) time.Time {
	ms, _ := v.(int64)
	return time.UnixMilli(ms).UTC()
}

// attrs returns the record as the attributes of its item.
func (r record) attrs() store.Attrs {
	a := store.Attrs{
		store.AttrSchema: store.SchemaVersion,
		attrDoc:          encodeDoc(r.doc),
		attrVersion:      r.version,
		attrCreated:      r.created.UnixMilli(),
		attrModified:     r.modified.UnixMilli(),
	}
	if r.open != "" {
		a[attrOpen] = r.open
	}
	if r.holds {
		a[attrHolds] = int64(1)
	}
	if r.counted {
		a[attrMembers] = r.members
	}
	if len(r.unique) > 0 {
		a[attrUnique] = encodeUnique(r.unique)
	}
	return a
}

func encodeDoc(doc scim.Object) string { return string(scim.AppendJSON(make([]byte, 0, 1024), doc)) }

// location is the address of a resource: absolute, and the same whichever way the request came.
func location(t Tenant, rt *schema.ResourceType, id string) string {
	return t.BaseURL + rt.Endpoint + "/" + id
}

// resource makes the answer of a record. The record's document becomes part of it and must not be used any more.
func (d *Directory) resource(t Tenant, r record) Resource {
	doc := r.rt.Prune(r.doc)
	doc["id"] = r.id
	doc["meta"] = scim.Object{
		"resourceType": r.rt.ID,
		"created":      scim.FormatTime(r.created),
		"lastModified": scim.FormatTime(r.modified),
		"location":     location(t, r.rt, r.id),
		"version":      etag(r.version),
	}
	if manager := managerOf(doc); manager != nil {
		if _, resolved := manager["$ref"]; resolved {
			id, _ := manager["value"].(string)
			manager["$ref"] = location(t, schema.UserType(), id)
		}
	}
	return Resource{Type: r.rt, ID: r.id, Version: r.version, Modified: r.modified, Doc: doc}
}

// read reads one resource's record; a *scim.Error 404 where there is none.
func (d *Directory) read(ctx context.Context, ts *store.TenantStore, rt *schema.ResourceType, id string) (
	record, error,
) {
	if !validID(id) {
		return record{}, notFound(rt, id)
	}
	items, err := ts.Get(ctx, ResourceKey(ts.Keys, rt, id))
	if err != nil {
		return record{}, err
	}
	if items[0].Attrs == nil {
		return record{}, notFound(rt, id)
	}
	return decodeRecord(rt, items[0])
}

// validID reports whether id can be an id that this server gave out: URL-safe and short. Nothing else is looked up.
func validID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for _, c := range []byte(id) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

func notFound(rt *schema.ResourceType, id string) error {
	return scim.Errorf(404, scim.NoType, "%s %s does not exist. It was deleted, or never created here.", rt.Name,
		strconv.Quote(short(id)))
}

// short cuts a text that a client sent to a length fit for an error's detail.
func short(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// VersionOf is the version of the resource that an item holds; 0 where there is none.
func VersionOf(it store.Item) int64 {
	version, _ := it.Attrs[attrVersion].(int64)
	return version
}

// checkMatch holds the If-Match precondition against a version: weak comparison (RFC 7644, section 3.14).
func checkMatch(ifMatch []string, version int64) error {
	if len(ifMatch) == 0 {
		return nil
	}
	want := strconv.FormatInt(version, 10)
	for _, tag := range ifMatch {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == "*" || tag == want || tag == `"`+want+`"` {
			return nil
		}
	}
	return scim.Errorf(412, scim.NoType,
		"The version that you named is not the present one, which is %s. Read the resource again and repeat your change.",
		etag(version))
}
