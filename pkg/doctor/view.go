package doctor

import (
	"context"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// view is one item, with all that its rule has read.
type view struct {
	*patient
	ctx   context.Context
	item  store.Item
	known map[store.Key]store.Attrs
	// counted are the numbers of items under prefixes.
	counted map[store.Key]tally
	open    openWork
	first   bool // the first look, which may have seen a change under way
	found   []Finding
	err     error
}

// tally is a number of items under a prefix, counted up to most; 0: all are counted.
type tally struct {
	n    int64
	most int
}

// look applies the rule of the item. found is empty if it holds.
func (v *view) look() error {
	r := ruleOf(v.item.Key)
	switch {
	case r == nil:
		v.find(Finding{Check: "unknown", Problem: "The key has a kind that this version does not know."})
	case v.laidOut():
		if r.look != nil {
			r.look(v, v.item)
		}
	}
	return v.err
}

// laidOut checks the version of the item's layout, and counts the items of earlier ones; an item of a later one can't
// be judged.
func (v *view) laidOut() bool {
	version, _ := v.item.Attrs[store.AttrSchema].(int64)
	if version < store.SchemaVersion && v.first {
		v.old++
	}
	if version > store.SchemaVersion {
		v.find(Finding{Check: "layout", Problem: "The item has the layout " + strconv.FormatInt(version, 10) +
			" of a later version of the program."})
	}
	return version <= store.SchemaVersion
}

// get returns the attributes of an item, nil if it does not exist. It reads an item once.
func (v *view) get(key store.Key) store.Attrs {
	if attrs, known := v.known[key]; known || v.err != nil {
		return attrs
	}
	items, err := v.st.Get(v.ctx, key)
	if err != nil {
		v.err = err
		return nil
	}
	v.known[key] = items[0].Attrs
	return items[0].Attrs
}

// count returns the number of items under a prefix, up to most; 0 is no bound.
func (v *view) count(prefix store.Key, most int) int64 {
	if counted, known := v.counted[prefix]; known || v.err != nil {
		return counted.n
	}
	n, err := v.counting(prefix, most)
	if v.counted == nil {
		v.counted = map[store.Key]tally{}
	}
	v.counted[prefix], v.err = tally{n, most}, err
	return n
}

func (v *view) counting(prefix store.Key, most int) (n int64, err error) {
	q := store.Query{PK: prefix.PK, Prefix: prefix.SK, Select: store.CountOnly, Limit: most}
	for {
		page, err := v.st.Query(v.ctx, q)
		if err != nil {
			return 0, err
		}
		n += int64(page.Count)
		if !page.More || most > 0 {
			return n, nil
		}
		q.After = page.Last
	}
}

// find notes a finding. ops repair it; guard are keys whose items must be as they are known, beside the item itself and
// those that ops write.
func (v *view) find(f Finding) { v.found = append(v.found, f) }

// Looks at an item that seems wrong: how often at most, and the pause between two.
const (
	looks = 8
	pause = 20 * time.Millisecond
)

// lookAgain reads an item and all items that its rule concerns until two reads are the same, and reports the findings
// of the last read.
func (p *patient) lookAgain(ctx context.Context, key store.Key) error {
	for n := range looks {
		v, settled, err := p.lookOnce(ctx, key)
		if err != nil {
			return err
		}
		if settled {
			for _, f := range v.found {
				p.report(v, f)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(n+1)*pause + rand.N(pause)):
		}
	}
	p.sum.Changing++
	return nil
}

// lookOnce reads the item and applies its rule once. settled says that nothing has changed meanwhile.
func (p *patient) lookOnce(ctx context.Context, key store.Key) (v *view, settled bool, err error) {
	v = &view{patient: p, ctx: ctx, known: map[store.Key]store.Attrs{}}
	if v.open, err = p.readOpen(ctx); err != nil {
		return v, false, err
	}
	items, err := p.st.Get(ctx, key)
	if err != nil {
		return v, false, err
	}
	if v.item = items[0]; v.item.Attrs == nil {
		return v, true, nil
	}
	if r := ruleOf(key); r != nil && r.needs != nil {
		if items, err = p.st.Get(ctx, r.needs(p.k, v.item)...); err != nil {
			return v, false, err
		}
		for _, item := range items {
			v.known[item.Key] = item.Attrs
		}
	}
	if err := v.look(); err != nil || len(v.found) == 0 {
		return v, true, err
	}
	same, err := v.unchanged()
	return v, same, err
}

// unchanged reads all that was read once more.
func (v *view) unchanged() (bool, error) {
	keys := append(slices.Collect(maps.Keys(v.known)), v.item.Key)
	items, err := v.st.Get(v.ctx, keys...)
	if err != nil {
		return false, err
	}
	for i, item := range items {
		was := v.item.Attrs
		if i < len(keys)-1 {
			was = v.known[item.Key]
		}
		if !reflect.DeepEqual(item.Attrs, was) {
			return false, nil
		}
	}
	for prefix, counted := range v.counted {
		n, err := v.counting(prefix, counted.most)
		if err != nil || n != counted.n {
			return false, err
		}
	}
	open, err := v.readOpen(v.ctx)
	return reflect.DeepEqual(open, v.open), err
}

// repair carries out the repair of a finding, if all that it was concluded from is still the same.
func (v *view) repair(f Finding) error {
	ops := make([]store.Op, 0, len(f.ops)+len(f.guard)+1)
	written := map[store.Key]bool{}
	for _, op := range f.ops {
		written[op.Key] = true
		if op.Key == v.item.Key {
			op = op.When(same(v.item.Attrs)...)
		} else if attrs, known := v.known[op.Key]; known {
			op = op.When(same(attrs)...)
		}
		ops = append(ops, op)
	}
	if !written[v.item.Key] && v.item.Attrs != nil {
		ops = append(ops, store.CheckItem(v.item.Key, same(v.item.Attrs)...))
		written[v.item.Key] = true
	}
	for _, key := range f.guard {
		if !written[key] {
			written[key] = true
			ops = append(ops, store.CheckItem(key, same(v.known[key])...))
		}
	}
	return v.st.Transact(v.ctx, ops...)
}

// same are the conditions that an item is as it was read: by its version if it has one, else by its attributes that are
// short.
func same(attrs store.Attrs) []store.Cond {
	if attrs == nil {
		return []store.Cond{store.IsAbsent()}
	}
	conds := []store.Cond{store.IsThere()}
	if version, ok := attrs["ver"]; ok {
		return append(conds, store.Is("ver", version))
	}
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		switch value := attrs[name].(type) {
		case int64:
			conds = append(conds, store.Is(name, value))
		case string:
			if len(value) <= 1024 {
				conds = append(conds, store.Is(name, value))
			}
		}
	}
	return conds
}

// text is a string attribute, or "".
func text(attrs store.Attrs, name string) string { return str(attrs[name]) }

func str(v any) string {
	s, _ := v.(string)
	return s
}

// doc reads a JSON document of an item. It returns false if the text is no JSON document.
func doc(attrs store.Attrs) (scim.Object, bool) {
	o, err := scim.ParseObject(text(attrs, "doc"))
	return o, err == nil
}

func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}
