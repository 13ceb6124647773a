package local_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// findings are the codes of the findings, in order.
func (a *api) findings() []string {
	a.t.Helper()
	var codes []string
	for _, v := range a.mustAdmin(200, "GET", "/diagnosis", "")["findings"].([]any) {
		codes = append(codes, v.(object)["code"].(string))
	}
	slices.Sort(codes)
	return codes
}

// flagged sends a request with Entra's flag.
const flagged = "?aadOptscim062020"

// mistake is a mistake of an administrator: staged on a tenant, found, and corrected.
type mistake struct {
	code, idp string
	stage     func(a *api)
	mend      func(a *api)
	// says is a part of the English text, german one of the German text.
	says, german string
}

func (a *api) policy(doc string) { a.t.Helper(); a.mustAdmin(200, "PUT", "/policy", doc) }

// staff makes a user with an externalId.
func staff(a *api, name string) string {
	u := a.must(201, "POST", "/Users", body(userURN, fmt.Sprintf(`"userName":%q,"externalId":"x-%s"`, name, name)))
	time.Sleep(time.Millisecond) // entries stand in order of time, which may stand still
	return u["id"].(string)
}

// probe is how Entra tests a connection.
const probe = "/Users?filter=userName+eq+%226ec0ad42-9a7b-4a1d-8b8e-bd5a6d2e5f1c%22"

const organisations = `{"members":{"activeWhen":{"kinds":["organisation"]}},"kinds":{"organisation":{"create":true}},
	"rules":[{"id":"o","group":{"pattern":"^(?P<org>[A-Z0-9]+)_Team_(?P<name>.+)$"},
	"assign":{"kind":"organisation","target":"${org}"}}]}`

var mistakes = []mistake{
	{
		"no-request-yet", "entra", func(*api) {}, func(a *api) { a.must(200, "GET", "/Users", "") }, "Test Connection",
		"Test Connection",
	},
	{"external-id-missing", "entra", func(a *api) { a.user("jim") }, func(a *api) {
		a.must(200, "PATCH", "/Users/"+a.found("/Users", `userName eq "jim"`)[0],
			patchBody(`{"op":"Add","path":"externalId","value":"17"}`))
	}, "objectId", "Attribute mapping"},
	{"flag-missing", "interop", func(a *api) {
		id := staff(a, "jim")
		a.must(400, "PATCH", "/Users/"+id, patchBody(`{"op":"Replace","value":{"name.givenName":"x"}}`))
	}, func(a *api) { a.mustAdmin(200, "PATCH", "", `{"idp":"entra"}`) }, "Tenant URL", "Tenant URL"},
	{"flag-needless", "entra", func(a *api) {
		a.must(200, "PATCH", "/Users/"+staff(a, "jim")+flagged, patchBody(op("title", "x")))
	}, func(a *api) {
		a.must(200, "PATCH", "/Users/"+a.found("/Users", `userName eq "jim"`)[0],
			patchBody(`{"op":"Replace","path":"title","value":"y"}`))
	}, "not needed", "nicht nötig"},
	{"domain-not-verified", "entra", func(a *api) {
		a.policy(`{"requests":{"domains":["userName"]}}`)
		a.must(400, "POST", "/Users", body(userURN, `"userName":"jim@example.com","externalId":"1"`))
	}, func(a *api) {
		a.mustAdmin(201, "POST", "/domains", `{"name":"example.com"}`)
		a.mustAdmin(200, "POST", "/domains/example.com/verify", `{"override":true}`)
		a.must(201, "POST", "/Users", body(userURN, `"userName":"jim@example.com","externalId":"1"`))
	}, "TXT", "TXT"},
	{"email-type-missing", "onelogin", func(a *api) {
		a.policy(`{"members":{"loginAddress":"emails[type eq \"login\"].value"}}`)
		a.must(201, "POST", "/Users", body(userURN,
			`"userName":"jim","externalId":"1","emails":[{"type":"work","value":"jim@example.com"}]`))
	}, func(a *api) {
		a.must(200, "PATCH", "/Users/"+a.found("/Users", `userName eq "jim"`)[0],
			patchBody(`{"op":"add","path":"emails","value":[{"type":"login","value":"j@example.com"}]}`))
	}, "Types that are sent: work", "SCIM JSON Template"},
	{"groups-missing", "google", func(a *api) {
		a.policy(`{"kinds":{"team":{"create":true}},"rules":[{"id":"t","group":{"pattern":"^(?P<t>.+)$"},` +
			`"assign":{"kind":"team","target":"${t}"}}]}`)
		staff(a, "jim")
	}, func(a *api) { a.group("Sales", nil) }, "Google never sends groups", "Google sendet nie Gruppen"},
	{"nested-groups", "entra", func(a *api) {
		inner := a.group("Inner", []string{staff(a, "jim")})
		a.group("Outer", []string{inner})
	}, func(a *api) {
		a.must(204, "PATCH", "/Groups/"+a.found("/Groups", `displayName eq "Outer"`)[0],
			patchBody(`{"op":"replace","path":"members","value":[]}`))
	}, "does not resolve nested groups", "verschachtelte Gruppen"},
	{"group-name-wrong", "entra", func(a *api) {
		a.policy(strings.Replace(organisations, `"activeWhen":{"kinds":["organisation"]}`, "", 1))
		a.group("AZ1NC9-Team-Blue", []string{staff(a, "jim")})
		a.group("Something else", nil)
	}, func(a *api) {
		a.must(204, "PATCH", "/Groups/"+a.found("/Groups", `displayName eq "AZ1NC9-Team-Blue"`)[0],
			patchBody(op("displayName", "AZ1NC9_Team_Blue")))
	}, "AZ1NC9-Team-Blue", "Trennzeichen"},
	{"not-covered", "entra", func(a *api) {
		a.policy(organisations)
		a.group("AZ1NC9_Team_Blue", nil)
		staff(a, "jim")
	}, func(a *api) {
		a.must(204, "PATCH", "/Groups/"+a.found("/Groups", `displayName eq "AZ1NC9_Team_Blue"`)[0],
			patchBody(add(a.found("/Users", `userName eq "jim"`)...)))
	}, "assigned directly", "direkt zugewiesen"},
	{"reference-unknown", "entra", func(a *api) {
		a.must(201, "POST", "/Users", body(userURN, `"userName":"jim","externalId":"1"`+","+fmt.Sprintf(
			`%q:{"manager":{"value":"boss"}}`, enterpriseURN)))
	}, func(a *api) { staff(a, "boss") }, "out of scope", "nicht im Umfang"},
	{"repeated-conflict", "okta", func(a *api) {
		staff(a, "jim")
		id := staff(a, "ann")
		for range 3 {
			a.must(409, "PATCH", "/Users/"+id, patchBody(op("userName", "jim")))
		}
	}, func(a *api) {
		a.must(200, "PATCH", "/Users/"+a.found("/Users", `userName eq "ann"`)[0], patchBody(op("userName", "annie")))
	}, "Import Now", "vergeben"},
	{"repeated-refusal", "okta", func(a *api) {
		for range 3 {
			a.must(400, "POST", "/Users", body(userURN, `"userName":"jim","externalId":"1","photos":[{"value":"http://x"}]`))
		}
	}, func(a *api) { staff(a, "jim") }, "the first 3 times: jim", "die erste 3-mal"},
	{"silent", "google", func(a *api) {
		staff(a, "jim")
		time.Sleep(13 * time.Hour)
	}, func(a *api) { a.must(200, "GET", "/Users", "") }, "13 hours ago", "vor 13 Stunden"},
	{"token-wrong", "entra", func(a *api) {
		staff(a, "jim")
		time.Sleep(time.Minute)
		good := a.token
		a.token = good[:len(good)-4] + "0000" // malformed, as if cut off
		a.must(401, "PATCH", "/Users/x", patchBody(op("title", "x")))
		a.token = good
	}, func(a *api) { a.must(200, "GET", "/Users", "") }, "Secret Token", "Secret Token"},
	{"token-revoked", "entra", func(a *api) {
		staff(a, "jim")
		time.Sleep(time.Minute)
		tokens := a.mustAdmin(200, "GET", "/tokens", "")["tokens"].([]any)
		a.mustAdmin(204, "DELETE", "/tokens/"+tokens[0].(object)["id"].(string)+"?force=true", "")
		a.must(401, "PATCH", "/Users/x", patchBody(op("title", "x")))
	}, func(a *api) {
		a.token = a.mustAdmin(201, "POST", "/tokens", "")["value"].(string)
		a.must(200, "GET", "/Users", "")
	}, "revoked", "widerrufen"},
	{"token-expired", "entra", func(a *api) {
		staff(a, "jim")
		time.Sleep(181 * 24 * time.Hour)
		a.must(401, "PATCH", "/Users/x", patchBody(op("title", "x")))
	}, func(a *api) {
		a.token = a.mustAdmin(201, "POST", "/tokens", "")["value"].(string)
		a.must(200, "GET", "/Users", "")
	}, "expired on 2000-06-29", "endete am 2000-06-29"},
	{"token-ends", "entra", func(a *api) {
		staff(a, "jim")
		time.Sleep(170*24*time.Hour - time.Hour)
		a.must(200, "GET", "/Users", "")
	}, func(a *api) {
		a.token = a.mustAdmin(201, "POST", "/tokens", "")["value"].(string)
		a.must(200, "GET", "/Users", "")
	}, "in 10 days", "in 10 Tagen"},
	{"test-failed", "entra", func(a *api) {
		good := a.token
		a.token = good[:len(good)-4] + "0000"
		a.must(401, "GET", probe, "")
		a.token = good
	}, func(a *api) { a.must(200, "GET", probe, "") }, "status 401", "Status 401"},
	{"other-idp", "okta", func(a *api) {
		a.must(200, "PATCH", "/Users/"+staff(a, "jim"), patchBody(`{"op":"Replace","path":"title","value":"x"}`))
	}, func(a *api) { a.mustAdmin(200, "PATCH", "", `{"idp":"entra"}`) }, "set to okta", "okta"},
	{"idp-not-set", "generic", func(a *api) {
		a.must(200, "PATCH", "/Users/"+staff(a, "jim"), patchBody(`{"op":"Replace","path":"title","value":"x"}`))
	}, func(a *api) { a.mustAdmin(200, "PATCH", "", `{"idp":"entra"}`) }, "generic", "Eigenheiten"},
	{"switched-off", "entra", func(a *api) {
		staff(a, "jim")
		a.mustAdmin(200, "PATCH", "", `{"active":false}`)
		a.must(403, "GET", "/Users", "")
	}, func(a *api) { a.mustAdmin(200, "PATCH", "", `{"active":true}`) }, "403", "ausgeschaltet"},
}

// beside are findings that a staged mistake brings along.
var beside = map[string][]string{
	"test-failed": {"token-wrong"}, "token-expired": {"silent"},
}

// TestMistakes stages each mistake that administrators make, finds it under its name with the remedy in both
// languages, and no longer finds it once it is corrected.
func TestMistakes(t *testing.T) {
	for _, m := range mistakes {
		t.Run(m.code, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := on(t, memory(t), m.idp)
				m.stage(a)
				want := append([]string{m.code}, beside[m.code]...)
				slices.Sort(want)
				if got := a.findings(); !slices.Equal(got, want) {
					t.Fatalf("found %v, want %v: %v", got, want, a.mustAdmin(200, "GET", "/diagnosis", ""))
				}
				for language, part := range map[string]string{"en": m.says, "de": m.german} {
					said := fmt.Sprint(a.mustAdmin(200, "GET", "/diagnosis?language="+language, ""))
					if !strings.Contains(said, part) || strings.Contains(said, "{n}") {
						t.Errorf("in %s, without %q: %s", language, part, said)
					}
				}
				time.Sleep(time.Second) // see staff
				m.mend(a)
				if got := a.findings(); slices.Contains(got, m.code) {
					t.Errorf("put right, and still found: %v", got)
				}
			})
		})
	}
}

// TestFindingsOfAnEntry shows the remedy at a refused request.
func TestFindingsOfAnEntry(t *testing.T) {
	a := on(t, memory(t), "entra")
	a.policy(`{"requests":{"domains":["userName"]}}`)
	a.must(400, "POST", "/Users", body(userURN, `"userName":"jim@example.com"`))
	entry := a.log(`subject eq "jim@example.com"`)[0]
	shown := a.mustAdmin(200, "GET", "/log/"+entry["id"].(string)+"?language=de", "")
	list, _ := shown["findings"].([]any)
	if len(list) != 1 || list[0].(object)["code"] != "domain-not-verified" || list[0].(object)["severity"] != "error" {
		t.Errorf("findings of the entry: %v", list)
	}
	a.mustAdmin(400, "GET", "/diagnosis?language=fr", "")
	a.group("Staff", nil)
	for _, v := range a.mustAdmin(200, "GET", "/log?language=de", "")["entries"].([]any) {
		inList, has := v.(object)["findings"].([]any)
		refused := v.(object)["id"] == entry["id"]
		if refused && fmt.Sprint(inList) != fmt.Sprint(list) || !refused && has {
			t.Errorf("findings in the list: %v", v)
		}
	}
	if _, has := a.log("")[0]["findings"]; has {
		t.Error("findings that nobody asked for")
	}
	a.mustAdmin(400, "GET", "/log?language=fr", "")
}

// TestDiagnosisTexts holds the two languages against each other: the same findings, with the same facts in them.
func TestDiagnosisTexts(t *testing.T) {
	type text struct {
		Title, Evidence string
		Do              map[string]string
	}
	read := func(language string) map[string]text {
		data, err := os.ReadFile("../../provlog/diagnosis/texts/" + language + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var all map[string]text
		if err := json.Unmarshal(data, &all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	en, de := read("en"), read("de")
	facts := regexp.MustCompile(`\{[a-z]+\}`)
	in := func(s string) []string { f := facts.FindAllString(s, -1); slices.Sort(f); return f }
	staged := map[string]bool{}
	for _, m := range mistakes {
		staged[m.code] = true
	}
	for code, e := range en {
		d := de[code]
		if !slices.Equal(in(e.Evidence), in(d.Evidence)) || e.Title == "" || d.Title == "" || e.Do[""] == "" {
			t.Errorf("%s: %+v, %+v", code, e, d)
		}
		if !maps.EqualFunc(e.Do, d.Do, func(x, y string) bool { return slices.Equal(in(x), in(y)) }) {
			t.Errorf("%s: other identity providers or facts in the two languages", code)
		}
		if !staged[code] {
			t.Errorf("%s is staged by no test", code)
		}
	}
	if len(en) != len(de) || len(en) != len(mistakes) {
		t.Errorf("%d texts in English, %d in German, %d mistakes", len(en), len(de), len(mistakes))
	}
}

// TestStaleAttributes lists the values that a PATCH left behind when it changed related ones, and a manager who has
// left.
func TestStaleAttributes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := on(t, memory(t), "entra")
		boss := staff(a, "boss")
		jim := a.must(201, "POST", "/Users", body(userURN, fmt.Sprintf(
			`"userName":"jim","externalId":"1","title":"Clerk",%q:{"department":"Sales","manager":{"value":%q}}`,
			enterpriseURN, boss)))["id"].(string)
		stale := func() string {
			var all []string
			for _, v := range a.mustAdmin(200, "GET", "/stale-attributes", "")["attributes"].([]any) {
				o := v.(object)
				path := o["attribute"].(string)
				all = append(all, fmt.Sprint(o["userName"], " ", path[strings.LastIndex(path, ":")+1:],
					" ", o["reason"]))
			}
			return strings.Join(all, ", ")
		}
		change := func(path, value string) {
			time.Sleep(time.Hour)
			a.must(200, "PATCH", "/Users/"+jim, patchBody(op(path, value)))
		}
		if got := stale(); got != "" {
			t.Errorf("of what was created: %s", got)
		}
		change(enterpriseURN+":department", "Support")
		if got := stale(); got != "jim title others-changed, jim manager others-changed" {
			t.Errorf("the department changed: %s", got)
		}
		change("title", "Agent")
		change("nickName", "Jimbo")
		if got := stale(); got != "jim department others-changed, jim manager others-changed" {
			t.Errorf("the title changed: %s", got)
		}
		a.must(200, "PATCH", "/Users/"+boss, patchBody(`{"op":"replace","path":"active","value":false}`))
		if got := stale(); got != "jim department others-changed, jim manager manager-gone" {
			t.Errorf("the manager left: %s", got)
		}
		a.must(200, "PATCH", "/Users/"+jim, patchBody(
			`{"op":"remove","path":"`+enterpriseURN+`:manager"},`+op(enterpriseURN+":department", "Help")))
		change("title", "Chief")
		change(enterpriseURN+":department", "Board")
		if got := stale(); got != "jim title others-changed" {
			t.Errorf("without a manager: %s", got)
		}
	})
}
