package scimtest

import (
	"net/http"
	"strings"
	"testing"
)

// RunIsolation checks that a token of tenant a sees, changes and detects nothing of tenant b: it walks every route with
// every kind of id. Both tenants must be empty and of profile generic.
func RunIsolation(t *testing.T, a, b Target) {
	t.Helper()
	ours := &client{t: t, target: a, idp: "generic"}
	theirs := &client{t: t, target: b, idp: "generic"}
	const secret = "their-secret"
	uid := theirs.create(`"userName":"` + secret + `","externalId":"` + secret + `-e","displayName":"` + secret +
		`","emails":[{"value":"` + secret + `@example.com"}]`)
	gid := theirs.createGroup(`"displayName":"` + secret + `-g","externalId":"` + secret + `-ge","members":` +
		members(uid))
	mine := ours.create(`"userName":"ann"`)
	routes := everyRoute(uid, gid)

	t.Run("a foreign token is a bad token", func(t *testing.T) {
		c := &client{t: t, target: b, idp: "generic"}
		bad := c.get("/Users", header("Authorization", "Bearer "+b.badToken())).refused(http.StatusUnauthorized, "")
		for _, r := range append(routes, everyRoute(mine, "none")...) {
			got := c.do(r.Method, r.Path, string(r.Body), query(r.Query), header("Authorization", "Bearer "+a.Token)).
				refused(http.StatusUnauthorized, "")
			if string(got.Body) != string(bad.Body) ||
				got.Header.Get("WWW-Authenticate") != bad.Header.Get("WWW-Authenticate") {
				got.fail("differs from the answer to a bad token: %s", clip(bad.Body))
			}
		}
	})
	t.Run("a foreign id is an unknown id", func(t *testing.T) {
		c := &client{t: t, target: a, idp: "generic"}
		for _, r := range routes {
			if r.NoBody { // a route without an id of theirs
				continue
			}
			got := c.do(r.Method, r.Path, string(r.Body), query(r.Query)).refused(http.StatusNotFound, "")
			own := c.do(r.Method, unknownID(r.Path, uid, gid), string(r.Body), query(r.Query)).
				refused(http.StatusNotFound, "")
			if len(got.Body)-len(uid) > len(own.Body) {
				got.fail("says more than about an id that nobody has: %s", clip(own.Body))
			}
		}
	})
	t.Run("filters and lists show nothing foreign", func(t *testing.T) {
		c := &client{t: t, target: a, idp: "generic"}
		c.get("/Users").lists("id", mine)
		c.get("/Groups").lists("id")
		for _, filter := range []string{
			`userName eq "` + secret + `"`, `externalId eq "` + secret + `-e"`, `emails.value eq "` + secret + `@example.com"`,
			`id eq ` + quote(uid),
			`displayName sw "their"`, `userName co "secret"`, `groups.value eq ` + quote(gid), `not (userName eq "ann")`,
		} {
			c.filter("/Users", filter).lists("id")
		}
		for _, filter := range []string{
			`displayName eq "` + secret + `-g"`, `externalId eq "` + secret + `-ge"`,
			`members.value eq ` + quote(uid), `id eq ` + quote(gid), `displayName pr`,
		} {
			c.filter("/Groups", filter).lists("id")
		}
		// Names are free even if another tenant uses them.
		again := c.create(`"userName":"` + secret + `","externalId":"` + secret + `-e"`)
		c.filter("/Users", `userName eq "`+secret+`"`).lists("id", again)
		c.delete("/Users/" + again).want(http.StatusNoContent)
	})
	t.Run("a reference to a foreign id names nobody", func(t *testing.T) {
		c := &client{t: t, target: a, idp: "generic"}
		path := "/Groups/" + c.createGroup(`"displayName":"ours","members":`+members(uid, gid))
		c.get(path).want(http.StatusOK).hasValues("members", uid, gid).
			lacks("members[?value="+uid+"].type", "members[?value="+uid+"].$ref",
				"members[?value="+gid+"].type", "members[?value="+gid+"].$ref", "members[?value="+uid+"].display")
		c.patch("/Users/"+mine, `{"op":"add","path":"`+enterpriseURN+`:manager","value":{"value":"`+uid+`"}}`).
			want(http.StatusOK).
			has(manager+".value", uid).lacks(manager+".$ref", manager+".displayName")
	})
	t.Run("memberships are nobody else's", func(t *testing.T) {
		c, other := &client{t: t, target: a, idp: "generic"}, &client{t: t, target: b, idp: "generic"}
		c.configure(`{"scim":{"groupMemberships":true}}`)
		other.configure(`{"scim":{"groupMemberships":true}}`)
		group := c.createGroup(`"displayName":"with memberships"`)
		path := c.joined(group, mine)
		theirs := "/GroupMemberships/" + other.filter("/GroupMemberships", `group.value eq `+quote(gid)).want(http.StatusOK).
			str("Resources[0].id")
		c.get(theirs).refused(http.StatusNotFound, "")
		c.delete(theirs).refused(http.StatusNotFound, "")
		other.get(path).refused(http.StatusNotFound, "")
		c.filter("/GroupMemberships", `group.value eq `+quote(gid)).lists("id")
		c.filter("/GroupMemberships", `member.value eq `+quote(uid)+` and group.value eq `+quote(gid)).lists("id")
		c.filter("/GroupMemberships", `id eq `+quote(strings.TrimPrefix(theirs, "/GroupMemberships/"))).lists("id")
		c.post("/GroupMemberships", membership(gid, mine)).refused(http.StatusBadRequest, "invalidValue")
		c.post("/GroupMemberships", membership(group, uid)).refused(http.StatusBadRequest, "invalidValue")
		cursor := other.get("/GroupMemberships", params("count", "0", "cursor", "")).want(http.StatusOK)
		cursor.has("totalResults", 1)
		c.delete(path).want(http.StatusNoContent)
		c.delete("/Groups/" + group).want(http.StatusNoContent)
	})
	t.Run("nothing of theirs has changed", func(t *testing.T) {
		c := &client{t: t, target: b, idp: "generic"}
		c.get("/Users").lists("id", uid)
		c.get("/Groups").lists("id", gid)
		c.get("/Users/"+uid).want(http.StatusOK).has("userName", secret).hasValues("groups", gid).has("active", true).
			lacks("title")
		c.get("/Groups/"+gid).want(http.StatusOK).has("displayName", secret+"-g").hasValues("members", uid)
	})
}

// everyRoute lists a request of every method to every route. NoBody marks those that carry no id.
func everyRoute(uid, gid string) []request {
	var routes []request
	add := func(method, path, rawQuery, body string, hasID bool) {
		routes = append(routes, request{
			Method: method, Path: path, Query: rawQuery, Body: []byte(body), NoBody: !hasID,
		})
	}
	for _, at := range []struct{ path, body string }{
		{"/Users/" + uid, user(`"userName":"stolen"`)},
		{"/Groups/" + gid, group(`"displayName":"stolen"`)},
		{"/Users/" + gid, user(`"userName":"stolen"`)},
		{"/Groups/" + uid, group(`"displayName":"stolen"`)},
	} {
		add(http.MethodGet, at.path, "", "", true)
		add(http.MethodGet, at.path, "attributes=id", "", true)
		add(http.MethodPut, at.path, "", at.body, true)
		add(http.MethodPatch, at.path, "", patchOp(`{"op":"add","path":"externalId","value":"stolen"}`), true)
		add(http.MethodDelete, at.path, "", "", true)
	}
	for _, path := range []string{
		"/Users", "/Groups", "/Schemas", "/ResourceTypes", "/ServiceProviderConfig",
		"/Schemas/" + userURN, "/ResourceTypes/User", "/Me", "/Nonsense",
	} {
		add(http.MethodGet, path, "", "", false)
	}
	add(http.MethodGet, "/Users", "filter=userName+pr", "", false)
	add(http.MethodPost, "/Users", "", user(`"userName":"stolen"`), false)
	add(http.MethodPost, "/Groups", "", group(`"displayName":"stolen","members":`+members(uid)), false)
	return routes
}

// unknownID replaces the id in a path by one that does not exist.
func unknownID(path, uid, gid string) string {
	switch path {
	case "/Users/" + uid, "/Users/" + gid:
		return "/Users/nobody-has-this-id"
	case "/Groups/" + uid, "/Groups/" + gid:
		return "/Groups/nobody-has-this-id"
	}
	return path
}
