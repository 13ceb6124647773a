package filter_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
)

var bareWords = scim.Dialect{UnquotedFilterValues: true}

// fails asks for a 400 of the given type whose detail contains all of want, in this order.
func fails(t *testing.T, err error, typ scim.ErrorType, want ...string) {
	t.Helper()
	var e *scim.Error
	if !errors.As(err, &e) {
		t.Fatalf("got error %v, want a *scim.Error", err)
	}
	if e.Status != 400 || e.Type != typ {
		t.Errorf("got %d %s, want 400 %s: %s", e.Status, e.Type, typ, e.Detail)
	}
	rest := e.Detail
	for _, w := range want {
		_, after, ok := strings.Cut(rest, w)
		if !ok {
			t.Errorf("detail %q lacks %q", e.Detail, w)
		}
		rest = after
	}
}

func str(s string) filter.Value { return filter.Value{Kind: filter.Str, Str: s} }

func cmp(name string, op filter.Op, v filter.Value) filter.Compare {
	return filter.Compare{Path: filter.Path{Name: name}, Op: op, Value: v}
}

// The example filters of RFC 7644, section 3.4.2.2, figure 2, are written as String writes them.
var rfcExamples = []string{
	`userName eq "bjensen"`,
	`name.familyName co "O'Malley"`,
	`userName sw "J"`,
	`urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"`,
	`title pr`,
	`meta.lastModified gt "2011-05-13T04:42:34Z"`,
	`meta.lastModified ge "2011-05-13T04:42:34Z"`,
	`meta.lastModified lt "2011-05-13T04:42:34Z"`,
	`meta.lastModified le "2011-05-13T04:42:34Z"`,
	`title pr and userType eq "Employee"`,
	`title pr or userType eq "Intern"`,
	`schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`,
	`userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")`,
	`userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")`,
	`userType eq "Employee" and emails.type eq "work"`,
	`userType eq "Employee" and emails[type eq "work" and value co "@example.com"]`,
	`emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]`,
}

func TestParsePrintsBack(t *testing.T) {
	for _, s := range append(rfcExamples,
		`emails[type eq "work"].value eq "x"`,
		`emails[type eq "work"].value pr`,
		`not (userName pr)`,
		`not (not (userName pr))`,
		`(a pr or b pr) and c pr`,
		`a pr and (b pr and c pr)`,
		`a pr or (b pr or c pr)`,
		`a pr or b pr and c pr`,
		`emails[not (type eq "work") and (value co "a" or value co "b")]`,
		`members.$ref eq "https://example.com/Users/1"`,
		`urn:example:my-ext:1.0:User:my_attr-2.sub eq -1.50e+3`,
		`a eq null and b ne true and c eq false`,
		`a eq "\"\\/\n\r\t\u0001\u0008é💩"`,
	) {
		e, err := filter.Parse(s, scim.Dialect{})
		if err != nil {
			t.Errorf("%s: %v", s, err)
			continue
		}
		if got := e.String(); got != s {
			t.Errorf("%s\nprints as %s", s, got)
		}
	}
}

func TestParseTree(t *testing.T) {
	a, b, c := cmp("a", filter.Pr, filter.Value{}), cmp("b", filter.Pr, filter.Value{}),
		cmp("c", filter.Pr, filter.Value{})
	for _, tc := range []struct {
		in   string
		want filter.Expr
	}{
		{`a pr and b pr or c pr`, filter.Or{L: filter.And{L: a, R: b}, R: c}},
		{`a pr or b pr and c pr`, filter.Or{L: a, R: filter.And{L: b, R: c}}},
		{`a pr and b pr and c pr`, filter.And{L: filter.And{L: a, R: b}, R: c}},
		{`not (a pr) and b pr`, filter.And{L: filter.Not{X: a}, R: b}},
		{`NOT(a PR)AND(b Pr  Or	c pR)`, filter.And{L: filter.Not{X: a}, R: filter.Or{L: b, R: c}}},
		{`  ((a pr))  `, a},
		{`userName Eq "x"`, cmp("userName", filter.Eq, str("x"))},
		{`a eq TRUE`, cmp("a", filter.Eq, filter.Value{Kind: filter.Bool, Bool: true})},
		{`a eq False`, cmp("a", filter.Eq, filter.Value{Kind: filter.Bool})},
		{`a ne NULL`, cmp("a", filter.Ne, filter.Value{})},
		{`a ge 0.5E-3`, cmp("a", filter.Ge, filter.Value{Kind: filter.Number, Str: "0.5E-3"})},
		{`a eq "\u00E9\uD83D\ude00\"\\\/\b\f\n\r\t"`, cmp("a", filter.Eq, str("é😀\"\\/\b\f\n\r\t"))},
		{`and eq "or"`, cmp("and", filter.Eq, str("or"))},
		{`emails[type eq "work"].value co "x"`, filter.Compare{
			Path: filter.Path{Name: "emails", Filter: cmp("type", filter.Eq, str("work")), Sub: "value"}, Op: filter.Co,
			Value: str("x"),
		}},
		{`emails [ type eq "work" ]`, filter.Match{Path: filter.Path{Name: "emails", Filter: cmp("type", filter.Eq,
			str("work"))}}},
	} {
		got, err := filter.Parse(tc.in, scim.Dialect{})
		if err != nil || got != tc.want {
			t.Errorf("%s: got %v, %v, want %v", tc.in, got, err, tc.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want []string
	}{
		{``, []string{"empty"}},
		{`   `, []string{"empty"}},
		{`userName`, []string{"character 9", "an operator (eq, ne,", "found the end"}},
		{`userName eq`, []string{"character 12", "a value", "found the end"}},
		{`userName eq and title pr`, []string{"character 13", "a value"}},
		{`userName equals "x"`, []string{"character 10", "operator", `"equals"`}},
		{`userName = "x"`, []string{"character 10", "operator", `"="`}},
		{`userName "x"`, []string{"character 10", "operator", `the string "x"`}},
		{`userName eq "x" y`, []string{"character 17", "and, or, or the end", `"y"`}},
		{`userName eq "x")`, []string{"character 16", "and, or, or the end", `")"`}},
		{`userName pr "x"`, []string{"character 13"}},
		{`(userName eq "x"`, []string{"character 17", "and, or, or )", "found the end"}},
		{`(userName eq "x"]`, []string{"character 17", ")", `"]"`}},
		{`emails[type eq "x"`, []string{"character 19", "]", "found the end"}},
		{`emails[type eq "x")`, []string{"character 19", "]"}},
		{`emails[]`, []string{"character 8", "attribute name"}},
		{`emails[type eq "x"] eq "y"`, []string{"character 21", "and, or, or the end"}},
		{`emails[type eq "x"].value`, []string{"character 26", "operator"}},
		{`emails[type eq "x"] .value pr`, []string{"character 21"}},
		{`emails[type eq "x"]. pr`, []string{"character 21", "empty"}},
		{`emails[type eq "x"].a.b pr`, []string{"character 21", "no sub-attributes"}},
		{`emails[a[b pr]]`, []string{"character 9", "must not contain another"}},
		{`()`, []string{"character 2", "attribute name"}},
		{`and`, []string{"character 4", "operator"}},
		{`a pr and`, []string{"character 9", "attribute name"}},
		{`a pr or or b pr`, []string{"character 12"}},
		{`not a pr`, []string{"character 5", "( after not"}},
		{`not`, []string{"character 4", "( after not"}},
		{`"x" eq "y"`, []string{"character 1", "attribute name"}},
		{`1st eq "y"`, []string{"character 1", "begins with a letter"}},
		{`a.b.c pr`, []string{"character 1", "no sub-attributes"}},
		{`a. pr`, []string{"missing after the dot"}},
		{`.a pr`, []string{"empty"}},
		{`näme pr`, []string{"character 1", "ä"}},
		{`a'b pr`, []string{"'"}},
		{`urn:x: pr`, []string{"missing at its end"}},
		{`:a pr`, []string{"begins with a letter"}},
		{`urn:ä:a pr`, []string{"ä"}},
		{`a eq bob`, []string{"character 6", "double quotes", `"bob"`}},
		{`a eq 'bob'`, []string{"character 6", "double quotes", `"bob"`}},
		{`a eq 01`, []string{"character 6", "a value"}},
		{`a eq 1.`, []string{"a value"}},
		{`a eq +1`, []string{"a value"}},
		{`a eq 1e`, []string{"a value"}},
		{`a eq (1)`, []string{"character 6", "a value"}},
		{`a eq "x`, []string{"character 6", "no closing quote"}},
		{`é eq "x`, []string{"character 1"}},
		{`a eq "é\x"`, []string{"character 8", "escape"}},
		{`a eq "\uzzzz"`, []string{"character 7", "escape"}},
		{`a eq "\u12"`, []string{"character 7", "escape"}},
		{`a eq "\ud83d"`, []string{"character 7", "escape"}},
		{`a eq "\ud83d\u0041"`, []string{"character 7", "escape"}},
		{`a eq "\ude00"`, []string{"character 7", "escape"}},
		{`a eq "\`, []string{"character 7", "escape"}},
		{"a eq \"\n\"", []string{"character 7", "control character"}},
		{"a eq \"\xff\"", []string{"UTF-8"}},
	} {
		e, err := filter.Parse(tc.in, scim.Dialect{})
		if err == nil {
			t.Errorf("%s: got %v, want an error", tc.in, e)
			continue
		}
		t.Run(tc.in, func(t *testing.T) { fails(t, err, scim.InvalidFilter, tc.want...) })
	}
}

func TestParseLimits(t *testing.T) {
	nest := func(n int) string { return strings.Repeat("(", n) + "a pr" + strings.Repeat(")", n) }
	chain := func(n int) string { return strings.Repeat("a pr or ", n-1) + "a pr" }
	quoted := func(bytes int) string { return `a eq "` + strings.Repeat("x", bytes-7) + `"` }
	for name, tc := range map[string]struct {
		good, bad, want string
	}{
		"bytes":       {quoted(filter.MaxBytes), quoted(filter.MaxBytes + 1), "8193 bytes long; the limit is 8192"},
		"depth":       {nest(filter.MaxDepth), nest(filter.MaxDepth + 1), "nested more than 32 deep"},
		"comparisons": {chain(filter.MaxComparisons), chain(filter.MaxComparisons + 1), "more than 200 comparisons"},
		"nots": {
			strings.Repeat("not (", 32) + "a pr" + strings.Repeat(")", 32),
			strings.Repeat("not (", 33) + "a pr" + strings.Repeat(")", 33), "nested more than 32",
		},
		"brackets": {
			strings.Repeat("(", 31) + "a[b pr]" + strings.Repeat(")", 31),
			strings.Repeat("(", 32) + "a[b pr]" + strings.Repeat(")", 32), "nested more than 32",
		},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := filter.Parse(tc.good, scim.Dialect{})
			if err != nil {
				t.Fatal(err)
			}
			if again, err := filter.Parse(e.String(), scim.Dialect{}); err != nil || again != e {
				t.Errorf("at the limit, the printed filter is read as %v, %v", again, err)
			}
			_, err = filter.Parse(tc.bad, scim.Dialect{})
			fails(t, err, scim.InvalidFilter, tc.want)
		})
	}
}

func TestParseBareWords(t *testing.T) {
	for in, want := range map[string]filter.Value{
		`externalId eq jyoung`:               str("jyoung"),
		`externalId eq jyoung@example.com`:   str("jyoung@example.com"),
		`externalId eq "jyoung"`:             str("jyoung"),
		`externalId eq 0012`:                 str("0012"),
		`externalId eq 12`:                   {Kind: filter.Number, Str: "12"},
		`active eq true`:                     {Kind: filter.Bool, Bool: true},
		`externalId eq a1b2-c3d4`:            str("a1b2-c3d4"),
		`meta.created gt 2026-01-01T00:00Z`:  str("2026-01-01T00:00Z"),
		`externalId eq null`:                 {},
		`externalId eq and`:                  str("and"),
		`(externalId eq jyoung)`:             str("jyoung"),
		`externalId eq Jürgen`:               str("Jürgen"),
		`externalId eq urn:uuid:1234/5%6+7'`: str("urn:uuid:1234/5%6+7'"),
		// A text of several words is one value if it makes no filter otherwise.
		`displayName eq John Smith`:                  str("John Smith"),
		`displayName eq Sales and Marketing`:         str("Sales and Marketing"),
		`displayName eq  R&D (EMEA), not elsewhere `: str("R&D (EMEA), not elsewhere"),
	} {
		e, err := filter.Parse(in, bareWords)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if c, ok := e.(filter.Compare); !ok || c.Value != want {
			t.Errorf("%s: got %v", in, e)
		}
	}
	for in, word := range map[string]string{
		`displayName eq 'John'`:                "double quotes",
		`displayName eq 'John Smith'`:          "double quotes",
		`displayName eq "John" Smith`:          `"Smith"`,
		`displayName eq John Smith and "x"`:    `"Smith"`,
		`displayName pr John`:                  `"John"`,
		`displayName eq`:                       "the end",
		`emails[type eq work].value eq John S`: `"S"`,
	} {
		_, err := filter.Parse(in, bareWords)
		fails(t, err, scim.InvalidFilter, word)
	}
}

// TestRawBackslashes: a Windows name in a filter as it is.
func TestRawBackslashes(t *testing.T) {
	raw := scim.Dialect{RawBackslashes: true}
	for in, want := range map[string]string{
		`"CORP\user"`: `CORP\user`, `"CORP\bob"`: `CORP\bob`, `"corp-1.example\nina b"`: `corp-1.example\nina b`,
		`"CORP\\bob"`: `CORP\bob`, `"a\qb\wc"`: `a\qb\wc`, `"CORP\Zoë"`: `CORP\Zoë`, `"CORP\u1"`: `CORP\u1`,
		`"M\u00fcller"`: "Müller", `"say \"x\""`: `say "x"`, `"a\/b"`: "a/b", `"Weg 1\nBerlin"`: "Weg 1\nBerlin",
		`"a\tb\tc"`: "a\tb\tc", `"\t"`: "\t", `"C:\x"`: `C:\x`, `"x\q\n"`: "x\\q\n",
	} {
		e, err := filter.Parse("userName eq "+in, raw)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if c, ok := e.(filter.Compare); !ok || c.Value != str(want) {
			t.Errorf("%s: got %q, want %q", in, c.Value.Str, want)
		}
		p, err := filter.ParsePath("members[value eq "+in+"]", raw)
		if c, ok := p.Filter.(filter.Compare); err != nil || !ok || c.Value != str(want) {
			t.Errorf("%s in a path: %v, %v", in, p, err)
		}
	}
	for _, in := range []string{`"CORP\user"`, `"a\qb"`} {
		_, err := filter.Parse("userName eq "+in, scim.Dialect{})
		fails(t, err, scim.InvalidFilter, "backslash")
	}
	_, err := filter.Parse(`userName eq "CORP\`, raw)
	fails(t, err, scim.InvalidFilter, "character 18")
}

// TestPathBareWords: bare words in the value filter of a path.
func TestPathBareWords(t *testing.T) {
	for _, in := range []string{`emails[type eq work].value`, `emails[type eq work and value eq a@example.com]`} {
		if p, err := filter.ParsePath(in, bareWords); err != nil || p.Filter == nil {
			t.Errorf("%s: %v, %v", in, p, err)
		}
		_, err := filter.ParsePath(in, scim.Dialect{})
		fails(t, err, scim.InvalidFilter, "double quotes")
	}
}

func TestParsePath(t *testing.T) {
	work := cmp("type", filter.Eq, str("work"))
	for in, want := range map[string]filter.Path{
		`members`:                  {Name: "members"},
		`NAME.givenName`:           {Name: "NAME.givenName"},
		`not`:                      {Name: "not"},
		`emails[type eq "work"]`:   {Name: "emails", Filter: work},
		scim.EnterpriseUserURN:     {Name: scim.EnterpriseUserURN},
		`emails[type eq "work"].v`: {Name: "emails", Filter: work, Sub: "v"},
		`members[$ref eq "work"]`:  {Name: "members", Filter: cmp("$ref", filter.Eq, str("work"))},
		scim.EnterpriseUserURN + `:manager.value`: {Name: scim.EnterpriseUserURN + ":manager.value"},
		scim.EnterpriseUserURN + `:manager[type eq "work"].v`: {
			Name: scim.EnterpriseUserURN + ":manager", Filter: work,
			Sub: "v",
		},
		`http://example.com/2006/11/x/2.0/Group`: {Name: `http://example.com/2006/11/x/2.0/Group`},
	} {
		got, err := filter.ParsePath(in, scim.Dialect{})
		if err != nil || got != want {
			t.Errorf("%s: got %v, %v", in, got, err)
			continue
		}
		if got.String() != in {
			t.Errorf("%s prints as %s", in, got)
		}
	}
}

func TestParsePathRefuses(t *testing.T) {
	for _, tc := range []struct {
		in   string
		typ  scim.ErrorType
		want []string
	}{
		{``, scim.InvalidPath, []string{"path is empty"}},
		{`(a)`, scim.InvalidPath, []string{"character 1", "attribute name"}},
		{`a b`, scim.InvalidPath, []string{"path is not valid at character 3", "[ or the end"}},
		{`a eq "x"`, scim.InvalidPath, []string{"character 3"}},
		{`a..b`, scim.InvalidPath, []string{"not an attribute name"}},
		{`emails[type eq "work"]value`, scim.InvalidPath, []string{"character 23", "sub-attribute"}},
		{`emails[type eq "work"].value.x`, scim.InvalidPath, []string{"character 24"}},
		{`emails[type eq "work"].value x`, scim.InvalidPath, []string{"character 30", "the end"}},
		{`emails[type eq "work"`, scim.InvalidFilter, []string{"character 22", "]", "end of the path"}},
		{`emails[type eq]`, scim.InvalidFilter, []string{"character 15", "a value"}},
		{`emails[type is "x"]`, scim.InvalidFilter, []string{"character 13", "operator"}},
		{`emails[]`, scim.InvalidFilter, []string{"character 8"}},
		{`emails[0]`, scim.InvalidFilter, []string{"character 8", "begins with a letter"}},
		{`a]`, scim.InvalidPath, []string{"character 2"}},
		{strings.Repeat("a", 8193), scim.InvalidPath, []string{"8193 bytes"}},
		{"\xff", scim.InvalidPath, []string{"UTF-8"}},
	} {
		p, err := filter.ParsePath(tc.in, scim.Dialect{})
		if err == nil {
			t.Errorf("%s: got %v, want an error", tc.in, p)
			continue
		}
		t.Run(tc.in[:min(len(tc.in), 40)], func(t *testing.T) { fails(t, err, tc.typ, tc.want...) })
	}
}

func TestEqualPairs(t *testing.T) {
	for in, want := range map[string]string{
		`type eq "work"`:                                     `map[type:"work"]`,
		`type eq "work" and primary eq true`:                 `map[primary:true type:"work"]`,
		`(a eq 1 and b eq "x") and (c eq 2)`:                 `map[a:1 b:"x" c:2]`,
		`type eq "work" and TYPE eq "work"`:                  `map[type:"work"]`,
		`type eq "work" and display eq null`:                 `map[type:"work"]`,
		`type eq "work" and type eq "home"`:                  `no`,
		`type eq "work" and type eq null`:                    `no`,
		`type ne "work"`:                                     `no`,
		`type eq "work" or type eq "home"`:                   `no`,
		`not (type eq "work")`:                               `no`,
		`type pr`:                                            `no`,
		`type eq "work" and emails[type eq "work"]`:          `no`,
		`type eq "work" and emails[type eq "work"].a eq "x"`: `no`,
	} {
		e, err := filter.Parse(in, scim.Dialect{})
		if err != nil {
			t.Fatal(err)
		}
		pairs, ok := filter.EqualPairs(e)
		got := "no"
		if ok {
			got = fmt.Sprint(pairs)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}
