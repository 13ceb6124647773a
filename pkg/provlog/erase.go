package provlog

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// eraseFor is the most time that one call of Erase takes to go through the log.
const eraseFor = 15 * time.Second

// erasingKept is the time for which the position of an unfinished Erase is kept.
const erasingKept = 24 * time.Hour

// attrAfter is the attribute that says which entry was looked at last.
const attrAfter = "after"

// minName is the length of the shortest name that is searched inside texts.
const minName = 3

// Erase takes a person out of a tenant's log, by the id of the user and the names that the person has had: userName,
// externalId, e-mail, displayName. The requests about the person's user stay, without names, body and detail; so does
// any other entry that names the person. done is false if the time was not enough: the next call goes on.
func (j *Journal) Erase(ctx context.Context, tenantID, id string, names []string) (done bool, err error) {
	ts := j.store.Tenant(tenantID)
	items, err := ts.Get(ctx, ts.ErasingLog(id))
	if err != nil {
		return false, err
	}
	p := newPerson(id, names)
	q := store.Query{PK: ts.Provisioned("").PK, Limit: 200}
	q.After, _ = items[0].Attrs[attrAfter].(string)
	for until := j.o.Now().Add(eraseFor); ; {
		page, err := ts.Query(ctx, q)
		if err != nil {
			return false, err
		}
		var ops []store.Op
		for _, item := range page.Items {
			e, err := decode(item)
			if err != nil {
				return false, err
			}
			if p.leave(&e) {
				op := store.PutItem(item.Key, item.Attrs)
				op.Set[attrDoc] = e.encode()
				ops = append(ops, op)
			}
		}
		if err := ts.Batch(ctx, ops...); err != nil {
			return false, err
		}
		if !page.More {
			return true, ts.Batch(ctx, store.RemoveItem(ts.ErasingLog(id)))
		}
		q.After = page.Last
		if j.o.Now().After(until) {
			return false, ts.Write(ctx, store.PutItem(ts.ErasingLog(id), store.Attrs{
				attrAfter: q.After, store.AttrTTL: j.o.Now().Add(erasingKept).Unix(),
			}))
		}
	}
}

// person is the person to take out of entries.
type person struct {
	id    string
	names []string // folded
}

func newPerson(id string, names []string) *person {
	p := &person{id: id}
	for _, name := range names {
		if name != "" {
			p.names = append(p.names, scim.Fold(name))
		}
	}
	return p
}

// leave takes the person out of an entry, and reports whether anything of the person was there.
func (p *person) leave(e *Entry) bool {
	if e.Erased && e.ResourceID == p.id {
		return false
	}
	own := e.ResourceID == p.id
	folded := scim.Fold(e.Subject)
	for _, name := range p.names {
		own = own || folded == name && e.Group == ""
	}
	if own {
		if name := scim.Fold(e.Subject); e.Group == "" && name != "" && !slices.Contains(p.names, name) {
			p.names = append(p.names, name) // one that the person had before
		}
		e.Subject, e.Detail, e.Body, e.BodyCut, e.Erased = "", "", "", false, true
		p.shorten(e)
		return true
	}
	if !p.in(e.Body) && !p.in(e.Detail) && !p.in(e.Path) {
		return false
	}
	e.Detail, e.Body, e.BodyCut, e.Erased = "", "", false, true
	p.shorten(e)
	return true
}

// shorten takes names out of the path of an entry.
func (p *person) shorten(e *Entry) {
	if p.in(e.Path) {
		e.Path = e.Path[:strings.LastIndexByte(e.Path, '/')+1] + hiddenPersonal
	}
}

// in reports whether a text has one of the person's names in it.
func (p *person) in(text string) bool {
	if text == "" {
		return false
	}
	folded := scim.Fold(text)
	for _, name := range p.names {
		if len(name) >= minName && strings.Contains(folded, name) {
			return true
		}
	}
	return false
}
