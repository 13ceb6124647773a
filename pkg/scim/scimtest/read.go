package scimtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// many creates n users u000, u001, ... and returns their ids in that order.
func (c *client) many(n int) []string {
	c.t.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = c.create(fmt.Sprintf(`"userName":"u%03d"`, i))
	}
	return ids
}

var readBehaviours = []behaviour{
	{"36 GET by id", func(tenant func(string) *client) {
		c := tenant("generic")
		id := c.create(`"userName":"ann"`)
		// Location, Content-Location and ETag are compared with meta by the client itself.
		c.get("/Users/"+id).want(http.StatusOK).has("id", id).has("userName", "ann").has("meta.location", exists).
			has("meta.version", exists)
		gid := c.createGroup(`"displayName":"g"`)
		c.get("/Groups/"+gid).want(http.StatusOK).has("id", gid).has("displayName", "g").has("meta.location", exists)
		c.get("/Users/none").refused(http.StatusNotFound, "")
		c.get("/Users/"+gid).refused(http.StatusNotFound, "")
		c.get("/Groups/"+id).refused(http.StatusNotFound, "")
		c.delete("/Users/" + id).want(http.StatusNoContent)
		c.get("/Users/"+id).refused(http.StatusNotFound, "")
	}},
	{"37 If-None-Match", func(tenant func(string) *client) {
		c := tenant("generic")
		path := "/Users/" + c.create(`"userName":"ann"`)
		etag := c.etag(path)
		for _, value := range []string{etag, "*", strings.TrimPrefix(etag, "W/"), `W/"other", ` + etag} {
			a := c.get(path, header("If-None-Match", value)).want(http.StatusNotModified)
			if len(a.Body) > 0 || a.Header.Get("ETag") != etag {
				a.fail("a 304 has no body and the same ETag, got %q", a.Header.Get("ETag"))
			}
		}
		c.get(path, header("If-None-Match", `W/"other"`)).want(http.StatusOK).has("userName", "ann")
		c.patch(path, `{"op":"add","path":"title","value":"t"}`).want(http.StatusOK)
		c.get(path, header("If-None-Match", etag)).want(http.StatusOK).has("title", "t")
		gpath := "/Groups/" + c.createGroup(`"displayName":"g"`)
		c.get(gpath, header("If-None-Match", c.etag(gpath))).want(http.StatusNotModified)
	}},
	{"38 lists", func(tenant func(string) *client) {
		c := tenant("generic")
		c.get("/Users").want(http.StatusOK).has("schemas", []string{listURN}).has("totalResults", 0).
			has("startIndex", 1).
			has("itemsPerPage", 0).holds("Resources", "[]")
		c.get("/Groups").want(http.StatusOK).has("totalResults", 0).holds("Resources", "[]")
		c.many(3)
		c.get("/Users").want(http.StatusOK).has("itemsPerPage", 3).lists("userName", "u000", "u001", "u002")
	}},
	{"39 startIndex", func(tenant func(string) *client) {
		c := tenant("generic")
		c.many(3)
		for start, want := range map[string]int{"0": 1, "-5": 1, "1": 1, "2": 2, "3": 3} {
			c.get("/Users", params("startIndex", start)).want(http.StatusOK).has("startIndex", want).
				has("totalResults", 3).
				has("itemsPerPage", 4-want)
		}
		for _, start := range []int{4, 5, 1000, 1 << 30} {
			c.get("/Users", params("startIndex", fmt.Sprint(start))).want(http.StatusOK).has("startIndex", start).
				has("totalResults", 3).holds("Resources", "[]")
		}
	}},
	{"40 count", func(tenant func(string) *client) {
		c := tenant("generic")
		c.many(5)
		for count, want := range map[string]int{"0": 0, "-1": 0, "2": 2, "5": 5, "6": 5, "1000": 5, "1000000000": 5} {
			c.get("/Users", params("count", count)).want(http.StatusOK).has("totalResults", 5).has("itemsPerPage", want)
			c.get("/Users", params("count", count, "filter", `userName sw "u"`)).want(http.StatusOK).has("totalResults", 5).
				has("itemsPerPage", want)
		}
		c.get("/Users", params("count", "0", "startIndex", "3")).want(http.StatusOK).has("totalResults", 5).
			has("itemsPerPage", 0)
	}},
	{"41 pages do not overlap", func(tenant func(string) *client) {
		c := tenant("generic")
		ids := c.many(23)
		for _, filter := range []string{"", `userName sw "u"`, `active eq true`, `not (userName eq "none")`} {
			var seen []string
			for start := 1; start <= 23; start += 5 {
				a := c.get("/Users", params("startIndex", fmt.Sprint(start), "count", "5", "filter", filter)).
					want(http.StatusOK).
					has("totalResults", 23)
				if filter == "" {
					a = c.get("/Users", params("startIndex", fmt.Sprint(start), "count", "5")).want(http.StatusOK).
						has("totalResults", 23)
				}
				seen = append(seen, a.column("id")...)
			}
			if !slices.Equal(slices.Sorted(slices.Values(seen)), slices.Sorted(slices.Values(ids))) {
				c.t.Errorf("filter %q: pages hold %d ids, %d are there", filter, len(seen), len(ids))
			}
			jumped := c.get("/Users", params("startIndex", "11", "count", "5")).want(http.StatusOK).column("id")
			if filter == "" && !slices.Equal(jumped, seen[10:15]) {
				c.t.Errorf("a jump to 11 shows %q, the walk showed %q", jumped, seen[10:15])
			}
		}
	}},
	{"43 attributes", func(tenant func(string) *client) {
		c := tenant("generic")
		id := c.create(`"userName":"ann","title":"t","name":{"givenName":"A","familyName":"L"},` +
			`"emails":[{"value":"a@example.com","type":"work"}],"` +
			enterpriseURN + `":{"department":"d","costCenter":"c"}`)
		only := func(a *answer, keys ...string) *answer {
			a.t.Helper()
			got := []string{}
			for key := range a.object() {
				if key != "id" && key != "schemas" && key != "meta" {
					got = append(got, key)
				}
			}
			slices.Sort(got)
			slices.Sort(keys)
			if !slices.Equal(got, keys) {
				a.fail("holds %q, want %q", got, keys)
			}
			return a.has("id", id).has("schemas", map[string]any{"$min_len": 1})
		}
		path := "/Users/" + id
		only(c.get(path, params("attributes", "userName")).want(http.StatusOK), "userName").lacks("meta")
		only(c.get(path, params("attributes", "userName, title")).want(http.StatusOK), "userName", "title")
		only(c.get(path, params("attributes", "name.givenName")).want(http.StatusOK), "name").
			has("name.givenName", "A").
			lacks("name.familyName")
		only(c.get(path, params("attributes", "emails.value")).want(http.StatusOK), "emails").
			has("emails[0].value", "a@example.com").lacks("emails[0].type")
		only(c.get(path, params("attributes", userURN+":userName")).want(http.StatusOK), "userName")
		only(c.get(path, params("attributes", userURN+":name.familyName")).want(http.StatusOK), "name").
			lacks("name.givenName")
		only(c.get(path, params("attributes", enterpriseURN)).want(http.StatusOK), enterpriseURN).
			has("['"+enterpriseURN+"'].department", "d").has("['"+enterpriseURN+"'].costCenter", "c")
		only(c.get(path, params("attributes", enterpriseURN+":department")).want(http.StatusOK), enterpriseURN).
			has("['"+enterpriseURN+"'].department", "d").lacks("['" + enterpriseURN + "'].costCenter")
		only(c.get(path, params("attributes", "id")).want(http.StatusOK))
		only(c.get(path, params("attributes", "meta")).want(http.StatusOK)).has("meta.location", exists)
		only(c.get(path, params("attributes", "nonsense")).want(http.StatusOK))
		only(c.patch(path, `{"op":"replace","path":"title","value":"u"}`, params("attributes", "title")).
			want(http.StatusOK), "title").has("title", "u")
		only(c.put(path, user(`"userName":"ann","title":"v"`), params("attributes", "title")).want(http.StatusOK), "title").
			has("title", "v")
		c.post("/Users", user(`"userName":"bob","title":"t"`), params("attributes", "userName")).want(http.StatusCreated).
			has("userName", "bob").has("id", exists).lacks("title")
		list := c.get("/Users", params("attributes", "userName")).want(http.StatusOK).lists("userName", "ann", "bob")
		list.lacks("Resources[0].title", "Resources[0].active", "Resources[0].meta", "Resources[1].title").
			has("Resources[0].id", exists).has("Resources[0].schemas", exists)
	}},
	{"44 excludedAttributes", func(tenant func(string) *client) {
		c := tenant("generic")
		id := c.create(`"userName":"ann","title":"t","name":{"givenName":"A","familyName":"L"}`)
		path := "/Users/" + id
		c.get(path, params("excludedAttributes", "title,meta")).want(http.StatusOK).lacks("title", "meta").
			has("userName", "ann").has("name.givenName", "A")
		c.get(path, params("excludedAttributes", "name.givenName")).want(http.StatusOK).lacks("name.givenName").
			has("name.familyName", "L")
		c.get(path, params("excludedAttributes", "id,schemas,userName")).want(http.StatusOK).has("id", id).
			has("schemas", []string{userURN})
		c.patch(path, `{"op":"replace","path":"title","value":"u"}`, params("excludedAttributes", "name")).
			want(http.StatusOK).has("title", "u").lacks("name")
		gid := c.createGroup(`"displayName":"g","members":[{"value":"` + id + `"}]`)
		c.get("/Groups", params("excludedAttributes", "members")).want(http.StatusOK).lacks("Resources[0].members").
			has("Resources[0].displayName", "g")
		c.get("/Groups").want(http.StatusOK).has("Resources[0].members[0].value", id)
		c.get("/Groups/"+gid, params("excludedAttributes", "members")).want(http.StatusOK).lacks("members")
		c.get("/Groups/"+gid, params("attributes", "members")).want(http.StatusOK).has("members[0].value", id).
			lacks("displayName")
		c.get("/Groups/"+gid, params("attributes", "displayName")).want(http.StatusOK).has("displayName", "g").
			lacks("members")
	}},
	{"45 a value path in attributes does not fail", func(tenant func(string) *client) {
		c := tenant("generic")
		id := c.create(`"userName":"ann","emails":[{"value":"a@example.com","type":"work"}]`)
		c.get("/Users/"+id, params("attributes", `emails[type eq "work"]`)).want(http.StatusOK).has("id", id)
		c.get("/Users", params("attributes", `emails[type eq "work"].value`)).want(http.StatusOK).has("totalResults", 1)
		c.get("/Users", params("attributes", `,,[`)).is(http.StatusOK, http.StatusBadRequest)
	}},
	{"46 a group look-up without members", func(tenant func(string) *client) {
		c := tenant("entra")
		uid := c.create(`"userName":"ann"`)
		c.createGroup(`"displayName":"Sales","externalId":"e1","members":[{"value":"` + uid + `"}]`)
		c.createGroup(`"displayName":"Support"`)
		for _, filter := range []string{`displayName eq "Sales"`, `displayName eq "SALES"`, `externalId eq "e1"`} {
			c.get("/Groups", params("excludedAttributes", "members", "filter", filter)).want(http.StatusOK).
				lists("displayName", "Sales").
				lacks("Resources[0].members")
		}
		c.get("/Groups", params("excludedAttributes", "members", "filter", `displayName eq "none"`)).lists("displayName")
	}},
}
