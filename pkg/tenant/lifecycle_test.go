package tenant_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

func TestCreate(t *testing.T) {
	w := newWorld(t)
	made, token, err := w.Create(w.ctx, tenant.NewTenant{Name: "Acme"})
	if err != nil || !regexp.MustCompile(`^[a-z0-9]{12}$`).MatchString(made.ID) {
		t.Fatalf("%+v, %v", made, err)
	}
	if made.IdP != "generic" || !made.Active || made.Name != "Acme" || made.PatchBody() != "" ||
		made.UniqueGroupNames() {
		t.Errorf("made %+v", made)
	}
	got, err := w.Get(w.ctx, made.ID)
	if err != nil || got.Name != "Acme" || !got.Created.Equal(w.clock.Now()) || len(got.Tokens) != 1 ||
		got.Tokens[0].ID != token.ID {
		t.Errorf("got %+v, %v", got, err)
	}
	if strings.Contains(w.log.String(), token.Value) {
		t.Error("the value is in the log")
	}
	for _, id := range []string{"abc", "a-b", "---", "123", strings.Repeat("z", 40)} {
		if _, _, err := w.Create(w.ctx, tenant.NewTenant{ID: id, Name: "x"}); err != nil {
			t.Errorf("id %q: %v", id, err)
		}
		if _, _, err := w.Create(w.ctx, tenant.NewTenant{ID: id, Name: "x"}); !errors.Is(err, tenant.ErrExists) {
			t.Errorf("id %q again: %v", id, err)
		}
	}
}

func TestCreateRefuses(t *testing.T) {
	w := newWorld(t)
	for field, list := range map[string][]tenant.NewTenant{
		"id": {
			{ID: "ab", Name: "x"},
			{ID: strings.Repeat("a", 41), Name: "x"},
			{ID: "Acme", Name: "x"},
			{ID: "a#b", Name: "x"},
			{ID: "a_b", Name: "x"},
			{ID: "äöü", Name: "x"},
			{ID: "a b", Name: "x"},
			{ID: "a/b", Name: "x"},
			{ID: "abc\n", Name: "x"},
		},
		"name": {
			{ID: "abc"},
			{ID: "abc", Name: " \t"},
			{ID: "abc", Name: strings.Repeat("x", 257)},
			{ID: "abc", Name: "a\x00"},
			{ID: "abc", Name: "\xff"},
		},
		"idp": {{ID: "abc", Name: "x", IdP: "Okta"}, {ID: "abc", Name: "x", IdP: "other"}},
	} {
		for _, n := range list {
			_, _, err := w.Create(w.ctx, n)
			invalid := (*tenant.InvalidError)(nil)
			if !errors.As(err, &invalid) || invalid.Field != field {
				t.Errorf("%+v: %v, want %s refused", n, err, field)
			}
		}
	}
	if page, err := w.store.Query(w.ctx, store.Query{PK: store.TenantsPK}); err != nil || page.Count != 0 {
		t.Errorf("%d tenants left behind, %v", page.Count, err)
	}
}

func TestParallelCreate(t *testing.T) {
	w := newWorld(t)
	var made atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			_, token, err := w.Create(w.ctx, tenant.NewTenant{ID: "acme", Name: "x"})
			switch {
			case err == nil:
				made.Add(1)
				if got, err := w.Reveal(w.ctx, "acme", token.ID); err != nil || got.Value != token.Value ||
					!w.good(t, "acme", token.Value) {
					t.Errorf("reveal: %v", err)
				}
			case !errors.Is(err, tenant.ErrExists):
				t.Errorf("create: %v", err)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 {
		t.Errorf("%d made it, want 1", made.Load())
	}
}

func TestSettings(t *testing.T) {
	on := true
	for _, c := range []struct {
		in        scim.Object
		patchBody string
		unique    *bool
		problem   string
	}{
		{in: scim.Object{}},
		{in: scim.Object{"scim": nil}},
		{in: scim.Object{"scim": scim.Object{}}},
		{
			in:        scim.Object{"scim": scim.Object{"patchBody": "none", "uniqueGroupNames": true}},
			patchBody: "none", unique: &on,
		},
		{in: scim.Object{"scim": scim.Object{"patchBody": nil, "uniqueGroupNames": nil}}},
		{in: scim.Object{"scim": scim.Object{"patchBody": "some"}}, problem: "settings.scim.patchBody"},
		{in: scim.Object{"scim": scim.Object{"patchBody": true}}, problem: "settings.scim.patchBody"},
		{in: scim.Object{"scim": scim.Object{"uniqueGroupNames": "true"}}, problem: "settings.scim.uniqueGroupNames"},
		{in: scim.Object{"scim": scim.Object{"PatchBody": "full"}}, problem: "settings.scim.PatchBody"},
		{in: scim.Object{"scim": []any{}}, problem: "settings.scim"},
		{in: scim.Object{"tokens": scim.Object{}}, problem: "settings.tokens"},
		{in: scim.Object{"colour": "red"}, problem: "settings.colour"},
		{in: scim.Object{"colour": nil}, problem: "settings.colour"},
		{in: scim.Object{"scim": scim.Object{"colour": nil}}, problem: "settings.scim.colour"},
		{in: scim.Object{"token": scim.Object{"colour": nil}}, problem: "settings.token.colour"},
		{in: scim.Object{"notices": scim.Object{"colour": nil}}, problem: "settings.notices.colour"},
		{in: scim.Object{"oauth": scim.Object{"colour": nil}}, problem: "settings.oauth.colour"},
		{in: scim.Object{"token": scim.Object{
			"lifetimeDays": int64(90), "noticeDays": int64(14), "reminders": []any{int64(1), int64(7)}, "vault": "none",
		}}},
		{in: scim.Object{"token": scim.Object{"lifetimeDays": nil, "reminders": []any{}}}},
		{in: scim.Object{"token": scim.Object{"lifetimeDays": "90"}}, problem: "settings.token.lifetimeDays"},
		{in: scim.Object{"token": scim.Object{"noticeDays": int64(0)}}, problem: "settings.token.noticeDays"},
		{in: scim.Object{"token": scim.Object{"noticeDays": 1.5}}, problem: "settings.token.noticeDays"},
		{
			in:      scim.Object{"token": scim.Object{"reminders": []any{int64(7), int64(7)}}},
			problem: "settings.token.reminders",
		},
		{in: scim.Object{"token": scim.Object{"reminders": int64(7)}}, problem: "settings.token.reminders"},
		{in: scim.Object{"token": scim.Object{"vault": "safe"}}, problem: "settings.token.vault"},
		{in: scim.Object{"token": scim.Object{"days": int64(1)}}, problem: "settings.token.days"},
		{in: scim.Object{"notices": scim.Object{"recipients": []any{
			scim.Object{"email": "ada@example.com"}, scim.Object{"email": "bob@example.com", "language": "de"},
		}}}},
		{
			in:      scim.Object{"notices": scim.Object{"recipients": []any{"ada@example.com"}}},
			problem: "settings.notices.recipients[0]",
		},
		{
			in:      scim.Object{"notices": scim.Object{"recipients": []any{scim.Object{"email": "ada"}}}},
			problem: "settings.notices.recipients[0].email",
		},
		{
			in: scim.Object{
				"notices": scim.Object{"recipients": []any{scim.Object{"email": "Ada <ada@example.com>"}}},
			},
			problem: "settings.notices.recipients[0].email",
		},
		{
			in: scim.Object{"notices": scim.Object{
				"recipients": []any{scim.Object{"email": "ada@example.com\r\nBcc: x@example.com"}},
			}},
			problem: "settings.notices.recipients[0].email",
		},
		{
			in: scim.Object{
				"notices": scim.Object{"recipients": []any{scim.Object{"email": "a\u202ema@example.com"}}},
			},
			problem: "settings.notices.recipients[0].email",
		},
		{
			in: scim.Object{"notices": scim.Object{
				"recipients": []any{scim.Object{"email": "a\u2066ma@ex\u2069ample.com"}},
			}},
			problem: "settings.notices.recipients[0].email",
		},
		{
			in: scim.Object{
				"notices": scim.Object{"recipients": []any{scim.Object{"email": "ada@exam\u200bple.com"}}},
			},
			problem: "settings.notices.recipients[0].email",
		},
		{in: scim.Object{"notices": scim.Object{"recipients": []any{scim.Object{
			"email":    "ada@example.com",
			"language": "fr",
		}}}}, problem: "settings.notices.recipients[0].language"},
		{
			in:      scim.Object{"notices": scim.Object{"recipients": []any{scim.Object{"language": "en"}}}},
			problem: "settings.notices.recipients[0].email",
		},
		{in: scim.Object{"notices": scim.Object{"recipients": []any{
			scim.Object{"email": "ada@example.com"}, scim.Object{"email": "ADA@example.com"},
		}}}, problem: "settings.notices.recipients[1]"},
		{in: scim.Object{"notices": scim.Object{"mail": "x"}}, problem: "settings.notices.mail"},
	} {
		got, err := tenant.ParseSettings(c.in)
		invalid := (*tenant.InvalidError)(nil)
		if c.problem != "" {
			if !errors.As(err, &invalid) || invalid.Field != c.problem {
				t.Errorf("%v: %v, want %s refused", c.in, err, c.problem)
			} else if _, unknown := c.in["colour"]; unknown &&
				!strings.Contains(invalid.Detail(), "is not a setting; known: events, limits, log, members,") {
				t.Errorf("%v: %s", c.in, invalid.Detail())
			}
			continue
		}
		unique := got.SCIM.UniqueGroupNames
		if err != nil || got.SCIM.PatchBody != c.patchBody || (unique == nil) != (c.unique == nil) || unique != nil &&
			*unique != *c.unique {
			t.Errorf("%v: %+v, %v", c.in, got, err)
		}
		if again, err := tenant.ParseSettings(got.Object()); err != nil || !scim.Equal(again.Object(), got.Object()) {
			t.Errorf("%v: shown as %v, which reads as %v, %v", c.in, got.Object(), again, err)
		}
	}
}

func TestSettingsDecideOverTheProfile(t *testing.T) {
	off := false
	okta := tenant.Tenant{IdP: "okta"}
	if !okta.UniqueGroupNames() || okta.PatchBody() != "" {
		t.Error("profile okta: group names are unique and a PATCH has a body")
	}
	okta.Settings.SCIM = tenant.SCIMSettings{PatchBody: tenant.PatchBodyNone, UniqueGroupNames: &off}
	if okta.UniqueGroupNames() || okta.PatchBody() != tenant.PatchBodyNone {
		t.Error("the settings must win")
	}
}

func TestChange(t *testing.T) {
	w := newWorld(t)
	token := w.create(t, "acme")
	step := func(patch scim.Object, want string) {
		t.Helper()
		got, err := w.Change(w.ctx, "acme", patch)
		show := fmt.Sprint(got.Name, "/", got.IdP, "/", got.Active, "/",
			string(scim.AppendJSON(nil, got.Settings.Object())))
		if err != nil || show != want {
			t.Errorf("%v: %s, %v, want %s", patch, show, err, want)
		}
		if read, err := w.Get(w.ctx, "acme"); err != nil || read.Name != got.Name || read.Active != got.Active ||
			read.IdP != got.IdP {
			t.Errorf("%v: read back %+v, %v", patch, read, err)
		}
	}
	step(scim.Object{}, `Name of acme/generic/true/{}`)
	step(scim.Object{"idp": "okta", "name": "A"}, `A/okta/true/{}`)
	step(scim.Object{"active": false}, `A/okta/false/{}`)
	step(scim.Object{"settings": scim.Object{"scim": scim.Object{"patchBody": "none"}}},
		`A/okta/false/{"scim":{"patchBody":"none"}}`)
	step(scim.Object{"active": true, "settings": scim.Object{"scim": scim.Object{"uniqueGroupNames": false}}},
		`A/okta/true/{"scim":{"patchBody":"none","uniqueGroupNames":false}}`)
	step(scim.Object{"settings": scim.Object{"scim": scim.Object{"patchBody": nil}}},
		`A/okta/true/{"scim":{"uniqueGroupNames":false}}`)
	step(scim.Object{"settings": nil, "idp": nil}, `A/generic/true/{}`)
	for field, patch := range map[string]scim.Object{
		"id": {"id": "b"}, "tokens": {"tokens": []any{}}, "name": {"name": nil}, "active": {"active": nil},
		"idp":        {"idp": "x"},
		"settings.x": {"settings": scim.Object{"x": int64(1)}}, "settings.y": {"settings": scim.Object{"y": nil}},
		"settings.scim.z": {"settings": scim.Object{"scim": scim.Object{"z": nil}}},
		"settings":        {"settings": "full"}, "scimBaseUrl": {"scimBaseUrl": "x"},
	} {
		invalid := (*tenant.InvalidError)(nil)
		if _, err := w.Change(w.ctx, "acme", patch); !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("%v: %v, want %s refused", patch, err, field)
		}
	}
	step(scim.Object{}, `A/generic/true/{}`)
	if !w.good(t, "acme", token.Value) {
		t.Error("the token is gone")
	}
	if _, err := w.Change(w.ctx, "nobody", scim.Object{}); !errors.Is(err, tenant.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
}

func TestParallelChangesLoseNothing(t *testing.T) {
	w := newWorld(t)
	w.create(t, "acme")
	var wg sync.WaitGroup
	for _, patch := range []scim.Object{
		{"name": "B"},
		{"idp": "okta"},
		{"active": false},
		{"settings": scim.Object{"scim": scim.Object{"patchBody": "none"}}},
		{"settings": scim.Object{"scim": scim.Object{"uniqueGroupNames": false}}},
	} {
		wg.Go(func() {
			if _, err := w.Change(w.ctx, "acme", patch); err != nil {
				t.Errorf("%v: %v", patch, err)
			}
		})
	}
	wg.Wait()
	got, err := w.Get(w.ctx, "acme")
	if err != nil || got.Name != "B" || got.IdP != "okta" || got.Active ||
		got.PatchBody() != tenant.PatchBodyNone || got.UniqueGroupNames() {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestList(t *testing.T) {
	w := newWorld(t)
	var want []string
	for i := range 7 {
		id := fmt.Sprintf("tenant-%d", i)
		w.create(t, id)
		if i == 3 || i == 6 {
			if err := w.Delete(w.ctx, id); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want = append(want, id)
	}
	for count := 1; count <= 8; count++ {
		var got []string
		for cursor, pages := "", 0; ; pages++ {
			tenants, next, err := w.List(w.ctx, count, cursor)
			if err != nil || len(tenants) > count || pages > 7 {
				t.Fatalf("count %d: %d tenants, %v", count, len(tenants), err)
			}
			for _, tt := range tenants {
				got = append(got, tt.ID)
			}
			if cursor = next; next == "" {
				break
			}
			if len(tenants) != count {
				t.Errorf("count %d: a page of %d that is not the last", count, len(tenants))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("count %d: %v, want %v", count, got, want)
		}
	}
	for _, cursor := range []string{"!", "YQ", "YSNi", strings.Repeat("YWFh", 100)} {
		invalid := (*tenant.InvalidError)(nil)
		if _, _, err := w.List(w.ctx, 10, cursor); !errors.As(err, &invalid) {
			t.Errorf("cursor %q: %v", cursor, err)
		}
	}
}

func TestDelete(t *testing.T) {
	w := newWorld(t)
	token, other := w.create(t, "acme"), w.create(t, "other")
	w.Touch(w.ctx, "acme", token.ID)
	if err := w.Delete(w.ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	gone := func(when string) {
		t.Helper()
		_, err := w.Get(w.ctx, "acme")
		_, tokensErr := w.Tokens(w.ctx, "acme")
		_, issueErr := w.Issue(w.ctx, "acme", tenant.NewToken{})
		_, revealErr := w.Reveal(w.ctx, "acme", token.ID)
		_, changeErr := w.Change(w.ctx, "acme", scim.Object{"active": true})
		for i, err := range []error{
			err, tokensErr, issueErr, revealErr, changeErr, w.Revoke(w.ctx, "acme", token.ID, true),
			w.Delete(w.ctx, "acme"),
		} {
			if !errors.Is(err, tenant.ErrNotFound) {
				t.Errorf("%s: call %d: %v", when, i, err)
			}
		}
		if w.good(t, "acme", token.Value) {
			t.Errorf("%s: the token gets in", when)
		}
	}
	gone("marked")
	if _, _, err := w.Create(w.ctx, tenant.NewTenant{ID: "acme", Name: "x"}); !errors.Is(err, tenant.ErrExists) {
		t.Errorf("the same id before all is gone: %v", err)
	}
	if ids, err := w.Deleting(w.ctx); err != nil || !slices.Equal(ids, []string{"acme"}) {
		t.Errorf("deleting: %v, %v", ids, err)
	}
	for range 2 {
		if err := w.Finish(w.ctx, "acme"); err != nil {
			t.Fatal(err)
		}
	}
	gone("finished")
	w.empty(t, "acme")
	if err := w.Finish(w.ctx, "other"); err == nil || !w.good(t, "other", other.Value) {
		t.Errorf("a tenant that is not deleted was finished: %v", err)
	}
	again := w.create(t, "acme")
	if w.good(t, "acme", token.Value) || !w.good(t, "acme", again.Value) {
		t.Error("the new tenant must know its own token only")
	}
}

// empty fails the test if anything of a tenant is left.
func (w *world) empty(t *testing.T, id string) {
	t.Helper()
	if ids, err := w.Deleting(w.ctx); err != nil || len(ids) != 0 {
		t.Errorf("deleting: %v, %v", ids, err)
	}
	page, err := w.store.Query(w.ctx, store.Query{PK: store.KeysOf(id).Tenant().PK})
	if err != nil || page.Count != 0 {
		t.Errorf("left behind: %v, %v", page.Items, err)
	}
	items, err := w.store.Get(w.ctx, store.KeysOf(id).Listed())
	if err != nil || items[0].Attrs != nil {
		t.Errorf("still listed: %v, %v", items, err)
	}
	for shard := range store.DueShards {
		page, err := w.store.Query(w.ctx, store.Query{PK: store.DuePK(shard)})
		of := func(item store.Item) bool { return store.Split(item.SK)[1] == id }
		if err != nil || slices.ContainsFunc(page.Items, of) {
			t.Errorf("still due: %v, %v", page.Items, err)
		}
	}
}

func TestParallelFinish(t *testing.T) {
	w := newWorld(t)
	w.create(t, "acme")
	if err := w.Delete(w.ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := w.Finish(w.ctx, "acme"); err != nil && !errors.Is(err, tenant.ErrBusy) {
				t.Errorf("finish: %v", err)
			}
		})
	}
	wg.Wait()
	w.empty(t, "acme")
}

func TestTemporary(t *testing.T) {
	for err, want := range map[error]bool{
		fmt.Errorf("a: %w", store.ErrConflict): true, store.ErrThrottled: true, store.ErrUnavailable: true,
		tenant.ErrVault: true,
		tenant.ErrBusy:  true, tenant.ErrNotFound: false, errors.New("x"): false, &store.LimitError{}: false,
	} {
		if tenant.Temporary(err) != want {
			t.Errorf("Temporary(%v) = %v", err, !want)
		}
	}
}
