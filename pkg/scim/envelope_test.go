package scim_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

func TestParseEnvelope(t *testing.T) {
	got, err := scim.ParseEnvelope(
		` {"Operations": [{"method":"POST","Data": {"a": [1, {"data": 2}]} , "x":{"data":1}}, 7, {"data":"t\\n"}],"data":1} `,
		"data")
	if err != nil {
		t.Fatal(err)
	}
	list, _ := got["Operations"].([]any)
	if len(list) != 3 || list[1] != int64(7) || got["data"] != int64(1) {
		t.Fatalf("got %v", got)
	}
	first, _ := list[0].(scim.Object)
	if first["Data"] != scim.Raw(`{"a": [1, {"data": 2}]}`) || !scim.Equal(first["x"], scim.Object{"data": int64(1)}) {
		t.Errorf("first %v", first)
	}
	if last, _ := list[2].(scim.Object); last["data"] != scim.Raw(`"t\\n"`) {
		t.Errorf("last %v", last)
	}
}

// TestParseBoundsValues: a text of any size takes memory for so many values at most, wherever they stand.
func TestParseBoundsValues(t *testing.T) {
	refused := func(err error) bool {
		e := (*scim.Error)(nil)
		return errors.As(err, &e) && e.Status == 413
	}
	for _, c := range []struct{ begin, each, end string }{
		{`{"a":[`, `{}`, `]}`}, {`{"a":[`, `1`, `]}`}, {`{"a":[`, `[]`, `]}`}, {
			`{"a":[`, `{"b":[]}`,
			`]}`,
		}, {`{"a":{"b":[[`, `null`, `]]}}`},
	} {
		for _, n := range []int{scim.MaxValues / 2, scim.MaxValues/2 - 10, scim.MaxValues} {
			text := c.begin + strings.Repeat(c.each+",", n-1) + c.each + c.end
			_, err := scim.ParseObject(text)
			if values := n * (1 + strings.Count(c.each, "b")); refused(err) != (values+2 > scim.MaxValues) {
				t.Errorf("%d times %s: %v", n, c.each, err)
			}
			envelope := `{"operations":[{"data":` + text + `}]}`
			if _, err := scim.ParseEnvelope(envelope, "data"); err != nil {
				t.Errorf("%d times %s in an envelope: %v", n, c.each, err)
			}
			if _, err := scim.ParseEnvelope(strings.Replace(envelope, "data", "other", 1),
				"data"); refused(err) != (n*(1+strings.Count(c.each, "b")) > scim.MaxValues-8) {
				t.Errorf("%d times %s beside the data of an envelope: %v", n, c.each, err)
			}
		}
	}
}

// FuzzParseEnvelope compares with ParseObject: the same texts are refused, with the same error, and the rest is the
// same once the data is decoded too.
func FuzzParseEnvelope(f *testing.F) {
	for _, seed := range []string{
		`{"Operations":[{"data":{"a":[1,2.5,"x",null,true,{"b":{}}]}},{"DATA":[]},{"data":"\\u00e9"}]}`,
		`{"o":[{"data":{"a":1,"A":2}}]}`, `{"o":[{"data":1,"Data":2}]}`, `{"o":[{"data":[1,]}]}`,
		`{"o":[{"data":"\\ud800"}]}`,
		`{"o":{"p":{"data":1e999}}}`, `{"o":[[{"data":{}}]]}`, `{"o":[{"data":` + strings.Repeat("[",
			31) + strings.Repeat("]", 31) + `}]}`,
		`{"o":[{"data": -0 }]}`, `{"data":{"data":{"data":{"data":1}}}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, errWant := scim.ParseObject(text)
		got, errGot := scim.ParseEnvelope(text, "data")
		if (errWant == nil) != (errGot == nil) || errWant != nil && errWant.Error() != errGot.Error() {
			t.Fatalf("%q: %v, ParseObject: %v", text, errGot, errWant)
		}
		if decoded := decodeRaw(t, got); errWant == nil && !scim.Equal(decoded, want) {
			t.Fatalf("%q: %v, ParseObject: %v", text, decoded, want)
		}
	})
}

// decodeRaw returns a value with each scim.Raw in it decoded.
func decodeRaw(t *testing.T, v any) any {
	switch v := v.(type) {
	case scim.Object:
		c := scim.Object{}
		for k, e := range v {
			c[k] = decodeRaw(t, e)
		}
		return c
	case []any:
		c := []any{}
		for _, e := range v {
			c = append(c, decodeRaw(t, e))
		}
		return c
	case scim.Raw:
		o, err := scim.ParseObject(`{"v":` + v + `}`)
		if err != nil {
			t.Fatalf("%s: %v", v, err)
		}
		return o["v"]
	}
	return v
}
