package statements_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// fe2 is a tenant of Entra with the preset fe2, in whose application the organisation AZ1NC9 exists.
func fe2(t *testing.T) *world {
	w := newWorld(t, "entra", "fe2")
	w.admin(200, "PUT", "/targets/organisation/AZ1NC9", `{"displayName": "Fire station", "features": ["availability"]}`)
	return w
}

func TestF1BaseURL(t *testing.T) {
	w := newWorld(t, "entra", "")
	if got := w.admin(200, "GET", "", "")["scimBaseUrl"]; got != w.url+"/scim/v2/acme" {
		t.Errorf("the base URL is %v", got)
	}
}

func TestF2KeyOfTheOperator(t *testing.T) {
	w := newWorld(t, "entra", "")
	shown := fmt.Sprint(w.admin(200, "GET", "", ""), w.admin(200, "GET", "/tokens", ""))
	if strings.Contains(shown, w.token) {
		t.Error("a later answer shows the token")
	}
	// Whoever has the token gets no other: the admin API has a key of its own.
	for _, method := range []string{"GET", "POST"} {
		if status, answer := w.as(w.token, method, "/admin/v1/tenants/acme/tokens", ""); status != 401 {
			t.Errorf("%s of tokens with a tenant's token: %d %v", method, status, answer)
		}
	}
	made := w.admin(201, "POST", "/tokens", "")
	if value, _ := made["value"].(string); value == "" || value == w.token {
		t.Errorf("a new token: %v", made)
	}
}

func TestF3PersonsFromUsers(t *testing.T) {
	w := fe2(t)
	jim := w.user("jim@example.com", `"externalId": "17"`, `"displayName": "Jim Halpert"`,
		`"name": {"givenName": "Jim", "familyName": "Halpert"}`)
	m := w.member(jim)
	for field, want := range map[string]string{
		"id": jim, "userName": "jim@example.com", "externalId": "17", "displayName": "Jim Halpert",
		"name": "map[familyName:Halpert givenName:Jim]",
	} {
		if fmt.Sprint(m[field]) != want {
			t.Errorf("%s is %v, want %s", field, m[field], want)
		}
	}
	w.tells(0, jim, "member.created")
}

func TestF4ActiveInAnOrganisation(t *testing.T) {
	w := fe2(t)
	early := w.user("early@example.com")
	w.wants(early, "staged: ")
	org := w.group("AZ1NC9", early)
	w.wants(early, "active: organisation AZ1NC9")
	// A group that is there first makes no difference.
	late := w.user("late@example.com")
	w.wants(late, "staged: ")
	w.join(org, late)
	w.wants(late, "active: organisation AZ1NC9")
	w.leave(org, early)
	w.wants(early, "staged: ")
	w.tells(0, early, "member.created", "member.activated", "assignment.added", "member.deactivated",
		"assignment.removed")
}

func TestF5GroupIsOrganisation(t *testing.T) {
	w := fe2(t)
	jim := w.user("jim@example.com")
	w.group("AZ1NC9", jim)
	w.wants(jim, "active: organisation AZ1NC9")
	if got := w.found(`assignments[kind eq "organisation" and target eq "AZ1NC9"]`); !slices.Equal(got, []string{jim}) {
		t.Errorf("in the organisation: %v", got)
	}
	// An id that no organisation has gives nothing until it has one.
	ann := w.user("ann@example.com")
	w.group("BX2MD8", ann)
	w.wants(ann, "staged: ")
	if reason, _ := w.why(ann, "organisation", "BX2MD8"); reason != "target-unknown" {
		t.Errorf("reason %s", reason)
	}
	w.admin(200, "PUT", "/targets/organisation/BX2MD8", "")
	w.wants(ann, "active: organisation BX2MD8")
}

func TestF6OneOrganisation(t *testing.T) {
	w := fe2(t)
	w.admin(200, "PUT", "/targets/organisation/AAAAAA", "")
	jim := w.user("jim@example.com")
	w.group("AZ1NC9", jim)
	w.group("AAAAAA", jim)
	w.wants(jim, "active: organisation AZ1NC9")
	reason, detail := w.why(jim, "organisation", "AAAAAA")
	if reason != "not-chosen" || !strings.Contains(detail, "AZ1NC9") {
		t.Errorf("reason %s: %s", reason, detail)
	}
}

func TestF6SeveralOrganisations(t *testing.T) {
	w := newWorld(t, "entra", `{"kinds": {"organisation": {"create": true}}, "rules": [{"id": "o",
		"group": {"pattern": "^(?P<org>[^_]+)$"}, "assign": {"kind": "organisation", "target": "${org}"}}]}`)
	jim := w.user("jim@example.com")
	w.group("AZ1NC9", jim)
	w.group("AAAAAA", jim)
	w.wants(jim, "active: organisation AAAAAA, organisation AZ1NC9")
}

func TestF7ManualOrganisationsStay(t *testing.T) {
	w := fe2(t)
	w.admin(200, "PUT", "/targets/organisation/BX2MD8", "")
	jim := w.user("jim@example.com")
	org := w.group("AZ1NC9", jim)
	w.admin(204, "PUT", "/members/"+jim+"/assignments/organisation/BX2MD8", "")
	w.wants(jim, "active: organisation AZ1NC9, organisation BX2MD8")
	// Also if a group of that organisation comes and goes.
	other := w.group("BX2MD8", jim)
	w.leave(org, jim)
	w.wants(jim, "active: organisation BX2MD8")
	w.scim(204, "DELETE", "/Groups/"+other, "")
	w.wants(jim, "active: organisation BX2MD8")
	if got := assignments(w.member(jim), "manual"); !slices.Equal(got, []string{"organisation BX2MD8"}) {
		t.Errorf("manual: %v", got)
	}
}

func TestF8GrammarOfGroupNames(t *testing.T) {
	w := fe2(t)
	w.admin(200, "PUT", "/targets/role/Leitung?organisation=AZ1NC9", "")
	jim := w.user("jim@example.com")
	for _, name := range []string{
		"AZ1NC9", "AZ1NC9_Rolle_Leitung", "AZ1NC9_Alarmgruppe_Zug_1", "AZ1NC9_Funktion_Maschinist",
		"AZ1NC9_Gruppe_Nord",
	} {
		w.group(name, jim)
	}
	w.wants(jim, "active: alarm-group AZ1NC9/Zug_1, function AZ1NC9/Maschinist, group AZ1NC9/Nord, "+
		"organisation AZ1NC9, role AZ1NC9/Leitung")
	// A target of an organisation is given in that organisation only.
	ann := w.user("ann@example.com")
	w.group("AZ1NC9_Funktion_Sanitäter", ann)
	w.wants(ann, "staged: ")
	if reason, _ := w.why(ann, "function", "Sanitäter"); reason != "not-in-organisation" {
		t.Errorf("reason %s", reason)
	}
}

// The words of the grammar are the tenant's own: another product says team and puts it first.
func TestF8AnotherGrammar(t *testing.T) {
	w := newWorld(t, "okta", `{"kinds": {"team": {"create": true}}, "rules": [{"id": "t",
		"group": {"pattern": "^team: (?P<name>.+) at (?P<place>.+)$"},
		"assign": {"kind": "team", "target": "${place}/${name}"}}]}`)
	jim := w.user("jim@example.com")
	w.group("team: Sales at Scranton", jim)
	w.group("AZ1NC9_Funktion_Maschinist", jim)
	w.wants(jim, "active: team Scranton/Sales")
}

func TestF9UnknownNamesMakeTargets(t *testing.T) {
	w := fe2(t)
	jim := w.user("jim@example.com")
	w.group("AZ1NC9", jim)
	for kind, word := range map[string]string{"alarm-group": "Alarmgruppe", "function": "Funktion", "group": "Gruppe"} {
		path := "/targets/" + kind + "/New?organisation=AZ1NC9"
		w.admin(404, "GET", path, "")
		group := w.group("AZ1NC9_"+word+"_New", jim)
		w.member(jim)
		w.admin(200, "GET", path, "")
		w.scim(204, "DELETE", "/Groups/"+group, "")
		w.wants(jim, "active: organisation AZ1NC9")
		w.admin(200, "GET", path, "") // it stays when it is empty
	}
}

func TestF10UnknownRoleWaits(t *testing.T) {
	w := fe2(t)
	jim := w.user("jim@example.com")
	w.group("AZ1NC9", jim)
	w.group("AZ1NC9_Rolle_Leitung", jim)
	w.wants(jim, "active: organisation AZ1NC9")
	reason, detail := w.why(jim, "role", "Leitung")
	if reason != "target-unknown" ||
		detail != "Role Leitung does not exist in AZ1NC9 yet; it will be given once it does." {
		t.Errorf("%s: %s", reason, detail)
	}
	w.admin(404, "GET", "/targets/role/Leitung?organisation=AZ1NC9", "")
	w.admin(200, "PUT", "/targets/role/Leitung?organisation=AZ1NC9", "")
	w.wants(jim, "active: organisation AZ1NC9, role AZ1NC9/Leitung")
}

func TestF11ExactNames(t *testing.T) {
	w := fe2(t)
	jim := w.user("jim@example.com")
	w.group("AZ1NC9", jim)
	group := w.group("AZ1NC9_funktion_Maschinist", jim)
	w.wants(jim, "active: organisation AZ1NC9")
	w.replace("/Groups/"+group, "displayName", `"AZ1NC9_Funktion_Maschinist"`)
	w.wants(jim, "active: function AZ1NC9/Maschinist, organisation AZ1NC9")
	w.replace("/Groups/"+group, "displayName", `"AZ1NC9_Funktion_maschinist"`)
	w.wants(jim, "active: function AZ1NC9/maschinist, organisation AZ1NC9")
}

func TestF12AdoptionEndsManualAssignments(t *testing.T) {
	w := fe2(t)
	jim, ann := w.user("jim@example.com"), w.user("ann@example.com")
	w.group("AZ1NC9", jim, ann)
	w.admin(204, "PUT", "/members/"+jim+"/assignments/alarm-group/Nord?organisation=AZ1NC9", "")
	w.wants(jim, "active: alarm-group AZ1NC9/Nord, organisation AZ1NC9")
	before := w.last()
	w.group("AZ1NC9_Alarmgruppe_Nord", ann)
	w.wants(ann, "active: alarm-group AZ1NC9/Nord, organisation AZ1NC9")
	w.wants(jim, "active: organisation AZ1NC9")
	w.tells(before, jim, "assignment.removed")
	w.admin(409, "PUT", "/members/"+jim+"/assignments/alarm-group/Nord?organisation=AZ1NC9", "")
}

func TestF12AdditivePolicy(t *testing.T) {
	w := newWorld(t, "entra", `{"kinds": {"team": {"create": true, "manual": "keep"}}, "rules": [{"id": "t",
		"group": {"pattern": "^(?P<n>.+)$"}, "assign": {"kind": "team", "target": "${n}"}}]}`)
	jim := w.user("jim@example.com")
	w.admin(204, "PUT", "/members/"+jim+"/assignments/team/Nord", "")
	w.group("Nord")
	w.wants(jim, "active: team Nord")
}

func TestF13CredentialsOnce(t *testing.T) {
	w := fe2(t)
	w.admin(200, "PUT", "/targets/role/Leitung?organisation=AZ1NC9", "")
	w.admin(200, "PUT", "/targets/role/Wart?organisation=AZ1NC9", "")
	jim := w.user("jim@example.com")
	w.group("AZ1NC9", jim)
	w.member(jim)
	before := w.last()
	group := w.group("AZ1NC9_Rolle_Leitung", jim)
	w.tells(before, jim, "assignment.added", "credentials.required")
	w.group("AZ1NC9_Rolle_Wart", jim)
	w.leave(group, jim)
	w.member(jim)
	w.join(group, jim)
	if got := strings.Count(fmt.Sprint(w.told(0, jim)), "credentials.required"); got != 1 {
		t.Errorf("credentials.required came %d times", got)
	}
}

func TestF14FeatureOfTheOrganisation(t *testing.T) {
	w := newWorld(t, "entra", "fe2")
	w.admin(200, "PUT", "/targets/organisation/AZ1NC9", "")
	jim := w.user("jim@example.com")
	w.group("AZ1NC9", jim)
	w.group("AZ1NC9_Funktion_Maschinist", jim)
	w.wants(jim, "active: organisation AZ1NC9")
	if reason, detail := w.why(jim, "function", "Maschinist"); reason != "feature-off" ||
		!strings.Contains(detail, "availability") {
		t.Errorf("%s: %s", reason, detail)
	}
	w.admin(200, "PUT", "/targets/organisation/AZ1NC9", `{"features": ["availability"]}`)
	w.wants(jim, "active: function AZ1NC9/Maschinist, organisation AZ1NC9")
	w.admin(200, "PUT", "/targets/organisation/AZ1NC9", `{"features": []}`)
	w.wants(jim, "active: organisation AZ1NC9")
}

const dwight = `"emails": [{"value": "dschrute@example.com", "type": "work", "primary": true}]`

func TestF15LoginAddress(t *testing.T) {
	w := newWorld(t, "entra", `{"members": {"loginAddress": "userName"}}`)
	id := w.user("dwight", dwight)
	if got := w.member(id)["loginAddress"]; got != "dwight" {
		t.Errorf("login address %v", got)
	}
	before := w.last()
	w.policy(`{"members": {"loginAddress": "emails[type eq \"work\"].value"}}`)
	if got := w.member(id)["loginAddress"]; got != "dschrute@example.com" {
		t.Errorf("login address %v", got)
	}
	w.tells(before, id, "member.updated")
	if got := w.found(`loginAddress eq "dschrute@example.com"`); !slices.Equal(got, []string{id}) {
		t.Errorf("found %v", got)
	}
}

func TestF16NoFallBack(t *testing.T) {
	w := newWorld(t, "entra", `{"members": {"loginAddress": "emails[type eq \"login\"].value"}}`)
	id := w.user("dwight@example.com", dwight)
	if m := w.member(id); m["loginAddress"] != nil || m["status"] != "active" {
		t.Errorf("login address %v, status %v", m["loginAddress"], m["status"])
	}
}

func TestF17TypeAsSent(t *testing.T) {
	w := newWorld(t, "entra", `{"members": {"loginAddress": "emails[type eq \"Dienstlich\"].value"}}`)
	id := w.user("dwight@example.com", `"emails": [{"value": "a@example.com", "type": "work"},
		{"value": "b@example.com", "type": "Dienstlich"}]`)
	if got := w.member(id)["loginAddress"]; got != "b@example.com" {
		t.Errorf("login address %v", got)
	}
	emails := w.scim(200, "GET", "/Users/"+id, "")["emails"].([]any)
	if got := emails[1].(object)["type"]; got != "Dienstlich" {
		t.Errorf("type %v came back", got)
	}
}

func TestF18TypeCanBeRead(t *testing.T) {
	w := newWorld(t, "entra", "")
	id := w.user("dwight@example.com", `"emails": [{"value": "a@example.com", "type": "Rückruf"}]`)
	w.replace("/Users/"+id, `emails[type eq "Büro"].value`, `"b@example.com"`)
	var types []any
	for _, v := range w.scim(200, "GET", "/Users/"+id, "")["emails"].([]any) {
		types = append(types, v.(object)["type"])
	}
	if fmt.Sprint(types) != "[Rückruf Büro]" {
		t.Errorf("types %v", types)
	}
}

func TestF25PayloadOfThePage(t *testing.T) {
	for _, idp := range []string{"generic", "entra", "okta", "rfc", "interop"} {
		w := newWorld(t, idp, "")
		id := w.scim(201, "POST", "/Users", fmt.Sprintf(`{"schemas": [%q], "userName": "dschrute", "emails":[
			{
			"value":"dschrute@example.com",
			"type":"work",
			"primary": true
			}
			]}`, userURN))["id"].(string)
		want := []any{object{"value": "dschrute@example.com", "type": "work", "primary": true}}
		if got := w.scim(200, "GET", "/Users/"+id, "")["emails"]; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: emails %v", idp, got)
		}
		if got := w.member(id)["email"]; got != "dschrute@example.com" {
			t.Errorf("%s: the member's e-mail is %v", idp, got)
		}
	}
}
