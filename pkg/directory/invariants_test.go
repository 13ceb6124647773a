package directory_test

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/doctor"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// settled completes the open work. Then the doctor checks the whole table against its documents. No open work and,
// if nothing was killed, no chunk is left.
func (w *world) settled() {
	w.t.Helper()
	ctx := context.Background()
	if err := w.dir.RollForward(ctx, w.tenant.ID); err != nil {
		w.t.Fatal(err)
	}
	st := store.New(w.engine, store.Options{})
	d := doctor.New(st, doctor.Options{Finding: func(f doctor.Finding) { w.t.Errorf("%+v", f) }})
	if err := d.Contents(ctx, w.tenant.ID); err != nil {
		w.t.Fatal(err)
	}
	k := store.KeysOf(w.tenant.ID)
	for item, err := range st.All(ctx, store.Query{PK: k.Work("").PK}) {
		if err != nil || item.Attrs["closed"] == nil {
			w.t.Errorf("open work: %q %v %v", item.SK, item.Attrs, err)
		}
	}
	for item, err := range st.All(ctx, store.Query{PK: k.Chunk("", "").PK}) {
		if err != nil || !w.killed {
			w.t.Errorf("orphaned chunk: %q %v", item.SK, err)
		}
	}
}

// items is everything that the engine holds of the tenant, by key.
func (w *world) items() map[store.Key]store.Attrs {
	w.t.Helper()
	items := map[store.Key]store.Attrs{}
	for _, pk := range store.KeysOf(w.tenant.ID).Partitions() {
		for it, err := range store.New(w.engine, store.Options{}).All(context.Background(), store.Query{PK: pk}) {
			if err != nil {
				w.t.Fatal(err)
			}
			items[it.Key] = it.Attrs
		}
	}
	return items
}
