package schema_test

import (
	"errors"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// fullUser and fullGroup have every shape that the examples of RFC 7643, sections 8.2 to 8.4, have.
const (
	fullUser = `{"schemas":[` + core + `,` + enterprise +
		`],"id":"77","externalId":"4711","userName":"mmuster@example.com",
		"name":{"formatted":"Dr. Maria Muster, MSc","familyName":"Muster","givenName":"Maria","middleName":"Eva","honorificPrefix":"Dr.","honorificSuffix":"MSc"},
		"displayName":"Maria Muster","nickName":"Mia","profileUrl":"https://example.com/mia",
		"emails":[{"value":"mmuster@example.com","type":"work","primary":true},{"value":"mia@example.org","type":"home"}],
		"addresses":[{"type":"work","streetAddress":"Am Markt 1","locality":"Kiel","region":"SH","postalCode":"24103","country":"DE","formatted":"Am Markt 1\n24103 Kiel","primary":true}],
		"phoneNumbers":[{"value":"+49 431 5550","type":"work"},{"value":"+49 431 5551","type":"mobile"}],
		"ims":[{"value":"mia","type":"xmpp"}],"photos":[{"value":"https://example.com/mia.jpg","type":"photo"}],
		"userType":"Employee","title":"Engineer","preferredLanguage":"de","locale":"de-DE","timezone":"Europe/Berlin","active":true,"password":"secret",
		"groups":[{"value":"9","$ref":"../Groups/9","display":"All"}],"entitlements":[{"value":"beta"}],"roles":[{"value":"admin","display":"Administrator"}],
		"x509Certificates":[{"value":"MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQAw"}],
		` + enterprise + `:{"employeeNumber":"42","costCenter":"K1","organization":"Example","division":"North","department":"Sea",
			"manager":{"value":"78","$ref":"../Users/78","displayName":"Jo Doe"}},
		"meta":{"resourceType":"User","created":"2026-01-23T04:56:22Z","lastModified":"2026-05-13T04:42:34Z","version":"W/\"3\"","location":"https://example.com/v2/Users/77"}}`
	fullGroup = `{"schemas":[` + groupURN + `],"id":"9","externalId":"x","displayName":"All",
		"members":[{"value":"77","$ref":"https://example.com/v2/Users/77","display":"Maria Muster","type":"User"},{"value":"10","type":"Group"}]}`
)

// All values that a client may set are returned as they were sent.
func TestExamplesRoundTrip(t *testing.T) {
	for body, rt := range map[string]*schema.ResourceType{fullUser: schema.UserType(), fullGroup: schema.GroupType()} {
		want := object(t, body)
		got, err := rt.Normalize(want, dialect(t, "rfc"))
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range []string{"id", "meta", "groups"} {
			delete(want, k)
		}
		if ext, ok := want[scim.EnterpriseUserURN].(scim.Object); ok {
			ext["manager"] = scim.Object{"value": "78"}
		}
		if !scim.Equal(got, want) {
			t.Errorf("got  %s\nwant %s", text(got), text(want))
		}
	}
}

func FuzzNormalize(f *testing.F) {
	for _, s := range []string{
		fullUser, fullGroup, `{"userName":["a"],"active":"True","emails":{"VALUE":"x","primary":"true"},"manager":["m"]}`,
		`{"userName":"a","roles":["a","b","c","d","e","f","g","h","i","a",{"value":"b","primary":true}]}`,
		`{"schemas":"x","displayName":[{"value":"G"}],"members":["1",{"value":"1"},{"Value":"1"}]}`,
		`{"userName":"a","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department":"x",` + core +
			`:{"title":"t"}}`,
		`{"userName":"a","x509Certificates":[{"value":"TQ=="}],"name":{"GIVENNAME":"x","givenName":null}}`,
		`{"name":"n","urn:example:2.0:Ext":{"count":5.0,"score":1e3,"since":"2026-11-22T08:00:00Z","tags":["a","a"],` +
			`"pair":{"KEY":"k"}}}`,
	} {
		for i := range scim.IdPs() {
			f.Add([]byte(s), byte(i))
		}
	}
	types := []*schema.ResourceType{schema.UserType(), schema.GroupType(), custom()}
	f.Fuzz(func(t *testing.T, data []byte, idp byte) {
		in, err := scim.ParseObject(data)
		if err != nil {
			return
		}
		names := scim.IdPs()
		d, _ := scim.DialectOf(names[int(idp)%len(names)])
		before := scim.Clone(in)
		for _, rt := range types {
			doc, err := rt.Normalize(in, d)
			if !scim.Equal(in, before) {
				t.Fatalf("the input became %s", text(in))
			}
			if err != nil {
				var e *scim.Error
				if !errors.As(err, &e) || e.Status != 400 || e.Type == scim.NoType || e.Detail == "" {
					t.Fatalf("error %v", err)
				}
				continue
			}
			canonical(t, rt, doc, d)
		}
	})
}

// canonical checks the promises about a normalised document.
func canonical(t *testing.T, rt *schema.ResourceType, doc scim.Object, d scim.Dialect) {
	t.Helper()
	if err := rt.Check(doc); err != nil {
		t.Fatalf("%s does not pass Check: %v", text(doc), err)
	}
	if empty(doc) {
		t.Fatalf("%s holds something empty", text(doc))
	}
	again, err := rt.Normalize(doc, d)
	if err != nil || !scim.Equal(doc, again) {
		t.Fatalf("%s is normalised again to %s, %v", text(doc), text(again), err)
	}
	stored, err := scim.ParseObject(scim.AppendJSON(nil, doc))
	if err != nil || !scim.Equal(doc, stored) {
		t.Fatalf("%s does not survive storage: %v", text(doc), err)
	}
	for k := range rt.Project(doc, nil) {
		if _, ok := doc[k]; !ok || k == "password" {
			t.Fatalf("the projection shows %s", k)
		}
	}
}

// empty reports whether there is null, "", [] or {} anywhere in v.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		for _, e := range v {
			if empty(e) {
				return true
			}
		}
		return len(v) == 0
	case scim.Object:
		for _, e := range v {
			if empty(e) {
				return true
			}
		}
		return len(v) == 0
	}
	return false
}

func BenchmarkNormalize(b *testing.B) {
	in, d := object(b, fullUser), dialect(b, "entra")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := schema.UserType().Normalize(in, d); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNormalizeMembers(b *testing.B) {
	members := make([]any, 20_000)
	for i := range members {
		members[i] = scim.Object{"value": string(rune('a'+i%26)) + "2819c223-7f76-453a-919d-413861904646", "$ref": nil}
	}
	in := scim.Object{"displayName": "All", "members": members}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := schema.GroupType().Normalize(in, scim.Dialect{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkProject(b *testing.B) {
	doc := object(b, fullUser)
	for name, attributes := range map[string][]string{
		"default": nil, "attributes": {"userName,name.givenName,emails.value"},
	} {
		p, err := schema.UserType().Projection(attributes, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				schema.UserType().Project(doc, p)
			}
		})
	}
}
