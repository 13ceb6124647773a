// Package contract checks requests to the admin API, and its answers, against the OpenAPI document. It is for
// tests.
package contract

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/openapi"
)

type object = map[string]any

// location is the name under which the document is compiled.
const location = "file:///openapi.json"

// operation is one operation of the document.
type operation struct {
	method, path string
	literals     int // segments of the path that are no parameters: "invite" goes before "{member}"
	pattern      *regexp.Regexp
	spec         object
	query        map[string]string // pointers to the schemas of the parameters
	at           string            // pointer to the operation
}

// Contract is the document, compiled.
type Contract struct {
	doc        object
	compiler   *jsonschema.Compiler
	operations []operation
	mu         sync.Mutex
	compiled   map[string]*jsonschema.Schema
	seen       map[string]bool
}

// New compiles the document.
func New() (*Contract, error) {
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(openapi.Document()))
	if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	doc, _ := parsed.(object)
	c := &Contract{
		doc: doc, compiler: jsonschema.NewCompiler(), compiled: map[string]*jsonschema.Schema{},
		seen: map[string]bool{},
	}
	c.compiler.DefaultDraft(jsonschema.Draft2020)
	c.compiler.AssertFormat()
	if err := c.compiler.AddResource(location, doc); err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	for path, item := range doc["paths"].(object) {
		for method, spec := range item.(object) {
			if method != "parameters" {
				c.operations = append(c.operations, c.operation(method, path, spec.(object)))
			}
		}
	}
	slices.SortFunc(c.operations, func(a, b operation) int { return b.literals - a.literals })
	return c, nil
}

func (c *Contract) operation(method, path string, spec object) operation {
	o := operation{
		method: strings.ToUpper(method), path: path, spec: spec, query: map[string]string{},
		at: "/paths/" + escaped(path) + "/" + method,
	}
	var parts []string
	segments := strings.Split(path, "/")
	for i, s := range segments {
		switch {
		case !strings.HasPrefix(s, "{"):
			o.literals++
			parts = append(parts, regexp.QuoteMeta(s))
		case i == len(segments)-1 && strings.Contains(path, "{kind}/"):
			parts = append(parts, ".+")
		default:
			parts = append(parts, "[^/]+")
		}
	}
	o.pattern = regexp.MustCompile("^" + strings.Join(parts, "/") + "$")
	list, _ := spec["parameters"].([]any)
	for i, p := range list {
		at := o.at + "/parameters/" + strconv.Itoa(i)
		if ref, is := p.(object)["$ref"].(string); is {
			at = strings.TrimPrefix(ref, "#")
			p = c.find(at)
		}
		if param := p.(object); param["in"] == "query" {
			o.query[param["name"].(string)] = at + "/schema"
		}
	}
	return o
}

func escaped(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}

// find returns the value at a JSON pointer.
func (c *Contract) find(pointer string) any {
	var at any = c.doc
	for key := range strings.SplitSeq(pointer[1:], "/") {
		switch v := at.(type) {
		case object:
			at = v[strings.NewReplacer("~1", "/", "~0", "~").Replace(key)]
		case []any:
			i, _ := strconv.Atoi(key)
			at = v[i]
		}
	}
	return at
}

// Operations returns all operations as method and path, sorted.
func (c *Contract) Operations() []string {
	all := make([]string, len(c.operations))
	for i, o := range c.operations {
		all[i] = o.method + " " + o.path
	}
	slices.Sort(all)
	return all
}

// Unseen returns the operations of which Check has not seen a good answer.
func (c *Contract) Unseen() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(c.Operations(), func(name string) bool { return c.seen[name] })
}

// Validate checks a JSON value against the schema at a pointer.
func (c *Contract) Validate(pointer string, value any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.compiled[pointer]
	if s == nil {
		var err error
		if s, err = c.compiler.Compile(location + "#" + (&url.URL{Path: pointer}).EscapedPath()); err != nil {
			return fmt.Errorf("contract: %w", err)
		}
		c.compiled[pointer] = s
	}
	if err := s.Validate(value); err != nil {
		return fmt.Errorf("contract: %w", err)
	}
	return nil
}

func (c *Contract) validate(pointer string, text []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("contract: %w", err)
	}
	return c.Validate(pointer, value)
}

// Handler is next, with every request and answer under /admin/ checked against the document.
func (c *Contract) Handler(t testing.TB, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/admin/") {
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		got := httptest.NewRecorder()
		next.ServeHTTP(got, r)
		if err := c.Check(r, body, got); err != nil {
			t.Errorf("%s %s %s: %d %s: %v", r.Method, r.URL, body, got.Code, got.Body, err)
		}
		for name, values := range got.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(got.Code)
		_, _ = w.Write(got.Body.Bytes())
	})
}

// Check checks a request and its answer against the document. A request that is answered by an error may have any
// fault.
func (c *Contract) Check(r *http.Request, body []byte, got *httptest.ResponseRecorder) error {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	i := c.index(method, r.URL.EscapedPath())
	if i < 0 {
		if got.Code < http.StatusBadRequest {
			return errors.New("contract: no such operation")
		}
		return nil
	}
	o := c.operations[i]
	if got.Header().Get("X-Request-Id") == "" {
		return errors.New("contract: no request id")
	}
	if got.Code >= http.StatusBadRequest {
		return c.problem(r, got)
	}
	c.mu.Lock()
	c.seen[o.method+" "+o.path] = true
	c.mu.Unlock()
	if err := c.request(o, r, body); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	return c.answer(o, r, got)
}

// index is the place of the operation of a path, percent-encoded; -1: there is none.
func (c *Contract) index(method, path string) int {
	return slices.IndexFunc(c.operations, func(o operation) bool {
		return o.method == method && o.pattern.MatchString(path)
	})
}

// Answers reports whether the document has a status among the answers of an operation.
func (c *Contract) Answers(method, path string, status int) bool {
	i := c.index(method, path)
	if i < 0 {
		return false
	}
	_, listed := c.operations[i].spec["responses"].(object)[strconv.Itoa(status)]
	return listed
}

func (c *Contract) problem(r *http.Request, got *httptest.ResponseRecorder) error {
	if r.Method == http.MethodHead {
		return nil
	}
	if media := got.Header().Get("Content-Type"); media != "application/problem+json" {
		return fmt.Errorf("contract: an error as %q", media)
	}
	return c.validate("/components/schemas/Problem", got.Body.Bytes())
}

func (c *Contract) request(o operation, r *http.Request, body []byte) error {
	for name, values := range r.URL.Query() {
		pointer, known := o.query[name]
		if !known {
			return fmt.Errorf("contract: no parameter %s", name)
		}
		var value any = values[0]
		if n, err := strconv.Atoi(values[0]); err == nil && c.find(pointer).(object)["type"] == "integer" {
			value = n
		}
		if err := c.Validate(pointer, value); err != nil && values[0] != "" {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	spec, takes := o.spec["requestBody"].(object)
	switch {
	case len(body) == 0 && takes && spec["required"] == true:
		return errors.New("contract: the body is required")
	case len(body) == 0 || !takes && bytes.Equal(bytes.TrimSpace(body), []byte("{}")):
		return nil
	case !takes:
		return errors.New("contract: no body is described")
	}
	return c.validate(o.at+"/requestBody/content/application~1json/schema", body)
}

func (c *Contract) answer(o operation, r *http.Request, got *httptest.ResponseRecorder) error {
	status := strconv.Itoa(got.Code)
	spec, listed := o.spec["responses"].(object)[status].(object)
	if !listed {
		return fmt.Errorf("contract: no answer %s is described", status)
	}
	if got.Code == http.StatusNotModified && got.Header().Get("ETag") == "" {
		return errors.New("contract: no header ETag")
	}
	headers, _ := spec["headers"].(object)
	for name := range headers {
		if got.Header().Get(name) == "" {
			return fmt.Errorf("contract: no header %s", name)
		}
	}
	_, speaks := spec["content"]
	switch {
	case r.Method == http.MethodHead:
		return nil
	case !speaks && got.Body.Len() > 0:
		return errors.New("contract: the answer should be empty")
	case !speaks:
		return nil
	case got.Header().Get("Content-Type") != "application/json":
		return fmt.Errorf("contract: answered as %q", got.Header().Get("Content-Type"))
	}
	return c.validate(o.at+"/responses/"+status+"/content/application~1json/schema", got.Body.Bytes())
}
