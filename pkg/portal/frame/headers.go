package frame

import (
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/web"
)

// policy is the Content-Security-Policy: nothing inline, nothing from another host. Pico draws its marks from data
// URLs.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// secure sets the headers of all answers, beside those of package web.
func secure(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
}

// names of cookies. The prefix __Host- has browsers keep them to this host, and to https. Over plain http on a loopback
// address, as in tests and local runs, browsers do not keep such cookies, and the prefix is left out.
const (
	sessionCookie  = "portal"
	nonceCookie    = "portal-nonce"
	languageCookie = "portal-language"
)

// plainLocal reports whether a request came over plain http to a loopback address.
func (f *Frame) plainLocal(r *http.Request) bool {
	base, err := web.Base(f.o.BaseURL, r)
	if err != nil {
		return false
	}
	host, plain := strings.CutPrefix(base, "http://")
	if !plain {
		return false
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (f *Frame) cookieName(r *http.Request, name string) string {
	if f.plainLocal(r) {
		return name
	}
	return "__Host-" + name
}

// setCookie sets a cookie until a time; the zero time ends it with the browser's session.
func (f *Frame) setCookie(v *Visit, name, value string, until time.Time) {
	http.SetCookie(v.W, &http.Cookie{
		Name: f.cookieName(v.R, name), Value: value, Path: "/", Expires: until, Secure: !f.plainLocal(v.R),
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	})
}

func (f *Frame) cookie(r *http.Request, name string) string {
	c, err := r.Cookie(f.cookieName(r, name))
	if err != nil {
		return ""
	}
	return c.Value
}
