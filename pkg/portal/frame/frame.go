package frame

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/serverless-scim/serverless-scim/pkg/provlog"
	"github.com/serverless-scim/serverless-scim/pkg/setup"
	"github.com/serverless-scim/serverless-scim/pkg/task"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/web"
)

// Root is the path of the pages, SetupRoot that of set-up links.
const (
	Root      = "/portal/"
	SetupRoot = "/setup/"
)

// maxBody bounds a form in bytes.
const maxBody = 256 << 10

// Handler answers a visit, or returns the error to show.
type Handler func(v *Visit) error

// Room is a group of pages that belong together, with their templates and texts.
type Room struct {
	// Files has the templates as pages/*.html and the texts as words/LANGUAGE.json.
	Files fs.FS
	// Routes are the pages by method and path under Root: "GET token", "POST token/reveal", "GET members/{id}". A
	// session is required, and for POST the role admin. They see v.Session and v.Tenant.
	Routes map[string]Handler
	// Ask are questions before forms, by the route of the form. An unanswered form is not in the log.
	Ask map[string]Question
	// Open are pages without a session, by method and whole path: "GET /setup/{id}".
	Open map[string]Handler
}

// Options of a Frame.
type Options struct {
	Tenants *tenant.Service
	Links   *setup.Service
	// Journal has an entry of each change, with the link that it was made by.
	Journal *provlog.Journal
	Brand   Brand
	// BaseURL begins all addresses, without a slash at the end; empty takes scheme and host of the request.
	BaseURL string
	// Now is the clock; required.
	Now func() time.Time
	// Log gets one line a request, and why a page could not be shown; nil discards.
	Log *slog.Logger
}

// Frame is the edge of the portal.
type Frame struct {
	o      Options
	mux    *http.ServeMux
	words  map[string]Words         // by language
	pages  map[string]pageTemplates // by name
	assets map[string]*asset        // by name with hash
	urls   map[string]string        // of assets by name without
	logo   string                   // URL of the logo; "" if there is none
	nav    map[string]bool          // paths that there are
	origin *http.CrossOriginProtection
}

// New joins rooms to the portal. An error is one of the program's or of the brand. A template with an error is found
// when its page is visited, or by Parse.
func New(o Options, rooms ...Room) (*Frame, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := o.Brand.Check(); err != nil {
		return nil, err
	}
	f := &Frame{
		o: o, mux: http.NewServeMux(), words: map[string]Words{}, pages: map[string]pageTemplates{},
		assets: map[string]*asset{}, urls: map[string]string{}, nav: map[string]bool{},
		origin: http.NewCrossOriginProtection(),
	}
	if err := f.loadAssets(); err != nil {
		return nil, err
	}
	if err := f.loadRooms(append([]Room{own()}, rooms...)); err != nil {
		return nil, err
	}
	f.mux.HandleFunc("GET "+assetRoot+"{name}", f.serveAsset)
	return f, nil
}

// own are the pages of the frame itself.
func own() Room {
	return Room{
		Files: files, Routes: map[string]Handler{},
		Open: map[string]Handler{"POST " + Root + "sign-out": signOut, "GET /portal": toStart},
	}
}

func (f *Frame) loadRooms(rooms []Room) error {
	for _, lang := range Languages {
		f.words[lang] = Words{}
		for _, room := range rooms {
			if err := readWords(f.words[lang], room.Files, lang); err != nil {
				return err
			}
		}
	}
	for _, room := range rooms {
		if err := f.loadTemplates(room.Files); err != nil {
			return err
		}
		for route, handler := range room.Routes {
			method, path, _ := strings.Cut(route, " ")
			if method == http.MethodGet {
				f.nav[path] = true
			}
			if path == "" {
				path = "{$}"
			}
			f.handle(method+" "+Root+path, f.inSession(method != http.MethodGet, handler, room.Ask[route]))
		}
		for route, handler := range room.Open {
			f.handle(route, handler)
		}
	}
	return nil
}

// visited carries a visit through the mux.
type visited struct{}

func (f *Frame) handle(pattern string, handler Handler) {
	f.mux.HandleFunc(pattern, func(_ http.ResponseWriter, r *http.Request) {
		v, _ := r.Context().Value(visited{}).(*Visit) // serve has put it there
		v.R = r
		if v.err = readable(r); v.err == nil {
			v.err = handler(v)
		}
	})
}

// readable parses the form of a request, so that no text comes into a key or a filter that is not UTF-8:
// such bytes of a query are left out. The form of a change that can't be read whole is refused, since the
// rest would be another change; so is one with U+0000, which no stored text may have.
func readable(r *http.Request) error {
	err := r.ParseForm()
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return err
	}
	if !utf8.ValidString(r.URL.Path) {
		return errNotFound
	}
	whole := err == nil
	for _, values := range r.Form {
		for i, value := range values {
			whole = whole && utf8.ValidString(value) && strings.IndexByte(value, 0) < 0
			values[i] = strings.ToValidUTF8(value, "")
		}
	}
	if r.Method == http.MethodPost && !whole {
		return &tenant.InvalidError{Field: "form", Problem: "can't be read"}
	}
	return nil
}

// Handler returns the portal as an HTTP handler.
func (f *Frame) Handler() http.Handler {
	return web.New(web.Edge{Name: "portal", Serve: f.serve, Fail: f.fail, Log: f.o.Log})
}

var (
	errNotFound = errors.New("frame: no such page")
	errMethod   = errors.New("frame: no such method")
	errOrigin   = errors.New("frame: a form of another site")
	errRole     = errors.New("frame: a reader can't change anything")
	errSession  = errors.New("frame: no session")
)

func (f *Frame) serve(ctx context.Context, w http.ResponseWriter, wr *web.Request) error {
	secure(w)
	v := &Visit{W: w, frame: f, id: wr.ID}
	r := wr.WithContext(context.WithValue(provlog.Caused(ctx, wr.ID), visited{}, v))
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	v.R = r
	defer func() {
		wr.Route = strings.TrimPrefix(v.R.Pattern, v.R.Method+" ")
		if v.caller != "" {
			wr.Attrs = append(wr.Attrs, slog.String("caller", v.caller), slog.String("tenant", v.Tenant.ID))
		}
	}()
	v.chooseLanguage()
	_, pattern := f.mux.Handler(r)
	switch {
	case strings.Contains(r.URL.EscapedPath(), "//") || strings.Contains(r.URL.Path, "/."):
		return v.problem(errNotFound)
	case pattern == "":
		return v.problem(f.missing(r))
	}
	if err := f.origin.Check(r); err != nil {
		return v.problem(errOrigin)
	}
	f.mux.ServeHTTP(w, r)
	if v.err != nil {
		return v.problem(v.err)
	}
	return nil
}

// missing says why no route takes a request.
func (f *Frame) missing(r *http.Request) error {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := f.mux.Handler(other); pattern != "" {
			return errMethod
		}
	}
	return errNotFound
}

// fail answers a visit that has failed: by a panic, or with a page that could not be made.
func (f *Frame) fail(ctx context.Context, w http.ResponseWriter, r *web.Request, err error) {
	if p := (*task.Panic)(nil); !errors.As(err, &p) {
		f.o.Log.ErrorContext(ctx, "page failed", "requestId", r.ID, "error", err)
	}
	Refuse(w, r.Request, http.StatusInternalServerError, "The page could not be shown. The reason is logged.")
}

// Refuse answers a request that a gateway refused before the handler saw it, in plain text.
func Refuse(w http.ResponseWriter, _ *http.Request, status int, detail string) {
	web.Headers(w)
	secure(w)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, detail) // the client is gone
}

// inSession lets a handler see visits with a session of an active tenant only, and with change those of admins only.
func (f *Frame) inSession(change bool, handler Handler, q Question) Handler {
	return func(v *Visit) error {
		if err := v.signIn(); err != nil {
			return err
		}
		if change && v.Session.Role != setup.Admin {
			facts := v.facts(v.caller)
			facts.Status = http.StatusForbidden
			v.frame.o.Journal.Refused(v.R.Context(), v.Tenant, facts)
			return errRole
		}
		if !change {
			return handler(v)
		}
		if q.Key != "" {
			if asked, err := v.ask(q); asked {
				return err
			}
		}
		return v.Noted(v.caller, handler)
	}
}

func (f *Frame) serveAsset(w http.ResponseWriter, r *http.Request) {
	v, _ := r.Context().Value(visited{}).(*Visit)
	v.R = r
	a, ok := f.assets[r.PathValue("name")]
	if !ok {
		v.err = errNotFound
		return
	}
	a.serve(w, r)
}
