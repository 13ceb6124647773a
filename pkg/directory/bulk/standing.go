package bulk

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/directory/bulkid"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// A POST of a repeated bulk request counts as done while its resource is exactly as the earlier run left it: it
// exists, nobody has changed it since, and the same holds for the resources of the request that it refers to.
// Otherwise the POST is carried out as any other.
//
// If no other operation changes the resource of a POST, the resource is unchanged if it still has version 1. Otherwise
// it is unchanged if it has the version that was stored at the end of the run. If the run did not complete, the
// resource may have any version.

// alone marks the POST operations whose resource no other operation of the request changes, directly or indirectly.
func (b *request) alone(units []unit) []bool {
	alone := make([]bool, len(b.ops))
	for _, u := range units {
		for _, i := range u.ops {
			alone[i] = !u.circle && b.ops[i].Method == http.MethodPost
		}
	}
	named := map[string]int{} // by folded userName: the last operation that gives it
	for i, op := range b.ops {
		if op.Invalid != nil {
			continue
		}
		if bulkID, ok := strings.CutPrefix(op.ID, bulkid.Prefix); ok {
			alone[b.creates[bulkID]] = false
		}
		if op.Method == http.MethodDelete {
			return make([]bool, len(b.ops)) // it takes its resource out of groups and from those that it manages
		}
		if isMembership(op.Type) {
			for _, k := range b.refs[i] {
				alone[k] = false // the group gets another version
			}
		}
		if op.Type.ID == schema.UserType().ID {
			for _, name := range b.facts[i].names {
				named[scim.Fold(name)] = i
			}
		}
	}
	for i, op := range b.ops {
		if !alone[i] || op.Invalid != nil {
			continue
		}
		for _, value := range b.facts[i].values {
			// A reference by the name of a user who comes later is resolved then.
			if k, given := named[scim.Fold(value)]; given && k != i {
				alone[i] = false
			}
		}
	}
	return alone
}

// find gives the operations the ids of earlier runs, looks which of the resources are there as these left them, and
// returns the POST operations that need another id: the resource is another one by now, or gone.
func (b *request) find(ctx context.Context, m remembered, units []unit) (spoiled []bool, err error) {
	b.assign(m.seeds, m.used)
	var keys []store.Key
	var posts []int
	for i, op := range b.ops {
		b.memory.there[i] = false
		if b.stores(i) {
			posts = append(posts, i)
			keys = append(keys, row.Key(b.ts.Keys, op.Type, b.ids[i]))
		}
	}
	items, err := b.ts.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	going, err := b.d.Going(ctx, b.t)
	if err != nil {
		return nil, err
	}
	spoiled = make([]bool, len(b.ops))
	versions := strings.Fields(m.versions)
	for n, i := range posts {
		exists := items[n].Attrs != nil
		version := row.VersionOf(items[n])
		same := exists
		switch {
		case b.memory.alone[i]:
			same = exists && version == 1 && !b.refersTo(i, going)
		case m.done:
			noted := ""
			if len(versions) > 0 {
				noted, versions = versions[0], versions[1:]
			}
			same = exists && strconv.FormatInt(version, 10) == noted
		}
		b.memory.there[i], b.memory.version[i] = same, version
		spoiled[i] = !same && (exists || m.done)
	}
	b.spoil(units, spoiled)
	return spoiled, nil
}

// refersTo reports whether an operation refers to any of the resources.
func (b *request) refersTo(i int, ids map[string]bool) bool {
	if len(ids) == 0 {
		return false
	}
	for _, k := range b.refs[i] {
		if ids[b.ids[k]] {
			return true
		}
	}
	for _, value := range b.facts[i].values {
		if ids[value] {
			return true
		}
	}
	return false
}

// spoil marks also the POST operations that refer to a spoiled one, and all of a circle that has one. A unit comes
// after those that it refers to.
func (b *request) spoil(units []unit, spoiled []bool) {
	for _, u := range units {
		found := false
		for _, i := range u.ops {
			found = found || spoiled[i]
			for _, k := range b.refs[i] {
				found = found || spoiled[k]
			}
		}
		for _, i := range u.ops {
			if op := b.ops[i]; found && op.Invalid == nil && op.Method == http.MethodPost {
				spoiled[i], b.memory.there[i] = true, false
			}
		}
	}
}

// standingKeys are the keys of the resources whose versions are noted at the end.
func (b *request) standingKeys() []store.Key {
	var keys []store.Key
	for i, op := range b.ops {
		if b.stores(i) && !b.memory.alone[i] {
			keys = append(keys, row.Key(b.ts.Keys, op.Type, b.ids[i]))
		}
	}
	return keys
}

// left is the value of attrVersions for the items of standingKeys; a missing item has version 0.
func (b *request) left(items []store.Item) string {
	versions := make([]string, len(items))
	for n, it := range items {
		versions[n] = strconv.FormatInt(row.VersionOf(it), 10)
	}
	return strings.Join(versions, " ")
}
