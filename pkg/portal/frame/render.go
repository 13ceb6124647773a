package frame

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/setup"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

//go:embed pages words
var files embed.FS

// places is the order of the pages in the navigation, by path. A path that no room has is left out.
var places = []string{"", "connect", "try", "token", "domains", "groups", "members", "activity", "settings"}

// pageTemplates is one page in all languages. Each is parsed for its first visitor: to parse all takes longer than
// everything else that a function does before its first request.
type pageTemplates map[string]func() (*template.Template, error)

// view is the data of the templates.
type view struct {
	Lang, Other string // the language, and the one to switch to
	Path        string // of the page
	Product     string
	Contact     template.HTML
	Logo        string
	BackURL     string
	Done        string
	Nav         []place
	Tenant      tenant.Tenant
	Session     setup.Session
	SignedIn    bool
	Admin       bool
	Now         time.Time
	// Page is the data of the page itself.
	Page any
}

type place struct {
	URL, Key string
	Here     bool
}

// loadAssets adds the embedded files and those of the brand.
func (f *Frame) loadAssets() error {
	all, err := embedded()
	if err != nil {
		return err
	}
	all = maps.Clone(all)
	if all["brand.css"], err = newAsset("brand.css", []byte(f.o.Brand.css())); err != nil {
		return err
	}
	logo, image, err := f.o.Brand.logo()
	if err != nil {
		return err
	}
	if logo != "" {
		if all[logo], err = newAsset(logo, image); err != nil {
			return err
		}
	}
	for name, a := range all {
		f.assets[a.name] = a
		f.urls[name] = assetRoot + a.name
	}
	f.logo = f.urls[logo]
	return nil
}

// loadTemplates adds the pages of a room.
func (f *Frame) loadTemplates(room fs.FS) error {
	names, err := fs.Glob(room, "pages/*.html")
	if err != nil {
		return err
	}
	for _, name := range names {
		page := strings.TrimSuffix(path.Base(name), ".html")
		if room == fs.FS(files) && (page == "layout" || page == "parts") {
			continue
		}
		if f.pages[page] != nil {
			return fmt.Errorf("frame: the page %s is there twice", page)
		}
		f.pages[page] = pageTemplates{}
		for _, lang := range Languages {
			f.pages[page][lang] = sync.OnceValues(func() (*template.Template, error) {
				t, err := template.New("layout").Funcs(f.functions(lang)).
					ParseFS(files, "pages/layout.html", "pages/parts.html")
				if err != nil {
					return nil, err
				}
				return t.ParseFS(room, name)
			})
		}
	}
	return nil
}

// Parse parses all pages, which are else parsed when somebody visits them, and returns the errors.
func (f *Frame) Parse() error {
	var all []error
	for page, templates := range f.pages {
		for lang, parsed := range templates {
			if _, err := parsed(); err != nil {
				all = append(all, fmt.Errorf("frame: the page %s in %s: %w", page, lang, err))
			}
		}
	}
	return errors.Join(all...)
}

// functions are those that templates can call.
//
//	t KEY ARGS…      a text            rich KEY ARGS…  a text with **bold** and `code`
//	count KEY N …    a text by number  asset NAME      the URL of an asset
//	name TEXT        a name that somebody else chose, inert
//	visible TEXT     JSON that somebody else sent, whole, with escapes for characters that nobody sees
//	date TIME        a <time>, in the reader's language; "–" if it is zero
//	ago TIME         how long ago or ahead, in words; "–" if it is zero
//	part K V K V …   a map, to give a part of a page several values
func (f *Frame) functions(lang string) template.FuncMap {
	words := f.words[lang]
	return template.FuncMap{
		"t": words.Text, "rich": words.Rich,
		"count": func(key string, n int, args ...any) string { return words.Count(key, n, args...) },
		"asset": func(name string) (string, error) {
			url, ok := f.urls[name]
			if !ok {
				return "", fmt.Errorf("frame: there is no asset %s", name)
			}
			return url, nil
		},
		"visible": visible,
		"name":    func(text any) template.HTML { return bdi(fmt.Sprint(text)) },
		"date":    func(at time.Time) template.HTML { return dated(words, at, true) },
		"day":     func(at time.Time) template.HTML { return dated(words, at, false) },
		"ago":     func(at time.Time) string { return ago(words, at, f.o.Now()) },
		"part": func(pairs ...any) (map[string]any, error) {
			m := map[string]any{}
			for pair := range slices.Chunk(pairs, 2) {
				key, ok := pair[0].(string)
				if !ok || len(pair) != 2 {
					return nil, fmt.Errorf("frame: part takes names and values, not %v", pairs)
				}
				m[key] = pair[1]
			}
			return m, nil
		},
	}
}

// bdi isolates the direction of a name from the text around it.
func bdi(name string) template.HTML {
	return template.HTML("<bdi>" + template.HTMLEscapeString(inert(name)) + "</bdi>") //nolint:gosec // it is escaped
}

func dated(words Words, at time.Time, clock bool) template.HTML {
	if at.IsZero() {
		return "–"
	}
	at = at.UTC()
	text := words.Text("frame.date", at.Day(), words.Text(fmt.Sprintf("frame.month.%d", at.Month())), at.Year())
	if clock {
		text += words.Text("frame.clock", at.Hour(), at.Minute())
	}
	text = template.HTMLEscapeString(text)
	//nolint:gosec // our texts
	return template.HTML(fmt.Sprintf(`<time datetime="%s">%s</time>`, at.Format(time.RFC3339), text))
}

// ago says how far a time is from now, in words: "3 hours ago", "in 28 days".
func ago(words Words, at, now time.Time) string {
	if at.IsZero() {
		return "–"
	}
	past, d := ".ago", now.Sub(at)
	if d < 0 {
		past, d = ".ahead", -d
	}
	switch {
	case d < time.Minute:
		return words.Text("frame.now")
	case d < time.Hour:
		return words.Count("frame.minutes"+past, int(d/time.Minute))
	case d < 48*time.Hour:
		return words.Count("frame.hours"+past, int(d/time.Hour))
	}
	return words.Count("frame.days"+past, int(d/(24*time.Hour)))
}

// execute writes a page, or a part of it.
func (f *Frame) execute(w io.Writer, v *Visit, page, part string, data any) error {
	p := f.pages[page]
	if p == nil {
		return fmt.Errorf("frame: there is no page %s", page)
	}
	words := f.words[v.Lang]
	d := view{
		Lang: v.Lang, Other: Languages[(slices.Index(Languages, v.Lang)+1)%len(Languages)], Path: local(v.R.URL),
		Product: f.o.Brand.Product, Contact: contact(f.o.Brand.Contact), Logo: f.logo,
		BackURL: f.returnURL(v), Done: v.done(), Tenant: v.Tenant, Session: v.Session, SignedIn: v.Session.Tenant != "",
		Admin: v.Admin(), Now: v.Now(), Page: data,
	}
	if v.R.Method != "GET" {
		d.Path = f.above(d.Path)
	}
	if d.Product == "" {
		d.Product = words.Text("frame.product")
	}
	under := strings.TrimPrefix(v.R.URL.Path, Root)
	for _, to := range places {
		if d.SignedIn && f.nav[to] {
			first, _, _ := strings.Cut(under, "/")
			d.Nav = append(d.Nav, place{Root + to, "nav." + to, first == to})
		}
	}
	t, err := p[v.Lang]()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, part, d); err != nil {
		return err
	}
	_, err = b.WriteTo(w)
	return err
}

// above is the path of the page that a form belongs to: addresses of forms under Root have no page of their own.
func (f *Frame) above(at string) string {
	for strings.HasPrefix(at, Root) {
		at = path.Dir(at)
		r := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: at}}
		if _, pattern := f.mux.Handler(r); pattern != "" {
			return at
		}
	}
	return at
}

// local is the path of a URL as a link to this host: no more than one slash begins it.
func local(u *url.URL) string { return "/" + strings.TrimLeft(u.EscapedPath(), "/") }

// contact is the operator's contact, as a link if it is an address.
func contact(text string) template.HTML {
	shown := template.HTMLEscapeString(text)
	switch {
	case setup.ValidReturnURL(text):
		return template.HTML(`<a href="` + shown + `">` + shown + `</a>`) //nolint:gosec // it is escaped
	case strings.Count(text, "@") == 1 && !strings.ContainsAny(text, ` "<>:?&`):
		return template.HTML(`<a href="mailto:` + shown + `">` + shown + `</a>`) //nolint:gosec // it is escaped
	}
	return template.HTML(shown) //nolint:gosec // it is escaped
}
