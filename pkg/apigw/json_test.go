package apigw_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/apigw"
)

// The function gets the same event as after a conversion to JSON and back, though no JSON is written: valid text
// unchanged, invalid text repaired.
func TestEventIsWhatJSONCarries(t *testing.T) {
	for name, change := range map[string]func(r *http.Request){
		"plain":              func(*http.Request) {},
		"markup":             func(r *http.Request) { r.URL.RawQuery = "filter=a%20eq%20%22<&>%22" },
		"separators":         func(r *http.Request) { r.Header.Set("X-Test", "a\u2028b\u2029c") },
		"control characters": func(r *http.Request) { r.URL.Path = "/a\x01\x7f" },
		"header, no UTF-8":   func(r *http.Request) { r.Header.Set("X-Test", "M\xfcller") },
		"path, no UTF-8":     func(r *http.Request) { r.URL.Path = "/\xff" },
		"query, no UTF-8":    func(r *http.Request) { r.URL.RawQuery = "a=%ff" },
		"cookies":            func(r *http.Request) { r.Header["Cookie"] = []string{"a=1; b=2", "c=\xff"} },
		"agent, no UTF-8":    func(r *http.Request) { r.Header.Set("User-Agent", "\xff") },
		"large":              func(r *http.Request) { r.Header.Set("X-Test", strings.Repeat("\x01", 1<<20)) },
	} {
		g, ev := capture()
		r := httptest.NewRequest("POST", "/x", strings.NewReader("{}"))
		r.Header.Set("Content-Type", "application/json")
		change(r)
		w := httptest.NewRecorder()
		if g.ServeHTTP(w, r); name == "large" {
			if w.Code != http.StatusRequestEntityTooLarge {
				t.Errorf("%s: status %d", name, w.Code)
			}
			continue
		}
		var carried request
		if b, err := json.Marshal(ev); err != nil {
			t.Fatal(err)
		} else if err := json.Unmarshal(b, &carried); err != nil {
			t.Fatal(err)
		}
		if ev.Version != "2.0" || !reflect.DeepEqual(*ev, carried) {
			t.Errorf("%s:\ngot  %+v\nJSON %+v", name, *ev, carried)
		}
	}
}

// The client gets the function's answer as after a conversion to JSON and back.
func TestAnswerIsWhatJSONCarries(t *testing.T) {
	for sent, want := range map[string]string{"<a>\u2028&\x01": "<a>\u2028&\x01", "M\xfcller": "M\ufffdller"} {
		h := apigw.RoundTrip(func(context.Context, request) (response, error) {
			return response{StatusCode: 200, Headers: map[string]string{"x-test": sent}, Body: sent}, nil
		})
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/x", nil))
		if w.Code != 200 || w.Body.String() != want || w.Header().Get("X-Test") != want {
			t.Errorf("%q: got %d %q %q", sent, w.Code, w.Body.String(), w.Header().Get("X-Test"))
		}
	}
}

// The limit holds for the JSON of an answer, not for its text.
func TestLimitIsOfJSON(t *testing.T) {
	for body, want := range map[string]int{
		strings.Repeat("\x01", 900<<10): 200, strings.Repeat("\x01", 1<<20): 500, strings.Repeat("x", 5<<20): 200,
	} {
		h := apigw.RoundTrip(func(context.Context, request) (response, error) {
			return response{StatusCode: 200, Body: body}, nil
		})
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/x", nil))
		if w.Code != want || want == 200 && !bytes.Equal(w.Body.Bytes(), []byte(body)) {
			t.Errorf("%d times %q: got %d", len(body), body[:1], w.Code)
		}
	}
}

// TestSizesOfJSON: an answer may be exactly as large as AWS allows, and not a byte larger, with any content.
func TestSizesOfJSON(t *testing.T) {
	for _, unit := range []string{
		"x", "\"", "\\", "\n", "\t", "\b", "\f", "\r", "\x00", "\x1f", "\x7f", "<", "é", "\u2027", "\u2028", "\u2029",
		"\U0001f600", "\xff", "{\"a\":1}\n\x01\u2028",
	} {
		resp := response{StatusCode: 200, Headers: map[string]string{"a": "b"}}
		size := func() int {
			var b bytes.Buffer
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(resp); err != nil {
				t.Fatal(err)
			}
			return b.Len()
		}
		empty := size()
		resp.Body = unit
		one := size() - empty
		most := (apigw.MaxInvocation - empty) / one
		resp.Body = strings.Repeat(unit, most)
		resp.Body += strings.Repeat("x", apigw.MaxInvocation-empty-most*one)
		h := apigw.RoundTrip(func(context.Context, request) (response, error) {
			return resp, nil
		})
		for _, want := range []int{200, 500} {
			w := httptest.NewRecorder()
			if h.ServeHTTP(w, httptest.NewRequest("GET", "/x", nil)); w.Code != want {
				t.Errorf("%q: %d for %d bytes of JSON", unit, w.Code, size())
			}
			resp.Body += "x"
		}
	}
}
