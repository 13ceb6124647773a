package browsertest_test

import (
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
	"github.com/serverless-scim/serverless-scim/pkg/scim/scimtest"
)

// story is how an administrator connects one identity provider.
type story struct {
	idp      string
	test     part // the test of the connection
	first    part // the first users, and groups if it sends any
	person   string
	group    string // "" if it sends none
	noScript bool
}

// part is a number of steps of a dialogue.
type part struct {
	dialogue string
	from, to int
}

var stories = []story{
	{
		"entra",
		part{"entra-test-connection", 0, 1},
		part{"entra-group-lifecycle-flag", 0, 8},
		"m1.test",
		"AZ1NC9_Funktion_Maschinist", false,
	},
	{"okta", part{"okta-test-connection", 0, 2}, part{"okta-group-push-oin", 0, 7}, "gp1", "Test SCIMv2", false},
	{"google", part{"google-keeper-lifecycle", 0, 1}, part{"google-keeper-lifecycle", 1, 5}, "xaver.sued", "", false},
	{"onelogin", part{"onelogin-lifecycle", 0, 1}, part{"onelogin-lifecycle", 1, 5}, "adam.lauf", "", false},
	{"pingone", part{"pingone-lifecycle", 0, 1}, part{"pingone-lifecycle", 1, 10}, "carl.ping", "Ping Gruppe", true},
}

// TestFromLinkToFirstMember: an administrator with nothing but a link connects each of the five identity providers
// while that one sends its recorded requests, and sees the first member with the reasons. The last of them has no
// script; in the night all five go that way as well.
func TestFromLinkToFirstMember(t *testing.T) {
	d := newDesk(t)
	all, err := scimtest.Dialogues()
	if err != nil {
		t.Fatal(err)
	}
	dialogues := map[string]scimtest.Dialogue{}
	for _, one := range all {
		dialogues[one.Name] = one
	}
	for i, s := range stories {
		if i > 0 && !slow.Part(t, "the story of "+s.idp) {
			continue
		}
		t.Run(s.idp, func(t *testing.T) { d.beside(t, s.idp, "Customer with "+s.idp).tell(s, dialogues) })
		if os.Getenv(slow.NightEnv) != "1" || s.noScript {
			continue
		}
		s.noScript = true
		id := s.idp + "-plain"
		t.Run(id, func(t *testing.T) { d.beside(t, id, "Customer without script").tell(s, dialogues) })
	}
}

// replay sends a part of a dialogue.
func (d *desk) replay(all map[string]scimtest.Dialogue, p part) {
	d.t.Helper()
	whole := all[p.dialogue]
	whole.Steps = whole.Steps[p.from:p.to]
	scimtest.RunDialogue(d.t, whole, scimtest.Target{BaseURL: d.url + "/scim/v2/" + d.tenant, Token: d.token})
}

// reads fails for each text that is not in the element.
func (d *desk) reads(selector string, want ...string) {
	d.t.Helper()
	var got string
	d.run(chromedp.Text(selector, &got, chromedp.ByQuery))
	for _, w := range want {
		if !strings.Contains(got, w) {
			d.t.Errorf("no %q in %s: %s", w, selector, got)
		}
	}
}

func (d *desk) tell(s story, dialogues map[string]scimtest.Dialogue) {
	d.t.Helper()
	url, code, _ := strings.Cut(d.link("admin"), "#")
	if s.noScript {
		d.run(emulation.SetScriptExecutionDisabled(true), chromedp.Navigate(url),
			chromedp.SendKeys("#code", code+"\r", chromedp.ByQuery), chromedp.WaitVisible("nav.side"))
	} else {
		d.run(chromedp.Navigate(url+"#"+code), chromedp.WaitVisible("form.known button"),
			chromedp.Click("form.known button"), chromedp.WaitVisible("nav.side"))
	}
	d.run(chromedp.Click(`main a[href="/portal/connect"]`), chromedp.WaitVisible(".choices"),
		chromedp.Click(`button[value="`+s.idp+`"]`),
		chromedp.WaitVisible(`button[aria-pressed="true"][value="`+s.idp+`"]`), chromedp.WaitVisible("#state .note.wait"))

	// The token is shown if it is asked for, in the body of an answer only.
	d.run(chromedp.Click(`#main a[href="/portal/token"]`), chromedp.WaitVisible("#tokens"),
		chromedp.Click(`form[action="/portal/token/reveal"] button`), chromedp.WaitVisible("#shown"))
	d.reads("#shown", d.token)
	d.run(chromedp.Navigate(d.url+"/portal/connect"), chromedp.WaitVisible("#state .note.wait"))
	d.replay(dialogues, s.test)
	if s.noScript {
		d.run(chromedp.Click("#state a"))
	}
	d.run(chromedp.WaitVisible("#state .note.good"))

	d.replay(dialogues, s.first)
	d.settle()
	d.run(chromedp.Navigate(d.url+"/portal/"), chromedp.Click(`main a[href="/portal/groups"]`),
		chromedp.WaitVisible(`nav.side a[href="/portal/groups"][aria-current]`))
	if s.group != "" {
		d.run(chromedp.Click(`td a[href^="/portal/groups/rule"]`), chromedp.WaitVisible(`input[name="group"]`),
			chromedp.SendKeys(`input[name="kind"]`, "role", chromedp.ByQuery),
			chromedp.SendKeys(`input[name="target"]`, "admin\r", chromedp.ByQuery),
			chromedp.WaitVisible(`form[action="/portal/groups/save"]`))
		d.reads("main", "Gains", "role admin")
		d.run(chromedp.Click(`form[action="/portal/groups/save"] button`), chromedp.WaitVisible(".note.good"))
		d.settle()
	}
	// The list before the search has the person as well. A click counts if the field has the search.
	d.run(chromedp.Click(`nav.side a[href="/portal/members"]`),
		chromedp.WaitVisible(`nav.side a[href="/portal/members"][aria-current]`),
		chromedp.SendKeys(`input[name="q"]`, s.person+"\r", chromedp.ByQuery),
		chromedp.WaitVisible(`input[name="q"][value="`+s.person+`"]`),
		chromedp.Click("tbody th a"), chromedp.WaitVisible("dl.facts"))
	d.reads("h1", "active")
	d.reads("main", s.person, "Arrived")
	if s.group != "" {
		d.reads("main", "role admin", "group "+s.group)
	}
	d.quiet(s.idp)
}
