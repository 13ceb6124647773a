package define_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema/define"
)

func TestParseSchemaDefaults(t *testing.T) {
	s, err := define.ParseSchema(object(
		t, attributes(badge, `{"name":"number"},{"NAME":"photo","Type":"REFERENCE","referenceTypes":["uri"]},
		{"name":"pin","mutability":"writeOnly"},{"name":"colour","canonicalValues":["red","green","red"]}`)))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"name":"number","type":"string","multiValued":false,"description":"","required":false,"caseExact":false,` +
		`"mutability":"readWrite","returned":"default","uniqueness":"none"}`
	if got := s.Object()["attributes"].([]any)[0]; !scim.Equal(got, object(t, want)) {
		t.Errorf("got %s", text(got))
	}
	if a := s.Attribute("photo"); !a.CaseExact || a.Type != schema.Reference {
		t.Errorf("photo is %+v", a)
	}
	if a := s.Attribute("pin"); a.Returned != schema.Never {
		t.Errorf("a writeOnly attribute is returned %s", a.Returned)
	}
	if a := s.Attribute("colour"); !a.Closed || len(a.CanonicalValues) != 2 {
		t.Errorf("colour has the values %v", a.CanonicalValues)
	}
}

func TestParseSchemaRefuses(t *testing.T) {
	long := strings.Repeat("x", 65)
	many := strings.TrimSuffix(strings.Repeat(`{"name":"a"},`, 101), ",")
	for body, word := range map[string]string{
		`{"id":"` + badge + `"}`:                                            "attributes",
		attributes(badge, ``):                                               "1 to 100",
		attributes(badge, many):                                             "1 to 100",
		attributes("badge", `{"name":"a"}`):                                 "URN",
		attributes("urn:x", `{"name":"a"}`):                                 "URN",
		attributes("urn:x:y:", `{"name":"a"}`):                              "URN",
		attributes("urn:x:y z", `{"name":"a"}`):                             "letters",
		attributes("urn:x:y[z", `{"name":"a"}`):                             "letters",
		attributes(scim.UserURN, `{"name":"a"}`):                            "reserved",
		attributes(strings.ToUpper(scim.GroupURN), `{"name":"a"}`):          "reserved",
		attributes(scim.ListResponseURN, `{"name":"a"}`):                    "reserved",
		attributes(strings.ToUpper(scim.EnterpriseUserURN), `{"name":"a"}`): "reserved",
		attributes(scim.EnterpriseUserURN+":ID", `{"name":"a"}`):            "reserved",
		attributes(scim.EnterpriseUserURN,
			`{"name":"Department"}`): "Department has the name of an attribute of RFC 7643",
		attributes(badge, `"a"`):                               "attribute 1",
		attributes(badge, `{}`):                                "attribute 1",
		attributes(badge, `{"name":"1a"}`):                     "attribute 1",
		attributes(badge, `{"name":"a b"}`):                    "attribute 1",
		attributes(badge, `{"name":"a.b"}`):                    "attribute 1",
		attributes(badge, `{"name":"$ref"}`):                   "attribute 1",
		attributes(badge, `{"name":"`+long+`"}`):               "attribute 1",
		attributes(badge, `{"name":"a"},{"name":"A"}`):         "A is defined twice;",
		attributes(badge, `{"name":"Password"}`):               "reserved",
		attributes(badge, `{"name":"schemas"}`):                "reserved",
		attributes(badge, `{"name":"a","type":"text"}`):        "a.type must be",
		attributes(badge, `{"name":"a","type":5}`):             "a.type must be",
		attributes(badge, `{"name":"a","required":"true"}`):    "a.required must be",
		attributes(badge, `{"name":"a","requierd":true}`):      "requierd",
		attributes(badge, `{"name":"a","mutability":"never"}`): "a.mutability",
		attributes(
			badge, `{"name":"a","mutability":"writeOnly","returned":"default"}`): "a.returned must be never",
		attributes(
			badge, `{"name":"a","type":"complex"}`): "subAttributes",
		attributes(
			badge, `{"name":"a","multiValued":true,"required":true,"mutability":"writeOnly"}`): "required",
		attributes(badge, `{"name":"a","uniqueness":"server","returned":"never"}`):       "a is never returned",
		attributes(badge, `{"name":"a","uniqueness":"global","mutability":"writeOnly"}`): "a is never returned",
		attributes(badge, `{"name":"a","type":"complex","subAttributes":[`+
			`{"name":"b","uniqueness":"server","returned":"never"}]}`): "a.b is never returned",
		attributes(badge, `{"name":"a","type":"complex","returned":"never","subAttributes":[`+
			`{"name":"b","uniqueness":"server"}]}`): "a is never returned",
		attributes(
			badge, `{"name":"a","subAttributes":[{"name":"b"}]}`): "complex",
		attributes(
			badge, `{"name":"a","type":"complex","subAttributes":[{"name":"b"},{"name":"B"}]}`): "twice",
		attributes(badge, `{"name":"a","type":"complex","subAttributes":[{"name":"b","type":"complex",`+
			`"subAttributes":[{"name":"c"}]}]}`): "one level",
		attributes(badge, `{"name":"a","type":"complex","subAttributes":[{"name":"b","type":"complex"}]}`):      "a.b",
		attributes(badge, `{"name":"a","type":"complex","uniqueness":"server","subAttributes":[{"name":"b"}]}`): "unique",
		attributes(badge, `{"name":"a","type":"boolean","uniqueness":"global"}`):                                "unique",
		attributes(
			badge, `{"name":"a","type":"integer","canonicalValues":["1"]}`): "canonicalValues",
		attributes(badge, `{"name":"a","canonicalValues":[1]}`):                       "strings",
		attributes(badge, `{"name":"a","canonicalValues":[""]}`):                      "empty",
		attributes(badge, `{"name":"a","referenceTypes":["User"]}`):                   "referenceTypes",
		`{"id":"` + badge + `","attributes":[{"name":"a"}],"extra":1}`:                "extra",
		`{"id":7,"attributes":[{"name":"a"}]}`:                                        "id must be a string",
		`{"id":"` + badge + `","attributes":{"name":"a"}}`:                            "array",
		`{"id":"urn:x:` + strings.Repeat("x", 160) + `","attributes":[{"name":"a"}]}`: "160",
	} {
		_, err := define.ParseSchema(object(t, body))
		refused(t, body, err, scim.InvalidValue, word)
	}
}

func TestParseResourceTypeRefuses(t *testing.T) {
	for body, word := range map[string]string{
		`{}`:                                    "id must be",
		`{"id":"Device"}`:                       "endpoint",
		`{"id":"Device","endpoint":"/Devices"}`: "schema",
		`{"id":"a b","endpoint":"/Devices","schema":"x"}`:                         "id must be",
		`{"id":"Device","name":"Other","endpoint":"/Devices","schema":"x"}`:       "the same",
		`{"id":"Device","endpoint":"Devices","schema":"x"}`:                       "endpoint",
		`{"id":"Device","endpoint":"/a/b","schema":"x"}`:                          "endpoint",
		`{"id":"Device","endpoint":"/bulk","schema":"x"}`:                         "reserved",
		`{"id":"Schema","endpoint":"/Devices","schema":"x"}`:                      "reserved",
		`{"id":"User","endpoint":"/People"}`:                                      "/Users",
		`{"id":"group","schema":"urn:x:y"}`:                                       "can't be changed",
		`{"id":"User","schemaExtensions":["urn:x:y"]}`:                            "schemaExtensions",
		`{"id":"User","schemaExtensions":[{"schema":"urn:x:y","requierd":true}]}`: "requierd",
		`{"id":"User","schemaExtensions":[{"schema":"urn:x:y","required":1}]}`:    "true or false",
		`{"id":"User","extensions":[]}`:                                           "extensions",
	} {
		_, err := define.ParseResourceType(object(t, body))
		refused(t, body, err, scim.InvalidValue, word)
	}
}

func TestTypesRefuse(t *testing.T) {
	plain := attributes(badge, `{"name":"number"}`)
	for name, tc := range map[string]struct{ schemas, types, word string }{
		"unknown extension": {``, `{"id":"User","schemaExtensions":[{"schema":"` + badge + `"}]}`, "not defined"},
		"unknown core":      {``, `{"id":"Device","endpoint":"/Devices","schema":"` + device + `"}`, "not defined"},
		"core of a user": {
			``, `{"id":"Device","endpoint":"/Devices","schema":"` + scim.UserURN + `"}`,
			"not defined",
		},
		"endpoint of users": {
			plain, `{"id":"Device","endpoint":"/users","schema":"` + badge + `"}`,
			"resource type User",
		},
		"endpoint twice": {plain, `{"id":"A","endpoint":"/As","schema":"` + badge +
			`"},{"id":"B","endpoint":"/as","schema":"` + badge + `"}`, "resource type A"},
		"extension twice": {plain, `{"id":"User","schemaExtensions":[{"schema":"` + badge + `"},{"schema":"` +
			strings.ToUpper(badge) + `"}]}`, "twice"},
		"core as extension": {plain, `{"id":"A","endpoint":"/As","schema":"` + badge +
			`","schemaExtensions":[{"schema":"` + badge + `"}]}`, "twice"},
		"enterprise of a group": {
			``, `{"id":"Group","schemaExtensions":[{"schema":"` + scim.EnterpriseUserURN + `"}]}`,
			"users only",
		},
		"id in a core": {attributes(device, `{"name":"ID"}`), `{"id":"Device","endpoint":"/Devices","schema":"` +
			device + `"}`, "ID"},
		"URN that is an attribute": {
			plain + `,` + attributes(badge+":number", `{"name":"x"}`),
			`{"id":"User","schemaExtensions":[{"schema":"` + badge + `"},{"schema":"` + badge + `:number"}]}`, "full name of",
		},
	} {
		d, err := define.ParseDefinitions(object(t, `{"schemas":[`+tc.schemas+`],"resourceTypes":[`+tc.types+`]}`))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, err = d.Types()
		refused(t, name, err, scim.InvalidValue, tc.word)
	}
}

func TestTypes(t *testing.T) {
	all := defined(t,
		attributes(scim.EnterpriseUserURN, `{"name":"ID"},{"name":"badgeColour","canonicalValues":["red","green"]}`)+`,`+
			attributes(badge, `{"name":"number","uniqueness":"server"},{"name":"pin","mutability":"writeOnly"}`)+`,`+
			attributes(device, `{"name":"serial","required":true,"uniqueness":"global","caseExact":true}`),
		`{"id":"User","schemaExtensions":[{"schema":"`+badge+`","required":true}]},
		 {"id":"Device","endpoint":"/Devices","schema":"`+device+`","schemaExtensions":[{"schema":"`+badge+`"}]}`)
	user, dev := all.User(), all.ByEndpoint("devices")
	if dev == nil || dev != all.ByID("DEVICE") || len(all.All()) != 3 || len(all.Schemas()) != 8 {
		t.Fatalf("%d types, %d schemas, device %v", len(all.All()), len(all.Schemas()), dev)
	}
	for name, want := range map[string]string{
		scim.EnterpriseUserURN + ":ID": "ID", scim.EnterpriseUserURN + ".id": "ID",
		scim.EnterpriseUserURN + ":department": "department",
		badge + ":number":                      "number", strings.ToUpper(badge) + ".NUMBER": "number",
	} {
		if ref, ok := user.Lookup(name, false); !ok || ref.Attr == nil || ref.Attr.Name != want {
			t.Errorf("%s: %v %v", name, ref, ok)
		}
	}
	if _, ok := schema.UserType().Lookup(scim.EnterpriseUserURN+":ID", false); ok {
		t.Error("what one tenant defines is known to all")
	}
	_, err := user.Normalize(object(t, `{"userName":"a"}`), scim.Dialect{})
	refused(t, "no badge", err, scim.InvalidValue, badge, "required")
	_, err = user.Normalize(object(t, `{"userName":"a","`+badge+`":{"number":"1"},"`+scim.EnterpriseUserURN+
		`":{"badgeColour":"blue"}}`), scim.Dialect{})
	refused(t, "blue", err, scim.InvalidValue, scim.EnterpriseUserURN+":badgeColour", `"red", "green"`)
	_, err = dev.Normalize(object(t, `{"`+badge+`":{"number":"1"}}`), scim.Dialect{})
	refused(t, "no serial", err, scim.InvalidValue, "serial is required")
	doc, err := dev.Normalize(object(t, `{"serial":"aB","externalId":"x","`+badge+`:number":"AB","`+badge+
		`":{"pin":"1"}}`), scim.Dialect{})
	if err != nil {
		t.Fatal(err)
	}
	values, err := dev.UniqueValues(doc)
	if got := fmt.Sprint(values, err); got != "[{"+badge+":number ab false} {"+device+":serial aB false}] <nil>" {
		t.Error(got)
	}
	shown := dev.Project(doc, nil)
	if want := object(t, `{"schemas":["`+device+`","`+badge+`"],"serial":"aB","externalId":"x","`+badge+
		`":{"number":"AB"}}`); !scim.Equal(shown, want) {
		t.Errorf("shown %s", text(shown))
	}
	if nothing, err := (define.Definitions{}).Types(); err != nil || nothing != schema.DefaultTypes() {
		t.Errorf("no definitions are %v, %v", nothing, err)
	}
}

// FuzzDefinitions checks that an accepted definition can be written, read again and joined, and that an error is
// the caller's.
func FuzzDefinitions(f *testing.F) {
	for _, s := range []string{
		`{"schemas":[` + attributes(badge,
			`{"name":"a","type":"complex","subAttributes":[{"name":"$ref","type":"reference"}]}`) + `]}`,
		`{"schemas":[` + attributes(device, `{"name":"serial","uniqueness":"global"}`) +
			`],"resourceTypes":[{"id":"Device","endpoint":"/Devices","schema":"` + device + `"}]}`,
		`{"schemas":[` + attributes(scim.EnterpriseUserURN, `{"name":"ID"}`) +
			`],"resourceTypes":[{"name":"User","schemaExtensions":[{"schema":"` + scim.EnterpriseUserURN +
			`","required":true}]}]}`,
		`{"schemas":[null,{}],"resourceTypes":{}}`, `{"schemas":[{"attributes":[[]],"ID":"urn:a:b"}]}`,
		`{"resourceTypes":[{"schemaExtensions":[7]}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := scim.ParseObject(data)
		if err != nil {
			return
		}
		d, err := define.ParseDefinitions(in)
		var all *schema.Types
		if err == nil {
			all, err = d.Types()
		}
		if err != nil {
			var e *scim.Error
			if !errors.As(err, &e) || e.Status != 400 || e.Detail == "" {
				t.Fatalf("error %v", err)
			}
			return
		}
		again, err := define.ParseDefinitions(d.Object())
		if err != nil || !scim.Equal(again.Object(), d.Object()) {
			t.Fatalf("%v: read again %s, was %s", err, text(again.Object()), text(d.Object()))
		}
		for _, rt := range all.All() {
			if all.ByEndpoint(rt.Endpoint[1:]) != rt || all.ByID(rt.ID) != rt || !define.Admits(rt, rt) {
				t.Fatalf("type %s is not found, or does not admit itself", rt.ID)
			}
		}
	})
}
