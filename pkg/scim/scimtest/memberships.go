package scimtest

import (
	"net/http"
	"strings"
)

const membershipURN = "urn:ietf:params:scim:schemas:core:2.0:GroupMembership"

// membership is the body of a membership.
func membership(gid, uid string) string {
	return `{"schemas":["` + membershipURN + `"],"group":{"value":` + quote(gid) + `},"member":{"value":` + quote(uid) +
		`}}`
}

// joined creates a membership and returns its path.
func (c *client) joined(gid, uid string) string {
	c.t.Helper()
	return "/GroupMemberships/" + c.post("/GroupMemberships", membership(gid, uid)).want(http.StatusCreated).str("id")
}

// membershipBehaviours are those of draft-zollner-scim-group-membership, if the server has it and a setting switches
// it on.
var membershipBehaviours = []behaviour{
	{"there is none before they are switched on", func(tenant func(string) *client) {
		c := tenant("generic")
		c.get("/GroupMemberships").refused(http.StatusNotFound, "")
		c.get("/ResourceTypes/GroupMembership").refused(http.StatusNotFound, "")
		c.configure(`{"scim":{"groupMemberships":true}}`)
		c.get("/GroupMemberships").lists("id")
		c.get("/ResourceTypes/GroupMembership").want(http.StatusOK).has("endpoint", "/GroupMemberships").
			has("schema", membershipURN)
		c.get("/Schemas/"+membershipURN).want(http.StatusOK).has("attributes[?name=group].mutability", "immutable").
			has("attributes[?name=group].required", true).has("attributes[?name=member].mutability", "immutable").
			has("attributes[?name=member].required", true)
	}},
	{"a membership is a member of its group and a group of its member", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "rfc", "entra", "interop"} {
			c := tenant(idp)
			c.configure(`{"scim":{"groupMemberships":true}}`)
			uid := c.create(`"userName":"ann","displayName":"Ann"`)
			gid := c.createGroup(`"displayName":"g"`)
			path := c.joined(gid, uid)
			c.get(path).want(http.StatusOK).has("group.value", gid).has("group.display", "g").has("member.value", uid).
				has("member.type", "User").
				lacks("member.display")
			c.get(path, params("attributes", "member.display")).want(http.StatusOK).
				has("member.display", "Ann").lacks("group")
			c.get("/Groups/"+gid).want(http.StatusOK).hasValues("members", uid)
			c.get("/Users/"+uid).want(http.StatusOK).hasValues("groups", gid)
			c.filter("/GroupMemberships", `group.value eq `+quote(gid)).lists("member.value", uid)
			c.filter("/GroupMemberships", `member.value eq `+quote(uid)).lists("group.value", gid)
			c.post("/GroupMemberships", membership(gid, uid)).refused(http.StatusConflict, "uniqueness")
			c.delete(path).want(http.StatusNoContent)
			c.get(path).refused(http.StatusNotFound, "")
			c.get("/Groups/" + gid).want(http.StatusOK).hasValues("members")
			c.get("/Users/" + uid).want(http.StatusOK).lacks("groups")
		}
	}},
	{"what a PATCH of the group does shows in its memberships", func(tenant func(string) *client) {
		c := tenant("generic")
		c.configure(`{"scim":{"groupMemberships":true}}`)
		uid, other := c.create(`"userName":"ann"`), c.create(`"userName":"bob"`)
		gid := c.createGroup(`"displayName":"g","members":` + members(uid))
		inner := c.createGroup(`"displayName":"inner"`)
		c.patch("/Groups/"+gid, `{"op":"add","path":"members","value":`+members(other, inner)+`}`).changed()
		c.patch("/Groups/"+gid, `{"op":"remove","path":"members[value eq \"`+uid+`\"]"}`).changed()
		c.filter("/GroupMemberships", `group.value eq `+quote(gid)).lists("member.value", other, inner)
		c.filter("/GroupMemberships", `group.value eq `+quote(gid)+` and member.type eq "Group"`).lists("member.value", inner)
		c.patch("/Groups/"+gid, `{"op":"replace","path":"displayName","value":"renamed"}`).changed()
		c.filter("/GroupMemberships", `member.value eq `+quote(other)).lists("group.display", "renamed")
		c.delete("/Users/" + other).want(http.StatusNoContent)
		c.filter("/GroupMemberships", `group.value eq `+quote(gid)).lists("member.value", inner)
		c.delete("/Groups/" + gid).want(http.StatusNoContent)
		c.get("/GroupMemberships").lists("id")
	}},
	{"a membership of what does not exist", func(tenant func(string) *client) {
		c := tenant("generic")
		c.configure(`{"scim":{"groupMemberships":true}}`)
		uid, gid := c.create(`"userName":"ann"`), c.createGroup(`"displayName":"g"`)
		for _, body := range []string{
			membership(gid, "nobody"), membership("nothing", uid), membership(uid, gid), membership("", uid),
			membership(gid, ""),
			`{"schemas":["` + membershipURN + `"],"group":{"value":` + quote(gid) + `}}`,
			`{"schemas":["` + membershipURN + `"]}`,
			`{"schemas":["` + membershipURN + `"],"group":` + quote(gid) + `,"member":7}`,
		} {
			c.post("/GroupMemberships", body).refused(http.StatusBadRequest, "invalidValue")
		}
		c.get("/GroupMemberships").lists("id")
	}},
	{"a membership is created and deleted, never changed", func(tenant func(string) *client) {
		c := tenant("generic")
		c.configure(`{"scim":{"groupMemberships":true}}`)
		uid, gid := c.create(`"userName":"ann"`), c.createGroup(`"displayName":"g"`)
		path := c.joined(gid, uid)
		etag := c.etag(path)
		c.unchanged(path, func() {
			c.put(path, membership(gid, uid)).want(http.StatusMethodNotAllowed)
			c.patch(path, `{"op":"replace","path":"member.value","value":"x"}`).want(http.StatusMethodNotAllowed)
			c.delete(path, header("If-Match", `W/"7"`)).refused(http.StatusPreconditionFailed, "")
		})
		c.get(path, header("If-None-Match", etag)).want(http.StatusNotModified)
		c.delete(path, header("If-Match", etag)).want(http.StatusNoContent)
		c.delete(path, header("If-Match", etag)).refused(http.StatusNotFound, "")
	}},
	{"hostile ids and filters of memberships", func(tenant func(string) *client) {
		c := tenant("entra")
		c.configure(`{"scim":{"groupMemberships":true}}`)
		uid, gid := c.create(`"userName":"ann"`), c.createGroup(`"displayName":"g"`)
		path := c.joined(gid, uid)
		for _, id := range []string{
			"x", gid, uid, "%00", "..%2fUsers", strings.Repeat("A", 3000),
			strings.TrimPrefix(path, "/GroupMemberships/") + "A",
			strings.ToUpper(strings.TrimPrefix(path, "/GroupMemberships/")), strings.Repeat("A", 86), "AAAA",
		} {
			c.get("/GroupMemberships/"+id).refused(http.StatusNotFound, "")
			c.delete("/GroupMemberships/"+id).refused(http.StatusNotFound, "")
		}
		for _, value := range []string{`a\u0001b`, `\u0002`, `\u0000`, strings.Repeat("x", 5000), `T#acme#U`} {
			c.filter("/GroupMemberships", `group.value eq "`+value+`"`).lists("id")
			c.filter("/GroupMemberships", `member.value eq "`+value+`"`).lists("id")
			c.filter("/GroupMemberships", `group.value eq `+quote(gid)+` and member.value eq "`+value+`"`).lists("id")
			c.post("/GroupMemberships", `{"group":{"value":"`+value+`"},"member":{"value":`+quote(uid)+`}}`).
				refused(http.StatusBadRequest, "invalidValue")
			c.post("/GroupMemberships", `{"group":{"value":`+quote(gid)+`},"member":{"value":"`+value+`"}}`).
				refused(http.StatusBadRequest, "invalidValue")
		}
		c.get("/GroupMemberships").lists("member.value", uid)
	}},
}
