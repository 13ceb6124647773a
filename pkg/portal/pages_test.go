package portal_test

import (
	"encoding/json"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/portal"
)

// words reads the texts of all rooms in a language.
func words(t *testing.T, lang string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "words/"+lang+".json") {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return json.Unmarshal(raw, &all)
	})
	if err != nil || len(all) < 100 {
		t.Fatalf("%d texts, %v", len(all), err)
	}
	return all
}

// TestEveryPageIsParsed: no template has an error that only its first visitor would find.
func TestEveryPageIsParsed(t *testing.T) {
	if err := portal.Parse(); err != nil {
		t.Error(err)
	}
}

var verbs = regexp.MustCompile(`%(\[\d\])?[0-9]*[a-z]`)

// TestTextsAreInBothLanguages: both have the same keys, and each text takes the same arguments.
func TestTextsAreInBothLanguages(t *testing.T) {
	en, de := words(t, "en"), words(t, "de")
	for _, key := range slices.Sorted(maps.Keys(en)) {
		if _, ok := de[key]; !ok {
			t.Errorf("%s is not there in German", key)
		}
		a, b := verbs.FindAllString(en[key], -1), verbs.FindAllString(de[key], -1)
		if !slices.Equal(a, b) {
			t.Errorf("%s takes %v in English and %v in German", key, a, b)
		}
	}
	for key := range de {
		if _, ok := en[key]; !ok {
			t.Errorf("%s is not there in English", key)
		}
	}
}

// paths are the pages that a session sees.
var paths = []string{
	"/portal/", "/portal/connect", "/portal/try", "/portal/token", "/portal/groups", "/portal/groups/rule",
	"/portal/groups/grammar", "/portal/groups/attribute",
	"/portal/members", "/portal/members/pending", "/portal/members/duplicates",
	"/portal/activity", "/portal/settings", "/portal/settings/disconnect", "/portal/domains",
}

var missing = regexp.MustCompile(`\[[a-z]+\.[a-z.]*\]|%!|&lt;no value|ZgotmplZ`)

// TestPagesInBothLanguages: each page is there for each profile and in both languages, and no text is missing.
func TestPagesInBothLanguages(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	for _, idp := range []string{"generic", "entra", "okta", "google", "onelogin", "pingone", "keycloak"} {
		if rec := b.post("/portal/connect/choose", url.Values{"idp": {idp}}); rec.Code != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", idp, rec.Code, rec.Body)
		}
		for _, path := range paths {
			for _, lang := range []string{"en", "de"} {
				rec := b.get(path + "?lang=" + lang)
				body := rec.Body.String()
				if rec.Code != http.StatusOK || !strings.Contains(body, `<html lang="`+lang+`">`) {
					t.Fatalf("%s %s: %d", path, lang, rec.Code)
				}
				if m := missing.FindString(body); m != "" {
					t.Errorf("%s of %s in %s shows %s", path, idp, lang, m)
				}
				if inline.MatchString(body) || strings.Contains(body, w.tokens["acme"]) {
					t.Errorf("%s of %s: something inline, or the token", path, idp)
				}
			}
		}
		page := b.get("/portal/connect").Body.String()
		if has := strings.Contains(page, "?aadOptscim062020<"); has != (idp == "entra") {
			t.Errorf("%s: the flag is there: %v", idp, has)
		}
	}
}

// TestReadersChangeNothing: every form is refused to a reader, by the server.
func TestReadersChangeNothing(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "reader")
	for _, path := range []string{
		"/portal/connect/choose", "/portal/token/create", "/portal/token/reveal", "/portal/token/revoke",
		"/portal/token/rotate", "/portal/token/client", "/portal/token/client/end", "/portal/token/client/renew",
	} {
		rec := b.post(path, url.Values{"idp": {"okta"}, "id": {"x"}, "action": {"start"}})
		if rec.Code != http.StatusForbidden {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
	for _, path := range paths {
		if rec := b.get(path); rec.Code != http.StatusOK {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
}

var tokenID = regexp.MustCompile(`name="id" value="([a-z0-9]+)"`)

// TestTokens: shown by POST alone, once, and written down with the link; replaced with an overlap; revoked.
func TestTokens(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	id := tokenID.FindStringSubmatch(b.get("/portal/token").Body.String())[1]
	rec := b.post("/portal/token/reveal", url.Values{"id": {id}})
	if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), w.tokens["acme"]) ||
		rec.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	log := w.send("GET", "/admin/v1/tenants/acme/log?count=20", "").Body.String()
	if !strings.Contains(log, "/portal/token/reveal") || !strings.Contains(log, "setup-link acme.") {
		t.Errorf("%s", log)
	}
	if strings.Contains(log+w.log.String(), w.tokens["acme"]) {
		t.Error("the token is in a log")
	}
	if rec := b.post("/portal/token/rotate", url.Values{"action": {"start"}}); rec.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	if page := b.get("/portal/token").Body.String(); !strings.Contains(page, `id="rotation"`) {
		t.Errorf("%s", page)
	}
	if rec := b.post("/portal/token/rotate", url.Values{"action": {"complete"}}); rec.Code != http.StatusConflict {
		t.Errorf("completed although the new one was never used: %d", rec.Code)
	}
	rec = b.post("/portal/token/rotate", url.Values{"action": {"cancel"}, "sure": {"yes"}})
	if rec.Code != http.StatusSeeOther {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	rec = b.post("/portal/token/client", url.Values{"name": {"<b>Ping</b>"}})
	if body := rec.Body.String(); rec.Code != http.StatusOK || !strings.Contains(body, "Client Secret") ||
		strings.Contains(body, "<b>") || strings.Contains(body, "\u202e") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

// TestStrangersStory: with the link alone somebody connects, sees the first request arrive, and one person.
func TestStrangersStory(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	b.post("/portal/connect/choose", url.Values{"idp": {"okta"}})
	if part := b.get("/portal/connect?part=state").Body.String(); !strings.Contains(part, "every 3s") ||
		strings.Contains(part, "<html") {
		t.Fatalf("%s", part)
	}
	authorization := "Authorization: Bearer " + w.tokens["acme"]
	w.send("GET", "/scim/v2/acme/Users?filter=userName+eq+%22test%22", "", authorization)
	name := `ada\u202e<script>alert(1)</script>` + strings.Repeat("x", 400)
	rec := w.send("POST", "/scim/v2/acme/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],`+
		`"userName":"ada@example.com","displayName":"`+name+`","active":true}`, authorization,
		"Content-Type: application/scim+json")
	if rec.Code != http.StatusCreated {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	if part := b.get("/portal/connect?part=state").Body.String(); !strings.Contains(part, "note good") {
		t.Errorf("%s", part)
	}
	for _, query := range []string{"ada", "ADA@exa", "nobody"} {
		body := b.get("/portal/try?q=" + query).Body.String()
		if found := strings.Contains(body, "ada@example.com"); found != (query != "nobody") {
			t.Errorf("%s: found %v: %s", query, found, body)
		}
		if strings.Contains(body, "<script>alert") || strings.Contains(body, "\u202e") ||
			strings.Contains(body, strings.Repeat("x", 300)) {
			t.Errorf("%s: the name is not inert: %s", query, body)
		}
	}
	if body := b.get("/portal/").Body.String(); !strings.Contains(body, "People so far: 1") {
		t.Errorf("%s", body)
	}
}
