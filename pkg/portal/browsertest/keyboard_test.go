package browsertest_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
)

// tabs bounds how often Tab is pressed to reach an element.
const tabs = 60

// focused says which element has the focus: whether it fits the selector, and whether somebody sees that it has it.
const focused = `(() => { const e = document.activeElement, s = getComputedStyle(e);
	return [e.matches(SELECTOR) ? "here" : "", s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 ||
		s.boxShadow !== "none" ? "seen" : "", e.tagName + "#" + e.id + " " + e.textContent.trim().slice(0, 40)
	].join("|") })()`

// tab presses Tab until the element with the selector has the focus. Each element on the way shows that it has it.
func (d *desk) tab(selector string) {
	d.t.Helper()
	var way []string
	for range tabs {
		var got string
		d.run(chromedp.KeyEvent(kb.Tab),
			chromedp.Evaluate(strings.Replace(focused, "SELECTOR", "`"+selector+"`", 1), &got))
		state, _, _ := strings.Cut(got, "|")
		if !strings.Contains(got, "|seen|") && !strings.Contains(got, "BODY#") {
			d.t.Errorf("nobody sees the focus on %s", got)
		}
		if way = append(way, got); state == "here" {
			return
		}
	}
	d.t.Fatalf("no way by Tab to %s:\n%s", selector, strings.Join(way, "\n"))
}

// has fails unless the element with the selector has the focus.
func (d *desk) has(selector string) {
	d.t.Helper()
	var got string
	d.run(chromedp.Evaluate(strings.Replace(focused, "SELECTOR", "`"+selector+"`", 1), &got))
	if !strings.HasPrefix(got, "here|") {
		d.t.Errorf("the focus is not on %s but on %s", selector, got)
	}
}

// enter is the key Enter, pressed once: kb.Enter is a key and a character, by which a form can be sent twice.
var enter = chromedp.Tasks{
	input.DispatchKeyEvent(input.KeyDown).WithKey("Enter").WithCode("Enter").WithWindowsVirtualKeyCode(13).
		WithText("\r"),
	input.DispatchKeyEvent(input.KeyUp).WithKey("Enter").WithCode("Enter").WithWindowsVirtualKeyCode(13),
}

// TestKeyboardAlone: from the link to a saved rule, with Tab, Enter and Escape and no mouse. A fault gets the focus and
// leads to its field.
func TestKeyboardAlone(t *testing.T) {
	slow.Test(t, "a browser takes some seconds for it")
	d := newDesk(t).beside(t, "keys", "Keyboard")
	escape := chromedp.KeyEvent(kb.Escape)
	d.run(chromedp.Navigate(d.link("admin")), chromedp.WaitVisible("form.known button"))
	d.tab("form.known button")
	d.run(enter, chromedp.WaitVisible("nav.side"))

	// The skip link is the first thing, and leads past the navigation.
	d.tab("a.skip")
	d.run(enter)
	d.has("main")
	d.tab(`a[href="/portal/connect"]`)
	d.run(enter, chromedp.WaitVisible(".choices"))

	// Escape closes what was opened, and the focus is on what opened it.
	d.tab("details[open] button") // a new tenant's choice is among the others
	d.run(escape, chromedp.WaitReady("fieldset details:not([open])"))
	d.has("main details summary")
	d.run(chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(8)))
	for range 4 { // back to the first of the five
		d.run(chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(8)))
	}
	d.has(`button[value="entra"]`)
	d.run(enter, chromedp.WaitVisible(`button[value="entra"][aria-pressed="true"]`))
	d.has(".note.good")

	// The focus on a part that is replaced stays where it was.
	d.tab("#state a.again")
	d.call("GET", "/Users?count=1", "")
	d.run(chromedp.WaitVisible("#state .note.good"))
	d.has(`[role="status"]`)
	d.tab(`#state a[href="/portal/try"]`)

	d.group("Engineering", d.user("ada", "Ada Lovelace"))
	d.settle()
	d.run(chromedp.Navigate(d.url + "/portal/"))
	d.tab(`nav.side a[href="/portal/groups"]`)
	d.run(enter, chromedp.WaitVisible(`td a[href^="/portal/groups/rule"]`))
	rule := func() {
		d.tab(`td a[href^="/portal/groups/rule"]`)
		d.run(enter, chromedp.WaitVisible("#kind"))
	}
	rule()
	d.tab("#kind")
	d.run(chromedp.KeyEvent("1"))
	d.tab("#target")
	d.run(chromedp.KeyEvent("admin"))
	d.tab(`form[action="/portal/groups/rehearse"] button`)
	d.run(enter, chromedp.WaitVisible("#fault"))
	d.has("#fault")
	d.tab("#fault a")
	d.run(enter)
	d.has(`#kind[aria-invalid="true"][aria-describedby="fault"]`)
	d.tab(`a.quiet[href="/portal/groups"]`)
	d.run(enter, chromedp.WaitVisible(`td a[href^="/portal/groups/rule"]`))
	rule()
	d.tab("#kind")
	d.run(chromedp.KeyEvent("role"))
	d.tab("#target")
	d.run(chromedp.KeyEvent("admin"))
	d.tab(`form[action="/portal/groups/rehearse"] button`)
	d.run(enter, chromedp.WaitVisible(`form[action="/portal/groups/save"]`))
	d.tab(`form[action="/portal/groups/save"] button`)
	d.run(enter, chromedp.WaitVisible(".note.good"))
	d.has(".note.good")
	d.reads("main", "Engineering", "role: admin")
	d.quiet("keyboard")
}

// nameless are the elements that Tab reaches and that have no name for a screen reader.
const nameless = `[...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")]
	.filter(n => n.checkVisibility() && !(n.getAttribute("aria-label") || n.textContent.trim() ||
		n.labels && n.labels[0] && n.labels[0].textContent.trim())).map(n => n.outerHTML).join("\n")`

// stops are the elements of a page that Tab must reach, in the order of the page: n.stop is its number. Of radio
// buttons of one name Tab reaches one.
const stops = `(() => { let i = 0;
	for (const n of document.querySelectorAll(
		"a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")) {
		if (!n.checkVisibility() || n.matches(":disabled")) continue;
		if (n.type === "radio" && !n.checked && document.querySelector('[name="' + n.name + '"]:checked')) continue;
		n.stop = ++i;
	}
	document.activeElement.blur(); getSelection().removeAllRanges();
	return i })()`

// stopped names the element that has the focus: "" if that is stop i, and can be seen.
const stopped = `(() => { const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();
	const say = [];
	const name = e.tagName + "#" + e.id + " " + e.textContent.trim().slice(0, 40);
	if (e.stop !== STOP) say.push("stop STOP is " + e.stop + " " + name);
	if (!(s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 || s.boxShadow !== "none"))
		say.push("no focus on " + name);
	if (r.bottom <= 0 || r.top >= innerHeight || r.right <= 0 || r.left >= innerWidth)
		say.push("out of sight: " + name);
	return say.join("; ") })()`

// walk presses Tab from the beginning of the page to its end. Tab reaches each element that does something, in the
// order of the page and once; each has a name, is in sight and shows that it has the focus.
func (d *desk) walk(path string) int {
	d.t.Helper()
	var without string
	var n int
	d.run(chromedp.Navigate(d.url+path), chromedp.WaitReady("main"), chromedp.Evaluate(nameless, &without),
		chromedp.Evaluate(stops, &n))
	if without != "" {
		d.t.Errorf("%s: without a name: %s", path, without)
	}
	for i := range n {
		var say string
		d.run(chromedp.KeyEvent(kb.Tab),
			chromedp.Evaluate(strings.ReplaceAll(stopped, "STOP", strconv.Itoa(i+1)), &say))
		if say != "" {
			d.t.Errorf("%s: %s", path, say)
			break
		}
	}
	return n
}

// TestTabReachesEverything walks over each page by Tab: all in the night, else those with the most kinds of elements.
func TestTabReachesEverything(t *testing.T) {
	d := newDesk(t).beside(t, "tabs", "Tabs")
	d.run(chromedp.Navigate(d.link("admin")), chromedp.WaitVisible("form.known button"),
		chromedp.Click("form.known button"), chromedp.WaitVisible("nav.side"))
	ada := d.user("ada", "Ada Lovelace")
	d.user("ada.lovelace", "Ada Lovelace")
	d.group("Engineering", ada)
	d.settle()
	paths := []string{"settings", "activity"}
	if os.Getenv(slow.NightEnv) != "" {
		paths = append(paths, "", "connect", "try?q=ada", "token", "domains", "groups", "groups/attribute",
			"groups/grammar?grammar={name}", "groups/rule?group=Engineering", "members", "members/duplicates",
			"members/pending", "settings/disconnect", "none")
	}
	n := 0
	for _, path := range paths {
		n += d.walk("/portal/" + path)
	}
	d.run(emulation.SetDeviceMetricsOverride(390, 844, 1, true))
	n += d.walk("/portal/groups") + d.walk("/")
	t.Logf("%d stops of Tab", n)
	d.quiet("tab")
}
