package statements_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// idps are profiles of all kinds, of which each reads requests in another way.
var idps = []string{"entra", "okta", "onelogin", "keycloak", "generic", "interop", "rfc"}

// refused wants a SCIM error with a scimType ("" for none) whose detail holds some words.
func (w *world) refused(status int, scimType, method, path, body string, words ...string) {
	w.t.Helper()
	got := w.scim(status, method, path, body)
	detail, _ := got["detail"].(string)
	if kind, _ := got["scimType"].(string); kind != scimType {
		w.t.Errorf("%s %s: scimType %q, want %q: %v", method, path, kind, scimType, got)
	}
	for _, word := range words {
		if !strings.Contains(detail, word) {
			w.t.Errorf("%s %s: %q is not in the detail %q", method, path, word, detail)
		}
	}
}

// bulk sends operations and lists their statuses.
func (w *world) bulk(operations ...string) (statuses []string, answer []any) {
	w.t.Helper()
	answer, _ = w.scim(200, "POST", "/Bulk", fmt.Sprintf(`{"schemas": [%q], "Operations": [%s]}`, scim.BulkRequestURN,
		strings.Join(operations, ", ")))["Operations"].([]any)
	for _, v := range answer {
		statuses = append(statuses, v.(object)["status"].(string))
	}
	return statuses, answer
}

func TestP10P11Required(t *testing.T) {
	for _, idp := range idps {
		t.Run(idp, func(t *testing.T) {
			w := newWorld(t, idp, "")
			old := w.user("before the policy")
			department := enterpriseURN + ":department"
			w.policy(`{"members": {"attributes": {
				"position": {"from": "title", "required": true}, "unit": {"from": "` + department + `", "required": true},
				"login": {"from": "emails[type eq \"work\"].value", "required": true}, "nick": {"from": "nickName"}},
				"exclude": {"users": "userName ew \"@contractor.example\""}}}`)
			title, unit := `"title": "Boss"`, enterprise(`"department": "Sales"`)
			mail := `"emails": [{"type": "work", "value": "a@example.com"}]`
			for missing, body := range map[string]string{
				"title":      userBody("mia", unit, mail),
				"department": userBody("mia", title, mail),
				"emails":     userBody("mia", title, unit, `"emails": [{"type": "home", "value": "a@example.com"}]`),
			} {
				w.refused(400, "invalidValue", "POST", "/Users", body, missing, "Map it in the identity provider")
			}
			mia := "/Users/" + w.user("mia", title, unit, mail)
			for missing, op := range map[string]string{
				"title":      `{"op": "remove", "path": "title"}`,
				"department": `{"op": "replace", "path": "` + department + `", "value": ""}`,
				"emails":     `{"op": "replace", "path": "emails[type eq \"work\"].type", "value": "home"}`,
			} {
				w.refused(400, "invalidValue", "PATCH", mia, patchBody(op), missing)
			}
			w.refused(400, "invalidValue", "PUT", mia, userBody("mia", unit, mail), "title")
			statuses, _ := w.bulk(
				`{"method": "POST", "path": "/Users", "bulkId": "b", "data": `+userBody("ben", unit, mail)+`}`,
				`{"method": "PATCH", "path": "`+mia+`", "data": `+patchBody(`{"op": "remove", "path": "title"}`)+`}`,
				`{"method": "PUT", "path": "`+mia+`", "data": `+userBody("mia", title, unit, mail)+`}`,
			)
			if !slices.Equal(statuses, []string{"400", "400", "200"}) {
				t.Errorf("/Bulk: %v", statuses)
			}
			if got := w.scim(200, "GET", mia, "")["title"]; got != "Boss" {
				t.Errorf("a refused request left the title %v", got)
			}
			// Attributes that the request does not set are not judged, nor is a user who is no member.
			w.patch(mia, `{"op": "replace", "path": "nickName", "value": "M"}`)
			w.patch(mia, `{"op": "remove", "path": "nickName"}`)
			w.patch("/Users/"+old, `{"op": "replace", "path": "nickName", "value": "O"}`)
			w.user("eve@contractor.example")
			// Deactivation and deletion always work, even if they take the value away.
			w.patch(mia, `{"op": "remove", "path": "title"}`, `{"op": "replace", "path": "active", "value": false}`)
			w.scim(204, "DELETE", mia, "")
			w.scim(204, "DELETE", "/Users/"+old, "")
		})
	}
}

// TestP11OwnExtension: attributes of an own extension can be required, of any type.
func TestP11OwnExtension(t *testing.T) {
	const badge = "urn:example:2.0:Badge"
	w := newWorld(t, "entra", "")
	w.admin(201, "PUT", "/schemas/"+badge, `{"name": "Badge", "attributes": [
		{"name": "since", "type": "dateTime", "multiValued": false},
		{"name": "page", "type": "reference", "multiValued": false, "referenceTypes": ["external"]},
		{"name": "number", "type": "string", "multiValued": false}]}`)
	w.admin(2, "PUT", "/resource-types/User", `{"schemaExtensions": [{"schema": "`+badge+`", "required": false}]}`)
	values := map[string]string{"since": "2026-11-01T00:00:00Z", "page": "https://example.com/mia", "number": "17"}
	var attributes, all []string
	for name, value := range values {
		attributes = append(attributes, fmt.Sprintf(`%q: {"from": "%s:%s", "required": true}`, name, badge, name))
		all = append(all, fmt.Sprintf(`%q: %q`, name, value))
	}
	w.policy(`{"members": {"attributes": {` + strings.Join(attributes, ", ") + `}}}`)
	body := func(parts []string) string {
		return userBody("mia", fmt.Sprintf("%q: {%s}", badge, strings.Join(parts, ", ")))
	}
	w.refused(400, "invalidValue", "POST", "/Users", userBody("mia"), badge)
	for i := range all {
		w.refused(400, "invalidValue", "POST", "/Users", body(slices.Delete(slices.Clone(all), i, i+1)), badge)
	}
	mia := w.scim(201, "POST", "/Users", body(all))["id"].(string)
	for name, value := range values {
		if got := w.member(mia)["attributes"].(object)[name]; got != value {
			t.Errorf("the application sees %v of %s", got, name)
		}
		w.refused(400, "invalidValue", "PATCH", "/Users/"+mia,
			patchBody(fmt.Sprintf(`{"op": "remove", "path": "%s:%s"}`, badge, name)), name)
	}
}

// TestL10SchemaGone: the schemas of the tenant can't change under its policy, so nothing passes that the policy
// forbids.
func TestL10SchemaGone(t *testing.T) {
	const badge = "urn:example:2.0:Badge"
	w := newWorld(t, "okta", "")
	w.admin(201, "PUT", "/schemas/"+badge, `{"name": "Badge", "attributes": [{"name": "number"}]}`)
	w.admin(2, "PUT", "/resource-types/User", `{"schemaExtensions": [{"schema": "`+badge+`", "required": false}]}`)
	mia := w.user("mia")
	w.policy(`{"members": {"attributes": {"badge": {"from": "` + badge + `:number"}}},
		"requests": {"forbid": ["Users.delete"]}}`)
	w.admin(409, "DELETE", "/resource-types/User", "")
	w.refused(403, "", "DELETE", "/Users/"+mia, "", "Users.delete")
	w.policy(`{"requests": {"forbid": ["Users.delete"]}}`)
	w.admin(2, "DELETE", "/resource-types/User", "")
	w.refused(403, "", "DELETE", "/Users/"+mia, "", "Users.delete")
	w.user("ben")
}

func TestP15ClearedByPUT(t *testing.T) {
	for _, idp := range idps {
		w := newWorld(t, idp, `{"members": {"clearWhenAbsentInPut": ["title", "manager"]}}`)
		boss := w.user("boss")
		mia := "/Users/" + w.user("mia", `"title": "Boss"`, enterprise(`"manager": {"value": "`+boss+`"}`))
		w.patch(mia, `{"op": "replace", "path": "displayName", "value": "Mia"}`)
		if got := w.scim(200, "GET", mia, ""); got["title"] != "Boss" || got[enterpriseURN] == nil {
			t.Errorf("%s: a PATCH without them left %v", idp, got)
		}
		w.patch(mia, `{"op": "replace", "path": "active", "value": false}`)
		w.scim(200, "PUT", mia, fmt.Sprintf(`{"schemas": [%q], "userName": "mia"}`, userURN))
		got := w.scim(200, "GET", mia, "")
		if got["title"] != nil || got[enterpriseURN] != nil || got["active"] != false {
			t.Errorf("%s: a PUT without them left %v", idp, got)
		}
	}
}

func TestL10Forbidden(t *testing.T) {
	for _, idp := range idps {
		t.Run(idp, func(t *testing.T) {
			w := newWorld(t, idp, "")
			w.set(`{"scim": {"groupMemberships": true}}`)
			mia, ben := w.user("mia"), w.user("ben")
			red := w.group("Red", ben)
			membership := w.scim(201, "POST", "/GroupMemberships", membershipBody(red, mia))["id"].(string)
			requests := map[string][][3]string{
				"Users.create": {{"POST", "/Users", userBody("eve")}, {"POST", "/Users", `no JSON`}},
				"Users.update": {
					{"PUT", "/Users/" + mia, userBody("mia")},
					{"PUT", "/Users/nobody", ""},
					{"PATCH", "/Users/" + mia, patchBody(`{"op": "add", "path": "title", "value": "t"}`)},
				},
				"Users.delete":  {{"DELETE", "/Users/" + mia, ""}, {"DELETE", "/Users/nobody", ""}},
				"Groups.create": {{"POST", "/Groups", groupBody("Blue")}},
				"Groups.update": {
					{"PATCH", "/Groups/" + red, patchBody(`{"op": "add", "path": "members", "value": [{"value": "` + mia + `"}]}`)},
					{"PUT", "/Groups/" + red, groupBody("Red")},
					{"POST", "/GroupMemberships", membershipBody(red, mia)},
					{"DELETE", "/GroupMemberships/" + membership, ""},
					{"DELETE", "/GroupMemberships/none", ""},
				},
				"Groups.delete": {{"DELETE", "/Groups/" + red, ""}},
			}
			before := fmt.Sprint(w.scim(200, "GET", "/Users", ""), w.scim(200, "GET", "/Groups", ""))
			for forbidden, all := range requests {
				wildcard, _, _ := strings.Cut(forbidden, ".")
				for _, entry := range []string{forbidden, wildcard + ".*"} {
					w.policy(`{"requests": {"forbid": ["` + entry + `"]}}`)
					for _, r := range all {
						w.refused(403, "", r[0], r[1], r[2], forbidden, "operator of the application can allow it")
					}
				}
			}
			w.policy(`{"requests": {"forbid": ["Users.*", "Groups.*"]}}`)
			statuses, answer := w.bulk(
				`{"method": "POST", "path": "/Users", "bulkId": "u", "data": `+userBody("eve")+`}`,
				`{"method": "DELETE", "path": "/Users/`+mia+`"}`, `{"method": "DELETE", "path": "/Users/nobody"}`,
				`{"method": "POST", "path": "/Groups", "bulkId": "g", "data": `+groupBody("Blue")+`}`,
				`{"method": "PATCH", "path": "/Groups/`+red+`", "data": {}}`,
				`{"method": "POST", "path": "/GroupMemberships", "bulkId": "m", "data": `+membershipBody(red, mia)+`}`,
			)
			if slices.ContainsFunc(statuses, func(s string) bool { return s != "403" }) {
				t.Errorf("/Bulk: %v", answer)
			}
			after := fmt.Sprint(w.scim(200, "GET", "/Users", ""), w.scim(200, "GET", "/Groups", ""))
			if after != before {
				t.Errorf("a forbidden request changed\n%s\nto\n%s", before, after)
			}
			// Nobody learns of the policy without a token, and the rest of a bulk request is carried out.
			if status, _ := w.as("wrong", "DELETE", "/scim/v2/acme/Users/"+mia, ""); status != 401 {
				t.Errorf("without a token: %d", status)
			}
			w.scim(200, "POST", "/Users/.search", `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}`)
			w.policy(`{"requests": {"forbid": ["Users.delete"]}}`)
			statuses, answer = w.bulk(`{"method": "DELETE", "path": "/Users/`+mia+`"}`,
				`{"method": "POST", "path": "/Users", "bulkId": "u", "data": `+userBody("eve")+`}`)
			if !slices.Equal(statuses, []string{"403", "201"}) {
				t.Errorf("/Bulk: %v", answer)
			}
			w.policy(`{}`)
			w.scim(204, "DELETE", "/Users/"+mia, "")
		})
	}
}

func membershipBody(group, member string) string {
	return fmt.Sprintf(`{"schemas": [%q], "group": {"value": %q}, "member": {"value": %q}}`,
		"urn:ietf:params:scim:schemas:core:2.0:GroupMembership", group, member)
}

// TestL10Saved: a policy holds from the next request on, whoever saves it, and for all requests that begin later.
func TestL10Saved(t *testing.T) {
	w := newWorld(t, "okta", "")
	for i := range 20 {
		w.policy(`{"requests": {"forbid": ["Users.create"]}}`)
		w.scim(403, "POST", "/Users", userBody(fmt.Sprint("no", i)))
		w.policy(`{}`)
		w.user(fmt.Sprint("yes", i))
		w.set(fmt.Sprintf(`{"scim": {"uniqueGroupNames": %v}}`, i%2 == 0)) // a change of the tenant keeps the policy
	}
	w.policy(`{"requests": {"forbid": ["Users.create"]}}`)
	w.set(`{"scim": {"uniqueGroupNames": null}}`)
	w.scim(403, "POST", "/Users", userBody("no"))
	// A tenant that takes the id of a deleted one does not take its policy.
	w.admin(2, "DELETE", "", "")
	for w.token = ""; w.token == ""; {
		status, made := w.do("POST", "/admin/v1/tenants", `{"id": "acme", "name": "Acme"}`)
		if status == 201 {
			w.token = made["token"].(object)["value"].(string)
		} else if status != 409 {
			t.Fatalf("status %d: %v", status, made)
		}
	}
	w.user("yes")
	w.policy(`{"requests": {"forbid": ["Users.delete"]}}`)
	w.scim(403, "DELETE", "/Users/nobody", "")
	w.user("yes too")
}

func TestP29Photos(t *testing.T) {
	for _, idp := range idps {
		w := newWorld(t, idp, `{"members": {"attributes": {"photo": {"from": "photos[type eq \"photo\"].value"}}}}`)
		body := func(url string) string {
			photo, err := json.Marshal(object{"type": "photo", "value": url})
			if err != nil {
				t.Fatal(err)
			}
			return userBody("mia", `"photos": [`+string(photo)+`]`)
		}
		if idp == "rfc" || idp == "interop" {
			w.scim(201, "POST", "/Users", body("mia.jpg"))
			continue
		}
		for _, bad := range []string{"mia.jpg", "http://example.com/mia.jpg", "data:image/png;base64,AAAA"} {
			w.refused(400, "invalidValue", "POST", "/Users", body(bad), "photos.value", "https")
		}
		mia := w.scim(201, "POST", "/Users", body("https://example.com/mia.jpg"))["id"].(string)
		w.refused(400, "invalidValue", "PATCH", "/Users/"+mia, patchBody(
			`{"op": "replace", "path": "photos[type eq \"photo\"].value", "value": "ftp://example.com/mia.jpg"}`))
		if got := fmt.Sprint(w.member(mia)["attributes"]); got != "map[photo:https://example.com/mia.jpg]" {
			t.Errorf("%s: the application sees %s", idp, got)
		}
	}
}
