package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// whyLarger has the reasons why a page reads more in a larger tenant.
var whyLarger = map[string]string{
	"start": "counts the members", "connect": "counts the members", "groups": "until the page is full",
	"groups, a grammar": "until the page is full", "member": "looks through the log of requests",
	"try, a whole name":         "looks through the log of requests",
	"members, a part of a name": "looks through 2,000 members",
}

// pages are the pages of the portal, each seen by an administrator with a session.
func pages() []operation {
	page := func(name, path string) operation {
		return operation{name: "portal " + name, most: 20, prepare: signedIn, request: func(*world, int) request {
			return request{method: http.MethodGet, path: "/portal/" + path, page: true}
		}}
	}
	all := []operation{
		page("start", ""), page("connect", "connect"), page("try, a whole name", "try?q=user-0000101@example.com"),
		page("token", "token"), page("domains", "domains"), page("groups", "groups"),
		page("groups, a form", "groups/rule"), page("groups, a grammar", "groups/grammar?grammar={name}"),
		page("members", "members"), page("members, a part of a name", "members?q=nobody"),
		page("members, duplicates", "members/duplicates"), page("members, references", "members/pending"),
		{name: "portal member", most: 20, prepare: signedIn, request: func(w *world, i int) request {
			return request{method: http.MethodGet, path: "/portal/members/" + w.some(i), page: true}
		}},
		page("activity", "activity"), page("settings", "settings"),
	}
	for i := range all {
		all[i].grows = whyLarger[strings.TrimPrefix(all[i].name, "portal ")]
	}
	return all
}

// signedIn opens a set-up link before the first page.
func signedIn(ctx context.Context, w *world, _ int) error {
	if w.cookie != "" {
		return nil
	}
	ask := request{method: http.MethodPost, path: "/setup-links", body: `{"role":"admin"}`, admin: true}
	made, err := w.send(ctx, ask, false)
	if err != nil {
		return err
	}
	var link struct{ ID, Code string }
	if err := json.Unmarshal(made.body, &link); err != nil {
		return fmt.Errorf("a set-up link: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, here+"/setup/"+link.ID,
		strings.NewReader(url.Values{"code": {link.Code}}.Encode()))
	if err != nil {
		return err
	}
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	a := &answer{header: http.Header{}, body: bytes.Buffer{}}
	w.handler.ServeHTTP(a, r)
	if a.status != http.StatusSeeOther {
		return fmt.Errorf("a set-up link: status %d: %.500s", a.status, a.body.Bytes())
	}
	w.cookie, _, _ = strings.Cut(a.header.Get("Set-Cookie"), ";")
	return nil
}
