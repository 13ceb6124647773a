package cursor_test

import (
	"encoding/base64"
	"slices"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory/query/cursor"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

var now = time.Unix(1_700_000_000, 0)

func sealer(t testing.TB, key, bound string) cursor.Sealer {
	t.Helper()
	s, err := cursor.NewSealer([]byte(key), bound)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCursorsTellWhatWasSealed(t *testing.T) {
	s := sealer(t, "key", "tenant, list")
	for _, p := range []cursor.Position{
		{Total: -1},
		{Start: true, Back: true, Total: 7},
		{Place: cursor.Place{Key: cursor.Value + "ann", Kind: 1, ID: "id"}, Total: -1},
		{Place: cursor.Place{ID: "id"}, Back: true},
	} {
		got, issued, ok := s.Open(s.Seal(p, now))
		if !ok || got != p || !issued.Equal(now) {
			t.Errorf("%+v: %+v, %v, %t", p, got, issued, ok)
		}
	}
}

func TestCursorsOfOthersAreRefused(t *testing.T) {
	s := sealer(t, "key", "tenant, list")
	given := s.Seal(cursor.Position{Place: cursor.Place{ID: "id"}, Total: -1}, now)
	for name, other := range map[string]cursor.Sealer{
		"list": sealer(t, "key", "tenant, other"), "key": sealer(t, "other", "tenant, list"),
	} {
		if _, _, ok := other.Open(given); ok {
			t.Errorf("a cursor of another %s is opened", name)
		}
	}
	sealed, err := base64.RawURLEncoding.DecodeString(given)
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed {
		changed := slices.Clone(sealed)
		changed[i] ^= 1
		if _, _, ok := s.Open(base64.RawURLEncoding.EncodeToString(changed)); ok {
			t.Errorf("a cursor whose byte %d is changed is opened", i)
		}
	}
	if _, err := cursor.NewSealer(nil, "tenant, list"); err == nil {
		t.Error("cursors are sealed with no key")
	}
}

func FuzzDecodePlace(f *testing.F) {
	f.Add(cursor.AppendPlace(nil, cursor.Place{Key: "k", Kind: 3, ID: "id"}))
	f.Add([]byte{0, 200, 'x'})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, ok := cursor.DecodePlace(b)
		if !ok {
			return
		}
		if again, ok := cursor.DecodePlace(cursor.AppendPlace(nil, p)); !ok || again != p {
			t.Errorf("%+v is read again as %+v, %t", p, again, ok)
		}
	})
}

// TestKeysAreInOrder: keys sort as the values do, and a missing value is last.
func TestKeysAreInOrder(t *testing.T) {
	for _, c := range []struct {
		a      schema.Attribute
		values []any
	}{
		{schema.Attribute{Name: "a", Type: schema.String}, []any{"Ann", "ANNA", "bob", "É", ""}},
		{schema.Attribute{Name: "a", Type: schema.String, CaseExact: true}, []any{"B", "a", "b", nil}},
		{schema.Attribute{Name: "a", Type: schema.Boolean}, []any{false, true, nil}},
		{
			schema.Attribute{Name: "a", Type: schema.Integer},
			[]any{int64(-1 << 63), int64(-2), int64(0), int64(3), int64(1<<63 - 1), nil},
		},
		{
			schema.Attribute{Name: "a", Type: schema.Decimal},
			[]any{-1e300, int64(-2), -0.5, 0.0, 0.25, int64(1), 1e300, nil},
		},
		{
			schema.Attribute{Name: "a", Type: schema.DateTime},
			[]any{
				"1969-12-31T23:59:59Z", "2024-01-01T01:00:00+02:00", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00.5Z",
				"later",
				nil,
			},
		},
	} {
		var before string
		for i, v := range c.values {
			key := cursor.Key(schema.Ref{Attr: &c.a}, scim.Object{"a": v})
			if i > 0 && before >= key {
				t.Errorf("%v of %v: %q is not before %q", c.a.Type, v, before, key)
			}
			before = key
		}
	}
}

func TestPrimaryValueIsSortedBy(t *testing.T) {
	emails, _ := schema.UserType().Lookup("emails.value", false)
	doc := scim.Object{"emails": []any{scim.Object{"value": "b"}, scim.Object{"value": "A", "primary": true}}}
	if key := cursor.Key(emails, doc); key != cursor.Value+"a" {
		t.Errorf("key %q", key)
	}
}
