package filter_test

import (
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

var seeds = append(rfcExamples,
	`emails[type eq "work"].value eq "x"`,
	`emails[type eq "work" and not (primary eq "True")].value pr`,
	`not(a pr)and(b pr or c eq null)`,
	`externalId eq jyoung`,
	`manager eq "1" and members.$ref ne "\u00e9\ud83d\ude00\\"`,
	`meta.created ge "2026-01-01T00:00:00.1234567+02:00"`,
	`a eq -1.5e+3 or b eq 0`,
	`userName eq`, `((`, `a[b[`, `"`, `a eq "\ud800"`, "a eq \"\x00\"", `]`, `.a pr`,
)

func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, s string, bare bool) {
		e, err := filter.Parse(s, scim.Dialect{UnquotedFilterValues: bare})
		if err != nil {
			fails(t, err, scim.InvalidFilter)
			return
		}
		printed := e.String()
		if len(printed) > filter.MaxBytes {
			return // quotes around bare words, spaces that were missing
		}
		again, err := filter.Parse(printed, scim.Dialect{})
		if err != nil || again != e {
			t.Fatalf("%q\nprints as %q\nwhich is read as %v, %v", s, printed, again, err)
		}
		if again.String() != printed {
			t.Fatalf("%q prints as %q", printed, again.String())
		}
	})
}

func FuzzParsePath(f *testing.F) {
	for _, s := range append(seeds, `members`, `name.givenName`, scim.EnterpriseUserURN+`:manager.value`,
		scim.EnterpriseUserURN,
		`emails[type eq "work"].value`, `members[$ref eq "x"]`, `emails[type eq "work"`) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := filter.ParsePath(s, scim.Dialect{})
		if err != nil {
			e, ok := err.(*scim.Error)
			if !ok || e.Status != 400 || e.Type != scim.InvalidPath && e.Type != scim.InvalidFilter {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		if p.Filter != nil {
			filter.EqualPairs(p.Filter)
		}
		printed := p.String()
		if len(printed) > filter.MaxBytes {
			return
		}
		if again, err := filter.ParsePath(printed, scim.Dialect{}); err != nil || again != p {
			t.Fatalf("%q\nprints as %q\nwhich is read as %v, %v", s, printed, again, err)
		}
	})
}

func FuzzMatch(f *testing.F) {
	docs := []string{
		`{}`, `[]`, `{"userName":"x","emails":[{"type":"work","value":"y"}],"meta":{"created":"2026-01-01T00:00:00Z"}}`,
		`{"userName":["x",null,{}],"emails":{"type":[[]]},"meta":5,"schemas":["a"],"active":"true",` +
			`"name":[{"givenName":1.5}]}`,
	}
	for i, s := range seeds {
		f.Add(s, docs[i%len(docs)], i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, s, doc string, lenient bool) {
		d := scim.Dialect{UnquotedFilterValues: lenient, BareExtensionNames: lenient}
		e, err := filter.Parse(s, d)
		if err != nil {
			return
		}
		o, err := scim.ParseObject([]byte(doc))
		if err != nil {
			o = barbara()
		}
		for _, rt := range []*schema.ResourceType{schema.UserType(), schema.GroupType(), things} {
			m, err := filter.Bind(e, rt, d)
			if err != nil {
				fails(t, err, scim.InvalidFilter)
				continue
			}
			n, err := filter.Bind(filter.Not{X: e}, rt, d)
			if err != nil {
				t.Fatal(err)
			}
			if m.Match(o) == n.Match(o) {
				t.Fatalf("%q and its negation agree on %s", s, doc)
			}
		}
		for _, a := range []*schema.Attribute{
			attribute(t, "emails"), attribute(t, "schemas"), attribute(t, "userName"),
		} {
			m, err := filter.BindElement(e, a, d)
			if err != nil {
				fails(t, err, scim.InvalidFilter)
				continue
			}
			for _, v := range o {
				m.Match(v)
			}
			m.Match(nil)
		}
	})
}
