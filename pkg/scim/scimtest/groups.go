package scimtest

import (
	"fmt"
	"net/http"
	"strings"
)

// members is a JSON array of member entries.
func members(ids ...string) string {
	entries := make([]string, len(ids))
	for i, id := range ids {
		entries[i] = `{"value":` + quote(id) + `}`
	}
	return "[" + strings.Join(entries, ",") + "]"
}

// changed checks for the two statuses of a PATCH that succeeded.
func (a *answer) changed() {
	a.t.Helper()
	a.want(http.StatusOK, http.StatusNoContent)
}

// agree checks that a group shows exactly the given members, that the filter on members finds it for each, and that
// each of the users shows the group.
func (c *client) agree(gid string, ids ...string) {
	c.t.Helper()
	c.get("/Groups/"+gid).want(http.StatusOK).hasValues("members", ids...)
	for _, id := range ids {
		if c.get("/Users/"+id).Status == http.StatusOK {
			c.get("/Users/"+id).want(http.StatusOK).has("groups[?value="+gid+"].value", gid)
		}
		c.filter("/Groups", `id eq `+quote(gid)+` and members.value eq `+quote(id)).lists("id", gid)
	}
}

var groupBehaviours = []behaviour{
	{"79 create", func(tenant func(string) *client) {
		c := tenant("generic")
		uid := c.create(`"userName":"ann"`)
		empty := c.post("/Groups", group(`"displayName":"empty","externalId":"e"`)).want(http.StatusCreated).
			has("displayName", "empty").has("externalId", "e").has("schemas", []string{groupURN}).id()
		full := c.post("/Groups", group(`"displayName":"full","members":`+members(uid))).want(http.StatusCreated).
			hasValues("members", uid).id()
		outer := c.post("/Groups", group(`"displayName":"outer","members":[{"value":"`+full+`","type":"Group"},{"value":"`+
			uid+`"}]`)).
			want(http.StatusCreated).hasValues("members", full, uid).id()
		c.get("/Groups/"+outer).want(http.StatusOK).has("members[?value="+full+"].type", "Group").
			has("members[?value="+uid+"].type", "User")
		c.agree(full, uid)
		c.agree(empty)
		for _, body := range []string{`"externalId":"x"`, `"displayName":""`, `"displayName":null`} {
			c.post("/Groups", group(body)).refused(http.StatusBadRequest, "invalidValue")
		}
		c.post("/Groups", `{"schemas":["`+groupURN+
			`","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],"displayName":"extra"}`).
			want(http.StatusCreated).has("schemas", []string{groupURN})
		c.get("/Groups").lists("displayName", "empty", "full", "outer", "extra")
	}},
	{"80 what a member shows", func(tenant func(string) *client) {
		c := tenant("generic")
		uid := c.create(`"userName":"ann","displayName":"Ann Lee"`)
		inner := c.createGroup(`"displayName":"inner"`)
		gid := c.createGroup(`"displayName":"g","members":[{"value":"` + uid + `","display":"Ann Lee","$ref":"../Users/` +
			uid + `"},{"value":"` + inner + `"}]`)
		a := c.get("/Groups/" + gid).want(http.StatusOK)
		a.has("members[?value="+uid+"].type", "User").has("members[?value="+inner+"].type", "Group").
			has("members[?value="+uid+"].display", exists)
		for id, kind := range map[string]string{uid: "/Users/", inner: "/Groups/"} {
			ref := a.str("members[?value=" + id + "].$ref")
			if !strings.Contains(ref, kind+id) {
				a.fail("$ref is %q", ref)
				continue
			}
			_, tail, _ := strings.Cut(ref, kind)
			c.get(kind+tail).want(http.StatusOK).has("id", id)
		}
	}},
	{"81 members by PATCH", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "rfc", "entra", "okta"} {
			c := tenant(idp)
			ids := c.many(6)
			gid := c.createGroup(`"displayName":"g"`)
			path := "/Groups/" + gid
			c.patch(path, `{"op":"add","path":"members","value":`+members(ids[0])+`}`).changed()
			c.agree(gid, ids[0])
			c.patch(path, `{"op":"add","path":"members","value":{"value":"`+ids[1]+`"}}`).changed()
			c.patch(path, `{"op":"add","path":"members","value":`+members(ids[1], ids[2], ids[2], ids[3])+`}`).changed()
			c.agree(gid, ids[0], ids[1], ids[2], ids[3])
			c.patch(path, `{"op":"add","value":{"members":`+members(ids[4])+`}}`).changed()
			c.patch(path, `{"op":"remove","path":"members[value eq \"`+ids[0]+`\"]"}`).changed()
			c.agree(gid, ids[1], ids[2], ids[3], ids[4])
			c.get("/Users/"+ids[0]).want(http.StatusOK).has("groups", map[string]any{"$len_or_absent": 0})
			c.patch(path, `{"op":"Remove","path":"members","value":[{"$ref":null,"value":"`+ids[1]+`"},{"value":"`+ids[2]+
				`"}]}`).changed()
			c.agree(gid, ids[3], ids[4])
			c.patch(path, `{"op":"remove","path":"members[value eq \"`+ids[3]+`\" or value eq \"`+ids[4]+
				`\"]"},{"op":"add","path":"members","value":`+members(ids[5])+`}`).changed()
			c.agree(gid, ids[5])
			c.patch(path, `{"op":"add","path":"members","value":`+members(ids[1], ids[2])+`},`+
				`{"op":"remove","path":"members[$ref ew \"/Users/`+ids[2]+`\" or display eq \"nobody\"]"}`).changed()
			c.agree(gid, ids[1], ids[5])
			c.patch(path, `{"op":"remove","path":"members[$ref ew \"/Users/`+ids[1]+`\"]"}`).changed()
			c.agree(gid, ids[5])
			c.patch(path, `{"op":"replace","path":"members","value":`+members(ids[0], ids[1])+`}`).changed()
			c.agree(gid, ids[0], ids[1])
			c.patch(path, `{"op":"add","path":"members","value":`+members(ids[2])+`},{"op":"remove","path":"members","value":`+
				members(ids[2])+`}`).changed()
			c.agree(gid, ids[0], ids[1])
			c.patch(path, `{"op":"remove","path":"members"}`).changed()
			c.agree(gid)
			c.patch(path, `{"op":"replace","value":{"members":`+members(ids[0])+`,"id":"`+gid+`","displayName":"g"}}`).changed()
			c.agree(gid, ids[0])
			c.patch(path, `{"op":"replace","path":"members","value":[]}`).changed()
			c.agree(gid)
			c.get(path).want(http.StatusOK).has("displayName", "g")
		}
	}},
	{"82 members are returned by default", func(tenant func(string) *client) {
		c := tenant("generic")
		uid := c.create(`"userName":"ann"`)
		gid := c.createGroup(`"displayName":"g","members":` + members(uid))
		c.get("/Groups/"+gid).want(http.StatusOK).hasValues("members", uid)
		c.patch("/Groups/"+gid, `{"op":"remove","path":"members"}`).changed()
		c.get("/Groups/"+gid).want(http.StatusOK).holds("members", "[]")
		c.get("/Groups/"+gid, params("attributes", "members")).want(http.StatusOK).holds("members", "[]")
	}},
	{"83 groups of a user follow", func(tenant func(string) *client) {
		c := tenant("generic")
		uid := c.create(`"userName":"ann"`)
		a, b := c.createGroup(`"displayName":"a","members":`+members(uid)), c.createGroup(`"displayName":"b"`)
		c.patch("/Groups/"+b, `{"op":"add","path":"members","value":`+members(uid)+`}`).changed()
		c.get("/Users/"+uid).want(http.StatusOK).hasValues("groups", a, b)
		c.get("/Users", params("filter", `userName eq "ann"`)).want(http.StatusOK).hasValues("Resources[0].groups", a, b)
		c.patch("/Groups/"+a, `{"op":"remove","path":"members[value eq \"`+uid+`\"]"}`).changed()
		c.get("/Users/"+uid).want(http.StatusOK).hasValues("groups", b)
		c.delete("/Groups/" + b).want(http.StatusNoContent)
		c.get("/Users/"+uid).want(http.StatusOK).has("groups", map[string]any{"$len_or_absent": 0})
		c.get("/Users/"+uid, params("attributes", "userName")).want(http.StatusOK).lacks("groups")
	}},
	{"84 deleting a user or a group", func(tenant func(string) *client) {
		c := tenant("generic")
		ids := c.many(3)
		gid := c.createGroup(`"displayName":"g","members":` + members(ids...))
		inner := c.createGroup(`"displayName":"inner","members":` + members(ids[0]))
		outer := c.createGroup(`"displayName":"outer","members":` + members(inner, ids[1]))
		c.delete("/Users/" + ids[0]).want(http.StatusNoContent)
		c.agree(gid, ids[1], ids[2])
		c.agree(inner)
		c.filter("/Groups", `members.value eq `+quote(ids[0])).lists("id")
		c.delete("/Groups/" + inner).want(http.StatusNoContent)
		c.agree(outer, ids[1])
		c.delete("/Groups/" + gid).want(http.StatusNoContent)
		c.get("/Users/"+ids[1]).want(http.StatusOK).hasValues("groups", outer)
		c.get("/Users").lists("id", ids[1], ids[2])
		c.get("/Groups").lists("id", outer)
	}},
	{"85 PUT and rename", func(tenant func(string) *client) {
		c := tenant("okta")
		ids := c.many(3)
		gid := c.createGroup(`"displayName":"g","externalId":"e","members":` + members(ids[0], ids[1]))
		path := "/Groups/" + gid
		c.put(path, group(`"displayName":"g","members":`+members(ids[1], ids[2]))).want(http.StatusOK).
			hasValues("members", ids[1], ids[2]).lacks("externalId")
		c.agree(gid, ids[1], ids[2])
		c.get("/Users/"+ids[0]).want(http.StatusOK).has("groups", map[string]any{"$len_or_absent": 0})
		c.patch(path, `{"op":"replace","value":{"id":"`+gid+`","displayName":"renamed"}}`).changed()
		c.get(path).want(http.StatusOK).has("displayName", "renamed").hasValues("members", ids[1], ids[2])
		c.filter("/Groups", `displayName eq "renamed"`).lists("id", gid)
		c.filter("/Groups", `displayName eq "g"`).lists("id")
		c.get("/Users/"+ids[1]).want(http.StatusOK).has("groups[0].display", "renamed")
		c.put(path, group(`"displayName":"renamed"`)).want(http.StatusOK).has("members", map[string]any{"$len_or_absent": 0})
		c.agree(gid)
	}},
	{"86 groups of any size", func(tenant func(string) *client) {
		c := tenant("okta")
		users := c.many(4)
		all := append([]string{}, users...)
		for i := range 600 {
			all = append(all, fmt.Sprintf("person-%04d", i))
		}
		gid := c.createGroup(`"displayName":"big"`)
		path := "/Groups/" + gid
		for start := 0; start < len(all); start += 256 {
			c.patch(path, `{"op":"add","path":"members","value":`+members(all[start:min(start+256, len(all))]...)+`}`).changed()
		}
		c.get(path).want(http.StatusOK).hasValues("members", all...)
		c.get("/Users/"+users[3]).want(http.StatusOK).hasValues("groups", gid)
		c.patch(path, `{"op":"remove","path":"members","value":`+members(all[2:300]...)+`}`).changed()
		left := append(append([]string{}, all[:2]...), all[300:]...)
		c.get(path).want(http.StatusOK).hasValues("members", left...)
		c.get("/Users/"+users[3]).want(http.StatusOK).has("groups", map[string]any{"$len_or_absent": 0})
		c.put(path, group(`"displayName":"big","members":`+members(all[1:500]...))).want(http.StatusOK).
			hasValues("members", all[1:500]...)
		c.get("/Users/"+users[0]).want(http.StatusOK).has("groups", map[string]any{"$len_or_absent": 0})
		c.get("/Users/"+users[3]).want(http.StatusOK).hasValues("groups", gid)
		c.delete(path).want(http.StatusNoContent)
		c.get("/Users/"+users[3]).want(http.StatusOK).has("groups", map[string]any{"$len_or_absent": 0})
		c.createGroup(`"displayName":"big","members":` + members(all[:300]...))
		c.filter("/Groups", `displayName eq "big"`).has("totalResults", 1).hasValues("Resources[0].members", all[:300]...)
	}},
}
