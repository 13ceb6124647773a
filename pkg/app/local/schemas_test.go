package local_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/event/schemas"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema/define"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

const (
	badgeURN  = "urn:example:scim:schemas:extension:badge:2.0:User"
	deviceURN = "urn:example:scim:schemas:2.0:Device"
)

// admin calls the admin API about the tenant.
func (a *api) admin(method, path, body string) (int, object) {
	a.t.Helper()
	id := a.tenant
	if id == "" {
		id = "acme"
	}
	r := httptest.NewRequest(method, "http://localhost/admin/v1/tenants/"+id+path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:4711"
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	a.h.ServeHTTP(w, r)
	var out object
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			a.t.Errorf("%s %s: body is no JSON: %v", method, path, err)
		}
	}
	if w.Code >= 400 && (w.Header().Get("Content-Type") != "application/problem+json" || out["detail"] == "" ||
		w.Code >= 500) {
		a.t.Errorf("%s %s: %d %v is no problem of the caller's", method, path, w.Code, out)
	}
	return w.Code, out
}

func (a *api) mustAdmin(status int, method, path, body string, words ...string) object {
	a.t.Helper()
	got, out := a.admin(method, path, body)
	if got != status {
		a.t.Fatalf("%s %s %s: status %d, want %d: %v", method, path, body, got, status, out)
	}
	if err := schemas.CheckAll(out); err != nil {
		a.t.Errorf("%s %s: %v", method, path, err)
	}
	detail, _ := out["detail"].(string)
	for _, w := range words {
		if !strings.Contains(detail, w) {
			a.t.Errorf("%s %s: the detail %q lacks %q", method, path, detail, w)
		}
	}
	return out
}

// refuse sends a request that has to fail so.
func (a *api) refuse(status int, scimType, method, path, body string, words ...string) {
	a.t.Helper()
	out := a.must(status, method, path, body)
	if got, _ := out["scimType"].(string); got != scimType {
		a.t.Errorf("%s %s %s: scimType %q, want %q: %v", method, path, body, got, scimType, out)
	}
	for _, w := range words {
		if detail, _ := out["detail"].(string); !strings.Contains(detail, w) {
			a.t.Errorf("%s %s: the detail %q lacks %q", method, path, detail, w)
		}
	}
}

// badges defines an extension of users with these attributes.
func (a *api) badges(attributes string, required bool) {
	a.t.Helper()
	a.mustAdmin(201, "PUT", "/schemas/"+badgeURN, `{"name":"Badge","attributes":[`+attributes+`]}`)
	a.mustAdmin(201, "PUT", "/resource-types/User",
		fmt.Sprintf(`{"schemaExtensions":[{"schema":%q,"required":%v}]}`, badgeURN, required))
}

func (a *api) devices() {
	a.t.Helper()
	a.mustAdmin(201, "PUT", "/schemas/"+deviceURN, `{"id":"`+deviceURN+`","name":"Device","attributes":[
		{"name":"serial","required":true,"uniqueness":"server","caseExact":true},
		{"name":"model","canonicalValues":["laptop","phone"]},{"name":"weight","type":"decimal"},{"name":"ports","type":"integer"},
		{"name":"owner","type":"complex","subAttributes":[{"name":"value"},{"name":"$ref","type":"reference","referenceTypes":["User"]},{"name":"since","type":"dateTime"}]},
		{"name":"groups","multiValued":true},
		{"name":"parts","type":"complex","multiValued":true,"subAttributes":[{"name":"value","uniqueness":"server"},{"name":"type"},{"name":"primary","type":"boolean"}]}]}`)
	a.mustAdmin(201, "PUT", "/resource-types/Device", `{"endpoint":"/Devices","schema":"`+deviceURN+
		`","description":"Things that people carry"}`)
}

func body(urn, rest string) string { return `{"schemas":["` + urn + `"],` + rest + `}` }

func (a *api) found(path, filter string) (ids []string) {
	a.t.Helper()
	page := a.must(200, "GET", path+"?filter="+url.QueryEscape(filter), "")
	for _, r := range page["Resources"].([]any) {
		ids = append(ids, r.(object)["id"].(string))
	}
	if int(page["totalResults"].(float64)) != len(ids) {
		a.t.Errorf("%s: totalResults %v with %d resources", filter, page["totalResults"], len(ids))
	}
	return ids
}

func replace(path, value string) string {
	return patchBody(fmt.Sprintf(`{"op":"replace","path":%q,"value":%s}`, path, value))
}

// Attributes that an administrator adds in Entra's editor, inside the enterprise extension and in an extension of their
// own.
func TestCustomAttributes(t *testing.T) {
	for _, idp := range []string{"entra", "generic", "rfc", "interop"} {
		t.Run(idp, func(t *testing.T) {
			a := on(t, memory(t), idp)
			a.mustAdmin(201, "PUT", "/schemas/"+enterpriseURN,
				`{"attributes":[{"name":"ID"},{"name":"manager2"},{"name":"level","type":"integer"}]}`)
			a.mustAdmin(200, "PUT", "/schemas/"+enterpriseURN,
				`{"attributes":[{"name":"ID"},{"name":"level","type":"integer"}]}`)
			a.badges(`{"name":"colour","canonicalValues":["red","green"]},{"name":"rooms","multiValued":true},`+
				`{"name":"until","type":"dateTime"}`, false)
			user := a.must(201, "POST", "/Users", `{"schemas":["`+userURN+`","`+enterpriseURN+`","`+badgeURN+
				`"],"userName":"ada",
				"`+enterpriseURN+`":{"ID":"7","department":"d","level":3},"`+badgeURN+`":{"colour":"Red","rooms":["1","2"],"until":"2027-01-01T00:00:00Z"}}`)
			id := user["id"].(string)
			const want = "map[ID:7 department:d level:3] map[colour:Red rooms:[1 2] until:2027-01-01T00:00:00Z]"
			if got := fmt.Sprint(user[enterpriseURN], user[badgeURN]); got != want {
				t.Errorf("created %s", got)
			}
			if got := fmt.Sprint(user["schemas"]); got != fmt.Sprintf("[%s %s %s]", userURN, enterpriseURN, badgeURN) {
				t.Errorf("schemas %s", got)
			}
			for _, path := range []string{
				enterpriseURN + ":ID", enterpriseURN + ".ID", strings.ToUpper(enterpriseURN) + ":id",
			} {
				value := `"` + path[len(path)-4:] + `"`
				a.do("PATCH", "/Users/"+id, replace(path, value))
				got := a.must(200, "GET", "/Users/"+id+"?attributes="+url.QueryEscape(path), "")
				if fmt.Sprint(got[enterpriseURN]) != "map[ID:"+path[len(path)-4:]+"]" || got["userName"] != nil {
					t.Errorf("%s: got %v", path, got)
				}
				if ids := a.found("/Users", path+" eq "+value); !slices.Equal(ids, []string{id}) {
					t.Errorf("%s eq %s: got %v", path, value, ids)
				}
			}
			for filter, hit := range map[string]bool{
				badgeURN + `:colour eq "red"`: true, badgeURN + `.rooms eq "2"`: true, badgeURN + `:rooms eq "3"`: false,
				badgeURN + `:until gt "2026-12-31T23:00:00Z"`: true, enterpriseURN + `:level lt 3`: false, badgeURN + ` pr`: true,
				`not (` + enterpriseURN + `:level eq 3)`: false, `userName eq "ada" and ` + badgeURN + `:colour eq "green"`: false,
			} {
				if ids := a.found("/Users", filter); (len(ids) == 1) != hit {
					t.Errorf("%s: got %v", filter, ids)
				}
			}
			a.refuse(400, "invalidValue", "PATCH", "/Users/"+id, replace(badgeURN+":colour", `"blue"`), badgeURN+":colour",
				`"red"`, `"green"`)
			a.refuse(400, "invalidValue", "PATCH", "/Users/"+id, replace(enterpriseURN+":level", `"high"`), "level", "integer")
			a.refuse(400, "invalidFilter", "GET", "/Users?filter="+url.QueryEscape(badgeURN+`:until gt 5`), "")
			a.do("PATCH", "/Users/"+id, patchBody(
				`{"op":"remove","path":"`+badgeURN+`:rooms[value eq \"1\"]"},{"op":"add","path":"`+badgeURN+
					`:rooms","value":["3"]}`))
			if got := a.must(200, "GET", "/Users/"+id, "")[badgeURN].(object); fmt.Sprint(got["rooms"]) != "[2 3]" {
				t.Errorf("rooms %v", got)
			}
			a.do("PATCH", "/Users/"+id, patchBody(`{"op":"remove","path":"`+badgeURN+`"}`))
			got := a.must(200, "GET", "/Users/"+id, "")
			left := fmt.Sprintf("[%s %s]", userURN, enterpriseURN)
			if got[badgeURN] != nil || fmt.Sprint(got["schemas"]) != left {
				t.Errorf("after the removal: %v", got)
			}
		})
	}
}

func TestSchemasAreDiscovered(t *testing.T) {
	a := on(t, memory(t), "entra")
	a.badges(`{"name":"colour","canonicalValues":["red","green"]}`, true)
	a.devices()
	a.mustAdmin(201, "PUT", "/schemas/"+enterpriseURN, `{"attributes":[{"name":"ID"}]}`)
	var urns []string
	for _, s := range a.must(200, "GET", "/Schemas", "")["Resources"].([]any) {
		s := s.(object)
		urns = append(urns, s["id"].(string))
		if one := a.must(200, "GET", "/Schemas/"+s["id"].(string), ""); fmt.Sprint(one) != fmt.Sprint(s) {
			t.Errorf("%s is another alone: %v", s["id"], one)
		}
	}
	for _, urn := range []string{badgeURN, deviceURN, enterpriseURN} {
		if !slices.Contains(urns, urn) {
			t.Errorf("%s is not listed in %v", urn, urns)
		}
	}
	if len(urns) != 8 {
		t.Errorf("listed %v", urns)
	}
	names := fmt.Sprint(a.must(200, "GET", "/Schemas/"+deviceURN, "")["attributes"])
	for _, name := range []string{"name:id", "name:externalId", "name:meta", "name:serial", "uniqueness:server"} {
		if !strings.Contains(names, name) {
			t.Errorf("%s is not in %s", name, names)
		}
	}
	types := a.must(200, "GET", "/ResourceTypes", "")["Resources"].([]any)
	if len(types) != 3 || types[0].(object)["id"] != "User" || types[1].(object)["id"] != "Group" ||
		types[2].(object)["endpoint"] != "/Devices" {
		t.Errorf("types %v", types)
	}
	if got := fmt.Sprint(a.must(200, "GET", "/ResourceTypes/User", "")["schemaExtensions"]); got != fmt.Sprintf(
		"[map[required:false schema:%s] map[required:true schema:%s]]", enterpriseURN, badgeURN) {
		t.Errorf("extensions %s", got)
	}
	a.must(200, "GET", "/ResourceTypes/Device", "")
}

func TestSchemaAdmin(t *testing.T) {
	a := on(t, memory(t), "generic")
	list := func(want int) {
		t.Helper()
		schemas, types := a.mustAdmin(200, "GET", "/schemas", "")["schemas"].([]any),
			a.mustAdmin(200, "GET", "/resource-types", "")["resourceTypes"].([]any)
		if len(schemas) != want || len(types) != want {
			t.Errorf("%d schemas and %d types, want %d", len(schemas), len(types), want)
		}
	}
	list(0)
	a.badges(`{"name":"colour"}`, false)
	list(1)
	got := a.mustAdmin(200, "GET", "/schemas/"+strings.ToUpper(badgeURN), "")
	if again := a.mustAdmin(200, "PUT", "/schemas/"+badgeURN, jsonOf(got)); fmt.Sprint(got) != fmt.Sprint(again) {
		t.Errorf("what was read and written again is %v, was %v", again, got)
	}
	got = a.mustAdmin(200, "GET", "/resource-types/user", "")
	if again := a.mustAdmin(200, "PUT", "/resource-types/User", jsonOf(got)); fmt.Sprint(got) != fmt.Sprint(again) {
		t.Errorf("what was read and written again is %v, was %v", again, got)
	}
	a.mustAdmin(409, "DELETE", "/schemas/"+badgeURN, "", "User")
	a.mustAdmin(400, "PUT", "/schemas/"+badgeURN, `{"id":"urn:other:schema","attributes":[{"name":"a"}]}`, "path")
	a.mustAdmin(400, "PUT", "/schemas/"+badgeURN, `{"attributes":[{"name":"a b"}]}`, "name")
	a.mustAdmin(400, "PUT", "/schemas/"+badgeURN, `{"attributes":`)
	a.mustAdmin(400, "PUT", "/schemas/"+enterpriseURN, `{"attributes":[{"name":"department"}]}`, "department")
	a.mustAdmin(400, "PUT", "/resource-types/Device", `{"endpoint":"/Devices","schema":"urn:x:nothing"}`, "not defined")
	a.mustAdmin(413, "PUT", "/schemas/"+badgeURN, `{"description":"`+strings.Repeat("x", 300<<10)+`"}`)
	for _, path := range []string{"/schemas/urn:x:nothing", "/resource-types/Nothing", "/resource-types/Group"} {
		a.mustAdmin(404, "GET", path, "")
		a.mustAdmin(404, "DELETE", path, "")
	}
	a.mustAdmin(405, "POST", "/schemas", `{}`)
	a.mustAdmin(204, "DELETE", "/resource-types/User", "")
	a.mustAdmin(204, "DELETE", "/schemas/"+badgeURN, "")
	list(0)
	a.refuse(404, "", "GET", "/Devices", "")
}

func jsonOf(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

// Each characteristic of RFC 7643, section 7, in an extension of an operator's own.
func TestCharacteristics(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.badges(`{"name":"number","required":true,"mutability":"immutable"},{"name":"pin","mutability":"writeOnly"},
		{"name":"seen","mutability":"readOnly"},{"name":"note","returned":"request"},{"name":"label","returned":"always"},{"name":"salt","returned":"never"},
		{"name":"desk","type":"complex","subAttributes":[{"name":"floor","mutability":"immutable"},{"name":"room","required":true},{"name":"code","returned":"never"}]}`, true)
	post := func(ext string) string { return body(userURN, `"userName":"ada","`+badgeURN+`":`+ext) }
	a.refuse(400, "invalidValue", "POST", "/Users", body(userURN, `"userName":"ada"`), badgeURN, "required")
	a.refuse(400, "invalidValue", "POST", "/Users", post(`{"pin":"1"}`), badgeURN+":number")
	a.refuse(400, "invalidValue", "POST", "/Users", post(`{"number":"1","desk":{"floor":"2"}}`), "desk.room")
	made := a.must(201, "POST", "/Users",
		post(`{"number":"1","pin":"4711","seen":"x","note":"n","label":"l","salt":"s","desk":{"floor":"2","room":"3",`+
			`"code":"c"}}`))
	id := made["id"].(string)
	shown := func(query, want string) {
		t.Helper()
		if got := fmt.Sprint(a.must(200, "GET", "/Users/"+id+query, "")[badgeURN]); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	const usual = "map[desk:map[floor:2 room:3] label:l number:1]"
	// The answer to a request that named "note" shows it (RFC 7643, section 7, "request").
	if got, want := fmt.Sprint(made[badgeURN]), "map[desk:map[floor:2 room:3] label:l note:n number:1]"; got != want {
		t.Errorf("created %v, want %v", got, want)
	}
	shown("", usual)
	shown("?attributes="+badgeURN+":note,"+badgeURN+":pin,"+badgeURN+":salt", "map[label:l note:n]")
	shown("?attributes=userName", "map[label:l]")
	shown("?excludedAttributes="+badgeURN, "map[label:l]")
	shown("?attributes="+badgeURN+":desk.code,"+badgeURN+":desk.room", "map[desk:map[room:3] label:l]")
	for _, filter := range []string{
		`:pin eq "4711"`, `:salt pr`, `:desk.code sw "c"`, `:desk[code eq "c"]`,
		`:pin ne "1"`,
	} {
		a.refuse(400, "invalidFilter", "GET", "/Users?filter="+url.QueryEscape(badgeURN+filter), "")
	}
	a.refuse(400, "invalidPath", "GET", "/Users?sortBy="+badgeURN+":pin", "")
	a.refuse(400, "mutability", "PATCH", "/Users/"+id, replace(badgeURN+":number", `"2"`), "number")
	a.refuse(400, "mutability", "PATCH", "/Users/"+id, replace(badgeURN+":seen", `"2"`), "seen")
	a.refuse(400, "mutability", "PATCH", "/Users/"+id, replace(badgeURN+":desk.floor", `"9"`), "floor")
	a.refuse(400, "mutability", "PATCH", "/Users/"+id, patchBody(`{"op":"remove","path":"`+badgeURN+`:number"}`), "number")
	a.refuse(400, "mutability", "PATCH", "/Users/"+id, patchBody(`{"op":"remove","path":"`+badgeURN+`"}`), badgeURN)
	a.refuse(400, "mutability", "PUT", "/Users/"+id, post(`{"number":"2"}`), "number")
	a.refuse(400, "mutability", "PUT", "/Users/"+id, post(`{"number":"1","desk":{"floor":"9","room":"3"}}`), "floor")
	a.refuse(400, "invalidValue", "PUT", "/Users/"+id, body(userURN, `"userName":"ada"`), badgeURN)
	before := a.must(200, "GET", "/Users/"+id, "")
	if after := a.must(200, "PUT", "/Users/"+id, jsonOf(before)); fmt.Sprint(after[badgeURN]) != fmt.Sprint(
		before[badgeURN]) {
		t.Errorf("a PUT of what was read made %v of %v", after, before)
	}
	a.must(200, "PUT", "/Users/"+id, post(`{"number":"1","label":"m","desk":{"room":"4"}}`))
	shown("?attributes="+badgeURN+":note,"+badgeURN+":desk,"+badgeURN+":number",
		"map[desk:map[floor:2 room:4] label:m number:1]")
	a.must(200, "PATCH", "/Users/"+id, replace(badgeURN+":pin", `"1"`))
	shown("", "map[desk:map[floor:2 room:4] label:m number:1]")
}

// A PUT of a document as it was read changes nothing, not even the parts of an element of a multi-valued attribute
// that the client can't see.
func TestPutKeepsHiddenPartsOfElements(t *testing.T) {
	a := on(t, memory(t), "generic")
	keys := func(returned string) string {
		return `{"name":"keys","type":"complex","multiValued":true,"subAttributes":[{"name":"value"},{"name":"type"},` +
			`{"name":"code","returned":"` + returned + `"}]},
			{"name":"marks","type":"complex","multiValued":true,"mutability":"immutable","subAttributes":[{"name":"value"},{"name":"code","returned":"never"}]},
			{"name":"seal","type":"complex","mutability":"immutable","subAttributes":[{"name":"value"},{"name":"code","returned":"never"}]}`
	}
	a.badges(keys("never"), false)
	made := a.must(201, "POST", "/Users", body(userURN, `"userName":"ada","`+badgeURN+`":{"keys":[
		{"value":"1","code":"a"},{"value":"2","code":"b"},{"value":"2","type":"x","code":"c"},{"value":"3"},{"value":"4","code":"d"},{"value":"5","code":"e"}],
		"marks":[{"value":"m","code":"x"}],"seal":{"value":"s","code":"y"}}`))
	path := "/Users/" + made["id"].(string)
	version := func() any { return a.must(200, "GET", path, "")["meta"].(map[string]any)["version"] }
	was := version()
	if a.must(200, "PUT", path, jsonOf(made)); version() != was {
		t.Errorf("a PUT of what was read made version %v of %v", version(), was)
	}
	a.must(200, "PUT", path, body(userURN, `"userName":"ada","`+badgeURN+`":{"keys":[
		{"value":"5","code":"new"},{"value":"4","type":"door"},{"value":"2"},{"value":"6"},{"value":"1"}],"marks":[{"value":"m"}],"seal":{"value":"s"}}`))
	a.refuse(400, "mutability", "PUT", path,
		body(userURN, `"userName":"ada","`+badgeURN+`":{"seal":{"value":"s","code":"z"}}`), "seal")
	a.mustAdmin(200, "PUT", "/schemas/"+badgeURN, `{"attributes":[`+keys("default")+`]}`)
	const want = "map[keys:[map[code:new value:5] map[type:door value:4] map[code:b value:2] map[value:6] map[code:a " +
		"value:1]] marks:[map[value:m]] seal:map[value:s]]"
	if got := fmt.Sprint(a.must(200, "GET", path, "")[badgeURN]); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Neither an answer nor a filter tells that there is a value of an attribute that is never returned.
func TestHiddenValuesAreNotTold(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.badges(`{"name":"pin","mutability":"writeOnly"},{"name":"note","returned":"request"},
		{"name":"desk","type":"complex","subAttributes":[{"name":"room"},{"name":"code","returned":"never"}]}`, false)
	create := func(name, ext string) string {
		return a.must(201, "POST", "/Users", body(userURN, `"userName":"`+name+`","`+badgeURN+`":`+ext))["id"].(string)
	}
	hidden := []string{create("ada", `{"pin":"1"}`), create("bob", `{"desk":{"code":"c"}}`)}
	seen := create("cy", `{"note":"n","pin":"1"}`)
	for _, id := range hidden {
		if got := a.must(200, "GET", "/Users/"+id, ""); fmt.Sprint(got["schemas"]) != fmt.Sprint([]string{userURN}) ||
			got[badgeURN] != nil {
			t.Errorf("answered %v", got)
		}
	}
	for _, filter := range []string{`schemas eq "` + badgeURN + `"`, badgeURN + ` pr`, `schemas co "badge"`} {
		if got := a.found("/Users", filter); fmt.Sprint(got) != fmt.Sprint([]string{seen}) {
			t.Errorf("%s finds %v, not %s alone", filter, got, seen)
		}
	}
	// The hidden values are there all the same.
	a.must(200, "PATCH", "/Users/"+hidden[0], replace(badgeURN+":note", `"n"`))
	if got := a.must(200, "GET", "/Users/"+hidden[0], ""); fmt.Sprint(got["schemas"]) != fmt.Sprint(
		[]string{userURN, badgeURN}) {
		t.Errorf("answered %v", got)
	}
}

func TestCustomResourceType(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.devices()
	post := func(rest string) string { return body(deviceURN, rest) }
	a.refuse(400, "invalidValue", "POST", "/Devices", post(`"model":"phone"`), "serial is required")
	a.refuse(400, "invalidValue", "POST", "/Devices", post(`"serial":"x","model":"car"`), `"laptop", "phone"`)
	made := a.must(201, "POST", "/Devices",
		post(`"serial":"S1","externalId":"e1","model":"phone","weight":1.5,"groups":["g"],"owner":{"value":"u1"},`+
			`"parts":[{"value":"p1","type":"cpu","primary":true},{"value":"p2"}]`))
	id, meta := made["id"].(string), made["meta"].(object)
	if meta["resourceType"] != "Device" || meta["location"] != a.base+"/Devices/"+id ||
		fmt.Sprint(made["schemas"]) != "["+deviceURN+"]" {
		t.Errorf("made %v", made)
	}
	if got := a.must(200, "GET", "/devices/"+id, ""); fmt.Sprint(got) != fmt.Sprint(made) {
		t.Errorf("read %v, made %v", got, made)
	}
	for _, path := range []string{"/Users/" + id, "/Groups/" + id, "/Devices/x"} {
		a.refuse(404, "", "GET", path, "")
	}
	other := a.must(201, "POST", "/Devices", post(`"serial":"s1","weight":3`))["id"].(string)
	for filter, want := range map[string][]string{
		`serial eq "S1"`: {id}, `serial eq "s1"`: {other}, `externalId eq "e1"`: {id}, `externalId sw "e"`: {id},
		`id eq "` + other + `"`: {other},
		`weight gt 2`:           {other}, `owner.value eq "U1"`: {id}, `parts[type eq "CPU"].value eq "P1"`: {id},
		`parts.value eq "p2" and weight lt 2`: {id},
		`groups eq "g"`:                       {id}, `groups pr`: {id}, `serial eq "nobody"`: nil,
		deviceURN + `:model eq "Phone" or serial eq "s1"`: {id, other}, `meta.resourceType eq "Device"`: {id, other},
	} {
		slices.Sort(want)
		got := a.found("/Devices", filter)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", filter, got, want)
		}
	}
	a.refuse(400, "invalidFilter", "GET", "/Devices?filter=userName+eq+%22x%22", "")
	patched := a.must(200, "PATCH", "/Devices/"+id,
		patchBody(`{"op":"replace","path":"parts[value eq \"p2\"].type","value":"disk"},{"op":"remove","path":"owner"},`+
			`{"op":"add","value":{"ports":4}}`))
	if patched["owner"] != nil || patched["ports"] != 4.0 ||
		!strings.Contains(fmt.Sprint(patched["parts"]), "map[type:disk value:p2]") {
		t.Errorf("patched %v", patched)
	}
	if v := patched["meta"].(object)["version"]; v != `W/"2"` {
		t.Errorf("version %v", v)
	}
	put := a.must(200, "PUT", "/Devices/"+id, post(`"serial":"S1","weight":9`))
	if put["model"] != nil || put["weight"] != 9.0 {
		t.Errorf("put %v", put)
	}
	a.must(201, "POST", "/Devices", post(`"serial":"S3","parts":[{"value":"p1"}]`))
	page := a.must(200, "GET", "/Devices?sortBy=weight&sortOrder=descending&count=2", "")
	if page["totalResults"] != 3.0 || page["Resources"].([]any)[1].(object)["id"] != id {
		t.Errorf("sorted %v", page)
	}
	a.user("ada")
	if all := a.must(200, "GET", "/?cursor=&count=2", ""); all["totalResults"] != 4.0 || all["nextCursor"] == nil {
		t.Errorf("everything: %v", all)
	}
	search := a.must(200, "POST", "/Devices/.search",
		body("urn:ietf:params:scim:api:messages:2.0:SearchRequest", `"filter":"serial eq \"S3\""`))
	if search["totalResults"] != 1.0 {
		t.Errorf("searched %v", search)
	}
	bulk := a.must(200, "POST", "/Bulk", body("urn:ietf:params:scim:api:messages:2.0:BulkRequest", `"Operations":[
		{"method":"POST","path":"/Devices","bulkId":"1","data":`+post(`"serial":"S4"`)+`},
		{"method":"PATCH","path":"/Devices/`+id+`","data":`+replace("weight", "1")+`},
		{"method":"DELETE","path":"/Devices/`+other+`"}]`))
	if got := fmt.Sprint(bulk["Operations"]); strings.Count(got, "status:20") != 3 {
		t.Errorf("bulk: %s", got)
	}
	a.must(204, "DELETE", "/Devices/"+id, "")
	a.refuse(404, "", "DELETE", "/Devices/"+id, "")
	if page := a.must(200, "GET", "/Devices", ""); page["totalResults"] != 2.0 {
		t.Errorf("left: %v", page)
	}
}

// Values that must be unique, held and given back by every kind of write. One that is never returned can't be unique:
// a 409 would tell that somebody has it.
func TestUniqueness(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.mustAdmin(201, "PUT", "/schemas/"+badgeURN,
		`{"attributes":[{"name":"number","uniqueness":"server"},{"name":"pin","uniqueness":"global"},
		{"name":"cards","multiValued":true,"uniqueness":"server","caseExact":true}]}`)
	a.mustAdmin(400, "PUT", "/schemas/"+badgeURN,
		`{"attributes":[{"name":"pin","uniqueness":"global","returned":"never"}]}`)
	a.mustAdmin(201, "PUT", "/resource-types/User", `{"schemaExtensions":[{"schema":"`+badgeURN+`"}]}`)
	a.mustAdmin(201, "PUT", "/resource-types/Group", `{"schemaExtensions":[{"schema":"`+badgeURN+`"}]}`)
	for endpoint, make := range map[string]func(name, ext string) string{
		"/Users": func(name, ext string) string { return body(userURN, `"userName":"`+name+`","`+badgeURN+`":`+ext) },
		"/Groups": func(name, ext string) string {
			return body("urn:ietf:params:scim:schemas:core:2.0:Group", `"displayName":"`+name+`","`+badgeURN+`":`+ext)
		},
	} {
		one := endpoint + "/" + a.must(
			201, "POST", endpoint, make("one", `{"number":"A1","pin":"secret","cards":["x","y","X"]}`))["id"].(string)
		two := endpoint + "/" + a.must(201, "POST", endpoint, make("two", `{"number":"A2"}`))["id"].(string)
		taken := func(method, path, body string, words ...string) {
			t.Helper()
			a.refuse(409, "uniqueness", method, path, body, words...)
		}
		taken("POST", endpoint, make("three", `{"number":"a1"}`), badgeURN+":number", `"a1"`)
		taken("PUT", two, make("two", `{"number":"a1"}`), "number")
		taken("PATCH", two, replace(badgeURN+":number", `"A1"`), "number")
		taken("PATCH", two, replace(badgeURN+":cards", `["z","y"]`), "cards")
		taken("PATCH", two, patchBody(`{"op":"add","path":"`+badgeURN+`:pin","value":"SECRET"}`), "pin")
		if ids := a.found(endpoint, badgeURN+`:number eq "a1"`); len(ids) != 1 || endpoint+"/"+ids[0] != one {
			t.Errorf("found %v", ids)
		}
		// A change of case, and of nothing, keeps it; another value gives it back; so does removal.
		a.do("PATCH", one, replace(badgeURN+":number", `"a1"`))
		taken("PATCH", two, replace(badgeURN+":number", `"A1"`), "number")
		a.do("PATCH", one, replace(badgeURN+":number", `"A3"`))
		a.must(200, "PUT", two, make("two", `{"number":"A1","cards":["z"]}`))
		taken("PATCH", one, replace(badgeURN+":number", `"A1"`), "number")
		a.do("PATCH", one, patchBody(`{"op":"remove","path":"`+badgeURN+`:cards"}`))
		a.must(200, "PUT", two, make("two", `{"number":"A1","cards":["x","y"]}`))
		a.must(204, "DELETE", one, "")
		a.must(201, "POST", endpoint, make("four", `{"number":"A3","pin":"secret","cards":["z","X"]}`))
	}
	a.refuse(400, "invalidValue", "POST", "/Users",
		body(userURN, `"userName":"many","`+badgeURN+`":{"cards":`+
			jsonOf(strings.Split(strings.Repeat("abcdefghijklmnopqrstuvw", 1), ""))+`}`), "20")
	a.refuse(400, "invalidValue", "POST", "/Users",
		body(userURN, `"userName":"long","`+badgeURN+`":{"number":"`+strings.Repeat("x", 401)+`"}`), "400")
}

// A change of the schemas that the saved policy stands against is refused: else no write would be answered until the
// policy is saved again.
func TestSchemasKeepThePolicy(t *testing.T) {
	a := on(t, memory(t), "generic")
	number := `{"attributes":[{"name":"number"},{"name":"colour"}]}`
	extension := `{"schemaExtensions":[{"schema":"` + badgeURN + `"}]}`
	a.mustAdmin(201, "PUT", "/schemas/"+badgeURN, number)
	a.mustAdmin(201, "PUT", "/resource-types/User", extension)
	a.mustAdmin(200, "PUT", "/policy",
		`{"members":{"attributes":{"badge":{"from":"`+badgeURN+`:number","required":true}}}}`)
	for _, c := range [][3]string{
		{"PUT", "/schemas/" + badgeURN, `{"attributes":[{"name":"colour"}]}`},
		{"PUT", "/resource-types/User", `{"schemaExtensions":[]}`},
		{"DELETE", "/resource-types/User", ""},
	} {
		out := a.mustAdmin(409, c[0], c[1], c[2], "policy")
		faults, _ := out["errors"].([]any)
		if len(faults) != 1 || faults[0].(object)["pointer"] != "/members/attributes/badge/from" {
			t.Errorf("%v: %v", c, out)
		}
		a.must(201, "POST", "/Users", body(userURN, `"userName":"`+c[0]+fmt.Sprint(len(c[2]))+`","`+badgeURN+
			`":{"number":"1"}`))
	}
	a.mustAdmin(200, "PUT", "/schemas/"+badgeURN, `{"attributes":[{"name":"number"},{"name":"colour"},{"name":"x"}]}`)
	a.mustAdmin(200, "PUT", "/policy", `{}`)
	a.mustAdmin(409, "DELETE", "/resource-types/User", "", "stored resources")
}

// A group's unique values are part of a change that is too large for one transaction.
func TestUniquenessOfLargeGroups(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.mustAdmin(201, "PUT", "/schemas/"+badgeURN,
		`{"attributes":[{"name":"cards","multiValued":true,"uniqueness":"server"}]}`)
	a.mustAdmin(201, "PUT", "/resource-types/Group", `{"schemaExtensions":[{"schema":"`+badgeURN+`"}]}`)
	var cards, names []string
	for i := range 20 {
		cards = append(cards, fmt.Sprintf("%q", fmt.Sprintf("card-%d", i)))
	}
	for i := range 300 {
		names = append(names, fmt.Sprintf("nobody-%d", i))
	}
	users := a.users(300)
	large := func(name string, values []string, cards ...string) string {
		return strings.Replace(groupBody(name, values), "{", `{"`+badgeURN+`":{"cards":[`+strings.Join(cards, ",")+`]},`, 1)
	}
	id := a.must(201, "POST", "/Groups", large("large", names, cards...))["id"].(string)
	a.refuse(409, "uniqueness", "POST", "/Groups", large("other", users, `"CARD-7"`))
	a.must(200, "PUT", "/Groups/"+id, large("large", users, `"a"`, `"b"`))
	other := a.must(201, "POST", "/Groups", large("other", users, cards...))["id"].(string)
	a.refuse(409, "uniqueness", "PUT", "/Groups/"+id, large("large", nil, `"card-0"`))
	if got := a.values(id); len(got) != 300 {
		t.Errorf("the refused change left %d members", len(got))
	}
	a.must(204, "DELETE", "/Groups/"+other, "")
	a.must(200, "PUT", "/Groups/"+id, large("large", nil, cards...))
}

// 16 clients want one value: exactly one gets it.
func TestUniquenessRace(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.devices()
	a.badges(`{"name":"number","uniqueness":"server"}`, false)
	ids := make([]string, 16)
	for i := range ids {
		ids[i] = a.user(fmt.Sprintf("racer-%d", i))
	}
	for round := range 3 {
		for name, send := range map[string]func(i int) (int, object){
			"create a device": func(int) (int, object) {
				return a.do("POST", "/Devices", body(deviceURN, fmt.Sprintf(`"serial":"R%d"`, round)))
			},
			"create a user": func(i int) (int, object) {
				return a.do("POST", "/Users", body(userURN, fmt.Sprintf(`"userName":"new-%d-%d","%s":{"number":"N%d"}`, round, i,
					badgeURN, round)))
			},
			"patch users": func(i int) (int, object) {
				return a.do("PATCH", "/Users/"+ids[i], replace(badgeURN+":number", fmt.Sprintf(`"P%d"`, round)))
			},
		} {
			var won, lost atomic.Int64
			var all sync.WaitGroup
			for i := range 16 {
				all.Go(func() {
					switch status, out := send(i); {
					case status < 300:
						won.Add(1)
					case status == 409 && out["scimType"] == "uniqueness":
						lost.Add(1)
					default:
						t.Errorf("%s: %d %v", name, status, out)
					}
				})
			}
			all.Wait()
			if won.Load() != 1 || lost.Load() != 15 {
				t.Errorf("%s: %d won, %d lost", name, won.Load(), lost.Load())
			}
		}
	}
}

// A change that stored data stands against is refused, and changes nothing.
func TestChangesDoNotOrphan(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.devices()
	a.badges(`{"name":"number"},{"name":"colour"}`, false)
	plain := a.user("plain")
	id := a.must(201, "POST", "/Users", body(userURN, `"userName":"ada","`+badgeURN+`":{"number":"1"}`))["id"].(string)
	a.must(201, "POST", "/Users", body(userURN, `"userName":"bob","`+badgeURN+`":{"number":"2"}`))
	device := a.must(201, "POST", "/Devices", body(deviceURN, `"serial":"1"`))["id"].(string)
	schema := func(status int, attributes string, words ...string) {
		t.Helper()
		a.mustAdmin(status, "PUT", "/schemas/"+badgeURN, `{"attributes":[`+attributes+`]}`, words...)
	}
	schema(409, `{"name":"colour"}`, "2 stored resources of type User", badgeURN+":number")
	schema(409, `{"name":"number","type":"integer"},{"name":"colour"}`, "2 stored", "number")
	schema(409, `{"name":"number","multiValued":true},{"name":"colour"}`, "2 stored", "number")
	schema(409, `{"name":"number","uniqueness":"server"},{"name":"colour"}`, "2 stored", "not unique")
	schema(409, `{"name":"number","canonicalValues":["1"]},{"name":"colour"}`, "1 stored", `"1"`)
	schema(409, `{"name":"number"},{"name":"colour","required":true}`, "2 stored", "colour is required")
	a.mustAdmin(409, "PUT", "/resource-types/User", `{"schemaExtensions":[{"schema":"`+badgeURN+`","required":true}]}`,
		"1 stored", plain)
	a.mustAdmin(409, "PUT", "/resource-types/User", `{}`, "2 stored")
	a.mustAdmin(409, "DELETE", "/resource-types/User", "", "2 stored")
	a.mustAdmin(409, "DELETE", "/resource-types/Device", "", "1 stored resources of type Device", device)
	a.mustAdmin(409, "PUT", "/resource-types/Device", `{"endpoint":"/Things","schema":"`+deviceURN+`"}`, device)
	if got := a.must(200, "GET", "/Users/"+id, "")[badgeURN]; fmt.Sprint(got) != "map[number:1]" {
		t.Errorf("after the refusals: %v", got)
	}
	schema(200, `{"name":"number","canonicalValues":["1","2"]},{"name":"size","type":"integer","uniqueness":"server"}`)
	a.must(204, "DELETE", "/Devices/"+device, "")
	a.mustAdmin(204, "DELETE", "/resource-types/Device", "")
	for _, u := range a.found("/Users", badgeURN+` pr`) {
		a.must(200, "PATCH", "/Users/"+u, patchBody(`{"op":"remove","path":"`+badgeURN+`"}`))
	}
	a.mustAdmin(204, "DELETE", "/resource-types/User", "")
	a.mustAdmin(204, "DELETE", "/schemas/"+badgeURN, "")
}

// If a request that was under way when the definitions changed stored undefined attributes, no answer fails, and
// nothing unknown is shown.
func TestOrphansAreTolerated(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.badges(`{"name":"number","uniqueness":"server"},{"name":"colour"}`, false)
	id := a.must(201, "POST", "/Users",
		body(userURN, `"userName":"ada","`+badgeURN+`":{"number":"1","colour":"red"}`))["id"].(string)
	force := func(change func(d define.Definitions) define.Definitions) {
		t.Helper()
		agree := func(context.Context, string, *schema.Types, *schema.Types) error { return nil }
		if _, err := a.s.Tenants().Define(t.Context(), "acme", func(d define.Definitions) (define.Definitions, error) {
			return change(d), nil
		}, agree); err != nil {
			t.Fatal(err)
		}
	}
	parse := func(attributes string) *schema.Schema {
		s, err := define.ParseSchema(object{"id": badgeURN, "attributes": attributesOf(t, attributes)})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	force(func(d define.Definitions) define.Definitions {
		return d.With(parse(`[{"name":"colour","type":"integer"},{"name":"size","required":true}]`))
	})
	if got := a.must(200, "GET", "/Users/"+id, ""); got[badgeURN] != nil ||
		strings.Contains(fmt.Sprint(got["schemas"]), badgeURN) {
		t.Errorf("got %v", got)
	}
	if ids := a.found("/Users", badgeURN+` pr or `+badgeURN+`:colour eq 1`); ids != nil {
		t.Errorf("found %v", ids)
	}
	a.must(200, "PATCH", "/Users/"+id, replace("title", `"x"`))
	a.must(200, "PUT", "/Users/"+id, body(userURN, `"userName":"ada","`+badgeURN+`":{"size":"1"}`))
	a.refuse(400, "invalidValue", "PUT", "/Users/"+id, body(userURN, `"userName":"ada","`+badgeURN+`":{"colour":1}`),
		"size")
	force(func(d define.Definitions) define.Definitions { return d.WithoutType("User") })
	a.must(200, "GET", "/Users/"+id, "")
	a.must(200, "GET", "/Users", "")
	a.must(200, "PATCH", "/Users/"+id, replace("title", `"y"`))
	a.must(204, "DELETE", "/Users/"+id, "")
	force(func(d define.Definitions) define.Definitions {
		return d.With(parse(`[{"name":"number","uniqueness":"server"}]`)).WithType(define.TypeDefinition{
			ID: "User", Name: "User", Extensions: []define.ExtensionDefinition{{Schema: badgeURN}},
		})
	})
	a.must(201, "POST", "/Users", body(userURN, `"userName":"ada","`+badgeURN+`":{"number":"1"}`))
}

func attributesOf(t *testing.T, text string) []any {
	t.Helper()
	var list []any
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// Definitions come and go while clients write: nobody meets a fault of the server, and a refused request leaves the
// data whole.
func TestDefinitionsUnderWrites(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.badges(`{"name":"number","uniqueness":"server"},{"name":"colour"}`, false)
	ids := a.users(4)
	var all sync.WaitGroup
	for i, id := range ids {
		all.Go(func() {
			for n := range 25 {
				value := fmt.Sprintf(`{"number":"%d-%d","colour":"red"}`, i, n)
				for _, call := range []func() (int, object){
					func() (int, object) { return a.do("PATCH", "/Users/"+id, replace(badgeURN, value)) },
					func() (int, object) {
						return a.do("GET", "/Users?filter="+url.QueryEscape(badgeURN+`:colour eq "red"`), "")
					},
					func() (int, object) {
						return a.do("PUT", "/Users/"+id, body(userURN, fmt.Sprintf(`"userName":"user-%04d"`, i)))
					},
				} {
					if status, out := call(); status >= 500 || status == 409 {
						t.Errorf("%d %v", status, out)
					}
				}
			}
		})
	}
	all.Go(func() {
		for range 10 {
			for _, attributes := range []string{
				`{"name":"number","uniqueness":"server"}`, `{"name":"number"},{"name":"colour"}`,
				`{"name":"number","uniqueness":"server"},{"name":"colour"}`,
			} {
				if status, out := a.admin("PUT", "/schemas/"+badgeURN, `{"attributes":[`+attributes+`]}`); status != 200 &&
					status != 409 {
					t.Errorf("%d %v", status, out)
				}
			}
		}
	})
	all.Wait()
	a.mustAdmin(200, "PUT", "/schemas/"+badgeURN, `{"attributes":[{"name":"number"},{"name":"colour"},{"name":"size"}]}`)
	for _, id := range ids {
		a.must(200, "GET", "/Users/"+id, "")
		a.must(204, "DELETE", "/Users/"+id, "")
	}
	a.mustAdmin(204, "DELETE", "/resource-types/User", "")
}

// One tenant's definitions concern no other, cost nothing if there are none, and little if there are some.
func TestSchemasOfOneTenant(t *testing.T) {
	engine := memory(t)
	s := local.New(costly(), engine, io.NopCloser(nil))
	open := func(id string) *api {
		_, token, err := s.Tenants().Create(t.Context(), tenant.NewTenant{ID: id, Name: id, IdP: "generic"})
		if err != nil {
			t.Fatal(err)
		}
		return &api{t: t, s: s, h: s.Handler(), base: "http://scim.example.com/scim/v2/" + id, token: token.Value}
	}
	a, other := open("acme"), open("other")
	cost := func(a *api) string {
		r := httptest.NewRequest("GET", a.base+"/Users", nil)
		r.Header.Set("Authorization", "Bearer "+a.token)
		w := httptest.NewRecorder()
		a.h.ServeHTTP(w, r)
		return w.Header().Get("Scim-Cost")
	}
	cost(other) // which notes the first use of the token
	plain := cost(other)
	a.devices()
	cost(a)
	if got := cost(a); got != plain || plain == "" {
		t.Errorf("with definitions a request costs %q, without %q", got, plain)
	}
	a.must(201, "POST", "/Devices", body(deviceURN, `"serial":"1"`))
	other.refuse(404, "", "GET", "/Devices", "")
	other.refuse(404, "", "GET", "/Schemas/"+deviceURN, "")
	if types := other.must(200, "GET", "/ResourceTypes", ""); types["totalResults"] != 2.0 {
		t.Errorf("types of the other tenant: %v", types)
	}
	// Another process reads the definitions once.
	again := a.again(engine)
	again.must(200, "GET", "/Devices", "")
	if status, out := a.admin("DELETE", "", ""); status != 202 {
		t.Fatalf("%d %v", status, out)
	}
	if err := s.Close(); err != nil { // which ends the work in the background
		t.Fatal(err)
	}
	if err := a.again(engine).s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	keys := store.KeysOf("acme")
	for _, pk := range append(keys.Partitions(), keys.Tenant().PK, keys.Other("Device", "").PK) {
		page, err := engine.Query(t.Context(), store.Query{PK: pk})
		if err != nil || page.Count != 0 {
			t.Errorf("%s holds %d items, %v", pk, page.Count, err)
		}
	}
}

// A process that dies anywhere in a change leaves the definitions before or after it, and a store that fails at random
// no value twice.
func TestDefinitionsSurviveFaults(t *testing.T) {
	inner := memory(t)
	engine := faultstore.New(inner, nil)
	a := on(t, engine, "generic")
	a.devices()
	died := 0
	for n := range 12 {
		engine.KillAfter(n)
		attribute := fmt.Sprintf("serial-%d", n)
		r := httptest.NewRequest("PUT", "http://localhost/admin/v1/tenants/acme/schemas/"+badgeURN,
			strings.NewReader(`{"attributes":[{"name":"`+attribute+`"}]}`))
		r.RemoteAddr = "127.0.0.1:4711"
		w := httptest.NewRecorder()
		a.h.ServeHTTP(w, r)
		if engine.Killed() {
			died++
		}
		engine.Revive()
		b := a.again(engine)
		listed, _ := b.do("GET", "/Schemas/"+badgeURN, "")
		status, stored := b.admin("GET", "/schemas/"+badgeURN, "")
		if listed != status || status != 200 && (status != 404 || n > 0 && w.Code < 300) {
			t.Errorf("killed after %d calls: /Schemas %d, the admin API %d", n, listed, status)
		}
		if w.Code < 300 && !strings.Contains(fmt.Sprint(stored), attribute) {
			t.Errorf("killed after %d calls: the change is acknowledged and lost: %v", n, stored)
		}
	}
	if died == 0 {
		t.Error("nothing died")
	}
	engine.SetPlan(faultstore.Random(7, 0.2))
	serials := map[string]int{}
	for i := range 40 {
		status, out := a.do("POST", "/Devices", body(deviceURN, fmt.Sprintf(`"serial":"S%d"`, i%10)))
		switch {
		case status == 201:
			serials[out["serial"].(string)]++
		case status != 409:
			t.Errorf("%d %v", status, out)
		}
	}
	for serial, n := range serials {
		if n != 1 {
			t.Errorf("%d devices have the serial %s", n, serial)
		}
	}
	engine.SetPlan(nil)
	for _, d := range a.all("/Devices") {
		a.must(204, "DELETE", "/Devices/"+d["id"].(string), "")
	}
	for i := range 10 {
		a.must(201, "POST", "/Devices", body(deviceURN, fmt.Sprintf(`"serial":"S%d"`, i)))
	}
}
