package scimtest

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// people creates three users whose attributes differ in every way that a filter may ask for, and returns their ids.
func (c *client) people() (alice, bob, carol string) {
	c.t.Helper()
	alice = c.create(`"userName":"alice","externalId":"Ext-A","title":"Engineer","name":{"givenName":"Alice",` +
		`"familyName":"Ng"},` +
		`"emails":[{"value":"alice@example.com","type":"work","primary":true},{"value":"alice@home.example","type":"home"}],` +
		`"` + enterpriseURN + `":{"department":"Sales","employeeNumber":"100"}`)
	bob = c.create(`"userName":"bob","nickName":"Bobby","title":"Manager","active":false,` +
		`"emails":[{"value":"bob@example.org","type":"work"}],` +
		`"` + enterpriseURN + `":{"department":"Support","manager":{"value":"` + alice + `"}}`)
	carol = c.create(`"userName":"carol","externalId":"ext-a","name":{"familyName":"Nguyen"},` +
		`"x509Certificates":[{"value":"aGVsbG8="}]`)
	return alice, bob, carol
}

// expect maps a filter to the userNames that it finds.
type expect map[string][]string

func (c *client) finds(cases expect) {
	c.t.Helper()
	for filter, want := range cases {
		c.filter("/Users", filter).lists("userName", want...)
	}
}

var filterBehaviours = []behaviour{
	{"47 operators", func(tenant func(string) *client) {
		c := tenant("generic")
		c.people()
		all := []string{"alice", "bob", "carol"}
		c.finds(expect{
			`userName eq "alice"`:                    {"alice"},
			`userName ne "alice"`:                    {"bob", "carol"},
			`userName co "o"`:                        {"bob", "carol"},
			`userName sw "a"`:                        {"alice"},
			`userName ew "l"`:                        {"carol"},
			`userName pr`:                            all,
			`title pr`:                               {"alice", "bob"},
			`userName gt "alice"`:                    {"bob", "carol"},
			`userName ge "alice"`:                    all,
			`userName lt "bob"`:                      {"alice"},
			`userName le "bob"`:                      {"alice", "bob"},
			`active eq true`:                         {"alice", "carol"},
			`active eq false`:                        {"bob"},
			`active ne true`:                         {"bob"},
			`not (userName eq "alice")`:              {"bob", "carol"},
			`not(title pr)`:                          {"carol"},
			`title pr and active eq true`:            {"alice"},
			`userName eq "alice" or nickName pr`:     {"alice", "bob"},
			`((userName eq "alice"))`:                {"alice"},
			`not (title pr and active eq true)`:      {"bob", "carol"},
			`not (title pr) or not (active eq true)`: {"bob", "carol"},
			// and binds before or
			`userName eq "alice" or userName eq "bob" and active eq false`:    {"alice", "bob"},
			`(userName eq "alice" or userName eq "bob") and active eq false`:  {"bob"},
			`userName eq "carol" and active eq false or userName eq "alice"`:  {"alice"},
			`active eq true and userName eq "alice" or userName eq "carol"`:   {"alice", "carol"},
			`userName sw "b" or userName sw "c" or userName eq "none"`:        {"bob", "carol"},
			`userName gt "alice" and userName lt "carol" and title eq "none"`: {},
		})
	}},
	{"47 operators and names in any case", func(tenant func(string) *client) {
		c := tenant("generic")
		c.people()
		c.finds(expect{
			`userName EQ "alice"`: {"alice"},
			`USERNAME Eq "alice"`: {"alice"},
			`username Sw "a"`:     {"alice"},
			`title PR`:            {"alice", "bob"},
			`NOT (title pr)`:      {"carol"},
			`userName eq "bob" OR userName eq "alice"`:     {"alice", "bob"},
			`userName Eq "bob" And Active Eq False`:        {"bob"},
			`NAME.FAMILYNAME Co "ng"`:                      {"alice", "carol"},
			`EMAILS[TYPE Eq "home"]`:                       {"alice"},
			`active eq "True"`:                             {"alice", "carol"},
			`active eq "false"`:                            {"bob"},
			`emails[primary eq "True" and type eq "work"]`: {"alice"},
		})
	}},
	{"48 case of values", func(tenant func(string) *client) {
		c := tenant("generic")
		alice, _, _ := c.people()
		c.finds(expect{
			`userName eq "ALICE"`:      {"alice"},
			`userName sw "AL"`:         {"alice"},
			`title eq "engineer"`:      {"alice"},
			`externalId eq "Ext-A"`:    {"alice"},
			`externalId eq "ext-a"`:    {"carol"},
			`externalId eq "EXT-A"`:    {},
			`externalId sw "Ext"`:      {"alice"},
			`id eq ` + quote(alice):    {"alice"},
			`id eq "none"`:             {},
			`id ne ` + quote(alice):    {"bob", "carol"},
			`name.familyName eq "NG"`:  {"alice"},
			`emails co "HOME.EXAMPLE"`: {"alice"},
		})
		if upper := strings.ToUpper(alice); upper != alice {
			c.finds(expect{`id eq ` + quote(upper): {}})
		}
	}},
	{"49 sub-attributes and value paths", func(tenant func(string) *client) {
		c := tenant("generic")
		alice, bob, _ := c.people()
		c.finds(expect{
			`name.familyName eq "Ng"`:              {"alice"},
			`name.familyName sw "Ng"`:              {"alice", "carol"},
			`name pr`:                              {"alice", "carol"},
			`emails pr`:                            {"alice", "bob"},
			`emails.value eq "alice@home.example"`: {"alice"},
			`emails eq "bob@example.org"`:          {"bob"},
			`emails.type eq "work"`:                {"alice", "bob"},
			`emails[type eq "work"]`:               {"alice", "bob"},
			`emails[type eq "work" and value eq "alice@example.com"]`:                {"alice"},
			`emails[type eq "work" and value eq "alice@home.example"]`:               {},
			`emails[type eq "home" or value sw "bob"]`:                               {"alice", "bob"},
			`emails[not (type eq "work")]`:                                           {"alice"},
			`emails[type eq "work"].value eq "bob@example.org"`:                      {"bob"},
			`emails[type eq "home"].value eq "bob@example.org"`:                      {},
			`emails[type eq "work"].value eq "alice@example.com" and active eq true`: {"alice"},
			`schemas eq "` + enterpriseURN + `"`:                                     {"alice", "bob"},
			`schemas eq "` + userURN + `"`:                                           {"alice", "bob", "carol"},
			`meta.resourceType eq "User"`:                                            {"alice", "bob", "carol"},
			enterpriseURN + `:manager.value eq ` + quote(alice):                      {"bob"},
		})
		gid := c.createGroup(`"displayName":"g","members":[{"value":"` + alice + `"}]`)
		c.createGroup(`"displayName":"h","members":[{"value":"` + bob + `"}]`)
		c.filter("/Groups", `members.value eq `+quote(alice)).lists("id", gid)
		c.filter("/Groups", `members[value eq `+quote(alice)+`]`).lists("id", gid)
		c.filter("/Groups", `members eq `+quote(alice)).lists("id", gid)
		c.filter("/Groups", `members.value eq `+quote(alice)+` and displayName eq "h"`).lists("id")
		c.filter("/Groups", `members.value eq "none"`).lists("id")
		c.filter("/Groups", `id eq `+quote(gid)+` and members.value eq `+quote(alice)).lists("id", gid)
		c.filter("/Users", `groups.value eq `+quote(gid)).lists("userName", "alice")
	}},
	{"50 URN-prefixed attributes", func(tenant func(string) *client) {
		c := tenant("generic")
		alice, _, _ := c.people()
		c.finds(expect{
			userURN + `:userName eq "alice"`:                          {"alice"},
			userURN + `:name.familyName eq "ng"`:                      {"alice"},
			userURN + `:emails[type eq "home"]`:                       {"alice"},
			enterpriseURN + `:department eq "Sales"`:                  {"alice"},
			enterpriseURN + `:department sw "s"`:                      {"alice", "bob"},
			strings.ToUpper(enterpriseURN) + `:DEPARTMENT eq "sales"`: {"alice"},
			enterpriseURN + `:manager.value eq ` + quote(alice):       {"bob"},
			enterpriseURN + `:employeeNumber pr and active eq true`:   {"alice"},
		})
	}},
	{"51 times", func(tenant func(string) *client) {
		c := tenant("generic")
		id := c.create(`"userName":"ann"`)
		created := c.get("/Users/" + id).want(http.StatusOK).str("meta.created")
		at, err := time.Parse(time.RFC3339Nano, created)
		if err != nil {
			c.t.Fatal(err)
		}
		shifted := at.In(time.FixedZone("", 2*60*60+30*60)).Format("2006-01-02T15:04:05.0000000Z07:00")
		sevenDigits := at.UTC().Format("2006-01-02T15:04:05.0000000Z")
		later := at.Add(time.Second).UTC().Format(time.RFC3339)
		c.finds(expect{
			`meta.created eq ` + quote(created):                        {"ann"},
			`meta.created eq ` + quote(sevenDigits):                    {"ann"},
			`meta.created eq ` + quote(shifted):                        {"ann"},
			`meta.created ge ` + quote(shifted):                        {"ann"},
			`meta.created gt ` + quote(shifted):                        {},
			`meta.created gt "2000-01-01T00:00:00.0000000Z"`:           {"ann"},
			`meta.created lt "2000-01-01T00:00:00+14:00"`:              {},
			`meta.lastModified le ` + quote(later):                     {"ann"},
			`meta.lastModified lt "2999-12-31T23:59:59.9999999-05:00"`: {"ann"},
			`meta.lastModified gt ` + quote(later):                     {},
			`active eq true and (meta.lastModified ge "2000-01-01T00:00:00Z" and meta.lastModified le "2999-01-01T00:00:00Z")`: {
				"ann",
			},
		})
		c.get("/Users", params("filter", `meta.created gt "yesterday"`)).refused(http.StatusBadRequest, "invalidFilter")
	}},
	{"52 no order on booleans and binaries", func(tenant func(string) *client) {
		c := tenant("generic")
		c.people()
		for _, operator := range []string{"gt", "ge", "lt", "le"} {
			c.get("/Users", params("filter", `active `+operator+` true`)).refused(http.StatusBadRequest, "invalidFilter")
			c.get("/Users", params("filter", `emails.primary `+operator+` true`)).refused(http.StatusBadRequest, "invalidFilter")
			c.get("/Users", params("filter", `x509Certificates.value `+operator+` "aGVs"`)).
				refused(http.StatusBadRequest, "invalidFilter")
		}
	}},
	{"53 syntax errors", func(tenant func(string) *client) {
		c := tenant("generic")
		c.people()
		for _, filter := range []string{
			`userName`, `userName eq`, `userName zz "x"`, `eq "x"`, `userName eq "x`, `userName eq 'x'`, `(userName eq "x"`,
			`userName eq "x")`,
			`userName eq "x" and`, `and userName eq "x"`, `userName eq "x" userName eq "y"`, `not userName eq "x"`,
			`emails[type eq "work"`,
			`emails[]`, `userName eq "x" xor title pr`, `userName pr "x"`, `"userName" eq "x"`, `userName == "x"`, `()`, `[`,
			`"`, `userName eq "\q"`,
			`userName.x.y eq "a"`, `userName eq [1]`, `userName eq {"a":1}`,
		} {
			c.get("/Users", params("filter", filter)).refused(http.StatusBadRequest, "invalidFilter")
			c.get("/Groups", params("filter", strings.ReplaceAll(filter, "userName", "displayName"))).
				refused(http.StatusBadRequest, "invalidFilter")
		}
		c.get("/Users", params("filter", `userName eq 12`)).is(http.StatusBadRequest, http.StatusOK)
		c.get("/Users", params("filter", `userName eq null`)).is(http.StatusBadRequest, http.StatusOK)
	}},
	{"54 an unknown attribute never drops the condition", func(tenant func(string) *client) {
		c := tenant("generic")
		c.people()
		for _, filter := range []string{
			`favouriteColour eq "red"`, `userName eq "alice" and favouriteColour eq "red"`, `name.shoeSize eq "44"`,
			`emails[colour eq "red"]`,
			`urn:example:unknown:1.0:User:x eq "y"`, `favouriteColour pr`,
		} {
			a := c.get("/Users", params("filter", filter))
			if a.is(http.StatusOK, http.StatusBadRequest) && a.Status == http.StatusOK {
				a.has("totalResults", 0)
			}
		}
	}},
	{"55 no match is an empty list", func(tenant func(string) *client) {
		c := tenant("generic")
		c.people()
		for _, filter := range []string{
			`userName eq "none"`, `externalId eq "none"`, `emails.value eq "none"`,
			`displayName co "none"`, `id eq "none"`,
		} {
			c.filter("/Users", filter).has("totalResults", 0).has("startIndex", 1).has("itemsPerPage", 0).
				holds("Resources", "[]")
		}
		c.filter("/Groups", `displayName eq "none"`).has("totalResults", 0).holds("Resources", "[]")
	}},
	{"57 totalResults counts all", func(tenant func(string) *client) {
		c := tenant("generic")
		c.many(12)
		c.createGroup(`"displayName":"g"`)
		c.get("/Users", params("count", "5")).want(http.StatusOK).has("totalResults", 12).has("itemsPerPage", 5)
		c.get("/Users", params("count", "5", "filter", `userName sw "u00"`)).want(http.StatusOK).has("totalResults", 10).
			has("itemsPerPage", 5)
		c.get("/Groups").want(http.StatusOK).has("totalResults", 1)
	}},
	{"a filter in the query as identity providers write it", func(tenant func(string) *client) {
		c := tenant("generic")
		id := c.create(`"userName":"a+b c@example.com"`)
		c.get("/Users", query("filter=userName+eq+%22a%2Bb+c%40example.com%22")).lists("id", id)
		c.get("/Users", query("filter=userName%20eq%20%22a%2Bb%20c%40example.com%22&startIndex=1&count=100")).
			lists("id", id)
		c.get("/Users", query("aadOptscim062020&filter="+url.QueryEscape(`userName eq "a+b c@example.com"`))).lists("id", id)
	}},
}
