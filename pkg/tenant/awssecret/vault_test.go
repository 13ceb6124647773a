package awssecret_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/internal/awsfake/fakesecrets"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/awssecret"
)

const (
	name          = "serverless-scim/test/acme"
	one, two, tri = "aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"
)

func newVault(t *testing.T) (*fakesecrets.Server, *awssecret.Vault) {
	t.Helper()
	f := fakesecrets.Start(t)
	return f, awssecret.New(f.Client(),
		awssecret.Options{Prefix: "serverless-scim/test/", Tags: map[string]string{"stack": "test"}})
}

// step is one call on the vault, and the versions under each label after it.
type step struct {
	what string
	do   func(context.Context, *awssecret.Vault) error
	want map[string]string
}

func keep(id string, stage tenant.Stage) func(context.Context, *awssecret.Vault) error {
	return func(ctx context.Context, v *awssecret.Vault) error {
		return v.Keep(ctx, "acme", id, "value-"+id, stage)
	}
}

func promote(id string) func(context.Context, *awssecret.Vault) error {
	return func(ctx context.Context, v *awssecret.Vault) error { return v.Promote(ctx, "acme", id) }
}

func drop(id string) func(context.Context, *awssecret.Vault) error {
	return func(ctx context.Context, v *awssecret.Vault) error { return v.Drop(ctx, "acme", id) }
}

func TestLabels(t *testing.T) {
	for name, steps := range map[string][]step{
		"rotation": {
			{"first", keep(one, tenant.Current), map[string]string{"AWSCURRENT": "value-" + one}},
			{
				"successor", keep(two, tenant.Successor),
				map[string]string{"AWSCURRENT": "value-" + one, "AWSPENDING": "value-" + two},
			},
			{"promoted", promote(two), map[string]string{"AWSCURRENT": "value-" + two, "AWSPREVIOUS": "value-" + one}},
			{
				"next", keep(tri, tenant.Successor),
				map[string]string{
					"AWSCURRENT": "value-" + two, "AWSPREVIOUS": "value-" + one, "AWSPENDING": "value-" + tri,
				},
			},
			{
				"old one dropped", drop(one),
				map[string]string{"AWSCURRENT": "value-" + two, "AWSPENDING": "value-" + tri},
			},
		},
		"current revoked": {
			{"first", keep(one, tenant.Current), nil},
			{"successor", keep(two, tenant.Successor), nil},
			{"dropped", drop(one), map[string]string{"AWSCURRENT": "value-" + two}},
		},
		"successor revoked": {
			{"first", keep(one, tenant.Current), nil},
			{"successor", keep(two, tenant.Successor), nil},
			{"dropped", drop(two), map[string]string{"AWSCURRENT": "value-" + one}},
		},
		"only one revoked": {
			{"first", keep(one, tenant.Current), nil},
			{"dropped", drop(one), map[string]string{"AWSCURRENT": "revoked"}},
			{
				"next", keep(two, tenant.Current),
				map[string]string{"AWSCURRENT": "value-" + two, "AWSPREVIOUS": "revoked"},
			},
		},
		"expired one replaced": {
			{"first", keep(one, tenant.Current), nil},
			{
				"next", keep(two, tenant.Current),
				map[string]string{"AWSCURRENT": "value-" + two, "AWSPREVIOUS": "value-" + one},
			},
		},
		"abandoned successor replaced": {
			{"first", keep(one, tenant.Current), nil},
			{"abandoned", keep(two, tenant.Successor), nil},
			{
				"next", keep(tri, tenant.Successor),
				map[string]string{"AWSCURRENT": "value-" + one, "AWSPENDING": "value-" + tri},
			},
		},
		"successor without a secret": {
			{"first", keep(one, tenant.Successor), map[string]string{"AWSCURRENT": "value-" + one}},
		},
		"nothing to drop": {{"none", drop(one), nil}},
	} {
		t.Run(name, func(t *testing.T) {
			f, v := newVault(t)
			for _, s := range steps {
				for round := range 2 { // each step may be repeated
					if err := s.do(t.Context(), v); err != nil {
						t.Fatalf("%s, round %d: %v", s.what, round, err)
					}
					if got := f.Show("serverless-scim/test/acme"); s.want != nil && !maps.Equal(got, s.want) {
						t.Errorf("%s, round %d: %v, want %v", s.what, round, got, s.want)
					}
				}
			}
		})
	}
}

func TestReveal(t *testing.T) {
	_, v := newVault(t)
	ctx := t.Context()
	reveal := func(id, want string) {
		t.Helper()
		got, err := v.Reveal(ctx, "acme", id)
		if got != want || (want == "") != errors.Is(err, tenant.ErrNoValue) {
			t.Errorf("reveal %s: %q, %v", id, got, err)
		}
	}
	reveal(one, "")
	if err := v.Promote(ctx, "acme", one); !errors.Is(err, tenant.ErrNoValue) {
		t.Errorf("promote in no secret: %v", err)
	}
	for _, do := range []func(context.Context, *awssecret.Vault) error{
		keep(one, tenant.Current), keep(two, tenant.Successor),
	} {
		if err := do(ctx, v); err != nil {
			t.Fatal(err)
		}
	}
	reveal(one, "value-"+one)
	reveal(two, "value-"+two)
	reveal(tri, "")
	if err := v.Promote(ctx, "acme", tri); !errors.Is(err, tenant.ErrNoValue) {
		t.Errorf("promote a token that is not kept: %v", err)
	}
	if err := v.Promote(ctx, "acme", two); err != nil {
		t.Fatal(err)
	}
	reveal(one, "value-"+one)
	if err := v.Drop(ctx, "acme", one); err != nil {
		t.Fatal(err)
	}
	reveal(one, "")
	reveal(two, "value-"+two)
}

func TestSecretIsNamedAndTagged(t *testing.T) {
	f, v := newVault(t)
	if err := v.Keep(t.Context(), "acme", one, "value", tenant.Current); err != nil {
		t.Fatal(err)
	}
	if tags := f.Tags(name); !maps.Equal(tags, map[string]string{"stack": "test", "serverless-scim:tenant": "acme"}) {
		t.Errorf("tags %v", tags)
	}
}

func TestDropTenantWaitsForTheName(t *testing.T) {
	f, v := newVault(t)
	ctx := t.Context()
	if err := v.DropTenant(ctx, "acme"); err != nil {
		t.Errorf("without a secret: %v", err)
	}
	if err := v.Keep(ctx, "acme", one, "value", tenant.Current); err != nil {
		t.Fatal(err)
	}
	f.Linger = 2
	if err := v.DropTenant(ctx, "acme"); !errors.Is(err, tenant.ErrVault) {
		t.Errorf("while it is still being deleted: %v", err)
	}
	if err := v.Keep(ctx, "acme", two, "value", tenant.Current); !errors.Is(err, tenant.ErrVault) {
		t.Errorf("keep while the secret is being deleted: %v", err)
	}
	if err := v.DropTenant(ctx, "acme"); err != nil {
		t.Errorf("once it is gone: %v", err)
	}
	if err := v.Keep(ctx, "acme", two, "value-two", tenant.Current); err != nil {
		t.Fatal(err)
	}
	if got := f.Show(name); !maps.Equal(got, map[string]string{"AWSCURRENT": "value-two"}) {
		t.Errorf("%v", got)
	}
}

func TestErrorsNameNoValue(t *testing.T) {
	f, v := newVault(t)
	f.Deadline = 1
	err := v.Keep(t.Context(), "acme", one, "the-value", tenant.Current)
	if !errors.Is(err, tenant.ErrVault) || strings.Contains(fmt.Sprint(err), "the-value") {
		t.Errorf("%v", err)
	}
}

func TestParallelFirstKeep(t *testing.T) {
	_, v := newVault(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			err := v.Keep(t.Context(), "acme", fmt.Sprintf("aaaaaaaaaaa%d", i), "value", tenant.Current)
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
