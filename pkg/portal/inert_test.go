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

// hostile are names as somebody may choose them to deceive or attack those who read them. Each has an H4X, by which it
// is found again.
var hostile = []string{
	`H4X<script>alert(1)</script>`, `H4X"><img src=x onerror=alert(1)>`, `H4X' onfocus=alert(1) autofocus='`,
	`H4X{{.Session}}{{define "main"}}`, "H4X\u202egnp.exe\u2066\u200b", "H4X\r\nBcc: eve@example.com\r\n\r\n<b>x",
	"H4X" + strings.Repeat("\u4e16", 150), `H4X%s%d%!(EXTRA)`, `H4X](javascript:alert(1))`, `H4X</title></textarea>`,
}

var (
	values   = regexp.MustCompile(` (value|href)="[^"]*"`)
	executed = regexp.MustCompile(`(?i)<script[^ ]|<img src=x|<b>x|<[^>]* on[a-z]+=|href="(javascript|data|//)|&lt;no value`)
	unseen   = regexp.MustCompile(`[\x{202a}-\x{202e}\x{2066}-\x{2069}\x{200b}-\x{200f}]`)
	ownLink  = regexp.MustCompile(`href="(/portal/[^"#]*)"`)
)

// TestHostileNamesAreInert has an identity provider send hostile names of users, groups and all their fields, and walks
// from page to page over all links, in both languages. No name is markup, none turns text around, and none takes more
// than 200 characters; forms alone have names as they are, so that they go back as they came.
func TestHostileNamesAreInert(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	w.admin(200, "PUT", "/policy", `{"kinds":{"role":{"create":true},"team":{}},"rules":[`+
		`{"id":"all","group":{"pattern":"^(?P<n>(?s).*)$"},"assign":{"kind":"role","target":"${n}"}},`+
		`{"id":"t","group":{"pattern":"^(?P<n>(?s).*)$"},"assign":{"kind":"team","target":"${n}"}}]}`)
	quoted := func(text string) string { q, _ := json.Marshal(text); return string(q) } // a string has JSON
	id := ""
	for i, name := range hostile {
		user := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%s,"externalId":%[1]s,`+
			`"displayName":%[1]s,"title":%[1]s,"name":{"familyName":%[1]s},"emails":[{"value":%[1]s,"type":"work"}],`+
			`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":%[1]s}}}`, quoted(name))
		id = w.provision("acme", "POST", "/Users", user)
		w.send("POST", "/scim/v2/acme/Users", user, "Authorization: Bearer "+w.tokens["acme"], scimJSON) // refused
		w.provision("acme", "POST", "/Groups", fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],`+
			`"displayName":%s,"externalId":"g%d","members":[{"value":%q},{"value":%s}]}`, quoted(name), i, id, quoted(name+" nobody")))
		w.send("GET", "/scim/v2/acme/Users?filter="+url.QueryEscape(name), "",
			"Authorization: Bearer "+w.tokens["acme"])
	}
	w.events("acme")
	seen, shown := map[string]bool{}, map[string]bool{}
	var queue []string
	for _, path := range paths {
		queue = append(queue, path+"?lang=en", path+"?lang=de")
	}
	queue = append(queue, "/portal/groups/grammar?grammar={name}", "/portal/activity?person="+url.QueryEscape(id))
	for _, name := range hostile {
		q := url.QueryEscape(name)
		queue = append(queue, "/portal/members?q="+q, "/portal/try?q="+q, "/portal/activity?group="+q,
			"/portal/groups/rule?group="+q, "/portal/settings?login="+q, "/portal/groups/grammar?grammar="+q)
	}
	check := func(path, page string) {
		t.Helper()
		text := values.ReplaceAllString(page, "")
		if part := executed.FindString(text); part != "" {
			t.Errorf("%s runs %q", path, part)
		}
		if part := unseen.FindString(text); part != "" {
			t.Errorf("%s shows %q", path, part)
		}
		if strings.Contains(html.UnescapeString(text), strings.Repeat("\u4e16", 201)) {
			t.Errorf("%s shows a name that is too long", path)
		}
		if strings.Contains(text, "H4X") {
			shown[strings.SplitN(path, "?", 2)[0]] = true
		}
	}
	for len(queue) > 0 && len(seen) < 400 {
		path := queue[0]
		queue = queue[1:]
		if seen[path] {
			continue
		}
		seen[path] = true
		rec := b.get(path)
		if rec.Code >= http.StatusInternalServerError {
			t.Errorf("%s: %d", path, rec.Code)
		}
		check(path, rec.Body.String())
		for _, link := range ownLink.FindAllStringSubmatch(rec.Body.String(), -1) {
			if next := html.UnescapeString(link[1]); !strings.HasPrefix(next, "/portal/assets/") {
				queue = append(queue, next)
			}
		}
	}
	for _, name := range hostile { // the pages that answer forms
		for _, c := range []struct {
			form   string
			fields url.Values
		}{
			{"groups/rehearse", url.Values{
				"op": {"rule"}, "version": {"1"}, "group": {name}, "kind": {"role"}, "target": {name + "x"},
			}},
			{"groups/rehearse", url.Values{"op": {"rule"}, "version": {"1"}, "group": {name}, "kind": {name}}},
			{"members/merge", url.Values{"id": {id}, "into": {name}}},
			{"domains/add", url.Values{"name": {name}}},
			{"settings/recipients", url.Values{"remove": {name}}},
			{"token/client", url.Values{"name": {name}}},
			{"settings/login", url.Values{"login": {name}, "version": {"1"}}},
		} {
			check(c.form, b.post("/portal/"+c.form, c.fields).Body.String())
		}
	}
	for _, page := range []string{
		"/portal/groups", "/portal/groups/grammar", "/portal/members", "/portal/members/pending",
		"/portal/members/" + id, "/portal/activity", "/portal/try", "/portal/settings",
		"groups/rehearse",
	} {
		if !shown[page] {
			t.Errorf("%s was to show a hostile name", page)
		}
	}
	if len(seen) < 150 {
		t.Errorf("only %d pages were seen", len(seen))
	}
}

// TestHostileNamesInMails has the guard stop an identity provider whose users have hostile names, in a tenant that has
// such a name as well, and reads all mails.
func TestHostileNamesInMails(t *testing.T) {
	w := newLetters(t)
	w.admin(200, "PATCH", "", `{"name":"Acme H4X<script>alert(1)</script>\"{{.Link}}' onclick=x %s"}`)
	w.notify("ada@acme.example", "dora@acme.example")
	w.admin(200, "PUT", "/policy", `{"requests":{"guard":{"people":1,"minutes":60}}}`)
	for _, name := range hostile {
		user, err := json.Marshal(map[string]any{
			"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": name, "displayName": name,
		})
		if err != nil {
			t.Fatal(err)
		}
		w.send("DELETE", "/scim/v2/acme/Users/"+w.provision("acme", "POST", "/Users", string(user)), "",
			"Authorization: Bearer "+w.tokens["acme"])
	}
	w.admin(202, "POST", "/notices", `{"kind":"test"}`)
	w.link("acme", `{"role":"admin","email":"ada@acme.example"}`)
	w.events("acme")
	all := w.arrived()
	guarded := false
	for _, m := range all {
		guarded = guarded || strings.Contains(m.subject, "would lose their access")
		if part := executed.FindString(m.html); part != "" {
			t.Errorf("%s runs %q: %s", m.subject, part, m.html)
		}
		part := unseen.FindString(m.subject + m.text + m.html)
		if part != "" || strings.ContainsAny(m.subject+m.to, "\r\n") {
			t.Errorf("%s shows %q: %s", m.subject, part, m.text)
		}
		if !strings.Contains(m.text, "H4X") || !strings.Contains(m.html, "H4X") {
			t.Errorf("%s is about nobody: %s", m.subject, m.text)
		}
	}
	if len(all) < 5 || !guarded {
		t.Errorf("%d mails, one of the guard: %v", len(all), guarded)
	}
}
