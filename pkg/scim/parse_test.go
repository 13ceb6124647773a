package scim_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

func TestParseObject(t *testing.T) {
	for text, want := range map[string]scim.Object{
		`{}`:                         {},
		" \t\r\n{ } \n":              {},
		"\uFEFF{}":                   {},
		`{"a":[],"b":{},"c":null}`:   {"a": []any{}, "b": scim.Object{}, "c": nil},
		`{"a":[1,-2,0,-0]}`:          {"a": []any{int64(1), int64(-2), int64(0), int64(0)}},
		`{"a":[1.5,1e2,-2E-1,5.0]}`:  {"a": []any{1.5, 100.0, -0.2, 5.0}},
		`{"a":9223372036854775807}`:  {"a": int64(math.MaxInt64)},
		`{"a":-9223372036854775808}`: {"a": int64(math.MinInt64)},
		`{"a":9223372036854775808}`:  {"a": 9223372036854775808.0},
		`{"a":1e-999}`:               {"a": 0.0},
		`{"a":[true,false,null]}`:    {"a": []any{true, false, nil}},
		`{"a":"\"\\\/\b\f\n\r\t"}`:   {"a": "\"\\/\b\f\n\r\t"},
		`{"a":"\u00e9\u4E2D"}`:       {"a": "é中"},
		`{"a":"x\ud83d\ude00y"}`:     {"a": "x😀y"},
		`{"a":"grüße 中文 😀"}`:         {"a": "grüße 中文 😀"},
		`{"\u0061b":1}`:              {"ab": int64(1)},
		`{"a":{"b":[{"c":"d"}]}}`:    {"a": scim.Object{"b": []any{scim.Object{"c": "d"}}}},
	} {
		got, err := scim.ParseObject([]byte(text))
		if err != nil {
			t.Errorf("ParseObject(%s): %v", text, err)
			continue
		}
		if !scim.Equal(got, want) {
			t.Errorf("ParseObject(%s) = %#v, want %#v", text, got, want)
		}
		for k, v := range want {
			if w, ok := got[k].(int64); ok != is[int64](v) {
				t.Errorf("ParseObject(%s): %s is %v, want the type of %v", text, k, w, v)
			}
		}
	}
}

func is[T any](v any) bool { _, ok := v.(T); return ok }

func TestParseObjectRefuses(t *testing.T) {
	nest := func(n int) string { return `{"a":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}` }
	if _, err := scim.ParseObject([]byte(nest(scim.MaxDepth))); err != nil {
		t.Errorf("depth %d: %v", scim.MaxDepth, err)
	}
	for text, want := range map[string]string{
		"":                                "empty",
		"  \n":                            "empty",
		"[]":                              "must be a JSON object",
		`"x"`:                             "must be a JSON object",
		"null":                            "must be a JSON object",
		"<html>":                          "must be a JSON object",
		`{`:                               "ends where",
		`{"a"`:                            "ends where",
		`{"a":`:                           "ends where a value",
		`{"a":1`:                          "ends where",
		`{"a":1,}`:                        `a key in double quotes was expected, not '}'`,
		`{a:1}`:                           "a key in double quotes",
		`{'a':1}`:                         "a key in double quotes",
		`{"a" 1}`:                         `":"`,
		`{"a":1 "b":2}`:                   `","`,
		`{"a":[1,]}`:                      "a value was expected",
		`{"a":[1 2]}`:                     `","`,
		`{"a":tru}`:                       "a value was expected",
		`{"a":True}`:                      "a value was expected",
		`{"a":NaN}`:                       "a value was expected",
		`{"a":truex}`:                     `","`,
		`{"a":01}`:                        `","`,
		`{"a":+1}`:                        "a value was expected",
		`{"a":.5}`:                        "a value was expected",
		`{"a":1.}`:                        "a digit",
		`{"a":-}`:                         "a digit",
		`{"a":1e}`:                        "a digit",
		`{"a":1e999}`:                     "too large",
		`{"a":"x}`:                        "not closed",
		`{"a":"x\`:                        "escape",
		`{"a":"\x"}`:                      "escape",
		`{"a":"\u12"}`:                    "escape",
		`{"a":"\u12g4"}`:                  "escape",
		`{"a":"\ud83d"}`:                  "surrogate",
		`{"a":"\ud83dx"}`:                 "surrogate",
		`{"a":"\ud83d\u0041"}`:            "surrogate",
		`{"a":"\ude00\ud83d"}`:            "surrogate",
		"{\"a\":\"\n\"}":                  "control character",
		"{\"a\":\"\\t\n\"}":               "control character",
		"{\"a\":\"\xff\"}":                "UTF-8",
		"{\"a\":\"\xed\xa0\x80\"}":        "UTF-8",
		"{}x":                             "after the end",
		"{}{}":                            "after the end",
		"{} \x00":                         "after the end",
		`{"userName":"a","userName":"b"}`: `"userName" is twice`,
		`{"userName":"a","USERNAME":"b"}`: `"USERNAME" is twice`,
		`{"x":{"value":1,"Value":1}}`:     `"Value" is twice`,
		`{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"I":1}`: `"I" is twice`,
		`{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"A":1}`: `"A" is twice`,
		nest(scim.MaxDepth + 1):            "nest more than 32 deep",
		`{"a":` + strings.Repeat("[", 1e6): "nest more than 32 deep",
		"{\n \"a\": x}":                    "(line 2, column 7)",
	} {
		_, err := scim.ParseObject([]byte(text))
		var e *scim.Error
		if !errors.As(err, &e) {
			t.Errorf("ParseObject(%.60q) = %v, want a *scim.Error", text, err)
			continue
		}
		if e.Status != 400 || e.Type != scim.InvalidSyntax || !strings.Contains(e.Detail, want) {
			t.Errorf("ParseObject(%.60q) = %v, want 400 invalidSyntax with %q", text, err, want)
		}
	}
}

func TestAppendJSON(t *testing.T) {
	for want, v := range map[string]any{
		`{"schemas":["u"],"id":"1","a":1,"b":{"id":"x","a":true}}`: scim.Object{
			"b": scim.Object{"a": true, "id": "x"}, "id": "1", "a": int64(1), "schemas": []string{"u"},
		},
		`"<a href='x'>&</a>"`:                 "<a href='x'>&</a>",
		`"\"\\\n\r\t\u0000\u001f é中😀"`:        "\"\\\n\r\t\x00\x1f é中😀",
		"\"a\uFFFDb\"":                        "a\xffb",
		`[1,-2.5,1e+21,1e-07,5,null,null]`:    []any{1, -2.5, 1e21, 1e-7, 5.0, math.Inf(1), math.NaN()},
		`[{"a":[]},null,null]`:                []any{scim.Object{"a": []any{}}, scim.Object(nil), struct{}{}},
		`[{"value":"x"}]`:                     []scim.Object{{"value": "x"}},
		`[9223372036854775807,false,null,""]`: []any{int64(math.MaxInt64), false, nil, ""},
	} {
		if got := string(scim.AppendJSON(nil, v)); got != want {
			t.Errorf("AppendJSON(%#v) = %s, want %s", v, got, want)
		}
	}
	for _, f := range []float64{math.Copysign(0, -1), 3, 1 << 53, 1 << 60, -1 << 63, 1 << 62} {
		if got, want := string(scim.AppendJSON(nil, f)), string(scim.AppendJSON(nil, int64(f))); got != want {
			t.Errorf("a whole number is %s as a float64 and %s as an int64, though they are Equal", got, want)
		}
	}
	if got := string(scim.AppendJSON([]byte("x"), true)); got != "xtrue" {
		t.Errorf("AppendJSON does not append: %s", got)
	}
}

// TestAppendJSONAnywhere: each character is escaped, or not, at any place of a text, as encoding/json escapes it.
func TestAppendJSONAnywhere(t *testing.T) {
	for c := range rune(0x120) {
		for place := range 20 {
			text := strings.Repeat("a", place) + string(c) + "é" + strings.Repeat("z", 19-place)
			var b bytes.Buffer
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(text); err != nil {
				t.Fatal(err)
			}
			want := strings.TrimSpace(b.String())
			want = strings.NewReplacer(`\b`, `\u0008`, `\f`, `\u000c`).Replace(want)
			if got := string(scim.AppendJSON(nil, text)); got != want {
				t.Errorf("%q: %s, want %s", text, got, want)
			}
		}
	}
}

func FuzzParseObject(f *testing.F) {
	for _, s := range []string{
		`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"bjensen","active":"True","n":[1,1.5,-0,1e300]}`,
		`{"a":"\ud83d\ude00\u0000\n"}`, "\uFEFF{}", `{"a":{"A":[[[[]]]]}}`, `{"a":1,"A":2}`, `{"a":9223372036854775808}`,
		"{\"\xff\":1}", `{"a":-0.0}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := scim.ParseObject(data)
		plain := bytes.TrimPrefix(data, []byte("\uFEFF"))
		if err != nil {
			var e *scim.Error
			if !errors.As(err, &e) || e.Status != 400 || e.Detail == "" {
				t.Fatalf("error %v", err)
			}
			if json.Valid(plain) && !stricter(e) {
				t.Fatalf("%s is JSON, yet %v", data, err)
			}
			return
		}
		if !json.Valid(plain) {
			t.Fatalf("%s is no JSON", data)
		}
		text := scim.AppendJSON(nil, o)
		again, err := scim.ParseObject(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !scim.Equal(o, again) || !scim.Equal(o, scim.Clone(again)) {
			t.Fatalf("%s came back as %s", text, scim.AppendJSON(nil, again))
		}
	})
}

// stricter reports whether an error is about something that JSON as such allows.
func stricter(e *scim.Error) bool {
	return slices.ContainsFunc([]string{
		"must be a JSON object", "UTF-8", "nest more than", "is twice", "surrogate",
		"too large",
	},
		func(s string) bool { return strings.Contains(e.Detail, s) })
}

// group is a body with n members, as a group of a large tenant is sent.
func group(n int) []byte {
	members := make([]any, n)
	for i := range members {
		members[i] = scim.Object{
			"value": "2819c223-7f76-453a-919d-413861904646", "display": "Babs Jensen", "type": "User",
		}
	}
	return scim.AppendJSON(nil, scim.Object{"schemas": []any{scim.GroupURN}, "displayName": "All", "members": members})
}

// user is a body of a user with the attributes that a usual identity provider sends.
func user() []byte {
	return []byte(`{"schemas":["` + scim.UserURN + `","` + scim.EnterpriseUserURN +
		`"],"userName":"bjensen@example.com","externalId":"701984",
		"name":{"givenName":"Barbara","familyName":"Jensen","formatted":"Barbara Jensen"},"displayName":"Babs Jensen","title":"Tour Guide",
		"emails":[{"value":"bjensen@example.com","type":"work","primary":true}],"phoneNumbers":[{"value":"555-555-5555","type":"work"}],
		"active":true,"locale":"en-US","preferredLanguage":"en-US",
		"` + scim.EnterpriseUserURN + `":{"employeeNumber":"701984","department":"Tours"}}`)
}

func BenchmarkParseObject(b *testing.B) {
	for name, data := range map[string][]byte{"user": user(), "group": group(1000)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := scim.ParseObject(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	for name, data := range map[string][]byte{"user": user(), "group": group(1000)} {
		o, err := scim.ParseObject(data)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				dst = scim.AppendJSON(dst[:0], o)
			}
		})
	}
}
