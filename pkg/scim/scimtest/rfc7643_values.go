package scimtest

import (
	"crypto/rand"
	"net/http"
	"strings"
)

// tag returns an unused name, for tenants that hold other resources than the test's.
func tag() string { return "rq-" + strings.ToLower(rand.Text()[:10]) }

var rfc7643Values = []behaviour{
	{"a certificate is base64, with or without padding", func(tenant func(string) *client) {
		c := tenant("rfc")
		for _, value := range []string{"MIIBAQ==", "MIIBAQ", "MIIB"} {
			id := c.create(`"userName":"` + tag() + `","x509Certificates":[{"value":"` + value + `"}]`)
			got := c.get("/Users/" + id).want(http.StatusOK)
			if strings.TrimRight(got.str("x509Certificates[0].value"), "=") != strings.TrimRight(value, "=") {
				got.fail("want %s", value)
			}
		}
		c.post("/Users", user(`"userName":"`+tag()+`","x509Certificates":[{"value":"no base64!"}]`)).
			refused(http.StatusBadRequest, "invalidValue")
	}},
	{"one value under two types", func(tenant func(string) *client) {
		c := tenant("rfc")
		id := c.create(`"userName":"` + tag() +
			`","emails":[{"value":"a@example.com","type":"work"},{"value":"a@example.com","type":"home"}]`)
		c.get("/Users/"+id).want(http.StatusOK).has("emails", map[string]any{"$len": 2}).
			has("emails[?type=work].value", "a@example.com").has("emails[?type=home].value", "a@example.com")
	}},
	{"a value that does not say so is not primary", func(tenant func(string) *client) {
		c := tenant("rfc")
		name := tag()
		c.create(`"userName":"` + name + `","emails":[{"value":"a@example.com","type":"work"}]`)
		mine := `userName eq "` + name + `" and `
		c.filter("/Users", mine+`emails[type eq "work" and primary eq false]`).lists("userName", name)
		c.filter("/Users", mine+`emails[primary eq true]`).lists("userName")
	}},
	{"the server sets no externalId", func(tenant func(string) *client) {
		c := tenant("rfc")
		c.get("/Users/" + c.create(`"userName":"`+tag()+`"`)).want(http.StatusOK).lacks("externalId")
		c.get("/Groups/" + c.createGroup(`"displayName":"`+tag()+`"`)).want(http.StatusOK).lacks("externalId")
		name := tag()
		id := c.create(`"userName":"` + name + `","externalId":"` + name + `-X"`)
		c.get("/Users/"+id).want(http.StatusOK).has("externalId", name+"-X")
		c.filter("/Users", `externalId eq "`+name+`-X"`).lists("id", id)
		c.filter("/Users", `externalId eq "`+name+`-x"`).lists("id")
	}},
	{"ids are stable, and one for every resource", func(tenant func(string) *client) {
		c := tenant("rfc")
		name := tag()
		id := c.create(`"userName":"` + name + `"`)
		gid := c.createGroup(`"displayName":"` + name + `"`)
		if id == gid {
			c.t.Errorf("a user and a group have the id %s", id)
		}
		c.patch("/Users/"+id, `{"op":"replace","path":"userName","value":"`+name+`-2"}`).
			want(http.StatusOK, http.StatusNoContent)
		c.put("/Users/"+id, user(`"userName":"`+name+`-3"`)).want(http.StatusOK).has("id", id)
		c.filter("/Users", `userName eq "`+name+`-3"`).lists("id", id)
		c.delete("/Users/" + id).want(http.StatusNoContent)
		if again := c.create(`"userName":"` + name + `-3"`); again == id {
			c.t.Errorf("the id %s was given again", id)
		}
	}},
	{"a name comes back as it was sent, whole or in parts", func(tenant func(string) *client) {
		c := tenant("rfc")
		for _, name := range []string{
			`{"formatted":"Ms. Ann B Lee, III"}`,
			`{"familyName":"Lee","givenName":"Ann","middleName":"B","honorificPrefix":"Ms.","honorificSuffix":"III"}`,
			`{"formatted":"Ann Lee","familyName":"Lee","givenName":"Ann"}`,
		} {
			id := c.create(`"userName":"` + tag() + `","name":` + name + `,"displayName":"ann","nickName":"Annie"`)
			c.get("/Users/"+id).want(http.StatusOK).holds("name", name).has("displayName", "ann").
				has("nickName", "Annie")
		}
	}},
	{"each part of an address is optional, and may have lines", func(tenant func(string) *client) {
		c := tenant("rfc")
		for _, part := range []string{"formatted", "streetAddress", "locality", "region", "postalCode", "country"} {
			id := c.create(`"userName":"` + tag() + `","addresses":[{"` + part + `":"US"}]`)
			c.get("/Users/"+id).want(http.StatusOK).has("addresses[0]."+part, "US")
		}
		id := c.create(`"userName":"` + tag() +
			`","addresses":[{"formatted":"1 Main Street\nTown","streetAddress":"House\r\n1"}]`)
		c.get("/Users/"+id).want(http.StatusOK).has("addresses[0].formatted", "1 Main Street\nTown").
			has("addresses[0].streetAddress", "House\r\n1")
	}},
	{"a locale may be written with an underscore, a type may be new", func(tenant func(string) *client) {
		c := tenant("rfc")
		id := c.create(`"userName":"` + tag() +
			`","locale":"en_US","ims":[{"value":"a","type":"matrix"}],"phoneNumbers":[{"value":"1","type":"satellite"}],` +
			`"emails":[{"value":"a@example.com","type":"club"}],"photos":[{"value":"https://example.com/a.png",` +
			`"type":"photo"},{"value":"https://example.com/b.png","type":"thumbnail"}]`)
		c.get("/Users/"+id).want(http.StatusOK).has("locale", "en_US").has("ims[0].type", "matrix").
			has("phoneNumbers[0].type", "satellite").
			has("emails[0].type", "club").has("photos", map[string]any{"$len": 2})
	}},
	{"a password can't be searched for", func(tenant func(string) *client) {
		c := tenant("rfc")
		name := tag()
		c.create(`"userName":"` + name + `","password":"S3cret-` + name + `"`)
		for _, filter := range []string{`password eq "S3cret-` + name + `"`, `password pr`, `password sw "S"`} {
			c.get("/Users", params("filter", filter)).refused(http.StatusBadRequest, "invalidFilter")
		}
	}},
	{"a manager has value and $ref", func(tenant func(string) *client) {
		c := tenant("rfc")
		boss := c.create(`"userName":"` + tag() + `"`)
		id := c.create(`"userName":"` + tag() + `","` + enterpriseURN + `":{"manager":{"value":"` + boss +
			`","displayName":"ignored"}}`)
		a := c.get("/Users/"+id).want(http.StatusOK).has("['"+enterpriseURN+"'].manager.value", boss)
		if ref := a.str("['" + enterpriseURN + "'].manager.$ref"); !strings.HasSuffix(ref, "/Users/"+boss) {
			a.fail("$ref is %q", ref)
		}
		if a.str("['"+enterpriseURN+"'].manager.displayName") == "ignored" {
			a.fail("a read-only value was taken")
		}
	}},
	{"groups of a user have the group's id and address", func(tenant func(string) *client) {
		c := tenant("rfc")
		id := c.create(`"userName":"` + tag() + `"`)
		gid := c.createGroup(`"displayName":"` + tag() + `","members":[{"value":"` + id + `"}]`)
		a := c.get("/Users/"+id).want(http.StatusOK).has("groups[0].value", gid).has("groups[0].type", "direct")
		if ref := a.str("groups[0].$ref"); !strings.HasSuffix(ref, "/Groups/"+gid) {
			a.fail("$ref is %q", ref)
		}
	}},
	{"a member without value is refused", func(tenant func(string) *client) {
		c := tenant("rfc")
		c.post("/Groups", group(`"displayName":"`+tag()+`","members":[{"type":"User"}]`)).
			refused(http.StatusBadRequest, "invalidValue")
	}},
}
