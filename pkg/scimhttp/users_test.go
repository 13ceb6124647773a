package scimhttp_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

const users = "http://" + host + "/scim/v2/acme/Users/"

// wantResource checks the headers of an answer with one resource: Location, Content-Location and ETag, equal to
// meta.
func (r *response) wantResource(status int) *response {
	r.t.Helper()
	r.want(status)
	location := r.header.Get("Location")
	if location == "" || location != r.text("meta", "location") || !strings.HasSuffix(location, "/"+r.text("id")) {
		r.t.Errorf("%s: Location %q, meta %v", r.what, location, r.at("meta"))
	}
	r.wantHeader("Content-Location", location).wantHeader("ETag", r.text("meta", "version")).
		wantHeader("Content-Type", scim.MediaType)
	if !strings.HasPrefix(r.text("meta", "version"), `W/"`) {
		r.t.Errorf("%s: version %q", r.what, r.text("meta", "version"))
	}
	return r
}

// patchOf is a PATCH message of operations, each JSON.
func patchOf(operations ...string) string {
	return `{"schemas":["` + scim.PatchOpURN + `"],"Operations":[` + strings.Join(operations, ",") + `]}`
}

func TestCreateUser(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	// "POST /Users with only userName -> 201; body is the full resource"; "client id, meta ignored".
	r := s.as(
		a, "POST", "/Users", `{"USERNAME":"Zoë","id":"mine","meta":{"version":"9"},"password":"s3cret","nothing":1}`).
		wantResource(201)
	if r.text("userName") != "Zoë" || r.text("schemas", 0) != scim.UserURN || r.text("id") == "mine" ||
		r.at("active") != true {
		t.Errorf("body %s", r.raw)
	}
	if strings.Contains(r.raw, "s3cret") || strings.Contains(r.raw, "nothing") {
		t.Errorf("body %s", r.raw)
	}
	if r.text("meta", "resourceType") != "User" || r.text("meta", "created") != "2026-11-22T08:00:00.000Z" ||
		r.text("meta", "created") != r.text("meta", "lastModified") {
		t.Errorf("meta %v", r.at("meta"))
	}
	if !strings.HasPrefix(r.text("meta", "location"), users) {
		t.Errorf("location %q", r.text("meta", "location"))
	}
	// "userName missing / empty string -> 400 invalidValue".
	for _, body := range []string{
		`{}`, `{"userName":""}`, `{"userName":null}`, `{"userName":"x","active":"maybe"}`,
		`{"userName":true}`,
	} {
		s.as(a, "POST", "/Users", body).wantError(400, scim.InvalidValue)
	}
	// "Duplicate userName (also different case) -> 409 uniqueness + detail".
	s.as(a, "POST", "/Users", `{"userName":"ZOË"}`).wantError(409, scim.Uniqueness)
	// "Re-create of a deleted userName -> 201 with new id".
	id := r.text("id")
	s.as(a, "DELETE", "/Users/"+id, "").want(204).wantHeader("Content-Type", "")
	s.as(a, "DELETE", "/Users/"+id, "").wantError(404, scim.NoType)
	s.as(a, "GET", "/Users/"+id, "").wantError(404, scim.NoType)
	if again := s.as(a, "POST", "/Users", `{"userName":"zoë"}`).wantResource(201); again.text("id") == id {
		t.Error("the id is used again")
	}
}

func TestUnicodeRoundTrips(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	for i, name := range []string{"Zoë Müller", "李小龍", "🧑‍🚀", `a"b\c/d<e>&f`, "\u2028\u0001"} {
		for _, contentType := range []string{"application/json", "application/scim+json"} {
			body := string(scim.AppendJSON(nil, scim.Object{
				"userName": fmt.Sprint(i, contentType), "displayName": name,
			}))
			r := s.as(a, "POST", "/Users", body, "Content-Type", contentType).wantResource(201)
			if got := s.as(a, "GET", "/Users/"+r.text("id"), "").wantResource(200).text("displayName"); got != name {
				t.Errorf("%s: %q came back as %q", contentType, name, got)
			}
		}
	}
}

func TestGetUserConditionally(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	made := s.as(a, "POST", "/Users", `{"userName":"a"}`).wantResource(201)
	path, etag := "/Users/"+made.text("id"), made.header.Get("ETag")
	// "If-None-Match match or * -> 304; mismatch -> 200".
	for _, match := range []string{etag, "*", `"x", ` + etag, strings.TrimPrefix(etag, "W/"), `W/"a,b",` + etag} {
		r := s.as(a, "GET", path, "", "If-None-Match", match).want(304).wantHeader("ETag", etag).
			wantHeader("Content-Type", "")
		if r.raw != "" {
			t.Errorf("%s: body %q", match, r.raw)
		}
	}
	s.as(a, "GET", path, "", "If-None-Match", `"x"`, "If-None-Match", etag).want(304)
	for _, match := range []string{`W/"99"`, `"x"`, `W/"a,` + etag} {
		s.as(a, "GET", path, "", "If-None-Match", match).wantResource(200)
	}
	// "HEAD behaves as GET", without a body.
	head := s.as(a, "HEAD", path, "").want(200).wantHeader("ETag", etag).wantHeader("Content-Type", scim.MediaType)
	if head.raw != "" {
		t.Errorf("HEAD: body %q", head.raw)
	}
	// "Stale If-Match -> 412; current -> success (PUT, PATCH, DELETE)".
	change := patchOf(`{"op":"replace","path":"displayName","value":"x"}`)
	s.as(a, "PUT", path, `{"userName":"a"}`, "If-Match", `W/"99"`).wantError(412, scim.NoType)
	s.as(a, "PATCH", path, change, "If-Match", `W/"99"`).wantError(412, scim.NoType)
	s.as(a, "DELETE", path, "", "If-Match", `W/"98", W/"99"`).wantError(412, scim.NoType)
	changed := s.as(a, "PATCH", path, change, "If-Match", `W/"99"`, "If-Match", etag).wantResource(200)
	if changed.header.Get("ETag") == etag {
		t.Error("the version is the same after a change")
	}
	s.as(a, "PATCH", path, change, "If-Match", etag).wantError(412, scim.NoType)
	s.as(a, "PUT", path, `{"userName":"a"}`, "If-Match", "*").wantResource(200)
	s.as(a, "DELETE", path, "", "If-Match", "*").want(204)
}

func TestReplaceUser(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	made := s.as(a, "POST", "/Users", `{"userName":"a","nickName":"n","active":false}`).wantResource(201)
	path := "/Users/" + made.text("id")
	// "replaces: omitted readWrite cleared; readOnly ignored"; "PUT without active keeps it".
	r := s.as(a, "PUT", path, `{"userName":"b","id":"other","groups":[],"meta":{}}`).wantResource(200)
	if r.at("nickName") != nil || r.at("active") != false || r.text("userName") != "b" ||
		r.text("id") != made.text("id") {
		t.Errorf("body %s", r.raw)
	}
	s.as(a, "PUT", path, `{"nickName":"n"}`).wantError(400, scim.InvalidValue)
	s.as(a, "PUT", "/Users/3f1c0e5a-9c3e-4b0e-8f43-0e4d5b1f8a11", `{"userName":"c"}`).wantError(404, scim.NoType)
	s.as(a, "POST", "/Users", `{"userName":"c"}`).wantResource(201)
	s.as(a, "PUT", path, `{"userName":"C"}`).wantError(409, scim.Uniqueness)
}

// PATCH of users: "200 and the full body; 204 by settings.scim.patchBody: none; with attributes or excludedAttributes
// always 200".
func TestPatchUserAnswers(t *testing.T) {
	s := newServer(t, nil)
	for _, c := range []struct {
		account account
		query   string
		status  int
	}{
		{s.tenant("acme", "", tenant.Settings{}), "", 200},
		{s.tenant("entra", "entra", tenant.Settings{}), "", 200},
		{s.tenant("quiet", "", tenant.Settings{SCIM: tenant.SCIMSettings{PatchBody: tenant.PatchBodyNone}}), "", 204},
		{
			s.tenant("quiet2", "", tenant.Settings{SCIM: tenant.SCIMSettings{PatchBody: tenant.PatchBodyNone}}),
			"?attributes=userName", 200,
		},
		{
			s.tenant("quiet3", "", tenant.Settings{SCIM: tenant.SCIMSettings{PatchBody: tenant.PatchBodyNone}}),
			"?excludedAttributes=name", 200,
		},
	} {
		made := s.as(c.account, "POST", "/Users", `{"userName":"a"}`).wantResource(201)
		r := s.as(c.account, "PATCH", "/Users/"+made.text("id")+c.query,
			patchOf(`{"op":"Replace","path":"nickName","value":"n"}`)).want(c.status)
		if r.header.Get("Location") != made.header.Get("Location") || r.header.Get("ETag") == "" ||
			r.header.Get("ETag") == made.header.Get("ETag") {
			t.Errorf("%s%s: Location %q, ETag %q", c.account.id, c.query, r.header.Get("Location"),
				r.header.Get("ETag"))
		}
		if (r.raw == "") != (c.status == 204) || c.query == "" && c.status == 200 && r.text("nickName") != "n" {
			t.Errorf("%s%s: body %q", c.account.id, c.query, r.raw)
		}
	}
}

func TestPatchErrors(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	made := s.as(a, "POST", "/Users", `{"userName":"a","displayName":"d"}`).wantResource(201)
	path := "/Users/" + made.text("id")
	for body, scimType := range map[string]scim.ErrorType{
		`{"Operations":[{"op":"add","path":"title","value":"x"}]}`: scim.InvalidSyntax,
		patchOf():                                                                       scim.InvalidSyntax,
		patchOf(`{"op":"move","path":"title"}`):                                         scim.InvalidSyntax,
		patchOf(`{"op":"remove"}`):                                                      scim.NoTarget,
		patchOf(`{"op":"replace","path":"id","value":"x"}`):                             scim.Mutability,
		patchOf(`{"op":"remove","path":"userName"}`):                                    scim.Mutability,
		patchOf(`{"op":"replace","path":"nothing","value":"x"}`):                        scim.InvalidPath,
		patchOf(`{"op":"replace","path":"emails[","value":"x"}`):                        "",
		patchOf(`{"op":"replace","path":"emails[type eq \"work\"].value","value":"x"}`): scim.NoTarget,
		patchOf(`{"op":"replace","path":"title","value":"y"}`,
			`{"op":"replace","path":"active","value":"maybe"}`): scim.InvalidValue,
	} {
		r := s.as(a, "PATCH", path, body).want(400)
		if scimType != "" {
			r.wantError(400, scimType)
		}
	}
	// "Atomic: on any failing op nothing is stored".
	if r := s.as(a, "GET", path, ""); r.header.Get("ETag") != made.header.Get("ETag") || r.at("title") != nil {
		t.Errorf("something was stored: %s", r.raw)
	}
	s.as(a, "PATCH", "/Users/0", patchOf(`{"op":"add","path":"title","value":"x"}`)).wantError(404, scim.NoType)
}

// "attributes= : id + schemas + requested only; ... list, single, and responses of PUT/PATCH/POST".
func TestProjection(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	body := `{"userName":"a","displayName":"d","title":"t","emails":[{"type":"work","value":"w@x.org"}]}`
	made := s.as(a, "POST", "/Users?attributes=DISPLAYNAME", body).want(201)
	path := "/Users/" + made.text("id")
	if made.header.Get("Location") != users+made.text("id") {
		t.Errorf("Location %q", made.header.Get("Location"))
	}
	for _, r := range []map[string]any{
		made.body,
		s.as(a, "GET", path+"?attributes=displayName", "").want(200).body,
		s.as(a, "PUT", path+"?attributes=displayName,", body).want(200).body,
		s.as(a, "PATCH", path+"?attributes=displayName", patchOf(`{"op":"add","path":"title","value":"u"}`)).want(200).body,
		s.as(a, "GET", "/Users?attributes=displayName", "").want(200).body["Resources"].([]any)[0].(map[string]any),
	} {
		if len(r) != 3 || r["displayName"] != "d" || r["id"] == nil || r["schemas"] == nil {
			t.Errorf("got %v", r)
		}
	}
	r := s.as(a, "GET", path+"?excludedattributes=displayName,id,schemas&attributes=", "").want(200)
	if r.at("displayName") != nil || r.text("userName") != "a" || r.text("id") == "" || r.text("schemas", 0) == "" {
		t.Errorf("got %s", r.raw)
	}
	s.as(a, "GET", path+`?attributes=emails%5Btype+eq+%22work%22%5D`, "").want(200)
	s.as(a, "GET", path+`?attributes=urn:ietf:params:scim:schemas:core:2.0:User:name.givenName`, "").want(200)
}

// "ids with other than URL-safe characters" lead to no resource, and never to another one.
func TestStrangeIDsFindNothing(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	id := s.as(a, "POST", "/Users", `{"userName":"a"}`).wantResource(201).text("id")
	for _, suffix := range []string{
		"%23b", "%25", "%3Fb=c", "%20", "%00", "%0a", ".", "%2e%2e", "%2Fx", "%5c", "%FF",
		";v=1", "%25%32%33", "*",
	} {
		for method, body := range map[string]string{
			"GET": "", "DELETE": "", "PUT": `{"userName":"b"}`,
			"PATCH": patchOf(`{"op":"replace","path":"userName","value":"b"}`),
		} {
			s.as(a, method, "/Users/"+id+suffix, body).wantError(404, scim.NoType)
		}
	}
	if r := s.as(a, "GET", "/Users/"+id, "").wantResource(200); r.text("userName") != "a" {
		t.Errorf("the user was changed: %s", r.raw)
	}
}
