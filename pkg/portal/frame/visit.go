package frame

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/provlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/setup"
	"github.com/serverless-scim/serverless-scim/pkg/task"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/web"
)

// Visit is one request to a page. A handler answers it with one of Show, ShowPart and Lead.
type Visit struct {
	W http.ResponseWriter
	R *http.Request
	// Session and Tenant are those of the browser. They are empty on pages without a session.
	Session setup.Session
	Tenant  tenant.Tenant
	// Lang is the language of the answer.
	Lang string
	// Object is the id of the thing that a form is about or makes, for the log; by default that of the field "id".
	Object string

	frame  *Frame
	id     string // of the request
	caller string // as the logs name the sender; "" if it is nobody's
	err    error
}

// Text returns a text in the language of the visit; see Words.Text.
func (v *Visit) Text(key string, args ...any) string { return v.frame.words[v.Lang].Text(key, args...) }

// Ago says how far a time is from now, in words.
func (v *Visit) Ago(at time.Time) string { return ago(v.frame.words[v.Lang], at, v.Now()) }

// Form is a field of the form that was posted, or of the query, without the space around it.
func (v *Visit) Form(name string) string { return strings.TrimSpace(v.R.FormValue(name)) }

// Admin reports whether the visitor may change things.
func (v *Visit) Admin() bool { return v.Session.Role == setup.Admin }

// Now is the time.
func (v *Visit) Now() time.Time { return v.frame.o.Now() }

// Base is scheme and host of the deployment; "" if a request does not say.
func (v *Visit) Base() string {
	base, err := web.Base(v.frame.o.BaseURL, v.R)
	if err != nil {
		return ""
	}
	return base
}

// Show answers with a page: the template of that name, with data as .Page.
func (v *Visit) Show(page string, data any) error { return v.ShowStatus(http.StatusOK, page, data) }

// ShowStatus is Show with another status than 200.
func (v *Visit) ShowStatus(status int, page string, data any) error {
	return v.render(status, page, "layout", data)
}

// ShowPart answers with a part of a page alone, a template that the page defines, for htmx to put in its place.
func (v *Visit) ShowPart(page, part string, data any) error {
	return v.render(http.StatusOK, page, part, data)
}

// Unchanged answers a request for a part of a page that is still as the browser has it: htmx leaves it alone then.
func (v *Visit) Unchanged() { v.W.WriteHeader(http.StatusNoContent) }

func (v *Visit) render(status int, page, part string, data any) error {
	var b bytes.Buffer
	if err := v.frame.execute(&b, v, page, part, data); err != nil {
		return err
	}
	h := v.W.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.Lang)
	h.Set("Vary", "Accept-Encoding")
	body := b.Bytes()
	// The answer to a form may have a secret beside the input, which its compressed length would reveal.
	if takesZipped(v.R) && v.R.Method == http.MethodGet && len(body) > compressed {
		h.Set("Content-Encoding", "gzip")
		body = zipped(body, gzip.BestSpeed)
	}
	v.W.WriteHeader(status)
	if v.R.Method != http.MethodHead {
		_, _ = v.W.Write(body) // the client is gone
	}
	return nil
}

// compressed is the number of bytes from which on a page is compressed.
const compressed = 4 << 10

// Lead answers a form with a page to go to, a path under Root. done, if not empty, is the key below "done." of the text
// that says there that it worked.
func (v *Visit) Lead(path, done string) error {
	query := ""
	if done != "" {
		query = "?" + url.Values{"done": {done}}.Encode()
	}
	v.redirect(Root + path + query)
	return nil
}

func (v *Visit) redirect(to string) {
	v.W.Header().Set("Location", to)
	v.W.WriteHeader(http.StatusSeeOther)
}

// Done is the text that says that a form worked; "" if there is none.
func (v *Visit) done() string {
	key := v.R.URL.Query().Get("done")
	if _, ok := v.frame.words[v.Lang]["done."+key]; !ok || key == "" {
		return ""
	}
	return v.Text("done." + key)
}

// chooseLanguage takes the language of the query, which is kept, else the one that was kept, else the browser's. A link
// of another language comes in between; see signIn.
func (v *Visit) chooseLanguage() {
	if asked := v.R.URL.Query().Get("lang"); known(asked) {
		v.Lang = asked
		v.frame.setCookie(v, languageCookie, asked, v.Now().AddDate(1, 0, 0))
		return
	}
	v.Speak("")
}

// Speak takes the language that was kept, else the given one if it is known, else the browser's.
func (v *Visit) Speak(lang string) {
	if known(v.R.URL.Query().Get("lang")) {
		return
	}
	kept := v.frame.cookie(v.R, languageCookie)
	switch asked := preferred(v.R.Header.Get("Accept-Language")); {
	case known(kept):
		v.Lang = kept
	case known(lang):
		v.Lang = lang
	case asked != "":
		v.Lang = asked
	default:
		v.Lang = Languages[0]
	}
}

// signIn finds the session of the cookie, and its tenant.
func (v *Visit) signIn() error {
	cookie := v.frame.cookie(v.R, sessionCookie)
	if cookie == "" {
		return errSession
	}
	var (
		session setup.Session
		of      tenant.Tenant
	)
	g, ctx := task.WithContext(v.R.Context())
	g.Go(func() (err error) { session, err = v.frame.o.Links.Session(ctx, cookie); return err })
	g.Go(func() (err error) { of, err = v.frame.o.Tenants.Get(ctx, setup.CookieTenant(cookie)); return err })
	err := g.Wait()
	if errors.Is(err, setup.ErrOver) || errors.Is(err, tenant.ErrNotFound) {
		return errSession
	}
	if err != nil {
		return err
	}
	v.Session, v.Tenant, v.caller = session, of, link(session.ID)
	v.Speak(session.Language)
	return nil
}

// Expect gives the browser a nonce, if it has none: by it the same browser can redeem a link again if the answer is
// lost.
func (v *Visit) Expect() {
	if v.frame.cookie(v.R, nonceCookie) == "" {
		v.frame.setCookie(v, nonceCookie, rand.Text(), time.Time{})
	}
}

// facts are the facts about the request for the provisioning log.
func (v *Visit) facts(caller string) provlog.AdminFacts {
	return provlog.AdminFacts{
		ID: v.frame.o.Journal.NewID(), RequestID: v.id, Caller: caller, Method: v.R.Method, Path: v.R.URL.Path,
		Object: cmp.Or(v.Object, idOf(v.Form("id"))),
	}
}

// idOf returns the text of a field if it can be an id, else "". Anything can be sent there: a token or a secret, which
// have capitals, or an address.
func idOf(text string) string {
	foreign := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.", r)
	}
	if len(text) > 100 || strings.HasPrefix(text, "scim_") || strings.ContainsFunc(text, foreign) {
		return ""
	}
	return text
}

// link is the caller by a set-up link.
func link(id string) string { return "setup-link " + id }

// Begin redeems a link for a session of the browser, and leads it to the first page. The errors are those of Redeem.
// The entry in the log is written with the redemption, or with the count of wrong codes.
func (v *Visit) Begin(links *setup.Service, id, code string) error {
	good := v.facts(link(id))
	good.Object = "" // the path names the link, and whoever knows that can send any field
	wrong := good
	good.Status, wrong.Status = http.StatusSeeOther, http.StatusForbidden
	s, err := links.Redeem(v.R.Context(), setup.Redemption{
		ID: id, Code: code, Nonce: v.frame.cookie(v.R, nonceCookie),
		Entry: v.frame.o.Journal.Entry(good), Wrong: v.frame.o.Journal.Entry(wrong),
	})
	if err != nil {
		return err
	}
	v.frame.setCookie(v, sessionCookie, s.Cookie, s.SessionUntil)
	v.redirect(Root)
	return nil
}

// Renew has a set-up link mailed by the page of an id. The entry in the log has the new link, and not the id, with
// which anybody can ask for another one.
func (v *Visit) Renew(links *setup.Service, id string) error {
	facts := v.facts("recipient of a notice")
	facts.Path, facts.Status = SetupRoot+"renew", http.StatusOK
	return links.Renew(v.R.Context(), id, v.frame.o.Journal.EntryOf(facts))
}

// Noted carries out a change, and has it in the provisioning log of v.Tenant: before, so that nothing is shown that is
// not written down, and after, with its result.
func (v *Visit) Noted(caller string, handler Handler) error {
	ctx, journal := v.R.Context(), v.frame.o.Journal
	v.caller = caller
	facts := v.facts(caller)
	if err := journal.Admin(ctx, v.Tenant, facts); err != nil {
		return err
	}
	err := handler(v)
	if err != nil {
		err = v.problem(err)
	}
	if facts.Status = web.Status(v.W); err != nil {
		facts.Status = http.StatusInternalServerError
	}
	facts.Object = cmp.Or(v.Object, facts.Object)
	// A change that was carried out can't be taken back. The entry from before says that it was asked for.
	_ = journal.Admin(ctx, v.Tenant, facts)
	return err
}

// signOut ends the session, if there is one.
func signOut(v *Visit) error {
	over := func(v *Visit) error {
		back := v.frame.returnURL(v)
		v.Session = setup.Session{}
		v.frame.setCookie(v, sessionCookie, "", time.Unix(1, 0))
		return v.Show("over", message{Title: "over.out.title", Text: "over.out.text", Back: back})
	}
	err := v.signIn()
	if errors.Is(err, errSession) {
		return over(v)
	}
	if err != nil {
		return err
	}
	return v.Noted(link(v.Session.ID), func(v *Visit) error {
		if err := v.frame.o.Links.End(v.R.Context(), v.Session); err != nil {
			return err
		}
		return over(v)
	})
}

func toStart(v *Visit) error {
	v.redirect(Root)
	return nil
}

// message is a page that says one thing.
type message struct {
	Title, Text string // keys
	Detail      string // the answer of the service, for readers of English
	Back        string
}

// problem shows an error as a page. It returns the error if that is not for visitors.
func (v *Visit) problem(err error) error {
	var (
		invalid  *tenant.InvalidError
		conflict *tenant.ConflictError
		tooLarge *http.MaxBytesError
		refused  *scim.Error
	)
	_, outage := tenant.Outage(err)
	show := func(status int, key, detail string) error {
		return v.ShowStatus(status, "over", message{
			Title: key + ".title", Text: v.about(key), Detail: v.English(detail),
		})
	}
	switch {
	case errors.Is(err, errNotFound):
		return show(http.StatusNotFound, "problem.missing", "")
	case errors.Is(err, errMethod):
		return show(http.StatusMethodNotAllowed, "problem.missing", "")
	case errors.Is(err, errOrigin):
		return show(http.StatusForbidden, "problem.origin", "")
	case errors.Is(err, errRole):
		return show(http.StatusForbidden, "problem.role", "")
	case errors.Is(err, errSession):
		return show(http.StatusUnauthorized, "problem.session", "")
	case errors.As(err, &tooLarge):
		return show(http.StatusRequestEntityTooLarge, "problem.large", "")
	case errors.As(err, &invalid):
		return show(http.StatusBadRequest, "problem.invalid", invalid.Detail())
	case errors.As(err, &conflict):
		return show(http.StatusConflict, "problem.conflict", conflict.Detail)
	case errors.Is(err, tenant.ErrNotFound):
		return show(http.StatusNotFound, "problem.missing", "")
	case errors.As(err, &refused) && refused.Status < http.StatusInternalServerError:
		return show(http.StatusBadRequest, "problem.invalid", refused.Detail)
	case outage || tenant.Temporary(err):
		v.W.Header().Set("Retry-After", "5")
		return show(http.StatusServiceUnavailable, "problem.busy", "")
	}
	return err
}

// about is the key of the text about a problem: the one about this form and its action if there is one, such as
// "problem.conflict.token/rotate.start", else that for all.
func (v *Visit) about(key string) string {
	form := key + "." + strings.TrimPrefix(v.R.URL.Path, Root)
	for _, own := range []string{form + "." + v.R.Form.Get("action"), form} {
		if _, ok := v.frame.words[v.Lang][own]; ok {
			return own
		}
	}
	return key + ".text"
}

// English is a text of a service, which is in English, for readers of English; "" for all others, who read no more than
// the pages' own texts.
func (v *Visit) English(text string) string {
	if v.Lang == Languages[0] {
		return text
	}
	return ""
}

// returnURL is the address to which the pages lead back: of the link, else of the brand; "" if neither has one.
func (f *Frame) returnURL(v *Visit) string {
	if v.Session.ReturnURL != "" {
		return v.Session.ReturnURL
	}
	return f.o.Brand.ReturnURL
}
