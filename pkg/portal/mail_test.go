package portal_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
)

// letters is a world whose mails a test reads.
type letters struct {
	*world
	dir  string
	read map[string]bool
}

func newLetters(t *testing.T, tenants ...string) letters {
	t.Helper()
	dir, base := t.TempDir(), "https://scim.example.com"
	w := openWorld(t, base, local.Options{Data: dir, BaseURL: base, NoticeProduct: "Example App"}, tenants...)
	return letters{w, dir, map[string]bool{}}
}

// letter is a mail: its head and its parts, decoded.
type letter struct{ to, subject, text, html string }

// arrived are the mails that came since the last call.
func (l letters) arrived() []letter {
	l.t.Helper()
	if err := l.s.Tenants().Deliver(l.t.Context(), "acme", l.s.Delivery()); err != nil {
		l.t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(l.dir, "notices", "*.eml"))
	if err != nil {
		l.t.Fatal(err)
	}
	var all []letter
	for _, name := range names {
		if !l.read[name] {
			l.read[name] = true
			all = append(all, l.open(name))
		}
	}
	slices.SortFunc(all, func(a, b letter) int { return strings.Compare(a.to, b.to) })
	return all
}

func (l letters) open(name string) (out letter) {
	l.t.Helper()
	file, err := os.Open(name)
	if err != nil {
		l.t.Fatal(err)
	}
	defer file.Close()
	m, err := mail.ReadMessage(file)
	if err != nil {
		l.t.Fatal(err)
	}
	out.to = m.Header.Get("To")
	if out.subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		l.t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		l.t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, to := range []*string{&out.text, &out.html} {
		part, err := parts.NextRawPart()
		if err != nil {
			l.t.Fatal(err)
		}
		var r io.Reader = part
		switch part.Header.Get("Content-Transfer-Encoding") {
		case "quoted-printable":
			r = quotedprintable.NewReader(part)
		case "base64":
			r = base64.NewDecoder(base64.StdEncoding, part)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			l.t.Fatal(err)
		}
		*to = string(text)
	}
	return out
}

var (
	mailedLink = regexp.MustCompile(`https://scim\.example\.com/setup/([a-z0-9-]+\.[a-z2-7]+)#([A-Z2-7]+)`)
	renewLink  = regexp.MustCompile(`https://scim\.example\.com(/setup/renew/[a-z0-9-]+\.[a-z2-7]+)\?lang=(en|de)`)
)

// link is the set-up link of a mail.
func (m letter) link(t *testing.T) link {
	t.Helper()
	found := mailedLink.FindStringSubmatch(m.text)
	if found == nil || !strings.Contains(m.html, `href="`+found[0]+`"`) {
		t.Fatalf("no link in %s\n%s", m.text, m.html)
	}
	return link{ID: found[1], Code: found[2]}
}

// signedIn redeems a link and reports whether that gave a session.
func (w *world) signedIn(l link) bool {
	w.t.Helper()
	rec := w.redeem(l, l.Code)
	cookie := strings.Split(rec.Header().Get("Set-Cookie"), ";")[0]
	return rec.Code == http.StatusSeeOther && browser{w, cookie}.get("/portal/").Code == http.StatusOK
}

// renews posts the form of a page to ask for a link and returns the answer.
func (w *world) renews(path string) string {
	w.t.Helper()
	rec := w.send("POST", path, "", form, "Sec-Fetch-Site: same-origin", "Accept-Language: en")
	if rec.Code != http.StatusOK {
		w.t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	return strings.ReplaceAll(rec.Body.String(), path, "")
}

// rotates does the due changes of tokens, as every hour.
func (l letters) rotates() {
	l.t.Helper()
	if _, err := l.s.Tenants().Rotate(l.t.Context(), l.s.Delivery()); err != nil {
		l.t.Fatal(err)
	}
}

// notify sets who gets the notices of acme.
func (w *world) notify(emails ...string) {
	w.t.Helper()
	list := ""
	for _, e := range emails {
		list += `,{"email":"` + e + `","language":"` + map[bool]string{true: "de", false: "en"}[e[0] == 'd'] + `"}`
	}
	w.admin(200, "PATCH", "", `{"settings":{"notices":{"recipients":[`+strings.TrimPrefix(list, ",")+`]}}}`)
}

func TestALinkIsMailed(t *testing.T) {
	w := newLetters(t)
	for _, body := range []string{
		`{"role":"admin","email":"ada@acme.example"}`,
		`{"role":"reader","email":"dora@acme.example","language":"de"}`,
	} {
		rec := w.send("POST", "/admin/v1/tenants/acme/setup-links", body, "Content-Type: application/json",
			"X-Forwarded-Host: evil.example")
		if rec.Code != http.StatusCreated {
			t.Fatalf("%d %s", rec.Code, rec.Body)
		}
	}
	all := w.arrived()
	if len(all) != 2 || !strings.Contains(all[0].to, "ada@acme.example") || !strings.Contains(all[1].to, "dora@") {
		t.Fatalf("%+v", all)
	}
	if !strings.Contains(all[0].subject, "Example App: your link to set up user provisioning for Acme") ||
		!strings.Contains(all[1].text, "nur zum Ansehen") {
		t.Errorf("%+v", all)
	}
	for _, m := range all {
		l := m.link(t)
		if got := w.send("GET", "/admin/v1/tenants/acme/notices", "").Body.String() + w.log.String(); strings.Contains(
			got, l.Code) {
			t.Error("a code is in a log")
		}
		if !w.signedIn(l) || w.signedIn(l) {
			t.Errorf("the link of %s does not open one session", m.to)
		}
	}
}

// TestRevocationReachesMails revokes a link whose mail has arrived.
func TestRevocationReachesMails(t *testing.T) {
	w := newLetters(t)
	made := w.link("acme", `{"role":"admin","email":"ada@acme.example"}`)
	l := w.arrived()[0].link(t)
	if l.ID != made.ID || l.Code == made.Code {
		t.Errorf("mailed %+v, made %+v", l, made)
	}
	if rec := w.send("DELETE", "/admin/v1/tenants/acme/setup-links/"+l.ID, ""); rec.Code != http.StatusNoContent {
		t.Fatalf("%d", rec.Code)
	}
	if w.signedIn(l) || w.signedIn(made) {
		t.Error("a revoked link opens a session")
	}
}

// TestNamesInMailsAreInert gives a tenant and a product's mail a name that is code, or turns text around.
func TestNamesInMailsAreInert(t *testing.T) {
	w := newLetters(t)
	w.notify("ada@acme.example")
	for i, name := range []string{
		`<script>alert(1)</script><img src=x onerror=a()>`, "Acme \u202egnp.exe\u2066 \u200d", "\u05d0\u05d1 https://evil.example/setup",
		strings.Repeat("ä", 100), "x\r\nBcc: eve@evil.example", "# What to do",
	} {
		doc, err := json.Marshal(map[string]string{"name": name})
		if err != nil {
			t.Fatal(err)
		}
		rec := w.send("PATCH", "/admin/v1/tenants/acme", string(doc), "Content-Type: application/json")
		if rec.Code == http.StatusBadRequest {
			continue // it can't have that name
		}
		w.link("acme", `{"role":"admin","email":"ada@acme.example"}`)
		m := w.arrived()
		if len(m) != 1 || m[0].to != "<ada@acme.example>" {
			t.Fatalf("%d: %+v", i, m)
		}
		if found := mailedLink.FindAllString(m[0].text, -1); len(found) != 1 || strings.Count(m[0].html, "<a ") != 1 {
			t.Errorf("%d: links %v in %s", i, found, m[0].html)
		}
		for _, bad := range []string{"<script", "<img", "\u202e", "\u2066", "\u200d", "\nBcc"} {
			if strings.Contains(m[0].html, bad) || bad[0] != '<' && strings.Contains(m[0].subject+m[0].text, bad) {
				t.Errorf("%d: %q in %s", i, bad, m[0].html)
			}
		}
	}
}

// TestANoticeLeadsToAFreshLink goes from the notice about a token to a session, by the page in the notice.
func TestANoticeLeadsToAFreshLink(t *testing.T) {
	w := newLetters(t)
	w.notify("ada@acme.example", "dora@acme.example")
	w.now(345 * 24 * time.Hour)
	w.rotates()
	all := w.arrived()
	if len(all) != 2 || strings.Contains(all[0].to, "dora@") {
		t.Fatalf("%+v", all)
	}
	pages := map[string]string{}
	for i, lang := range []string{"en", "de"} {
		found := renewLink.FindStringSubmatch(all[i].text)
		if found == nil || found[2] != lang || !strings.Contains(all[i].html, found[0]) {
			t.Fatalf("%+v", all[i])
		}
		pages[lang] = found[1]
	}
	for _, method := range []string{"GET", "HEAD"} { // as scanners of mails do
		if rec := w.send(method, pages["de"]+"?lang=de", ""); rec.Code != http.StatusOK || method == "GET" &&
			!strings.Contains(rec.Body.String(), "Link zusenden") {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
	}
	if mails := w.arrived(); len(mails) != 0 {
		t.Errorf("to look at the page sends %+v", mails)
	}
	// Somebody to whom the notice was passed on asks: the mail goes to the one who got the notice.
	w.base = "https://evil.example"
	var wg sync.WaitGroup
	answers := make([]string, 8)
	for i := range answers {
		wg.Go(func() { answers[i] = w.renews(pages["de"]) })
	}
	wg.Wait()
	w.base = "https://scim.example.com"
	mails := w.arrived()
	if len(mails) != 1 || !strings.Contains(mails[0].to, "dora@acme.example") ||
		!strings.Contains(mails[0].text, "Mandant Acme") {
		t.Fatalf("%+v", mails)
	}
	for _, other := range []string{
		"/setup/renew/acme.aaaaaaaaaaaaaaaa", "/setup/renew/none.aaaaaaaaaaaaaaaa", "/setup/renew/x",
		strings.Replace(pages["de"], "acme.", "globex.", 1),
	} {
		if got := w.renews(other); got != answers[0] {
			t.Errorf("%s is answered otherwise: %s", other, got)
		}
	}
	l := mails[0].link(t)
	if !w.signedIn(l) || w.signedIn(l) {
		t.Error("the link does not open one session")
	}
	if log := w.log.String() + w.events("acme"); strings.Contains(log, l.Code) {
		t.Error("a code is in a log")
	}
}

// TestMailsOnRequestAreBounded asks for links for two days, and after somebody is taken off the list.
func TestMailsOnRequestAreBounded(t *testing.T) {
	w := newLetters(t)
	w.notify("ada@acme.example", "bob@acme.example")
	w.now(345 * 24 * time.Hour)
	w.rotates()
	var pages []string
	for _, m := range w.arrived() {
		pages = append(pages, renewLink.FindStringSubmatch(m.text)[1])
	}
	sent := 0
	for range 48 {
		w.renews(pages[0])
		w.renews(pages[0])
		sent += len(w.arrived())
		w.now(30 * time.Minute)
	}
	if sent != 6 {
		t.Errorf("%d mails in 24 hours", sent)
	}
	if w.renews(pages[1]); len(w.arrived()) != 1 {
		t.Error("one recipient uses up the mails of the other")
	}
	w.now(time.Hour)
	w.notify("ada@acme.example")
	if w.renews(pages[1]); len(w.arrived()) != 0 {
		t.Error("somebody who was taken off the list gets a link")
	}
	w.notify("ada@acme.example", "bob@acme.example")
	if w.renews(pages[1]); len(w.arrived()) != 1 {
		t.Error("somebody who is on the list again gets no link")
	}
	w.now(121 * 24 * time.Hour)
	if w.renews(pages[1]); len(w.arrived()) != 0 {
		t.Error("a page from long ago sends a link")
	}
	// Links that were asked for leave room for the operator's.
	w.link("acme", `{"role":"admin"}`)
}
