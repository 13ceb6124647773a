package browsertest_test

import (
	"os"
	"strings"

	"github.com/chromedp/chromedp"

	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// guides sees the steps of each identity provider: all in the night, else the one with the most links and the one that
// explains the most.
func (e eye) guides() {
	e.t.Helper()
	e.run(chromedp.Navigate(e.link("admin")), chromedp.WaitVisible("form.known button"),
		chromedp.Click("form.known button"), chromedp.WaitVisible("nav.side"),
		chromedp.Navigate(e.url+"/portal/connect"))
	var ids string
	e.run(chromedp.Evaluate(`[...document.querySelectorAll("[name=idp]")].map(b => b.value).join(" ")`, &ids))
	all := strings.Fields(ids)
	if len(all) < 13 {
		e.t.Errorf("only the identity providers %v", all)
	}
	if os.Getenv(slow.NightEnv) == "" && os.Getenv("SCREENSHOTS") == "" {
		all = []string{"google", "generic"}
	}
	for _, id := range all {
		e.run(chromedp.Evaluate(`document.querySelector('button[value="`+id+`"]').click()`, nil),
			chromedp.WaitVisible(`button[aria-pressed="true"][value="`+id+`"]`))
		e.see("guide-" + id)
	}
}

// overview sees the operator's page of all tenants, one of them with a hostile name and one with a long one.
func (e eye) overview() {
	e.t.Helper()
	inert := strings.Map(func(r rune) rune { // a name of a tenant has no characters that turn text around
		if strings.ContainsRune("\u202e\u2066\u200b", r) {
			return -1
		}
		return r
	}, hostile)
	for id, name := range map[string]string{"hostile-": inert, "long-": strings.Repeat("Donaudampfschifffahrt", 9)} {
		_, _, err := e.server.Tenants().Create(e.t.Context(), tenant.NewTenant{ID: id + e.lang, Name: name})
		if err != nil {
			e.t.Fatal(err)
		}
	}
	e.open("overview", "/?lang="+e.lang)
}
