package browsertest_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
)

// axeHash is the SHA-256 of axe.min.js of axe-core@4.14.1, as npm has it.
const axeHash = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"

// axe is the text of axe-core.
func axe(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile("testdata/axe.min.js.gz")
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != axeHash {
		t.Fatalf("axe-core is not as npm has it: %x", sum)
	}
	return string(text)
}

// violations are axe's violations in the page that is shown.
const violations = `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.map(v =>
	v.id + ": " + v.nodes.map(n =>
		n.target + " " + (n.any[0] || n.all[0] || n.none[0] || {}).message).join("; ")).join("\n"))`

// awaited waits for the promise that a script answers with.
func awaited(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

// look is a way of looking at a page.
type look struct {
	name          string
	width, height int64
	dark          bool
}

var (
	lightDesk = look{"light", 1280, 900, false}
	darkPhone = look{"dark-phone", 390, 844, true}
	// looks are those of images: there all four are wanted, while axe has one of them in each language.
	looks = []look{lightDesk, {"dark", 1280, 900, true}, {"light-phone", 390, 844, false}, darkPhone}
)

func (l look) actions() []chromedp.Action {
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	return []chromedp.Action{
		chromedp.EmulateViewport(l.width, l.height),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			// an image in the midst of a transition shows no colour of ours
			{Name: "prefers-reduced-motion", Value: "reduce"},
		}),
	}
}

// eye looks at pages in one language.
type eye struct {
	*desk
	axe, lang string
	look      look
	seen      *int // how often axe has looked
}

// see holds the page that is shown against axe and the width of the window, and takes images of it if they are wanted.
func (e eye) see(name string) {
	e.t.Helper()
	name += "-" + e.lang
	var wrong, lang, wide string
	e.run(chromedp.WaitReady("main"), chromedp.Evaluate(e.axe, nil), chromedp.Evaluate(violations, &wrong, awaited),
		chromedp.Evaluate(`document.documentElement.lang`, &lang), chromedp.Evaluate(overflow, &wide))
	if wrong != "" {
		e.t.Errorf("%s: %s", name, wrong)
	}
	if wide != "" {
		e.t.Errorf("%s is wider than the window: %s", name, wide)
	}
	if lang != e.lang {
		e.t.Errorf("%s is in %s", name, lang)
	}
	*e.seen++
	e.allLooks(name)
	e.quiet(name)
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		return
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		e.t.Fatal(err)
	}
	for _, l := range looks {
		var image []byte
		e.run(append(l.actions(), chromedp.FullScreenshot(&image, 100))...)
		if err := os.WriteFile(filepath.Join(dir, name+"-"+l.name+".png"), image, 0o644); err != nil {
			e.t.Fatal(err)
		}
	}
	e.run(e.look.actions()...)
}

// allLooks holds the page that is shown against axe and the width of the window in the looks that see leaves out. It
// takes as long as four visits, so it is for the night.
func (e eye) allLooks(name string) {
	e.t.Helper()
	if os.Getenv(slow.NightEnv) == "" {
		return
	}
	for _, l := range looks {
		if l == e.look {
			continue
		}
		var wrong, wide string
		e.run(append(l.actions(), chromedp.Evaluate(violations, &wrong, awaited),
			chromedp.Evaluate(overflow, &wide))...)
		if *e.seen++; wrong != "" {
			e.t.Errorf("%s, %s: %s", name, l.name, wrong)
		}
		if wide != "" {
			e.t.Errorf("%s, %s, is wider than the window: %s", name, l.name, wide)
		}
	}
	e.run(e.look.actions()...)
}

// overflow names the elements that reach out of the window, if the page does.
const overflow = `document.documentElement.scrollWidth <= innerWidth + 1 ? "" :
	[...document.querySelectorAll("main *")].filter(n => n.getBoundingClientRect().right > innerWidth + 1 &&
		!n.closest(".scroll")).map(n => n.tagName + "." + n.className).join(" ") + "?"`

// open goes to a page and looks at it.
func (e eye) open(name, path string) {
	e.t.Helper()
	e.run(chromedp.Navigate(e.url + path))
	e.see(name)
}

// press clicks and looks at the page that comes, which has the selector.
func (e eye) press(name, button, there string) {
	e.t.Helper()
	e.run(chromedp.Click(button, chromedp.ByQuery), chromedp.WaitVisible(there, chromedp.ByQuery))
	e.see(name)
}

// TestEveryPage: each page, in each of its states and in both languages, has no fault that axe knows, is as wide as the
// window, and gives the browser nothing to complain of. English is seen in the light on a desk, German in the dark on a
// phone; in the night each is seen in all looks. SCREENSHOTS names a folder that gets an image of each in all looks.
func TestEveryPage(t *testing.T) {
	slow.Test(t, "a browser goes through all pages for half a minute")
	d, script := newDesk(t), axe(t)
	seen := 0
	for _, e := range []eye{{nil, script, "en", lightDesk, &seen}, {nil, script, "de", darkPhone, &seen}} {
		t.Run(e.lang, func(t *testing.T) {
			e.desk = d.beside(t, "tenant-"+e.lang, "Acme Holding")
			e.run(e.look.actions()...)
			e.empty()
			e.fill()
			e.full()
			e.states()
			e.guides()
			e.overview()
		})
	}
	t.Logf("axe has looked at %d pages", seen)
}

// empty sees the pages of a tenant that is new, from the link on.
func (e eye) empty() {
	e.t.Helper()
	url, code, _ := strings.Cut(e.link("admin"), "#")
	e.open("setup-code", strings.TrimPrefix(url, e.url)+"?lang="+e.lang)
	e.run(chromedp.SendKeys("#code", "wrong\r", chromedp.ByQuery), chromedp.WaitVisible(".note.bad"))
	e.see("setup-wrong")
	e.run(chromedp.Navigate("about:blank"), // else only the fragment changes, and the fault stays
		chromedp.Navigate(url+"#"+code), chromedp.WaitVisible("form.known button"))
	e.see("setup")
	e.press("start-empty", "form.known button", "nav.side")
	e.open("connect-empty", "/portal/connect")
	e.press("connect-chosen", `button[value="entra"]`, `button[aria-pressed="true"][value="entra"]`)
	for _, page := range []string{
		"try", "groups", "groups/grammar", "members", "members/duplicates", "members/pending", "activity", "domains",
	} {
		e.open(strings.ReplaceAll(page, "/", "-")+"-empty", "/portal/"+page)
	}
}

// hostile is a name as somebody may choose it to deceive or attack those who read it.
const hostile = "\"><script>alert(1)</script> \u202egnp.exe\u2066\u200b </title>{{.}} 世界"

// fill sends requests like an identity provider's, with names of the greatest length among them.
func (e eye) fill() {
	e.t.Helper()
	admins := e.user("ada", "Ada Lovelace")
	e.user("alan", "Alan Turing")
	e.user("ada.lovelace", "Ada Lovelace")
	e.group("App Admins", admins)
	e.group("Engineering", admins)
	e.group("AZ1NC9_Funktion_Maschinist", e.user("grace", "Grace Hopper"))
	e.group(strings.Repeat("Donaudampfschifffahrt", 12), e.user(strings.Repeat("m", 120), strings.Repeat("W", 250)))
	e.group(hostile, e.user("mallory", hostile))
	e.call("POST", "/Users", `{"userName":""}`, 400)
	e.settle()
}

// full sees the pages of a tenant with people.
func (e eye) full() {
	e.t.Helper()
	for _, page := range []string{
		"", "connect", "try?q=ada", "try?q=nobody", "try?q=grace", "token", "groups", "groups/attribute",
		"groups/grammar?grammar=AZ1NC9_{name}",
		"members", "members/duplicates", "members/pending", "activity", "settings", "settings?login=none",
		"settings/disconnect",
	} {
		name := strings.NewReplacer("/", "-", "?", "-", "=", "-", "{", "", "}", "").Replace(page)
		if name == "" {
			name = "start"
		}
		e.open(name, "/portal/"+page)
	}
	// From a group to a person with a role.
	e.run(chromedp.Navigate(e.url + "/portal/groups"))
	e.press("rule", `td a[href*="Maschinist"]`, `input[name="group"]`)
	e.run(chromedp.SendKeys(`input[name="kind"]`, "role", chromedp.ByQuery),
		chromedp.SendKeys(`input[name="target"]`, "admin\r", chromedp.ByQuery))
	e.run(chromedp.WaitVisible(`form[action="/portal/groups/save"]`))
	e.see("rehearsal")
	e.press("groups-saved", `form[action="/portal/groups/save"] button`, ".note.good")
	e.settle()
	e.run(chromedp.Navigate(e.url + "/portal/members?q=grace"))
	e.press("person", "tbody th a", "dl.facts")
	e.run(chromedp.Navigate(e.url + "/portal/activity?outcome=refused"))
	e.press("entry", "tbody a", "dl.facts")
}

// states sees the pages that show something only at times.
func (e eye) states() {
	e.t.Helper()
	e.open("token-page", "/portal/token")
	e.press("token-shown", `form[action="/portal/token/reveal"] button`, "#shown")
	e.run(chromedp.Navigate(e.url + "/portal/token"))
	e.press("token-rotation", `button[name="action"], form[action="/portal/token/rotate"] button`, "#rotation")
	e.run(chromedp.Navigate(e.url+"/portal/token"), chromedp.SendKeys(`input[name="name"]`, "PingOne\r", chromedp.ByQuery),
		chromedp.WaitVisible("#client-id"))
	e.see("token-client")
	e.run(chromedp.Navigate(e.url+"/portal/domains"), chromedp.SendKeys(`input[name="name"]`, "acme.example\r",
		chromedp.ByQuery), chromedp.WaitVisible("#value-0"))
	e.see("domains")
	e.press("sure", `form[action="/portal/domains/remove"] button`, `button[name="sure"]`)
	e.run(chromedp.Navigate(e.url+"/portal/domains"), chromedp.SendKeys("#name", "a b\r", chromedp.ByQuery),
		chromedp.WaitVisible("#fault"))
	e.see("fault")
	e.run(chromedp.Navigate(e.url+"/portal/settings"),
		chromedp.SendKeys(`input[name="email"]`, "it@acme.example\r", chromedp.ByQuery), chromedp.WaitVisible(".note.good"))
	e.run(chromedp.Navigate(e.url+"/portal/settings"),
		chromedp.SendKeys(`input[name="minutes"]`, "60", chromedp.ByQuery),
		chromedp.SendKeys(`input[name="people"]`, "1\r", chromedp.ByQuery), chromedp.WaitVisible(".note.good"))
	ben, eve := e.user("ben", "Ben"), e.user("eve", "Eve")
	e.settle()
	e.call("DELETE", "/Users/"+ben, "")
	e.call("DELETE", "/Users/"+eve, "", 503)
	e.open("guard", "/portal/settings")
	e.open("missing", "/portal/none")
	e.open("missing-person", "/portal/members/none")

	// A reader, a form that is refused, and a link that is over.
	over := strings.TrimPrefix(e.link("reader"), e.url)
	e.run(chromedp.Navigate(e.url+over), chromedp.WaitVisible("form.known button"),
		chromedp.Click("form.known button"), chromedp.WaitVisible("nav.side"))
	e.open("settings-reader", "/portal/settings")
	e.run(chromedp.Evaluate(`const f = document.createElement("form"); f.method = "post"; `+
		`f.action = "/portal/settings/active"; document.body.append(f); f.submit()`, nil), chromedp.WaitVisible(".card.alone"))
	e.see("refused")
	e.press("signed-out", `form[action="/portal/sign-out"] button`, "body.alone .card.alone")
	link, _, _ := strings.Cut(over, "#")
	e.open("over", link)
	e.open("no-session", "/portal/")
}
