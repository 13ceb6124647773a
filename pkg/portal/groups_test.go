package portal_test

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

const scimJSON = "Content-Type: application/scim+json"

// provision sends a SCIM request of a tenant and returns the id in its answer.
func (w *world) provision(id, method, path, body string) string {
	w.t.Helper()
	rec := w.send(method, "/scim/v2/"+id+path, body, "Authorization: Bearer "+w.tokens[id], scimJSON)
	if rec.Code >= 300 {
		w.t.Fatalf("%s %s: %d %s", method, path, rec.Code, rec.Body)
	}
	var o struct{ ID string }
	_ = json.Unmarshal(rec.Body.Bytes(), &o) // 204 has no body
	return o.ID
}

func (w *world) user(id, name string) string {
	w.t.Helper()
	return w.provision(id, "POST", "/Users", fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],`+
		`"userName":%q,"displayName":%q,"emails":[{"value":%q,"type":"work"}]}`,
		name+"@example.com", strings.ToUpper(name[:1])+name[1:], name+"@example.com"))
}

func (w *world) group(id, name string, members ...string) string {
	w.t.Helper()
	var all []string
	for _, m := range members {
		all = append(all, fmt.Sprintf(`{"value":%q}`, m))
	}
	return w.provision(id, "POST", "/Groups", fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],`+
		`"displayName":%q,"members":[%s]}`, name, strings.Join(all, ",")))
}

// admin sends a request to the admin API about acme.
func (w *world) admin(want int, method, path, body string) string {
	w.t.Helper()
	rec := w.send(method, "/admin/v1/tenants/acme"+path, body, "Content-Type: application/json")
	if rec.Code != want {
		w.t.Fatalf("%s %s: %d %s", method, path, rec.Code, rec.Body)
	}
	return rec.Body.String()
}

var (
	tags   = regexp.MustCompile(`<[^>]*>`)
	within = regexp.MustCompile(`</?(a|bdi|strong|span|code|time)(\s[^>]*)?>`)
)

// text is the visible text of a page: without tags, with single spaces.
func text(page string) string {
	_, page, _ = strings.Cut(page, `<main`)
	return strings.Join(strings.Fields(html.UnescapeString(
		tags.ReplaceAllString(within.ReplaceAllString(page, ""), " "))), " ")
}

// sees gets a page and wants texts in it.
func (b browser) sees(path string, want ...string) string {
	b.t.Helper()
	rec := b.get(path)
	return b.shows(path, rec.Code, http.StatusOK, rec.Body.String(), want...)
}

// sends posts a form and wants a status and texts.
func (b browser) sends(status int, path string, fields url.Values, want ...string) string {
	b.t.Helper()
	if err := b.s.Settle(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	rec := b.post(path, fields)
	return b.shows(path, rec.Code, status, rec.Body.String(), want...)
}

func (b browser) shows(path string, got, status int, page string, want ...string) string {
	b.t.Helper()
	if got != status {
		b.t.Fatalf("%s: %d, want %d: %s", path, got, status, text(page))
	}
	if i := strings.Index(page, "]["); strings.Contains(page, ">[") || i >= 0 {
		b.t.Errorf("%s: a text is not there: %s", path, text(page))
	}
	if inline.MatchString(page) {
		b.t.Errorf("%s: something inline: %s", path, page)
	}
	for _, part := range want {
		if !strings.Contains(text(page), part) {
			b.t.Errorf("%s: no %q in: %s", path, part, text(page))
		}
	}
	return page
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// hidden are the hidden fields of a page's form.
func hidden(page string) url.Values {
	v := url.Values{}
	for _, m := range hiddenField.FindAllStringSubmatch(page, -1) {
		v.Set(m[1], html.UnescapeString(m[2]))
	}
	return v
}

func TestGroupsAndTheirRules(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	b.sees("/portal/groups", "No group has arrived", "Google Workspace never sends groups")
	ada, ben := w.user("acme", "ada"), w.user("acme", "ben")
	w.group("acme", `App "Admins" <b>`, ada, ben)
	w.group("acme", "app-red", ada)
	w.group("acme", "Everybody", ada, ben)
	w.admin(200, "PUT", "/policy", `{"requests":{"forbid":["Groups.delete"]}}`)
	b.sees("/portal/groups", "app-red", "The group itself", `App "Admins" <b>`)

	rule := url.Values{
		"op": {"rule"}, "version": {"1"}, "group": {`App "Admins" <b>`}, "kind": {"role"}, "target": {"admin"},
	}
	b.sees("/portal/groups/rule?group=Everybody", "Everybody in the group gets")
	page := b.sends(200, "/portal/groups/rehearse", rule, "All 2 people were examined", "2 people get: role admin",
		"Ada, Ben", "2 people lose: group Everybody", "1 person loses: group app-red")
	if got := w.admin(200, "GET", "/policy", ""); strings.Contains(got, "rules") {
		t.Fatalf("a rehearsal saved %s", got)
	}
	b.sends(303, "/portal/groups/save", hidden(page))
	got := w.admin(200, "GET", "/policy", "")
	if !strings.Contains(got, `"id":"role-admin"`) || !strings.Contains(got, "Groups.delete") {
		t.Errorf("%s", got)
	}
	b.sees("/portal/groups?done=rule.saved", "Saved.", "role: admin (rule role-admin)",
		"Nothing: no rule applies to it", `the group App "Admins" <b>`)

	// The same form again is one of an older version: nothing is saved twice.
	b.sends(400, "/portal/groups/save", hidden(page), "Somebody changed the rules meanwhile")
	for field, want := range map[string]string{
		"kind": "The kind begins with a letter", "target": "Enter what the group gives",
		"group": "Enter the name of the group",
	} {
		wrong := url.Values{}
		for k, v := range rule {
			wrong[k] = v
		}
		wrong.Set("version", "2")
		wrong.Set(field, "")
		page := b.sends(400, "/portal/groups/rehearse", wrong, want)
		if field != "target" && !strings.Contains(page, `value="admin"`) {
			t.Errorf("%s: the form lost what was typed", field)
		}
	}
	wrong := url.Values{"op": {"rule"}, "version": {"2"}, "group": {"x"}, "kind": {"role"}, "target": {"${what}"}}
	b.sends(400, "/portal/groups/rehearse", wrong, "can't be saved like this", "/rules/1/assign/target")
}

func TestGroupGrammar(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	ada := w.user("acme", "ada")
	w.group("acme", "app-red", ada)
	w.group("acme", "North_Role_Lead", ada)
	b.sees("/portal/groups/grammar?grammar=app-{name}", "1 group fits", "app-red red", "1 group does not fit",
		"North_Role_Lead")
	live := "/portal/groups/grammar?part=tried&grammar="
	part := b.get(live + url.QueryEscape("{organisation}_Role_{name}")).Body.String()
	if !strings.Contains(part, "Lead") || strings.Contains(part, "<html") {
		t.Errorf("%s", part)
	}
	for grammar, want := range map[string]string{
		"{name}{organisation}": "Put a character between", "app": "needs {name} once",
		"{name}-{name}": "needs {name} once", "{colour}-{name}": "needs {name} once",
		strings.Repeat("x", 201): "longer than 200 bytes",
	} {
		b.sees("/portal/groups/grammar?grammar="+url.QueryEscape(grammar), want)
		b.sends(400, "/portal/groups/rehearse",
			url.Values{"op": {"grammar"}, "version": {"0"}, "kind": {"team"}, "grammar": {grammar}}, want)
	}
	save := func(fields url.Values, want string) {
		t.Helper()
		page := b.sends(200, "/portal/groups/rehearse", fields, want)
		b.sends(303, "/portal/groups/save", hidden(page))
	}
	save(url.Values{"op": {"grammar"}, "version": {"0"}, "kind": {"team"}, "grammar": {"app-{name}"}},
		"1 person gets: team red")
	save(url.Values{"op": {"grammar"}, "version": {"1"}, "kind": {"organisation"}, "grammar": {"{name}_Role_Lead"}},
		"organisation North")
	save(url.Values{"op": {"down"}, "version": {"2"}, "rule": {"team"}}, "nothing would change")
	got := w.admin(200, "GET", "/policy", "")
	if strings.Index(got, `"id":"organisation"`) > strings.Index(got, `"id":"team"`) {
		t.Errorf("the order is as before: %s", got)
	}
	for op, rule := range map[string]string{"down": "team", "remove": "x", "steal": "team"} {
		b.sends(400, "/portal/groups/rehearse", url.Values{"op": {op}, "version": {"3"}, "rule": {rule}},
			"no longer exists, or can't be moved")
	}
	save(url.Values{"op": {"remove"}, "version": {"3"}, "rule": {"team"}}, "1 person loses: team red")
}

// TestShortagesAreRehearsed: a rule that gives more licences than there are says how many would be bought.
func TestShortagesAreRehearsed(t *testing.T) {
	w := newWorld(t)
	w.admin(200, "PUT", "/policy", `{"kinds":{"licence":{"create":true,"seats":"purchase"}}}`)
	w.admin(200, "PUT", "/targets/licence/Team", `{"seats":{"size":1}}`)
	w.group("acme", "Staff", w.user("acme", "ada"), w.user("acme", "ben"), w.user("acme", "cy"))
	w.signIn("acme", "admin").sends(200, "/portal/groups/rehearse", url.Values{
		"op": {"rule"}, "version": {"1"}, "group": {"Staff"}, "kind": {"licence"}, "target": {"Team"},
	}, "2 seats of licence Team are missing: 3 needed, 1 available")
}

func TestReadersSeeGroupsOnly(t *testing.T) {
	w := newWorld(t)
	w.group("acme", "Staff")
	b := w.signIn("acme", "reader")
	page := b.sees("/portal/groups?lang=de", "Empfangene Gruppen", "Staff")
	if strings.Contains(page, "groups/rule") || strings.Contains(page, "groups/rehearse") {
		t.Errorf("a reader sees forms: %s", page)
	}
	b.sends(403, "/portal/groups/rehearse", url.Values{"op": {"up"}})
	b.sends(403, "/portal/groups/save", url.Values{"op": {"up"}})
}

// TestRuleByAttribute makes rules from an attribute: one whose targets are its values, and one for a single value.
func TestRuleByAttribute(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	for name, title := range map[string]string{"ada": "Engineering", "alan": "Sales"} {
		w.provision("acme", "PATCH", "/Users/"+w.user("acme", name), `{"schemas":[`+
			`"urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"title","value":"`+title+`"}]}`)
	}
	w.events("acme")
	b.sees("/portal/groups", "Rule by attribute")
	b.sees("/portal/groups/attribute", "A rule for an attribute")
	rule := func(version, attribute, value, kind, target string) url.Values {
		return url.Values{
			"op": {"attribute"}, "version": {version}, "attribute": {attribute}, "value": {value}, "kind": {kind},
			"target": {target},
		}
	}
	page := b.sends(200, "/portal/groups/rehearse", rule("0", "title", "", "team", ""),
		"team Engineering", "team Sales")
	b.sends(303, "/portal/groups/save", hidden(page))
	page = b.sends(200, "/portal/groups/rehearse", rule("1", "title", "Sales", "licence", "Pro"),
		"1 person gets: licence Pro")
	b.sends(303, "/portal/groups/save", hidden(page))
	w.events("acme")
	b.sees("/portal/members?q=alan", "team Sales", "licence Pro")
	if page := b.get("/portal/members?q=ada").Body.String(); strings.Contains(page, "Pro</bdi>") {
		t.Error("the rule for one value gives to others")
	}
	b.sees("/portal/groups", "people by an attribute")
	for _, wrong := range []url.Values{
		rule("2", "", "", "team", ""), rule("2", "shoe", "", "team", ""), rule("2", "shoe", "x", "team", "y"),
		rule("2", "title pr) or (", "x", "team", "y"),
	} {
		if page := b.sends(400, "/portal/groups/rehearse", wrong); page == "" {
			t.Errorf("%v", wrong)
		}
	}
	b.sends(400, "/portal/groups/rehearse", rule("2", "title", "x", "team", ""), "what")
}
