package scimhttp_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// people is the test data for effects of operations: users ann, ben and max, and the group crew of ann and ben.
// ann's manager is ben, and she has two e-mail addresses and a role.
type people struct {
	*server
	account
	ann, ben, max, crew string
}

func (s *server) people(idp string) people {
	s.t.Helper()
	p := people{server: s, account: s.tenant("t-"+idp, idp, tenant.Settings{})}
	create := func(endpoint, urn, attributes string) string {
		return s.as(p.account, "POST", endpoint, `{"schemas":["`+urn+`"],`+attributes+`}`).want(201).text("id")
	}
	p.ben = create("/Users", scim.UserURN, `"userName":"ben"`)
	p.max = create("/Users", scim.UserURN, `"userName":"max"`)
	p.ann = create("/Users", scim.UserURN+`","`+scim.EnterpriseUserURN, `"userName":"ann","displayName":"Ann",`+
		`"name":{"givenName":"A","familyName":"N"},"roles":[{"value":"r"}],"emails":[{"value":"ann@example.com",`+
		`"type":"work","primary":true},{"value":"ann@example.org","type":"home"}],`+
		`"`+scim.EnterpriseUserURN+`":{"department":"d","manager":{"value":"`+p.ben+`"}}`)
	p.crew = create("/Groups", scim.GroupURN, `"displayName":"crew","members":[{"value":"`+p.ann+`"},{"value":"`+p.ben+
		`"}]`)
	return p
}

// names puts the ids of people in the place of ANN, BEN, MAX and CREW.
func (p people) names(text string) string {
	ids := strings.NewReplacer("ANUP", strings.ToUpper(p.ann), "ANN", p.ann, "BEN", p.ben, "MAX", p.max, "CREW", p.crew)
	return ids.Replace(text)
}

// shown is a resource without its meta.
func (p people) shown(path string) string {
	p.t.Helper()
	body := maps.Clone(p.as(p.account, "GET", path, "").want(200).body)
	delete(body, "meta")
	return fmt.Sprint(body)
}

// patched returns the result of one operation: "400", "changed" or "same".
func (p people) patched(path, op string) string {
	p.t.Helper()
	before := p.shown(path)
	r := p.as(p.account, "PATCH", path, `{"schemas":["`+scim.PatchOpURN+`"],"Operations":[`+op+`]}`)
	after := p.shown(path)
	switch {
	case r.status == 400 && before == after:
		return "400"
	case r.status != 200 && r.status != 204:
		p.t.Errorf("PATCH %s of %s: %d %s", op, path, r.status, r.raw)
		return "failed"
	case before == after:
		return "same"
	}
	return "changed"
}

// TestJSONTextIsReadOrRefused: JSON in a string is read in the place of a complex value, or refused; it is never
// stored.
func TestJSONTextIsReadOrRefused(t *testing.T) {
	const bom = "\ufeff"
	quoted := func(s string) string { return string(scim.AppendJSON(nil, s)) }
	ops := func(path, value string) []string {
		return []string{
			`{"op":"add","path":"` + path + `","value":` + value + `}`,
			`{"op":"replace","path":"` + path + `","value":` + value + `}`,
			`{"op":"replace","value":{"` + path + `":` + value + `}}`,
		}
	}
	manager := scim.EnterpriseUserURN + ":manager"
	for _, idp := range []string{"entra", "generic", "interop", "keycloak", "rfc"} {
		p := newServer(t, nil).people(idp)
		for _, c := range []struct {
			where, path string
			texts       []string // as strings, and each in an element {"value": text}
			want        string
		}{
			{"/Groups/CREW", "members", []string{`[{"value":"MAX"}]`, ` {"value":"MAX"} `, bom + `[{"value":"MAX"}]`}, "changed"},
			{"/Groups/CREW", "members", []string{
				quoted(`[{"value":"MAX"}]`), quoted(`{"value":"MAX"}`), "null", " null", "true", "false", "MAX,ANN", "MAX, ANN",
				"MAX;ANN", "MAX ANN", "MAX\nANN", quoted("MAX"), `[["MAX"]]`, bom + "null", " ", bom,
				quoted(quoted(`[]`)), `[null]`, `{"value":"[{\"value\":\"MAX\"}]"}`, `{"value":"{\"value\":\"MAX\"}"}`,
				"[{'value': 'MAX'}]", "{value:MAX}",
			}, "400"},
			{"/Users/ANN", manager, []string{`{"value":"MAX"}`, `[{"value":"MAX"}]`, bom + ` {"value":"MAX"}`}, "changed"},
			{"/Users/ANN", manager, []string{
				quoted(`{"value":"MAX"}`), "null", "MAX,BEN", quoted("MAX"), `{"value":"{\"value\":\"MAX\"}"}`, `[{"value":"M"`,
			}, "400"},
			{"/Users/ANN", "emails", []string{`[{"value":"a@b.c"}]`, bom + `{"value":"d@b.c"}`}, "changed"},
			{"/Users/ANN", "emails", []string{
				quoted(`[{"value":"x@b.c"}]`), "null", `{"value":"{\"value\":\"x@b.c\"}"}`, `{"value":"[\"x@b.c\"]"}`,
				quoted("x@b.c"),
			}, "400"},
			{"/Users/ANN", "phoneNumbers", []string{quoted(`[{"value":"1"}]`), `{"value":"{\"value\":\"1\"}"}`}, "400"},
			{"/Users/ANN", "name", []string{`{"givenName":"Z"}`, bom + `{"givenName":"Q"}`}, "changed"},
			{"/Users/ANN", "name", []string{quoted(`{"givenName":"Y"}`), "null", "{}x"}, "400"},
		} {
			for _, text := range c.texts {
				for _, op := range ops(c.path, quoted(p.names(text))) {
					if idp == "interop" && !strings.Contains(op, `"path"`) {
						continue // needs a path
					}
					got := p.patched(p.names(c.where), op)
					if got != c.want && !(c.want == "changed" && got == "same") {
						t.Errorf("%s: %s: got %s, want %s", idp, op, got, c.want)
					}
				}
			}
		}
		for _, op := range []string{
			`{"op":"add","path":"members","value":[{"value":"{\"value\":\"MAX\"}"}]}`,
			`{"op":"replace","path":"members","value":[{"value":"MAX,BEN"}]}`,
			`{"op":"replace","path":"members","value":["MAX,BEN"]}`,
			`{"op":"remove","path":"members","value":[{"value":"{\"value\":\"ANN\"}"}]}`,
			`{"op":"remove","path":"members","value":"ANN,BEN"}`,
			`{"op":"remove","path":"members","value":"null"}`,
			`{"op":"remove","path":"members","value":` + quoted(quoted(`[{"value":"ANN"}]`)) + `}`,
		} {
			if got := p.patched("/Groups/"+p.crew, p.names(op)); got != "400" {
				t.Errorf("%s: %s: got %s", idp, op, got)
			}
		}
		for _, op := range []string{
			`{"op":"replace","path":"emails[type eq \"work\"].value","value":"{\"value\":\"x@b.c\"}"}`,
			`{"op":"replace","path":"` + manager + `.value","value":"{\"value\":\"MAX\"}"}`,
			`{"op":"add","path":"emails","value":[{"value":"[{\"value\":\"x@b.c\"}]","type":"other"}]}`,
		} {
			if got := p.patched("/Users/"+p.ann, p.names(op)); got != "400" {
				t.Errorf("%s: %s: got %s", idp, op, got)
			}
		}
		if got := p.patched("/Users/"+p.ann, `{"op":"add","path":"roles","value":[{"value":"{\"a\":1}"}]}`); got != "changed" {
			t.Errorf("%s: JSON as the value of a role: got %s", idp, got)
		}
		for _, body := range []string{
			`"userName":"z","emails":[{"value":"{\"value\":\"x@b.c\"}"}]`,
			`"userName":"z","emails":` + quoted(quoted(`[{"value":"x@b.c"}]`)),
			`"userName":"z","` + scim.EnterpriseUserURN + `":{"manager":{"value":"{\"value\":\"MAX\"}"}}`,
		} {
			p.as(p.account, "POST", "/Users", `{"schemas":["`+scim.UserURN+`","`+scim.EnterpriseUserURN+`"],`+body+`}`).
				wantError(400, scim.InvalidValue)
		}
	}
}

// TestEmptyElements: an array of only empty elements is a 400 in every operation, for members as for others; it
// never empties or keeps the attribute silently.
func TestEmptyElements(t *testing.T) {
	for _, idp := range []string{"entra", "generic", "interop", "rfc"} {
		p := newServer(t, nil).people(idp)
		for _, at := range []struct{ where, path string }{
			{"/Groups/CREW", "members"}, {"/Users/ANN", "emails"}, {"/Users/ANN", "roles"}, {"/Users/ANN", "addresses"},
		} {
			for _, value := range []string{"[null]", `[""]`, "[{}]", `[null,""]`, `[{},null]`, `"[null]"`, `[[]]`} {
				for _, op := range []string{"add", "replace", "remove"} {
					op := `{"op":"` + op + `","path":"` + at.path + `","value":` + value + `}`
					if got := p.patched(p.names(at.where), op); got != "400" {
						t.Errorf("%s: %s: got %s", idp, op, got)
					}
				}
			}
		}
		for _, value := range []string{"[null]", `[""]`, "[{}]", `" "`} {
			before := p.shown("/Groups/" + p.crew)
			p.as(p.account, "PUT", "/Groups/"+p.crew, `{"schemas":["`+scim.GroupURN+`"],"displayName":"crew","members":`+
				value+`}`).want(400)
			if after := p.shown("/Groups/" + p.crew); after != before {
				t.Errorf("%s: PUT of members %s: got %s, had %s", idp, value, after, before)
			}
		}
	}
}

// TestNothingIsSilent: a PATCH with an operation that is impossible or not understood is a 400; a 200 has an
// effect.
func TestNothingIsSilent(t *testing.T) {
	const ext = scim.EnterpriseUserURN
	for _, idp := range []string{"entra", "authentik", "okta", "generic", "interop", "rfc"} {
		p := newServer(t, nil).people(idp)
		for _, c := range []struct{ where, op, want string }{
			{"/Users/ANN", `{"op":"replace","path":"` + ext + `:manager","value":{"$ref":""}}`, "400"},
			{"/Users/ANN", `{"op":"add","path":"` + ext + `:manager","value":{"$ref":null}}`, "400"},
			{"/Users/ANN", `{"op":"replace","path":"` + ext + `:manager","value":{"$ref":"../Groups/CREW"}}`, "400"},
			{"/Users/ANN", `{"op":"replace","path":"` + ext + `:manager","value":{"$ref":"https://x/v2/groups/CREW"}}`, "400"},
			{"/Users/ANN", `{"op":"replace","path":"` + ext + `:manager","value":{"$ref":"../Foo/MAX"}}`, "400"},
			{"/Users/ANN", `{"op":"replace","path":"` + ext + `:manager","value":{"$ref":"MAX"}}`, "400"},
			{"/Users/ANN", `{"op":"replace","path":"` + ext + `:manager","value":{"$ref":7}}`, "400"},
			{"/Users/ANN", `{"op":"replace","path":"` + ext + `:manager","value":{"displayName":"Max"}}`, "400"},
			{"/Users/ANN", `{"op":"replace","path":"` + ext + `:manager","value":{"manager":"MAX"}}`, "400"},
			{"/Users/ANN", `{"op":"replace","path":"` + ext + `:manager","value":{"id":"MAX"}}`, "400"},
			{"/Users/ANN", `{"op":"replace","path":"` + ext + `:manager","value":{"managerId":"MAX"}}`, "changed"},
			{"/Users/ANN", `{"op":"replace","path":"` + ext + `:manager","value":{"$ref":"../Users/BEN"}}`, "changed"},
			{"/Users/ANN", `{"op":"replace","path":"` + ext + `:manager.managerId","value":"MAX"}`, "changed"},
			{"/Users/ANN", `{"op":"add","path":"name","value":{"given":"X"}}`, "400"},
			{"/Users/ANN", `{"op":"add","path":"emails","value":[{"address":"x@b.c"}]}`, "400"},
			{"/Users/ANN", `{"op":"replace","path":"emails","value":[{"address":"x@b.c"}]}`, "400"},
			{"/Users/ANN", `{"op":"replace","path":"emails","value":["{\"address\":\"x@b.c\"}"]}`, "400"},
			{"/Users/ANN", `{"op":"remove","path":"emails","value":[{"address":"x@b.c"}]}`, "400"},
			{"/Users/ANN", `{"op":"replace","path":"emails[type eq \"work\"]","value":{"address":"x@b.c"}}`, "400"},
			{"/Users/ANN", `{"op":"replace","path":"roles","value":{"name":"x"}}`, "400"},
			{"/Groups/CREW", `{"op":"remove","path":"memberz[value eq \"ANN\"]"}`, "400"},
			{"/Groups/CREW", `{"op":"remove","path":"memberz","value":[{"value":"ANN"}]}`, "400"},
			{"/Groups/CREW", `{"op":"add","path":"member","value":[{"value":"MAX"}]}`, "400"},
			{"/Groups/CREW", `{"op":"remove","path":"urn:x:members","value":[{"value":"ANN"}]}`, "400"},
			{"/Groups/CREW", `{"op":"remove","path":"urn:x:members[value eq \"ANN\"]"}`, "400"},
			{"/Groups/CREW", `{"op":"add","path":"urn:x:members","value":[{"value":"MAX"}]}`, "400"},
			{"/Groups/CREW", `{"op":"remove","path":"users[value eq \"ANN\"]"}`, "400"},
			{"/Groups/CREW", `{"op":"add","path":"members","value":[{"$ref":"../Foo/MAX"}]}`, "400"},
			{"/Groups/CREW", `{"op":"remove","path":"members","value":[{"id":"ANN"}]}`, "400"},
			{"/Groups/CREW", `{"op":"add","value":{"member":[{"value":"MAX"}]}}`, "400"},
			{"/Groups/CREW", `{"op":"add","value":{"urn:x:members":[{"value":"MAX"}]}}`, "400"},
			{"/Groups/CREW", `{"op":"remove","path":"members[value eq \"ANUP\"]"}`, "changed"},
			{"/Groups/CREW", `{"op":"add","path":"members","value":[{"value":"ANUP"}]}`, "changed"},
			{"/Groups/CREW", `{"op":"remove","path":"members","value":[{"value":"ANUP"}]}`, "changed"},
		} {
			if got := p.patched(p.names(c.where), p.names(c.op)); got != c.want {
				t.Errorf("%s: %s: got %s, want %s", idp, c.op, got, c.want)
			}
		}
	}
}

// TestFormerNames: the SCIM 1.1 names of the enterprise extension and of a manager's id are read in every request.
func TestFormerNames(t *testing.T) {
	for _, idp := range []string{"entra", "generic", "interop"} {
		p := newServer(t, nil).people(idp)
		for n, urn := range []string{
			"urn:scim:schemas:extension:enterprise:1.0", "urn:scim:schemas:extension:enterprise:1.0:User",
			"URN:SCIM:schemas:extension:enterprise:1.0:user", "urn:scim:schemas:extension:enterprise:2.0:User",
		} {
			set := `"` + urn + `":{"department":"D","manager":{"managerId":"MAX"}}`
			r := p.as(p.account, "POST", "/Users", p.names(`{"schemas":["`+scim.UserURN+`"],"userName":"`+fmt.Sprint(n)+`",`+set+`}`)).
				want(201)
			if r.text(scim.EnterpriseUserURN, "department") != "D" ||
				r.text(scim.EnterpriseUserURN, "manager", "value") != p.max {
				t.Errorf("%s: POST with %s: %s", idp, urn, r.raw)
			}
			path := "/Users/" + r.text("id")
			for i, op := range []string{
				`{"op":"replace","path":"` + urn + `:department","value":"E"}`,
				`{"op":"replace","path":"` + urn + `","value":{"department":"F"}}`,
				`{"op":"replace","path":"` + urn + `:manager","value":{"managerId":"BEN"}}`,
			} {
				if got := p.patched(path, p.names(op)); got != "changed" {
					t.Errorf("%s: %d %s: %s", idp, i, op, got)
				}
			}
		}
	}
}

// TestDottedKeysAreReadOrRefused: a profile without dotted keys in a POST or PUT refuses them, and drops none.
func TestDottedKeysAreReadOrRefused(t *testing.T) {
	for idp, want := range map[string]int{"rfc": 400, "interop": 400, "generic": 201, "entra": 201} {
		p := newServer(t, nil).people(idp)
		for i, key := range []string{
			"name.givenName", "NAME.givenname", "emails.value", scim.UserURN + ":name.givenName",
			scim.EnterpriseUserURN + ":manager.value",
		} {
			body := fmt.Sprintf(`{"schemas":[%q,%q],"userName":"u%d",%q:"x"}`, scim.UserURN, scim.EnterpriseUserURN, i, key)
			r := p.as(p.account, "POST", "/Users", body).want(want)
			if want == 201 && !strings.Contains(r.raw, `"x"`) {
				t.Errorf("%s: %s: got %s", idp, key, r.raw)
			}
		}
	}
}

// TestAddComparesAsTheSchemaDoes: an add ignores case in values that are not caseExact when it looks for an
// existing element, and leaves it and the elements beside it as they are. A replace changes the case.
func TestAddComparesAsTheSchemaDoes(t *testing.T) {
	for _, idp := range []string{"entra", "generic", "rfc"} {
		p := newServer(t, nil).people(idp)
		path := "/Users/" + p.ann
		for _, c := range []struct{ op, want string }{
			{`{"op":"add","path":"emails","value":[{"value":"ANN@Example.com","type":"WORK"}]}`, "same"},
			{`{"op":"add","path":"emails","value":[{"value":"ANN@Example.com","type":"work","primary":true}]}`, "same"},
			{`{"op":"add","path":"phoneNumbers","value":[{"value":"a","display":"One"},{"value":"A","display":"Two"}]}`, "changed"},
			{`{"op":"add","path":"phoneNumbers","value":[{"value":"a","display":"two"}]}`, "same"},
			{`{"op":"add","path":"phoneNumbers","value":[{"value":"A","display":"ONE"}]}`, "same"},
			{`{"op":"replace","path":"emails[type eq \"work\"].value","value":"ANN@Example.com"}`, "changed"},
			{`{"op":"add","path":"x509Certificates","value":[{"value":"YQ=="}]}`, "changed"},
			{`{"op":"add","path":"x509Certificates","value":[{"value":"yq=="}]}`, "changed"},
		} {
			if got := p.patched(path, c.op); got != c.want {
				t.Errorf("%s: %s: got %s, want %s", idp, c.op, got, c.want)
			}
		}
	}
}
