package provlog

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// The outcomes of a request.
const (
	Done        = "done"
	NothingToDo = "nothing-to-do"
	Refused     = "refused"
	Failed      = "failed"
	// Started is that of a change through the admin API or the portal until its result is known, and for good if the
	// process died before.
	Started = "started"
)

// The operations of a request.
const (
	Create  = "create"
	Replace = "replace"
	Patch   = "patch"
	Delete  = "delete"
	Read    = "read"
	Bulk    = "bulk"  // a bulk request that was refused as a whole
	Admin   = "admin" // a request to the admin API
)

// Entry is one request, or one operation of a bulk request, in the log.
type Entry struct {
	// ID sorts by time.
	ID   string
	Time time.Time
	// RequestID is the id in the request's answer and in the process log, TokenID the token or OAuth client that
	// sent it, Caller the caller of a request to the admin API.
	RequestID, TokenID, Caller string
	// IdP is the identity provider that the request was recognised as, one of scim.IdPs; "": not recognised.
	IdP       string
	Operation string
	// Method and Path are those of the request; Path begins after the tenant's base URL and has no query.
	Method, Path string
	// ResourceType and ResourceID name the resource, Subject is its userName or displayName, and Group the displayName
	// if it is a group.
	ResourceType, ResourceID, Subject, Group string
	// Added and Removed are members of a group, 20 each at most.
	Added, Removed []string
	Outcome        string
	// Status, ScimType and Detail are those of the answer.
	Status           int
	ScimType, Detail string
	// Duration is the time that the request took; for a change, until its transaction.
	Duration time.Duration
	// Changed are the paths of the attributes that changed, 20 at most.
	Changed []string
	// Number is the place of the operation in a bulk request, from 1.
	Number int
	// Flag says that the URL had Entra's flag aadOptscim062020.
	Flag bool
	// Body is the request body as JSON text, redacted. BodyCut says that its end is missing.
	Body    string
	BodyCut bool
	// Erased says that a person was taken out of the entry.
	Erased bool
	// Events are the sequence numbers of the events that followed. Only Get fills it.
	Events []int64
}

// maxListed bounds the lists of an entry.
const maxListed = 20

// field is a field of an entry: its name in the table and in the admin API.
type field struct {
	short, long string
	value       any // *string, *int, *bool, *time.Duration or *[]string
}

// fields are all fields of an entry, in the order in which scim.AppendJSON writes the short names.
func (e *Entry) fields() [24]field {
	return [...]field{
		{"id", "resourceId", &e.ResourceID},
		{"a", "added", &e.Added},
		{"b", "body", &e.Body},
		{"bc", "bodyCut", &e.BodyCut},
		{"c", "caller", &e.Caller},
		{"ch", "changed", &e.Changed},
		{"d", "detail", &e.Detail},
		{"e", "erased", &e.Erased},
		{"f", "flag", &e.Flag},
		{"g", "group", &e.Group},
		{"i", "idp", &e.IdP},
		{"m", "method", &e.Method},
		{"ms", "durationMs", &e.Duration},
		{"n", "number", &e.Number},
		{"o", "outcome", &e.Outcome},
		{"op", "operation", &e.Operation},
		{"p", "path", &e.Path},
		{"r", "requestId", &e.RequestID},
		{"rt", "resourceType", &e.ResourceType},
		{"s", "subject", &e.Subject},
		{"st", "status", &e.Status},
		{"t", "tokenId", &e.TokenID},
		{"ty", "scimType", &e.ScimType},
		{"x", "removed", &e.Removed},
	}
}

// set is the value of a field for scim.AppendJSON; nil if it is not set.
func (f field) set() any {
	switch v := f.value.(type) {
	case *string:
		if *v != "" {
			return *v
		}
	case *int:
		if *v != 0 {
			return int64(*v)
		}
	case *bool:
		if *v {
			return true
		}
	case *time.Duration:
		if *v != 0 {
			return v.Milliseconds()
		}
	case *[]string:
		if len(*v) > 0 {
			return texts(*v)
		}
	}
	return nil
}

func texts(list []string) []any {
	all := make([]any, len(list))
	for i, v := range list {
		all[i] = v
	}
	return all
}

// object is the fields that are set, by one of their names.
func (e *Entry) object(name func(field) string) scim.Object {
	o := scim.Object{}
	for _, f := range e.fields() {
		if v := f.set(); v != nil {
			o[name(f)] = v
		}
	}
	return o
}

// Object is an entry as the admin API shows it. Fields that are not set are left out.
func (e Entry) Object() scim.Object {
	o := e.object(func(f field) string { return f.long })
	o["id"], o["time"] = e.ID, scim.FormatTime(e.Time)
	if e.Events != nil {
		events := make([]any, len(e.Events))
		for i, n := range e.Events {
			events[i] = n
		}
		o["eventSequences"] = events
	}
	return o
}

// The attributes of a stored entry.
const attrDoc = "doc"

// maxDoc bounds a stored entry in bytes: with its key it is within 2 KB.
const maxDoc = 1900

// put is the operation that writes an entry, which it may shorten: one that is too large loses the end of its body,
// then its body, then the end of its detail.
func (e *Entry) put(s shelf) store.Op {
	if len(e.Body) > maxDoc { // the escapes of what is cut anyway do not count
		e.Body, e.BodyCut = cut(e.Body, maxDoc), true
	}
	doc := e.encode()
	if over := len(doc) - maxDoc; over > 0 && e.Body != "" {
		e.Body, e.BodyCut = cut(e.Body, max(len(e.Body)-over-len(`,"bc":true`), 0)), true
		for doc = e.encode(); len(doc) > maxDoc && e.Body != ""; doc = e.encode() { // escapes count more
			e.Body = cut(e.Body, len(e.Body)*3/4-1)
		}
	}
	for i := 0; len(doc) > maxDoc && i < 3; i++ {
		short := []*string{&e.Detail, &e.Path, &e.Subject}[i]
		*short = cut(*short, 200)
		doc = e.encode()
	}
	return store.PutItem(s.key(e.ID), store.Attrs{attrDoc: doc, store.AttrTTL: e.Time.Add(s.kept).Unix()})
}

// encode is the stored form of an entry: its object by short names as JSON, written without making the object.
func (e *Entry) encode() string {
	dst := make([]byte, 1, 1024)
	for _, f := range e.fields() {
		if v := f.set(); v != nil {
			dst = append(append(dst, ",\""...), f.short...)
			dst = scim.AppendJSON(append(dst, "\":"...), v)
		}
	}
	if len(dst) == 1 {
		return "{}"
	}
	dst[1] = '{' // in the place of the first comma
	return string(append(dst[1:], '}'))
}

// cut returns at most n bytes of s, in whole characters.
func cut(s string, n int) string {
	if n <= 0 {
		return ""
	}
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// decode reads a stored entry.
func decode(item store.Item) (Entry, error) {
	text, _ := item.Attrs[attrDoc].(string)
	o, err := scim.ParseObject(text)
	if err != nil {
		return Entry{}, fmt.Errorf("provlog: stored entry: %w", err)
	}
	e := Entry{ID: item.SK, Time: timeOf(item.SK)}
	for _, f := range e.fields() {
		switch v := f.value.(type) {
		case *string:
			*v, _ = o[f.short].(string)
		case *int:
			n, _ := o[f.short].(int64)
			*v = int(n)
		case *bool:
			*v, _ = o[f.short].(bool)
		case *time.Duration:
			n, _ := o[f.short].(int64)
			*v = time.Duration(n) * time.Millisecond
		case *[]string:
			list, _ := o[f.short].([]any)
			for _, one := range list {
				if text, ok := one.(string); ok {
					*v = append(*v, text)
				}
			}
		}
	}
	return e, nil
}

// timeID is the beginning of the ids of a moment's entries.
func timeID(at time.Time) string { return fmt.Sprintf("%0*d", timeDigits, max(at.UnixMicro(), 0)) }

// timeDigits is the width of the microseconds in an id.
const timeDigits = 16

// timeOf is the time in an id.
func timeOf(id string) time.Time {
	micros, _, _ := strings.Cut(id, "-")
	n, _ := strconv.ParseInt(micros, 10, 64)
	return time.UnixMicro(n).UTC()
}
