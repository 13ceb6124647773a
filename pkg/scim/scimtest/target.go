package scimtest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"
)

// Target is one tenant of the server to be judged.
type Target struct {
	// BaseURL is the tenant's base URL without a trailing slash, for example https://host/scim/v2/acme.
	BaseURL string
	// Token is a bearer token that is good for the tenant.
	Token string
	// BadToken is a token that is good for no tenant. Empty: one is made up.
	BadToken string
	// Client sends the requests. Nil: a client with a timeout of 30 seconds.
	Client *http.Client
	// Handler, if it is not nil, answers in process instead of the network; BaseURL then only says which host and path
	// the requests carry.
	Handler http.Handler
	// Shared says that all tests use this one tenant, which may hold other resources: a test's resources are
	// deleted after it.
	Shared bool
	// IdP is the profile of a shared tenant. Tests that ask for rfc take it as generic.
	IdP string
	// Configure changes the tenant's settings by a JSON merge patch such as {"scim":{"patchBody":"none"}}. Nil if
	// the server has no such thing; the few tests that need it then say so and are skipped.
	Configure func(settings string) error
	// Define puts a schema or a resource type of the tenant's own: path is "/schemas/" and a URN with a body as RFC
	// 7643 section 7 writes it, or "/resource-types/" and an id with one as section 6 does. Nil if the server has no
	// such thing; RunExtensions then runs nothing.
	Define func(path, body string) error
}

var defaultClient = &http.Client{
	Timeout:       30 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// badToken returns a token of the usual length that no server has issued.
func (t Target) badToken() string {
	if t.BadToken != "" {
		return t.BadToken
	}
	return "not-a-token-" + strings.Repeat("0", 32)
}

// request is one HTTP request below the base URL, as it goes over the wire.
type request struct {
	Method string
	Path   string // below the base URL, already escaped
	Query  string // raw; "?" alone means a URL that ends in a bare question mark
	Header http.Header
	Body   []byte
	NoBody bool // send no body at all, as opposed to an empty one
}

// response is an HTTP response.
type response struct {
	Status int
	Header http.Header
	Body   []byte
}

// url joins base URL, path and raw query without touching either.
func (t Target) url(r request) string {
	u := strings.TrimSuffix(t.BaseURL, "/") + r.Path
	switch r.Query {
	case "":
		return u
	case "?":
		return u + "?"
	}
	return u + "?" + r.Query
}

// send does one request. Its error means that no HTTP answer came.
func (t Target) send(r request) (response, error) {
	raw := t.url(r)
	u, err := url.Parse(raw)
	if err != nil {
		return response{}, fmt.Errorf("scimtest: %s is no URL: %w", raw, err)
	}
	var body io.Reader
	if !r.NoBody {
		body = bytes.NewReader(r.Body)
	}
	req, err := http.NewRequest(r.Method, raw, body)
	if err != nil {
		return response{}, fmt.Errorf("scimtest: %w", err)
	}
	req.Header = r.Header.Clone()
	if t.Handler != nil {
		return t.serve(req, u, r)
	}
	client := t.Client
	if client == nil {
		client = defaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return response{}, fmt.Errorf("scimtest: %s %s: %w", r.Method, r.Path, err)
	}
	defer resp.Body.Close()
	return read(resp)
}

// serve lets the handler answer a request that looks as if it had come over the network.
func (t Target) serve(req *http.Request, u *url.URL, r request) (response, error) {
	if u.Path == "" {
		u.Path = "/"
	}
	in := httptest.NewRequest(req.Method, u.RequestURI(), bytes.NewReader(r.Body))
	in.Host = u.Host
	in.Header = req.Header
	if in.Header == nil {
		in.Header = http.Header{}
	}
	rec := httptest.NewRecorder()
	t.Handler.ServeHTTP(rec, in)
	return read(rec.Result())
}

// read takes the whole answer, unzipped if it says that it is zipped.
func read(resp *http.Response) (response, error) {
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return response{}, fmt.Errorf("scimtest: answer broke off: %w", err)
	}
	if strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") && len(body) > 0 {
		zr, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return response{}, fmt.Errorf("scimtest: answer is not gzip: %w", err)
		}
		if body, err = io.ReadAll(zr); err != nil {
			return response{}, fmt.Errorf("scimtest: answer is not gzip: %w", err)
		}
	}
	return response{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}
