package scim_test

import (
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

func TestFold(t *testing.T) {
	for s, want := range map[string]string{
		"": "", "userName": "username", "BJENSEN@Example.COM": "bjensen@example.com", "a-z_09": "a-z_09", "K": "k",
		"ſ": "s",
	} {
		if got := scim.Fold(s); got != want {
			t.Errorf("Fold(%q) = %q, want %q", s, got, want)
		}
	}
	for _, same := range [][]string{
		{"ÉCOLE", "École", "école"},
		{"ΣΑΣ", "σας", "σασ"},
		{"Straße", "STRAßE", "STRAẞE"},
		{"ǅ", "ǆ", "Ǆ"},
	} {
		for _, s := range same {
			if scim.Fold(s) != scim.Fold(same[0]) {
				t.Errorf("%q and %q do not fold to the same", s, same[0])
			}
		}
	}
	if scim.Fold("straße") == scim.Fold("strasse") || scim.Fold("i") == scim.Fold("ı") {
		t.Error("Fold expands or follows a locale")
	}
	if got := scim.Fold("A\xffB\xe2\x84"); got != "a\xffb\xe2\x84" {
		t.Errorf("broken bytes came back as %q", got)
	}
}

// Every rune folds like the rest of its orbit, to something no longer, and only once.
func TestFoldRunes(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		s := string(r)
		f := scim.Fold(s)
		if len(f) > len(s) || scim.Fold(f) != f || !strings.EqualFold(s, f) {
			t.Fatalf("%U folds to %q", r, f)
		}
		if o := unicode.SimpleFold(r); scim.Fold(string(o)) != f {
			t.Fatalf("%U and %U do not fold to the same", r, o)
		}
	}
}

func TestEqual(t *testing.T) {
	for _, c := range []struct {
		a, b any
		want bool
	}{
		{nil, nil, true},
		{nil, false, false},
		{true, true, true},
		{true, "true", false},
		{"a", "a", true},
		{"a", "A", false},
		{int64(1), 1.0, true},
		{int64(1), 1.5, false},
		{1.5, 1.5, true},
		{int64(1), "1", false},
		{int64(2), int64(2), true},
		{int64(math.MaxInt64), float64(1 << 63), false},
		{int64(1<<53 + 1), float64(1 << 53), false},
		{int64(math.MinInt64), -float64(1 << 63), true},
		{math.NaN(), math.NaN(), false},
		{[]any{int64(1)}, []any{1.0}, true},
		{[]any{}, []any{nil}, false},
		{[]any{"a", "b"}, []any{"b", "a"}, false},
		{scim.Object{"a": []any{}}, scim.Object{"a": []any{}}, true},
		{scim.Object{"a": nil}, scim.Object{"b": nil}, false},
		{scim.Object{}, []any{}, false},
		{scim.Object{"a": "x"}, scim.Object{"A": "x"}, false},
		{struct{}{}, struct{}{}, false},
	} {
		if scim.Equal(c.a, c.b) != c.want || scim.Equal(c.b, c.a) != c.want {
			t.Errorf("Equal(%#v, %#v) is not %t both ways", c.a, c.b, c.want)
		}
	}
}

func TestClone(t *testing.T) {
	o := scim.Object{"a": []any{scim.Object{"b": "c"}}, "n": nil}
	c := scim.Clone(o).(scim.Object)
	if !scim.Equal(o, c) {
		t.Fatalf("the copy is %v", c)
	}
	c["a"].([]any)[0].(scim.Object)["b"] = "changed"
	if o["a"].([]any)[0].(scim.Object)["b"] != "c" {
		t.Error("the copy shares an object with the original")
	}
}

func TestTime(t *testing.T) {
	at := time.Date(2026, 11, 22, 9, 0, 0, 123456789, time.FixedZone("", 3600))
	if got := scim.FormatTime(at); got != "2026-11-22T08:00:00.123Z" {
		t.Errorf("FormatTime = %s", got)
	}
	for _, s := range []string{
		"2026-11-22T08:00:00.1234567890123Z", "2026-11-22T09:00:00.123456789+01:00", "2026-11-22T08:00:00.123456789",
	} {
		if got, ok := scim.ParseTime(s); !ok || !got.Equal(at) || got.Location() != time.UTC {
			t.Errorf("ParseTime(%s) = %v, %t", s, got, ok)
		}
	}
	for _, s := range []string{
		"", "2026-11-22", "08:00:00", "2026-11-22 08:00:00Z", "2026-13-22T08:00:00Z", "2026-11-22T08:00:00,5Z",
		"yesterday",
		"2026-11-22T08:00:00." + strings.Repeat("0", 1000) + "Z",
	} {
		if got, ok := scim.ParseTime(s); ok {
			t.Errorf("ParseTime(%s) = %v", s, got)
		}
	}
}

func TestErrorObject(t *testing.T) {
	got := string(scim.AppendJSON(nil, scim.BadRequest(scim.InvalidPath, "no %s", "x").Object()))
	want := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"detail":"no x","scimType":"invalidPath",` +
		`"status":"400"}`
	if got != want {
		t.Errorf("got %s", got)
	}
	if _, ok := scim.Errorf(http.StatusNotFound, scim.NoType, "gone").Object()["scimType"]; ok {
		t.Error("an error without type has a scimType")
	}
	if q := scim.Quote(strings.Repeat("é", 100)); len(q) > 100 || !utf8.ValidString(q) {
		t.Errorf("Quote is %q", q)
	}
}

func TestDialects(t *testing.T) {
	idps := scim.IdPs()
	if len(idps) != 15 {
		t.Errorf("%d identity providers", len(idps))
	}
	for _, name := range []string{"", "Entra", "azure"} {
		if d, ok := scim.DialectOf(name); ok || d != (scim.Dialect{}) {
			t.Errorf("DialectOf(%q) = %+v, %t", name, d, ok)
		}
	}
	for _, name := range idps {
		d, ok := scim.DialectOf(name)
		if !ok {
			t.Errorf("DialectOf(%s) is not known", name)
		}
		profile := slices.Contains([]string{"generic", "rfc", "interop"}, name)
		if profile == (d.CreateOnReplace && d.IgnoreUnknownPaths && d.BareExtensionNames) {
			t.Errorf("%s: %+v", name, d)
		}
		bodies := map[string]int{"generic": 100, "rfc": 100, "keycloak": 1000}
		if d.UniqueGroupNames == (name == "generic" || name == "rfc") || d.GroupPatchBody != bodies[name] {
			t.Errorf("%s: %+v", name, d)
		}
		if entra := name == "entra"; d.UnquotedFilterValues != (entra || name == "authentik") ||
			d.EmptyOperations != entra || d.ShortSchemas != entra {
			t.Errorf("%s: %+v", name, d)
		}
		strict := name == "rfc" || name == "interop"
		for _, lenient := range []bool{
			d.ConvertTypes, d.ValueObjects, d.DottedKeys, d.SlashPaths, d.RawBackslashes, d.SecurePhotos,
		} {
			if lenient == strict {
				t.Errorf("%s: %+v", name, d)
			}
		}
		if d.RequireObjects != (name == "rfc") {
			t.Errorf("%s: %+v", name, d)
		}
		if d.JSONAnswers != (name == "onelogin") || d.RequireDeclaredExtensions != (name == "rfc") ||
			d.RejectUnknownAttributes != (name == "interop") || d.RequirePatchPath != (name == "interop") {
			t.Errorf("%s: %+v", name, d)
		}
	}
	idps[0] = "changed"
	if scim.IdPs()[0] != "entra" {
		t.Error("IdPs hands out its own list")
	}
}
