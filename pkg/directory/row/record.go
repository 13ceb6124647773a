package row

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Attributes of the items of users and groups.
const (
	AttrDoc      = "doc"      // the stored document as JSON, without id, meta, groups and members
	AttrVersion  = "ver"      // counts changes; the ETag shows it
	attrCreated  = "created"  // Unix milliseconds
	AttrModified = "modified" // Unix milliseconds
	AttrOpen     = "open"     // of a group: the id of the open work that changes its members
	AttrHolds    = "holds"    // of a group: 1 if it holds its name's uniqueness item
	AttrMembers  = "members"  // of a group: how many members it has, as of its version
	// the sort keys of the items that make its values unique, as a JSON array; missing if there are none
	AttrUnique = "unique"
)

// Record is a user, a group or a resource of an own type as it is stored.
type Record struct {
	Type              *schema.ResourceType
	ID                string
	Version           int64
	Created, Modified time.Time
	Doc               scim.Object
	Bytes             int    // size of the stored document
	Stored            string // the document as it was read
	Open              string
	Holds             bool
	Members           int64    // of a group: how many it has
	Unique            []string // sort keys of the unique values that it holds
}

// Key is the key of the item that a resource of a type is stored in.
func Key(k store.Keys, rt *schema.ResourceType, id string) store.Key {
	switch {
	case IsGroup(rt):
		return k.Group(id)
	case IsUser(rt):
		return k.User(id)
	}
	return k.Other(rt.ID, id)
}

// Decode reads an item of a user or group. Anything wrong with it is damage in the table, not a client's mistake.
func Decode(rt *schema.ResourceType, it store.Item) (Record, error) {
	r := Record{Type: rt, ID: it.SK}
	text, ok := it.Attrs[AttrDoc].(string)
	if !ok {
		return r, fmt.Errorf("directory: item %s without document", it.PK)
	}
	doc, err := scim.ParseObject(text)
	if err != nil {
		return r, fmt.Errorf("directory: item %s with a broken document: %w", it.PK, ErrInternal(err))
	}
	r.Doc, r.Bytes, r.Stored = doc, len(text), text
	r.Version, _ = it.Attrs[AttrVersion].(int64)
	r.Created = FromMillis(it.Attrs[attrCreated])
	r.Modified = FromMillis(it.Attrs[AttrModified])
	r.Open, _ = it.Attrs[AttrOpen].(string)
	holds, _ := it.Attrs[AttrHolds].(int64)
	r.Holds = holds == 1
	r.Members, _ = it.Attrs[AttrMembers].(int64)
	r.Unique = decodeUnique(it.Attrs[AttrUnique])
	return r, nil
}

// ErrInternal hides that err might be a *scim.Error: a fault of stored data must not reach a client.
func ErrInternal(err error) error { return fmt.Errorf("%s", err.Error()) }

// FromMillis is the time that an attribute holds in Unix milliseconds.
func FromMillis(v any) time.Time {
	ms, _ := v.(int64)
	return time.UnixMilli(ms).UTC()
}

// Attrs returns the record as the attributes of its item.
func (r Record) Attrs() store.Attrs {
	a := store.Attrs{
		store.AttrSchema: store.SchemaVersion,
		AttrDoc:          EncodeDoc(r.Doc),
		AttrVersion:      r.Version,
		attrCreated:      r.Created.UnixMilli(),
		AttrModified:     r.Modified.UnixMilli(),
	}
	if r.Open != "" {
		a[AttrOpen] = r.Open
	}
	if r.Holds {
		a[AttrHolds] = int64(1)
	}
	if IsGroup(r.Type) {
		a[AttrMembers] = r.Members
	}
	if len(r.Unique) > 0 {
		a[AttrUnique] = EncodeUnique(r.Unique)
	}
	return a
}

// EncodeDoc is a document as an attribute holds it.
func EncodeDoc(doc scim.Object) string { return string(scim.AppendJSON(make([]byte, 0, 1024), doc)) }

// Resource makes the answer of a record, whose document becomes part of it and must not be used any more.
func (r Record) Resource(t Tenant) Resource {
	doc := r.Type.Prune(r.Doc)
	doc["id"] = r.ID
	doc["meta"] = scim.Object{
		"resourceType": r.Type.ID,
		"created":      scim.FormatTime(r.Created),
		"lastModified": scim.FormatTime(r.Modified),
		"location":     Location(t, r.Type, r.ID),
		"version":      etag(r.Version),
	}
	if manager := ManagerOf(doc); manager != nil {
		if _, resolved := manager["$ref"]; resolved {
			id, _ := manager["value"].(string)
			manager["$ref"] = Location(t, schema.UserType(), id)
		}
	}
	return Resource{Type: r.Type, ID: r.ID, Version: r.Version, Modified: r.Modified, Doc: doc}
}

// Read reads one resource's record; a *scim.Error 404 if there is none.
func Read(ctx context.Context, ts *store.TenantStore, rt *schema.ResourceType, id string) (Record, error) {
	if !ValidID(id) {
		return Record{}, NotFound(rt, id)
	}
	items, err := ts.Get(ctx, Key(ts.Keys, rt, id))
	if err != nil {
		return Record{}, err
	}
	if items[0].Attrs == nil {
		return Record{}, NotFound(rt, id)
	}
	return Decode(rt, items[0])
}

// ValidID reports whether id can be an id that this server gave out: URL-safe and short. Nothing else is looked up.
func ValidID(id string) bool {
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

// NotFound is the answer 404 about a resource.
func NotFound(rt *schema.ResourceType, id string) error {
	return scim.Errorf(404, scim.NoType, "%s %s does not exist. It was deleted, or never created here.", rt.Name,
		strconv.Quote(Short(id)))
}

// Short cuts a text that a client sent to a length fit for an error's detail.
func Short(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// VersionOf is the version of the resource that an item holds; 0 if there is none.
func VersionOf(it store.Item) int64 {
	version, _ := it.Attrs[AttrVersion].(int64)
	return version
}

// CheckMatch checks the If-Match precondition against a version: weak comparison (RFC 7644, section 3.14).
func CheckMatch(ifMatch []string, version int64) error {
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
		"The resource now has version %s, not the one in your request. Read it again and repeat your change.",
		etag(version))
}

// IsNotFound reports whether err is the answer 404.
func IsNotFound(err error) bool {
	var known *scim.Error
	return errors.As(err, &known) && known.Status == http.StatusNotFound
}

// SameHold is the condition that a group holds its name as it did when it was read: the name may have gone to another
// group meanwhile and come back.
func (r Record) SameHold() store.Cond {
	if r.Holds {
		return store.Is(AttrHolds, int64(1))
	}
	return store.IsNot(AttrHolds, int64(1))
}

// DisplayOf returns the name by which references show a user or group.
func DisplayOf(doc scim.Object) string {
	if name := Text(doc, "displayName"); name != "" {
		return name
	}
	return Text(doc, "userName")
}
