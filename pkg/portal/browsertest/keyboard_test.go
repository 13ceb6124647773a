package browsertest_test

import (
	"strings"
	"testing"

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
