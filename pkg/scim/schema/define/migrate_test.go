package define_test

import (
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema/define"
)

func TestMigration(t *testing.T) {
	for name, tc := range map[string]struct {
		before, after string
		doc           string // "": the change admits every document
		word          string // "": this document is none that the change would orphan
	}{
		"nothing":  {`{"name":"a"}`, `{"name":"a"}`, "", ""},
		"one more": {`{"name":"a"}`, `{"name":"a"},{"name":"b"}`, "", ""},
		"one more that is required": {
			`{"name":"a"}`, `{"name":"a"},{"name":"b","required":true}`, `{"a":"1"}`,
			":b is required",
		},
		"and is there": {
			`{"name":"a"},{"name":"b"}`, `{"name":"a"},{"name":"b","required":true}`, `{"b":"1"}`,
			"",
		},
		"one less":                 {`{"name":"a"},{"name":"b"}`, `{"name":"a"}`, `{"b":"1"}`, ":b"},
		"one less that nobody has": {`{"name":"a"},{"name":"b"}`, `{"name":"a"}`, `{"a":"1"}`, ""},
		"another type":             {`{"name":"a"}`, `{"name":"a","type":"integer"}`, `{"a":"1"}`, ":a"},
		"one instead of many":      {`{"name":"a","multiValued":true}`, `{"name":"a"}`, `{"a":["1"]}`, ":a"},
		"many instead of one":      {`{"name":"a"}`, `{"name":"a","multiValued":true}`, `{"a":"1"}`, ":a"},
		"other case":               {`{"name":"a"}`, `{"name":"A"}`, `{"a":"1"}`, ":a"},
		"required": {
			`{"name":"a"},{"name":"b"}`, `{"name":"a"},{"name":"b","required":true}`, `{"a":"1"}`,
			":b is required",
		},
		"no longer required":      {`{"name":"a","required":true}`, `{"name":"a"}`, "", ""},
		"allowed values":          {`{"name":"a"}`, `{"name":"a","canonicalValues":["x"]}`, `{"a":"y"}`, `"x"`},
		"allowed values that fit": {`{"name":"a"}`, `{"name":"a","canonicalValues":["x"]}`, `{"a":"X"}`, ""},
		"more allowed values": {
			`{"name":"a","canonicalValues":["x"]}`, `{"name":"a","canonicalValues":["y","x"]}`, "",
			"",
		},
		"fewer allowed values": {
			`{"name":"a","canonicalValues":["x","y"]}`, `{"name":"a","canonicalValues":["x"]}`,
			`{"a":"y"}`, `"x"`,
		},
		"allowed values by case": {
			`{"name":"a","canonicalValues":["x"]}`,
			`{"name":"a","canonicalValues":["x"],"caseExact":true}`, `{"a":"X"}`, `"x"`,
		},
		"no allowed values": {`{"name":"a","canonicalValues":["x"]}`, `{"name":"a"}`, "", ""},
		"unique":            {`{"name":"a"}`, `{"name":"a","uniqueness":"server"}`, `{"a":"1"}`, "not unique"},
		"unique and not there": {
			`{"name":"a"},{"name":"b"}`, `{"name":"a","uniqueness":"server"},{"name":"b"}`,
			`{"b":"1"}`, "",
		},
		"unique in a list": {
			`{"name":"c","type":"complex","multiValued":true,"subAttributes":[{"name":"a"}]}`,
			`{"name":"c","type":"complex","multiValued":true,"subAttributes":[{"name":"a","uniqueness":"server"}]}`,
			`{"c":[{"a":"1"}]}`, ":c.a",
		},
		"unique whatever the case": {
			`{"name":"a","uniqueness":"server","caseExact":true}`,
			`{"name":"a","uniqueness":"server"}`, `{"a":"1"}`, "not unique",
		},
		"no longer unique": {`{"name":"a","uniqueness":"server"}`, `{"name":"a"}`, "", ""},
		"case":             {`{"name":"a"}`, `{"name":"a","caseExact":true}`, "", ""},
		"mutability":       {`{"name":"a"}`, `{"name":"a","mutability":"immutable","returned":"request"}`, "", ""},
		"sub-attribute gone": {
			`{"name":"c","type":"complex","subAttributes":[{"name":"a"},{"name":"b"}]}`,
			`{"name":"c","type":"complex","subAttributes":[{"name":"a"}]}`, `{"c":{"a":"1","b":"2"}}`, ":c",
		},
		"sub-attribute required": {
			`{"name":"c","type":"complex","subAttributes":[{"name":"a"},{"name":"b"}]}`,
			`{"name":"c","type":"complex","subAttributes":[{"name":"a"},{"name":"b","required":true}]}`, `{"c":{"a":"1"}}`,
			":c.b is required",
		},
		"simple instead of complex": {
			`{"name":"c","type":"complex","subAttributes":[{"name":"a"}]}`, `{"name":"c"}`,
			`{"c":{"a":"1"}}`, ":c",
		},
	} {
		before, after := withBadge(t, tc.before, false), withBadge(t, tc.after, false)
		if got := define.Admits(before, after); got != (tc.doc == "") {
			t.Errorf("%s: admits %v", name, got)
		}
		if tc.doc == "" {
			continue
		}
		doc, err := before.Normalize(object(t, `{"userName":"a","`+badge+`":`+tc.doc+`}`), scim.Dialect{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err = define.Orphans(before, after, doc); tc.word != "" {
			refused(t, name, err, scim.InvalidValue, tc.word)
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMigrationOfExtensions(t *testing.T) {
	plain, optional, needed := schema.UserType(), withBadge(t, `{"name":"a"}`, false), withBadge(t, `{"name":"a"}`, true)
	without, with := object(t, `{"userName":"a"}`), object(t, `{"userName":"a","`+badge+`":{"a":"1"}}`)
	if !define.Admits(plain, optional) || !define.Admits(needed, optional) || define.Admits(optional, plain) ||
		define.Admits(optional, needed) ||
		define.Admits(plain, needed) {
		t.Error("a wrong idea of what is looser")
	}
	for _, doc := range []scim.Object{without, with} {
		for _, err := range []error{
			define.Orphans(plain, optional, without), define.Orphans(needed, optional, with),
			define.Orphans(optional, needed, with), define.Orphans(optional, plain, without),
		} {
			if err != nil {
				t.Errorf("%s: %v", text(doc), err)
			}
		}
	}
	refused(t, "extension gone", define.Orphans(optional, plain, with), scim.InvalidValue, badge)
	refused(t, "extension required", define.Orphans(plain, needed, without), scim.InvalidValue, badge)
}

// A document that was stored under other definitions is read by the present ones.
func TestPrune(t *testing.T) {
	rt := withBadge(t, `{"name":"a"},{"name":"n","type":"integer"},{"name":"l","multiValued":true},{"name":"c",`+
		`"type":"complex","subAttributes":[{"name":"x"}]}`, false)
	doc := object(t, `{"schemas":["x"],"userName":"a","shoe":1,"urn:gone":{"a":"1"},"`+badge+`":
		{"a":"1","n":"no number","l":"no list","c":{"x":"1","y":"2"},"gone":true}}`)
	before := scim.Clone(doc)
	want := object(t, `{"schemas":["`+scim.UserURN+`","`+badge+`"],"userName":"a","`+badge+`":{"a":"1","c":{"x":"1"}}}`)
	if got := rt.Prune(doc); !scim.Equal(got, want) {
		t.Errorf("got %s", text(got))
	}
	if !scim.Equal(doc, before) {
		t.Errorf("the document became %s", text(doc))
	}
	if err := rt.Check(rt.Prune(doc)); err != nil {
		t.Error(err)
	}
}
