package portal_test

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestMembersAreFound(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	b.sees("/portal/members", "Nobody has arrived yet")
	ada, ben := w.user("acme", "ada"), w.user("acme", "ben")
	w.provision("acme", "PATCH", "/Users/"+ben, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],`+
		`"Operations":[{"op":"replace","path":"active","value":false}]}`)
	w.group("acme", "Staff", ada, "somebody-else")
	page := b.sees("/portal/members", "Ada ada@example.com active group Staff", "Ben ben@example.com inactive",
		"1 reference names a person who has not arrived yet")
	if strings.Count(page, "/invite\"") != 2 { // Ada's, and the one for all
		t.Errorf("invitations: %s", page)
	}
	for query, want := range map[string]string{
		"q=ada%40example.com": "Ada", "q=bEn": "Ben", "view=active": "Ada", "view=inactive": "Ben",
		"view=staged":  "Nobody was found",
		"view=removed": "Nobody was found", "view=uncovered": "Nobody was found", "view=uninvited": "Ada",
		"q=%22%5C%27)": "Nobody",
		"q=%ff":        "Ada", "view=none": "Ada", "after=" + ada: "",
	} {
		b.sees("/portal/members?"+query, want)
	}
	b.sees("/portal/members/pending", "somebody-else", "Check that your identity provider assigns this person")
	b.sees("/portal/members/duplicates?lang=de", "Keine zwei Mitglieder")
}

// TestNothingIsPublishedInThePortal: in a tenant that publishes no members, each form about them says so, and is
// carried out when it publishes again.
func TestNothingIsPublishedInThePortal(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	ada, ben := w.user("acme", "ada"), w.user("acme", "ben")
	b.sees("/portal/members", "Ada", "Ben")
	w.admin(200, "PATCH", "", `{"settings":{"members":{"publish":false}}}`)
	for lang, want := range map[string]string{
		"en": "the application publishes no members", "de": "Die Anwendung veröffentlicht keine Mitglieder",
	} {
		for path, fields := range map[string]url.Values{
			"invite": {}, ada + "/invite": {}, "merge": {"id": {ada}, "into": {ben}},
		} {
			fields.Set("sure", "yes")
			b.sends(409, "/portal/members/"+path+"?lang="+lang, fields, want)
		}
	}
	w.admin(200, "PATCH", "", `{"settings":{"members":{"publish":true}}}`)
	b.sends(303, "/portal/members/"+ada+"/invite", nil)
	b.sends(303, "/portal/members/invite", url.Values{"sure": {"yes"}})
}

func TestOneMember(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	ada := w.user("acme", "ada")
	w.group("acme", "Staff", ada)
	w.admin(200, "PUT", "/policy", `{"kinds":{"role":{"create":true},"licence":{}},"rules":[`+
		`{"id":"staff","group":{"filter":"displayName eq \"Staff\""},"assign":{"kind":"role","target":"reader"}},`+
		`{"id":"paid","group":{"filter":"displayName eq \"Staff\""},"assign":{"kind":"licence","target":"Pro"}}]}`)
	w.events("acme") // settles
	b.sees("/portal/members/"+ada, "Ada active", "role reader by the group Staff (rule staff)",
		"licence Pro: it does not exist in the application yet", "Got role reader",
		"Create user: ada@example.com", "Done")
	b.sends(303, "/portal/members/"+ada+"/invite", nil)
	b.sends(409, "/portal/members/"+ada+"/invite", nil, "Only active people who were never invited")
	b.sees("/portal/members/"+ada+"?lang=de", "Wurde eingeladen", "durch die Gruppe Staff", "Benutzer anlegen")
	for _, path := range []string{"/portal/members/none", "/portal/members/" + strings.Repeat("x", 300)} {
		if rec := b.get(path); rec.Code != 404 {
			t.Errorf("%s: %d", path, rec.Code)
		}
		if rec := b.post(path+"/invite", nil); rec.Code != 404 {
			t.Errorf("%s/invite: %d", path, rec.Code)
		}
	}
	w.user("acme", "ben")
	b.sends(303, "/portal/members/invite", url.Values{"sure": {"yes"}})
	b.sees("/portal/members?view=uninvited", "Nobody was found")
}

func TestDuplicatesAreMerged(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	first := w.user("acme", "ada")
	w.now(time.Minute)
	second := w.provision("acme", "POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],`+
		`"userName":"ada2@example.com","externalId":"7","displayName":"Ada 2","emails":[{"value":"ada@example.com"}]}`)
	w.events("acme")
	b.sees("/portal/members", "1 pair of members is probably one person")
	b.sees("/portal/members/duplicates", "Ada / Ada 2", "One person: keep ada2@example.com")
	for _, into := range []string{first, "none"} {
		b.sends(400, "/portal/members/merge", url.Values{"id": {first}, "into": {into}, "sure": {"yes"}},
			"no longer exists")
	}
	b.sends(303, "/portal/members/merge", url.Values{"id": {first}, "into": {second}, "sure": {"yes"}})
	if got := w.admin(200, "GET", "/members/"+first, ""); !strings.Contains(got, `"replacedBy":"`+second) {
		t.Errorf("%s", got)
	}
	if rec := w.signIn("acme", "reader").post("/portal/members/merge", nil); rec.Code != 403 {
		t.Errorf("a reader merges: %d", rec.Code)
	}
}

func TestActivity(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "reader")
	b.sees("/portal/activity", "No request has come yet")
	b.sees("/portal/activity?outcome=failed", "No request fits")
	ada := w.user("acme", "ada")
	w.group("acme", "Staff", ada)
	w.send("POST", "/scim/v2/acme/Users",
		`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ADA@example.com"}`,
		"Authorization: Bearer "+w.tokens["acme"], scimJSON)
	page := b.sees("/portal/activity", "Create user: ada@example.com", "Create group: Staff", "+1 member", "Refused")
	if !strings.Contains(page, `<rect x=`) || !strings.Contains(page, "<svg") {
		t.Errorf("no chart: %s", page)
	}
	for query, want := range map[string]string{
		"outcome=refused": "Refused", "operation=delete": "No request fits", "person=ada": "ada@example.com",
		"person=" + ada: "Staff", "group=sta": "Create group: Staff", "period=7&outcome=done": "Done",
		"outcome=none&person=%ff": "Staff", "lang=de": "Benutzer anlegen",
	} {
		b.sees("/portal/activity?"+query, want)
	}
	part := b.get("/portal/activity?part=list&outcome=refused").Body.String()
	if strings.Contains(part, "<html") || !strings.Contains(part, "Refused") || strings.Contains(part, "Create group") {
		t.Errorf("%s", part)
	}
	if rec := b.get("/portal/activity?after=x"); rec.Code != 404 {
		t.Errorf("a cursor that is none: %d", rec.Code)
	}
	_, id, _ := strings.Cut(part, `<a href="/portal/activity/`)
	id, _, _ = strings.Cut(id, `"`)
	b.sees("/portal/activity/"+id+"?lang=en", "Request body", "POST /Users", "409")
	if rec := b.get("/portal/activity/none"); rec.Code != 404 {
		t.Errorf("an entry that is not there: %d", rec.Code)
	}
}
