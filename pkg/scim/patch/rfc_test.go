package patch_test

import (
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// TestRFCExamples applies the examples of RFC 7644, sections 3.5.2.1 to 3.5.2.3.
func TestRFCExamples(t *testing.T) {
	t.Run("user", func(t *testing.T) {
		check(t, schema.UserType(), []row{
			{
				name: "add, no path: emails are appended, nickname in any case", doc: babs, idp: "rfc",
				ops: `[{"op":"add","value":{"emails":[{"value":"babs@jensen.org","type":"other"}],"nickname":"Babs"}}]`,
				want: `{"nickName":"Babs","emails":[{"type":"work","value":"bjensen@example.com","primary":true},
					{"type":"home","value":"babs@example.org"},{"type":"other","value":"babs@jensen.org"}]}`,
			},
			{
				name: "remove a value by a complex filter", doc: babs, idp: "rfc",
				ops:  `[{"op":"remove","path":"emails[type eq \"work\" and value ew \"example.com\"]"}]`,
				want: `{"emails":[{"type":"home","value":"babs@example.org"}]}`,
			},
			{
				name: "replace a value that a filter selects", doc: babs, idp: "rfc",
				ops: `[{"op":"replace","path":"addresses[type eq \"work\"]","value":{"type":"work",
					"streetAddress":"911 Universal City Plaza","locality":"Hollywood","region":"CA","postalCode":"91608","country":"US",
					"formatted":"911 Universal City Plaza\nHollywood, CA 91608 US","primary":true}}]`,
				want: `{"addresses":[{"type":"work","streetAddress":"911 Universal City Plaza","locality":"Hollywood","region":"CA",
					"postalCode":"91608","country":"US","formatted":"911 Universal City Plaza\nHollywood, CA 91608 US","primary":true}]}`,
			},
			{
				name: "replace a sub-attribute of a value that a filter selects", doc: babs, idp: "rfc",
				ops:  `[{"op":"replace","path":"addresses[type eq \"work\"].streetAddress","value":"1010 Broadway Ave"}]`,
				want: `{"addresses":[{"type":"work","streetAddress":"1010 Broadway Ave","region":"CA","country":"US"}]}`,
			},
			{
				name: "replace, no path: emails are replaced", doc: babs, idp: "rfc",
				ops: `[{"op":"replace","value":{"emails":[{"value":"bj@example.com","type":"work","primary":true},
					{"value":"babs@jensen.org","type":"home"}],"nickname":"Babs"}}]`,
				want: `{"nickName":"Babs","emails":[{"value":"bj@example.com","type":"work","primary":true},
					{"value":"babs@jensen.org","type":"home"}]}`,
			},
		})
	})
	t.Run("group", func(t *testing.T) {
		check(t, schema.GroupType(), []row{
			{
				name: "add a member", doc: crew, idp: "rfc",
				ops:     `[{"op":"add","path":"members","value":[{"display":"Babs Jensen","value":"2819c223"}]}]`,
				changes: []string{`add {"display":"Babs Jensen","value":"2819c223"}`},
			},
			{
				name: "remove a member", doc: crew, idp: "rfc",
				ops: `[{"op":"remove","path":"members[value eq \"2819c223\"]"}]`, changes: []string{"remove 2819c223"},
			},
			{
				name: "remove all members", doc: crew, idp: "rfc",
				ops: `[{"op":"remove","path":"members"}]`, changes: []string{"remove all"},
			},
			{
				name: "remove a member and add another", doc: crew, idp: "rfc",
				ops: `[{"op":"remove","path":"members[value eq \"2819c223\"]"},
					{"op":"add","path":"members","value":[{"value":"902c246b"}]}]`,
				changes: []string{"remove 2819c223", `add {"value":"902c246b"}`},
			},
			{
				name: "replace all members", doc: crew, idp: "rfc",
				ops:     `[{"op":"replace","path":"members","value":[{"value":"2819c223"},{"value":"902c246b"}]}]`,
				changes: []string{`replace {"value":"2819c223"} {"value":"902c246b"}`},
			},
		})
	})
}

// TestRules applies the rules of RFC 7644, section 3.5.2, one by one.
func TestRules(t *testing.T) {
	check(t, schema.UserType(), []row{
		// Simple attributes.
		{
			name: "add a simple attribute", doc: ann, ops: `[{"op":"add","path":"nickName","value":"A"}]`,
			want: `{"nickName":"A"}`,
		},
		{
			name: "add replaces a single value", doc: babs, ops: `[{"op":"add","path":"displayName","value":"B"}]`,
			want: `{"displayName":"B"}`,
		},
		{
			name: "replace of an unassigned attribute adds it", doc: ann,
			ops: `[{"op":"replace","path":"title","value":"Boss"}]`, want: `{"title":"Boss"}`,
		},
		{
			name: "remove a simple attribute", doc: babs, ops: `[{"op":"remove","path":"displayName"}]`,
			want: `{"displayName":null}`,
		},
		{name: "remove of an unassigned attribute changes nothing", doc: ann, ops: `[{"op":"remove","path":"displayName"}]`},
		{
			name: "replace with null unassigns", doc: babs, ops: `[{"op":"replace","path":"displayName","value":null}]`,
			want: `{"displayName":null}`,
		},
		{
			name: "replace with an empty string unassigns", doc: babs, ops: `[{"op":"replace","path":"displayName","value":""}]`,
			want: `{"displayName":null}`,
		},
		{
			name: "replace with an empty array unassigns", doc: babs, ops: `[{"op":"replace","path":"emails","value":[]}]`,
			want: `{"emails":null}`,
		},
		{
			name: "null in a value without a path unassigns", doc: babs, ops: `[{"op":"replace","value":{"displayName":null}}]`,
			want: `{"displayName":null}`,
		},
		{
			name: "externalId can be added", doc: ann, ops: `[{"op":"add","path":"externalId","value":"x"}]`,
			want: `{"externalId":"x"}`,
		},
		{
			name: "externalId can be replaced", doc: babs, ops: `[{"op":"replace","path":"externalId","value":"x"}]`,
			want: `{"externalId":"x"}`,
		},
		{
			name: "externalId can be removed", doc: babs, ops: `[{"op":"remove","path":"externalId"}]`,
			want: `{"externalId":null}`,
		},
		{
			name: "password is taken", doc: ann, ops: `[{"op":"replace","path":"password","value":"t1meMa$heen"}]`,
			want: `{"password":"t1meMa$heen"}`,
		},
		{
			name: "attribute names in any case", doc: babs, ops: `[{"op":"replace","path":"NAME.GIVENNAME","value":"B"}]`,
			want: `{"name":{"familyName":"Jensen","givenName":"B"}}`,
		},
		{
			name: "operations apply in order", doc: ann,
			ops: `[{"op":"add","path":"title","value":"a"},{"op":"replace","path":"title","value":"b"}]`, want: `{"title":"b"}`,
		},

		// Required, read-only and unknown attributes.
		{name: "remove of a required attribute", doc: babs, ops: `[{"op":"remove","path":"userName"}]`, err: scim.Mutability},
		{
			name: "a required attribute cannot be unassigned", doc: babs, ops: `[{"op":"replace","path":"userName","value":""}]`,
			err: scim.InvalidValue,
		},
		{name: "nor without a path", doc: babs, ops: `[{"op":"replace","value":{"userName":null}}]`, err: scim.InvalidValue},
		{name: "id is read-only", doc: babs, ops: `[{"op":"replace","path":"id","value":"x"}]`, err: scim.Mutability},
		{
			name: "meta is read-only", doc: babs, ops: `[{"op":"replace","path":"meta.created","value":"2026-01-01T00:00:00Z"}]`,
			err: scim.Mutability,
		},
		{
			name: "groups of a user are read-only", doc: babs, ops: `[{"op":"add","path":"groups","value":[{"value":"g"}]}]`,
			err: scim.Mutability,
		},
		{name: "removing a read-only attribute", doc: babs, ops: `[{"op":"remove","path":"groups"}]`, err: scim.Mutability},
		{
			name: "read-only by its URN", doc: babs,
			ops: `[{"op":"remove","path":"urn:ietf:params:scim:schemas:core:2.0:User:groups"}]`, err: scim.Mutability,
		},
		{name: "a read-only sub-attribute", doc: babs, ops: `[{"op":"replace","path":"` + enterprise +
			`:manager.displayName","value":"x"}]`, err: scim.Mutability},
		{
			name: "read-only attributes in a value without a path are ignored", doc: babs,
			ops: `[{"op":"replace","value":{"id":"x","meta":{"version":"1"},"groups":[{"value":"g"}],"schemas":["x"],` +
				`"title":"T"}}]`, want: `{"title":"T"}`,
		},
		{
			name: "unknown attributes in a value without a path are ignored", doc: babs,
			ops: `[{"op":"replace","value":{"shoeSize":44,"urn:x:y":{"a":1},"a b":1,"":1,"title":"T"}}]`, want: `{"title":"T"}`,
		},
		{name: "an unknown path", doc: babs, ops: `[{"op":"replace","path":"shoeSize","value":44}]`, err: scim.InvalidPath},
		{
			name: "an unknown path in profile rfc", idp: "rfc", doc: babs,
			ops: `[{"op":"replace","path":"name.nick","value":"x"}]`, err: scim.InvalidPath,
		},
		{
			name: "an unknown sub-attribute after a filter", doc: babs,
			ops: `[{"op":"replace","path":"emails[type eq \"work\"].x","value":"x"}]`, err: scim.InvalidPath,
		},
		{
			name: "an unknown sub-attribute in a filter", doc: babs, ops: `[{"op":"remove","path":"emails[x eq \"work\"]"}]`,
			err: scim.InvalidFilter,
		},
		{name: "a broken path", doc: babs, ops: `[{"op":"replace","path":"name..x","value":"x"}]`, err: scim.InvalidPath},
		{
			name: "a broken filter", doc: babs, ops: `[{"op":"replace","path":"emails[type eq].value","value":"x"}]`,
			err: scim.InvalidFilter,
		},
		{
			name: "a filter on a simple attribute", doc: babs,
			ops: `[{"op":"replace","path":"userName[value eq \"x\"]","value":"x"}]`, err: scim.InvalidPath,
		},
		{name: "schemas follows from the data", doc: babs, ops: `[{"op":"add","path":"schemas","value":["urn:x"]}]`},
		{name: "schemas cannot be removed", doc: babs, ops: `[{"op":"remove","path":"schemas"}]`, err: scim.Mutability},

		// Types.
		{
			name: "number for a string", idp: "rfc", doc: babs, ops: `[{"op":"replace","path":"title","value":5}]`,
			err: scim.InvalidValue,
		},
		{
			name: "object for a string", doc: babs, ops: `[{"op":"replace","path":"title","value":{"a":1}}]`,
			err: scim.InvalidValue,
		},
		{
			name: "string for a complex attribute", doc: babs, ops: `[{"op":"replace","path":"name","value":"Babs"}]`,
			err: scim.InvalidValue,
		},
		{
			name: "a word for a boolean", doc: babs, ops: `[{"op":"replace","path":"active","value":"maybe"}]`,
			err: scim.InvalidValue,
		},
		{
			name: "wrong type in a sub-attribute", doc: babs, ops: `[{"op":"add","path":"emails","value":[{"value":{"a":1}}]}]`,
			err: scim.InvalidValue,
		},
		{
			name: "wrong type after a filter", doc: babs,
			ops: `[{"op":"replace","path":"emails[type eq \"work\"].value","value":{"a":1}}]`, err: scim.InvalidValue,
		},
		{
			name: "two values for a single one", doc: babs, ops: `[{"op":"replace","path":"title","value":["a","b"]}]`,
			err: scim.InvalidValue,
		},

		// Complex attributes.
		{
			name: "replace keeps sub-attributes that are not named", doc: babs,
			ops:  `[{"op":"replace","path":"name","value":{"givenName":"B"}}]`,
			want: `{"name":{"familyName":"Jensen","givenName":"B"}}`,
		},
		{
			name: "add keeps sub-attributes that are not named", doc: babs,
			ops:  `[{"op":"add","path":"name","value":{"middleName":"J"}}]`,
			want: `{"name":{"familyName":"Jensen","givenName":"Barbara","middleName":"J"}}`,
		},
		{
			name: "so does a value without a path", doc: babs, ops: `[{"op":"replace","value":{"name":{"givenName":"B"}}}]`,
			want: `{"name":{"familyName":"Jensen","givenName":"B"}}`,
		},
		{
			name: "a null sub-attribute goes", doc: babs, ops: `[{"op":"replace","path":"name","value":{"givenName":null}}]`,
			want: `{"name":{"familyName":"Jensen"}}`,
		},
		{name: "replace with {} names nothing", doc: babs, ops: `[{"op":"replace","path":"name","value":{}}]`},
		{name: "add of {} changes nothing", doc: babs, ops: `[{"op":"add","path":"name","value":{}}]`},
		{
			name: "unknown sub-attributes are ignored", doc: babs,
			ops:  `[{"op":"replace","path":"name","value":{"nick":"B","givenName":"Bab"}}]`,
			want: `{"name":{"familyName":"Jensen","givenName":"Bab"}}`,
		},
		{
			name: "a value of nothing else", doc: babs, ops: `[{"op":"replace","path":"name","value":{"nick":"B"}}]`,
			err: scim.InvalidValue,
		},
		{
			name: "a key of nothing else", doc: babs, ops: `[{"op":"replace","value":{"name":{"nick":"B"}}}]`,
		},
		{
			name: "add a sub-attribute", doc: ann, ops: `[{"op":"add","path":"name.givenName","value":"Ann"}]`,
			want: `{"name":{"givenName":"Ann"}}`,
		},
		{
			name: "remove a sub-attribute", doc: babs, ops: `[{"op":"remove","path":"name.givenName"}]`,
			want: `{"name":{"familyName":"Jensen"}}`,
		},
		{
			name: "removing the last sub-attribute unassigns", doc: babs,
			ops: `[{"op":"remove","path":"name.givenName"},{"op":"remove","path":"name.familyName"}]`, want: `{"name":null}`,
		},
		{name: "remove a complex attribute", doc: babs, ops: `[{"op":"remove","path":"name"}]`, want: `{"name":null}`},

		// Multi-valued attributes.
		{
			name: "add appends", doc: babs, ops: `[{"op":"add","path":"emails","value":[{"value":"x@example.com"}]}]`,
			want: `{"emails":[{"type":"work","value":"bjensen@example.com","primary":true},{"type":"home",` +
				`"value":"babs@example.org"},{"value":"x@example.com"}]}`,
		},
		{
			name: "add of a single object appends", doc: ann,
			ops:  `[{"op":"add","path":"emails","value":{"value":"x@example.com"}}]`,
			want: `{"emails":[{"value":"x@example.com"}]}`,
		},
		{
			name: "add of a value that is there changes nothing", doc: babs,
			ops: `[{"op":"add","path":"emails","value":[{"type":"home","value":"babs@example.org"}]}]`,
		},
		{
			name: "add of a type and value that are there changes the rest", doc: babs,
			ops: `[{"op":"add","path":"emails","value":[{"type":"home","value":"babs@example.org","display":"Babs"}]}]`,
			want: `{"emails":[{"type":"work","value":"bjensen@example.com","primary":true},{"type":"home",` +
				`"value":"babs@example.org","display":"Babs"}]}`,
		},
		{
			name: "add of equal values at once adds one", doc: ann,
			ops:  `[{"op":"add","path":"emails","value":[{"value":"a@example.com"},{"value":"a@example.com"}]}]`,
			want: `{"emails":[{"value":"a@example.com"}]}`,
		},
		{
			name: "add of an address that is there changes nothing", doc: babs,
			ops: `[{"op":"add","path":"addresses","value":[{"type":"work","streetAddress":"100 Universal City Plaza",` +
				`"region":"CA","country":"US"}]}]`,
		},
		{
			name: "add of nothing changes nothing", doc: babs,
			ops: `[{"op":"add","path":"emails","value":[]},{"op":"add","path":"emails","value":null}]`,
		},
		{
			name: "replace replaces all", doc: babs,
			ops:  `[{"op":"replace","path":"emails","value":[{"value":"x@example.com"}]}]`,
			want: `{"emails":[{"value":"x@example.com"}]}`,
		},
		{name: "remove removes all", doc: babs, ops: `[{"op":"remove","path":"emails"}]`, want: `{"emails":null}`},
		{
			name: "remove with a list removes these", doc: babs,
			ops:  `[{"op":"remove","path":"emails","value":[{"value":"BABS@example.org"},{"value":"nobody@example.org"}]}]`,
			want: `{"emails":[{"type":"work","value":"bjensen@example.com","primary":true}]}`,
		},
		{
			name: "remove with a list looks at every sub-attribute named", doc: babs,
			ops:  `[{"op":"remove","path":"emails","value":[{"type":"home","value":"bjensen@example.com"},{"type":"home"}]}]`,
			want: `{"emails":[{"type":"work","value":"bjensen@example.com","primary":true}]}`,
		},
		{name: "remove with an empty list removes nothing", doc: babs, ops: `[{"op":"remove","path":"emails","value":[]}]`},
		{
			name: "remove with null removes all", doc: babs, ops: `[{"op":"remove","path":"emails","value":null}]`,
			want: `{"emails":null}`,
		},
		{
			name: "add of a primary value clears the others", doc: babs,
			ops: `[{"op":"add","path":"emails","value":[{"value":"x@example.com","primary":true}]}]`,
			want: `{"emails":[{"type":"work","value":"bjensen@example.com","primary":false},{"type":"home",` +
				`"value":"babs@example.org"},{"value":"x@example.com","primary":true}]}`,
		},
		{
			name: "setting primary by a filter clears the others", doc: babs,
			ops: `[{"op":"replace","path":"emails[type eq \"home\"].primary","value":true}]`,
			want: `{"emails":[{"type":"work","value":"bjensen@example.com","primary":false},{"type":"home",` +
				`"value":"babs@example.org","primary":true}]}`,
		},
		{
			name: "a sub-attribute without a filter is that of every value", doc: babs,
			ops: `[{"op":"replace","path":"emails.display","value":"B"}]`,
			want: `{"emails":[{"type":"work","value":"bjensen@example.com","primary":true,"display":"B"},{"type":"home",` +
				`"value":"babs@example.org","display":"B"}]}`,
		},
		{
			name: "or of the one it makes", doc: ann, ops: `[{"op":"replace","path":"emails.value","value":"a@example.com"}]`,
			want: `{"emails":[{"value":"a@example.com"}]}`,
		},

		// Value paths.
		{
			name: "replace with no match", doc: babs,
			ops: `[{"op":"replace","path":"emails[type eq \"other\"].value","value":"x"}]`, err: scim.NoTarget,
		},
		{
			name: "replace with no match in profile rfc", idp: "rfc", doc: babs,
			ops: `[{"op":"replace","path":"phoneNumbers[type eq \"work\"]","value":{"value":"1"}}]`, err: scim.NoTarget,
		},
		{
			name: "add with no match makes the value", doc: ann,
			ops:  `[{"op":"add","path":"emails[type eq \"work\"].value","value":"a@example.com"}]`,
			want: `{"emails":[{"type":"work","value":"a@example.com"}]}`,
		},
		{
			name: "add with no match by a filter that cannot make one", doc: ann,
			ops: `[{"op":"add","path":"emails[value co \"x\"].type","value":"work"}]`, err: scim.NoTarget,
		},
		{
			name: "add of an object with no match", doc: ann,
			ops:  `[{"op":"add","path":"emails[type eq \"work\"]","value":{"value":"a@example.com"}}]`,
			want: `{"emails":[{"type":"work","value":"a@example.com"}]}`,
		},
		{
			name: "add of an object to a match", doc: babs,
			ops: `[{"op":"add","path":"emails[type eq \"work\"]","value":{"display":"B"}}]`,
			want: `{"emails":[{"type":"work","value":"bjensen@example.com","primary":true,"display":"B"},{"type":"home",` +
				`"value":"babs@example.org"}]}`,
		},
		{
			name: "add of a sub-attribute to a match", doc: babs,
			ops: `[{"op":"add","path":"emails[type eq \"home\"].display","value":"B"}]`,
			want: `{"emails":[{"type":"work","value":"bjensen@example.com","primary":true},{"type":"home",` +
				`"value":"babs@example.org","display":"B"}]}`,
		},
		{
			name: "replace of a match keeps what selected it", doc: babs,
			ops:  `[{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":"b@example.com"}}]`,
			want: `{"emails":[{"type":"work","value":"b@example.com"},{"type":"home","value":"babs@example.org"}]}`,
		},
		{
			name: "remove with no match changes nothing", doc: babs,
			ops: `[{"op":"remove","path":"emails[type eq \"other\"]"},{"op":"remove","path":"emails[type eq \"other\"].value"}]`,
		},
		{
			name: "remove of every value unassigns", doc: babs, ops: `[{"op":"remove","path":"emails[value pr]"}]`,
			want: `{"emails":null}`,
		},
		{
			name: "remove of a sub-attribute", doc: babs, ops: `[{"op":"remove","path":"addresses[type eq \"work\"].region"}]`,
			want: `{"addresses":[{"type":"work","streetAddress":"100 Universal City Plaza","country":"US"}]}`,
		},
		{
			name: "a value without its value goes", doc: babs, ops: `[{"op":"remove","path":"emails[type eq \"work\"].value"}]`,
			want: `{"emails":[{"type":"home","value":"babs@example.org"}]}`,
		},
		{
			name: "or, not, grouping and precedence in a filter", doc: babs,
			ops:  `[{"op":"remove","path":"emails[not (type eq \"work\") and (value co \"babs\" or primary eq true)]"}]`,
			want: `{"emails":[{"type":"work","value":"bjensen@example.com","primary":true}]}`,
		},

		// Extensions.
		{name: "add to an extension adds its URN to schemas", doc: ann, ops: `[{"op":"add","path":"` + enterprise +
			`:department","value":"Ops"}]`, want: `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","` + enterprise +
			`"],"` + enterprise + `":{"department":"Ops"}}`},
		{
			name: "removing the last attribute of an extension removes its URN", doc: babs,
			ops: `[{"op":"remove","path":"` + enterprise + `:employeeNumber"},{"op":"remove","path":"` + enterprise +
				`:manager"}]`, want: `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"` + enterprise + `":null}`,
		},
		{
			name: "remove a whole extension", doc: babs, ops: `[{"op":"remove","path":"` + enterprise + `"}]`,
			want: `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"` + enterprise + `":null}`,
		},
		{name: "add a whole extension", doc: ann, ops: `[{"op":"add","path":"` + enterprise +
			`","value":{"department":"Ops","shoe":1}}]`, want: `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","` +
			enterprise + `"],"` + enterprise + `":{"department":"Ops"}}`},
		{
			name: "replace a whole extension keeps what is not named", doc: babs, ops: `[{"op":"replace","path":"` + enterprise +
				`","value":{"department":"Ops"}}]`,
			want: `{"` + enterprise + `":{"employeeNumber":"701984","manager":{"value":"26118915"},"department":"Ops"}}`,
		},
		{name: "a whole extension is an object", doc: babs, ops: `[{"op":"replace","path":"` + enterprise +
			`","value":"Ops"}]`, err: scim.InvalidValue},
		{name: "a sub-attribute in an extension", doc: babs, ops: `[{"op":"replace","path":"` + enterprise +
			`:manager.value","value":"7"}]`, want: `{"` + enterprise + `":{"employeeNumber":"701984","manager":{"value":"7"}}}`},
		{
			name: "a bare extension attribute is unknown", doc: babs, ops: `[{"op":"replace","path":"department","value":"x"}]`,
			err: scim.InvalidPath,
		},

		// Atomicity and limits of the schema.
		{
			name: "one bad operation and nothing happens", doc: babs,
			ops: `[{"op":"replace","path":"title","value":"T"},{"op":"remove","path":"userName"}]`, err: scim.Mutability,
		},
		{name: "a value without a path and without attributes", doc: babs, ops: `[{"op":"replace","value":{}}]`},
	})
}

func TestMemberRules(t *testing.T) {
	check(t, schema.GroupType(), []row{
		{
			name: "rename", doc: crew, ops: `[{"op":"replace","path":"displayName","value":"New"}]`,
			want: `{"displayName":"New"}`,
		},
		{name: "displayName is required", doc: crew, ops: `[{"op":"remove","path":"displayName"}]`, err: scim.Mutability},
		{
			name: "a single object", doc: crew, ops: `[{"op":"add","path":"members","value":{"value":"a"}}]`,
			changes: []string{`add {"value":"a"}`},
		},
		{
			name: "duplicates collapse", doc: crew,
			ops:     `[{"op":"add","path":"members","value":[{"value":"a"},{"value":"b"},{"value":"a","type":"User"}]}]`,
			changes: []string{`add {"value":"a"} {"value":"b"}`},
		},
		{
			name: "add nothing", doc: crew,
			ops: `[{"op":"add","path":"members","value":[]},{"op":"add","value":{"members":null}}]`,
		},
		{
			name: "a member without a value", doc: crew, ops: `[{"op":"add","path":"members","value":[{"display":"a"}]}]`,
			err: scim.InvalidValue,
		},
		{
			name: "a member that is a number", doc: crew, ops: `[{"op":"add","path":"members","value":[5]}]`,
			err: scim.InvalidValue,
		},
		{
			name: "replace with nothing", doc: crew, ops: `[{"op":"replace","path":"members","value":[]}]`,
			changes: []string{"replace"},
		},
		{
			name: "replace with null", doc: crew, ops: `[{"op":"replace","path":"members","value":null}]`,
			changes: []string{"replace"},
		},
		{
			name: "members without a path", doc: crew,
			ops: `[{"op":"add","value":{"members":[{"value":"a"}],"displayName":"New"}}]`, want: `{"displayName":"New"}`,
			changes: []string{`add {"value":"a"}`},
		},
		{
			name: "remove two by or", doc: crew,
			ops:     `[{"op":"remove","path":"members[value eq \"a\" or value eq \"b\" or value eq \"a\"]"}]`,
			changes: []string{"remove a b"},
		},
		{
			name: "remove by another filter", doc: crew,
			ops: `[{"op":"remove","path":"members[type eq \"User\" and value eq \"b\"]"}]`, changes: []string{"remove filter"},
		},
		{
			name: "remove a list", doc: crew,
			ops:     `[{"op":"remove","path":"members","value":[{"value":"a"},{"value":"b"},{"value":"a"}]}]`,
			changes: []string{"remove a b"},
		},
		{
			name: "remove a single object", doc: crew, ops: `[{"op":"remove","path":"members","value":{"value":"a"}}]`,
			changes: []string{"remove a"},
		},
		{name: "remove an empty list", doc: crew, ops: `[{"op":"remove","path":"members","value":[]}]`},
		{
			name: "remove null", doc: crew, ops: `[{"op":"remove","path":"members","value":null}]`,
			changes: []string{"remove all"},
		},
		{
			name: "remove an empty string", doc: crew, ops: `[{"op":"remove","path":"members","value":""}]`,
			err: scim.InvalidValue,
		},
		{
			name: "remove a list without values", doc: crew, ops: `[{"op":"remove","path":"members","value":[{"display":"a"}]}]`,
			err: scim.InvalidValue,
		},
		{
			name: "a member cannot be changed", doc: crew,
			ops: `[{"op":"replace","path":"members[value eq \"a\"].value","value":"b"}]`, err: scim.Mutability,
		},
		{
			name: "nor replaced in place", doc: crew,
			ops: `[{"op":"replace","path":"members[value eq \"a\"]","value":{"value":"b"}}]`, err: scim.Mutability,
		},
		{
			name: "nor all at once", doc: crew, ops: `[{"op":"replace","path":"members.value","value":"b"}]`,
			err: scim.Mutability,
		},
		{
			name: "add by a filter", doc: crew, ops: `[{"op":"add","path":"members[value eq \"a\"]","value":{"display":"A"}}]`,
			changes: []string{`add {"display":"A","value":"a"}`},
		},
		{
			name: "changes keep their order", doc: crew,
			ops: `[{"op":"remove","path":"members"},{"op":"add","path":"members","value":[{"value":"a"}]},{"op":"remove",` +
				`"path":"members[value eq \"a\"]"}]`, changes: []string{"remove all", `add {"value":"a"}`, "remove a"},
		},
		{
			name: "the core URN before members", doc: crew,
			ops:     `[{"op":"add","path":"urn:ietf:params:scim:schemas:core:2.0:Group:members","value":[{"value":"a"}]}]`,
			changes: []string{`add {"value":"a"}`},
		},
	})
}
