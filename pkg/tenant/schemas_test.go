package tenant_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema/define"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

const badge = "urn:example:scim:schemas:2.0:Badge"

// badgeSchema is a schema with one attribute.
func badgeSchema(t *testing.T, urn, attribute string) *schema.Schema {
	t.Helper()
	s, err := define.ParseSchema(scim.Object{"id": urn, "attributes": []any{scim.Object{"name": attribute}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func with(s *schema.Schema) func(define.Definitions) (define.Definitions, error) {
	return func(d define.Definitions) (define.Definitions, error) { return d.With(s), nil }
}

func without(urn string) func(define.Definitions) (define.Definitions, error) {
	return func(d define.Definitions) (define.Definitions, error) { return d.Without(urn), nil }
}

func agree(context.Context, string, *schema.Types, *schema.Types) error { return nil }

// names lists the attributes of the badge schema that a process sees, and counts the reads for it.
func names(t *testing.T, s *tenant.Service, id string) (list []string, reads int) {
	t.Helper()
	found, err := s.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	ctx, meter := store.WithMeter(t.Context())
	types, err := s.Types(ctx, found)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range types.Schemas() {
		if s.ID == badge {
			for _, a := range s.Attributes {
				list = append(list, a.Name)
			}
		}
	}
	return list, meter.Total().Calls
}

func TestDefine(t *testing.T) {
	w := newWorld(t)
	if _, _, err := w.Create(w.ctx, tenant.NewTenant{ID: "acme", Name: "Acme"}); err != nil {
		t.Fatal(err)
	}
	other := w.process(w.store, false)
	see := func(want string, reads int) {
		t.Helper()
		for _, s := range []*tenant.Service{w.Service, other} {
			for _, reads := range []int{reads, 0} {
				if got, n := names(t, s, "acme"); fmt.Sprint(got) != want || n != reads {
					t.Errorf("got %v with %d reads, want %s with %d", got, n, want, reads)
				}
			}
		}
	}
	see("[]", 0)
	for _, name := range []string{"number", "colour"} {
		if _, err := w.Define(w.ctx, "acme", with(badgeSchema(t, badge, name)), agree); err != nil {
			t.Fatal(err)
		}
		see("["+name+"]", 1)
		w.clock.add(2 * time.Hour)
	}
	d, err := other.Definitions(w.ctx, "acme")
	if err != nil || d.Schema(badge) == nil {
		t.Errorf("definitions %v, %v", d, err)
	}
	before, _ := w.Get(w.ctx, "acme")
	if _, err := w.Define(w.ctx, "acme", with(badgeSchema(t, badge, "colour")),
		func(context.Context, string, *schema.Types, *schema.Types) error {
			return errors.New("asked about no change")
		}); err != nil {
		t.Error(err)
	}
	if after, _ := w.Get(w.ctx, "acme"); after.Modified != before.Modified {
		t.Error("what is the same was written")
	}
	if _, err := w.Define(w.ctx, "acme", without(badge), agree); err != nil {
		t.Fatal(err)
	}
	see("[]", 0)
	prefix := store.KeysOf("acme").SchemasPrefix()
	page, err := w.store.Query(w.ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK})
	if err != nil || page.Count != 1 {
		t.Errorf("%d items of definitions are left, %v: want the one before", page.Count, err)
	}
	for _, id := range []string{"nobody", "a", ""} {
		if _, err := w.Define(w.ctx, id, without(badge), agree); !errors.Is(err, tenant.ErrNotFound) {
			t.Errorf("%q: %v", id, err)
		}
		if _, err := w.Definitions(w.ctx, id); !errors.Is(err, tenant.ErrNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

// The check has the last word, before the change and after.
func TestDefineRefused(t *testing.T) {
	w := newWorld(t)
	if _, _, err := w.Create(w.ctx, tenant.NewTenant{ID: "acme", Name: "Acme"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Define(w.ctx, "acme", with(badgeSchema(t, badge, "number")), agree); err != nil {
		t.Fatal(err)
	}
	conflict := &tenant.ConflictError{Detail: "data"}
	for _, fails := range []int{1, 2} {
		n := 0
		_, err := w.Define(w.ctx, "acme", without(badge),
			func(_ context.Context, id string, old, next *schema.Types) error {
				if n++; id != "acme" || len(old.Schemas()) != 7 || len(next.Schemas()) != 6 {
					t.Errorf("asked about %s, from %d to %d schemas", id, len(old.Schemas()), len(next.Schemas()))
				}
				if n == fails {
					return conflict
				}
				return nil
			})
		if !errors.Is(err, conflict) || n != fails {
			t.Errorf("got %v after %d checks", err, n)
		}
		if got, _ := names(t, w.Service, "acme"); fmt.Sprint(got) != "[number]" {
			t.Errorf("after a refusal: %v", got)
		}
	}
	refuse := func(d define.Definitions) (define.Definitions, error) { return d, conflict }
	_, err := w.Define(w.ctx, "acme", refuse, agree)
	if !errors.Is(err, conflict) {
		t.Error(err)
	}
	_, err = w.Define(w.ctx, "acme", func(d define.Definitions) (define.Definitions, error) {
		return d.WithType(define.TypeDefinition{ID: "Device", Endpoint: "/Devices", Schema: "urn:x:y"}), nil
	}, agree)
	if invalid := (*scim.Error)(nil); !errors.As(err, &invalid) {
		t.Error(err)
	}
}

// All definitions of concurrent changes are there in the end.
func TestDefineAtOnce(t *testing.T) {
	w := newWorld(t)
	if _, _, err := w.Create(w.ctx, tenant.NewTenant{ID: "acme", Name: "Acme"}); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 8 {
		s := w.process(w.store, false)
		all.Go(func() {
			if _, err := s.Define(w.ctx, "acme", with(badgeSchema(t, fmt.Sprintf("%s:%d", badge, i), "number")),
				agree); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if d, err := w.Definitions(w.ctx, "acme"); err != nil || len(d.Schemas) != 8 {
		t.Errorf("%d schemas, %v", len(d.Schemas), err)
	}
}
