package patch_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"pgregory.net/rapid"
)

// The vocabulary of generated operations: small, so that they meet each other.
var (
	kinds  = rapid.SampledFrom([]string{"add", "remove", "replace", "Add", "REPLACE"})
	wholes = rapid.SampledFrom([]string{
		"title", "active", "name", "emails", "addresses", "roles", "nickName",
		"externalId", "userName", "schemas", "id", "shoe", enterprise, enterprise + ":department",
		enterprise + ":manager", "manager", "members",
	})
	lists = rapid.SampledFrom([]string{"emails", "addresses", "roles", "phoneNumbers"})
	subs  = rapid.SampledFrom([]string{
		"value", "type", "primary", "display", "formatted", "givenName", "$ref",
		"shoe",
	})
	words = rapid.SampledFrom([]string{
		"work", "home", "a", "A", "true", "", "babs@example.org",
		"bjensen@example.com",
	})
	simples = rapid.OneOf(rapid.Just[any](nil), rapid.Map(words, func(s string) any { return s }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }), rapid.Just[any](int64(7)))
	elements  = rapid.Map(rapid.MapOfN(subs, simples, 0, 4), func(m map[string]any) any { return m })
	anyValues = rapid.OneOf(simples, elements,
		rapid.Map(rapid.SliceOfN(rapid.OneOf(elements, simples), 0, 4), func(l []any) any { return l }))
)

func paths(t *rapid.T) string {
	switch rapid.IntRange(0, 4).Draw(t, "shape") {
	case 0:
		return wholes.Draw(t, "path")
	case 1:
		return rapid.SampledFrom([]string{"name", "emails", "addresses", enterprise + ":manager"}).
			Draw(t, "path") + "." + subs.Draw(t, "sub")
	}
	filter := subs.Draw(t, "left") + ` eq "` + words.Draw(t, "right") + `"`
	if rapid.Bool().Draw(t, "longer") {
		filter += rapid.SampledFrom([]string{" and ", " or "}).Draw(t, "joint") + subs.Draw(t, "left") + " pr"
	}
	path := lists.Draw(t, "list") + "[" + filter + "]"
	if rapid.Bool().Draw(t, "after") {
		path += "." + subs.Draw(t, "sub")
	}
	return path
}

func operations(t *rapid.T, most int) []any {
	ops := make([]any, rapid.IntRange(1, most).Draw(t, "operations"))
	for i := range ops {
		op := scim.Object{"op": kinds.Draw(t, "op")}
		switch {
		case rapid.IntRange(0, 5).Draw(t, "path?") > 0:
			op["path"] = paths(t)
			if rapid.IntRange(0, 5).Draw(t, "value?") > 0 {
				op["value"] = anyValues.Draw(t, "value")
			}
		default:
			obj := scim.Object{}
			for range rapid.IntRange(0, 4).Draw(t, "keys") {
				obj[paths(t)] = anyValues.Draw(t, "value")
			}
			op["value"] = obj
		}
		ops[i] = op
	}
	return ops
}

func parsed(t *rapid.T, d scim.Dialect, ops []any) []patch.Operation {
	p, err := patch.Parse(scim.Object{"schemas": []any{scim.PatchOpURN}, "Operations": ops}, d)
	if err != nil {
		t.Skip("no valid message")
	}
	return p
}

func dialects(t *rapid.T) scim.Dialect {
	d, _ := scim.DialectOf(rapid.SampledFrom([]string{"generic", "entra"}).Draw(t, "profile"))
	return d
}

// TestAnyOperations makes the checks of FuzzApply with operations that make sense.
func TestAnyOperations(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := dialects(rt)
		p := parsed(rt, d, operations(rt, 5))
		tryApply(t, schema.UserType(), babs, p, d)
		tryApply(t, schema.GroupType(), crew, p, d)
	})
}

// TestOneRequestOrMany: operations have the same result in one request as in one request each, except those that
// leave a value with labels only: the end of a request removes it, and until then another operation may give it
// content.
func TestOneRequestOrMany(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := dialects(rt)
		doc := object(t, babs)
		var accepted []patch.Operation
		for _, op := range operations(rt, 8) {
			ops, err := patch.Parse(scim.Object{"schemas": []any{scim.PatchOpURN}, "Operations": []any{op}}, d)
			if err != nil || patch.LeavesLabels(schema.UserType(), doc, ops[0], d) {
				continue
			}
			res, err := patch.Apply(schema.UserType(), doc, ops, "", d)
			if err != nil {
				continue
			}
			tryApply(t, schema.UserType(), string(scim.AppendJSON(nil, doc)), ops, d)
			accepted = append(accepted, ops...)
			doc = res.Doc
		}
		res, err := patch.Apply(schema.UserType(), object(t, babs), accepted, "", d)
		if err != nil || !scim.Equal(res.Doc, doc) {
			rt.Fatalf("%v\none request   %s\nmany requests %s", err, scim.AppendJSON(nil, res.Doc),
				scim.AppendJSON(nil, doc))
		}
	})
}

// TestTwiceIsOnce: an operation on a whole attribute changes nothing the second time.
func TestTwiceIsOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := dialects(rt)
		op := scim.Object{
			"op": kinds.Draw(rt, "op"), "path": wholes.Draw(rt, "path"), "value": anyValues.Draw(rt, "value"),
		}
		p := parsed(rt, d, []any{op})
		once, err := patch.Apply(schema.UserType(), object(t, babs), p, "", d)
		if err != nil {
			rt.Skip("refused")
		}
		twice, err := patch.Apply(schema.UserType(), once.Doc, p, "", d)
		if err != nil || !scim.Equal(once.Doc, twice.Doc) {
			rt.Fatalf("%v\nonce  %s\ntwice %s", err, scim.AppendJSON(nil, once.Doc), scim.AppendJSON(nil, twice.Doc))
		}
	})
}

// TestSimplePathsAgainstModel applies operations on single string values to the patcher and to a flat map.
func TestSimplePathsAgainstModel(t *testing.T) {
	names := []string{
		"title", "nickName", "locale", "name.givenName", "name.familyName", "name.middleName",
		enterprise + ":department", enterprise + ":division",
	}
	rapid.Check(t, func(rt *rapid.T) {
		model := map[string]string{}
		ops := make([]any, rapid.IntRange(1, 12).Draw(rt, "operations"))
		for i := range ops {
			name := rapid.SampledFrom(names).Draw(rt, "name")
			value := rapid.SampledFrom([]string{"", "x", "y", "ü"}).Draw(rt, "value")
			kind := kinds.Draw(rt, "op")
			model[name] = value
			ops[i] = scim.Object{"op": kind, "path": name, "value": value}
			if kind == "remove" {
				model[name] = ""
				delete(ops[i].(scim.Object), "value")
			} else if rapid.Bool().Draw(rt, "pathless") {
				ops[i] = scim.Object{"op": kind, "value": scim.Object{name: value}}
			}
		}
		res, err := patch.Apply(schema.UserType(), object(t, ann), parsed(rt, scim.Dialect{}, ops), "", scim.Dialect{})
		if err != nil {
			rt.Fatal(err)
		}
		name, _ := res.Doc["name"].(scim.Object)
		ext, _ := res.Doc[enterprise].(scim.Object)
		got := map[string]any{
			"title": res.Doc["title"], "nickName": res.Doc["nickName"], "locale": res.Doc["locale"],
			"name.givenName": name["givenName"], "name.familyName": name["familyName"],
			"name.middleName": name["middleName"], enterprise + ":department": ext["department"],
			enterprise + ":division": ext["division"],
		}
		for _, n := range names {
			if want := model[n]; want != "" && got[n] != want || want == "" && got[n] != nil {
				rt.Errorf("%s is %v, want %q", n, got[n], want)
			}
		}
	})
}

// TestManyMembers: a request with the most members that a group takes at once.
func TestManyMembers(t *testing.T) {
	list := make([]any, 20_000)
	for i := range list {
		list[i] = scim.Object{"value": strconv.Itoa(i % 15_000)}
	}
	ops := []patch.Operation{
		{Kind: patch.Add, HasValue: true, Value: scim.Object{"members": list}},
		{Kind: patch.Remove, HasValue: true, Value: list, Path: path(t, "members")},
	}
	res, err := patch.Apply(schema.GroupType(), object(t, crew), ops, "members", scim.Dialect{})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Collection) != 2 || len(res.Collection[0].Values) != 15_000 || len(res.Collection[1].Eq) != 15_000 {
		t.Errorf("got %d changes", len(res.Collection))
	}
}

// TestWorkIsBounded: many operations on many values are refused, not worked off.
func TestWorkIsBounded(t *testing.T) {
	roles := make([]any, 20_000)
	for i := range roles {
		roles[i] = scim.Object{"value": strconv.Itoa(i)}
	}
	doc := object(t, ann)
	doc["roles"] = roles
	var many, loose []patch.Operation
	for i := range patch.MaxOperations {
		many = append(many, patch.Operation{
			Kind: patch.Remove, Path: path(t, fmt.Sprintf(`roles[value eq "%d-" or display eq "x"]`, i)),
		})
	}
	entries := make([]any, 20_000)
	for i := range entries {
		entries[i] = scim.Object{"display": strconv.Itoa(i)}
	}
	loose = append(loose, patch.Operation{Kind: patch.Remove, Path: path(t, "roles"), Value: entries, HasValue: true})
	for _, ops := range [][]patch.Operation{many, loose} {
		res, err := patch.Apply(schema.UserType(), doc, ops, "", scim.Dialect{})
		wantError(t, res, err, scim.InvalidValue)
	}
	if _, err := patch.Apply(schema.UserType(), doc, many[:20], "", scim.Dialect{}); err != nil {
		t.Errorf("twenty operations on 20,000 roles: %v", err)
	}
}
