package apigw_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/apigw"
)

// FuzzEvent: the function gives an answer and no error for every event. A request that reaches the handler has the
// path, header and body of the event, a query and a request URI that HTTP allows, and the gateway's request id.
func FuzzEvent(f *testing.F) {
	f.Add("GET", "/scim/v2/t/Users/a#b", "filter=a+eq+%22b%22", "W/\"1\",W/\"2\"", "", false)
	f.Add("POST", "/prod/x", "a=%zz\n", "x", "e30=", true)
	f.Add("PATCH", "//a/../?b%2F", "#", "\x00", "%%%", true)
	f.Add("G T", "", "", "", "{}", false)
	f.Fuzz(func(t *testing.T, method, path, query, header, body string, encoded bool) {
		ev := request{
			RawPath: path, RawQueryString: query, Headers: map[string]string{"x-test": header}, Body: body,
			IsBase64Encoded: encoded,
		}
		ev.RequestContext.HTTP.Method, ev.RequestContext.RequestID = method, "id"
		want := []byte(body)
		var err error
		if encoded {
			want, err = base64.StdEncoding.DecodeString(body)
		}
		reached := false
		resp := call(t, func(w http.ResponseWriter, r *http.Request) {
			reached = true
			got, failed := io.ReadAll(r.Body)
			if failed != nil || !bytes.Equal(got, want) || r.ContentLength != int64(len(want)) {
				t.Errorf("body %q of length %d, %v; want %q", got, r.ContentLength, failed, want)
			}
			if r.Method != method || r.URL.Path != path {
				t.Errorf("%q %q, want %q %q", r.Method, r.URL.Path, method, path)
			}
			v := r.Header.Values("X-Test")
			if len(v) != 1 || v[0] != header || r.Header.Get(apigw.RequestIDHeader) != "id" {
				t.Errorf("header %q, id %q", v, r.Header.Get(apigw.RequestIDHeader))
			}
			for _, c := range []byte(r.URL.RawQuery) {
				if c <= ' ' || c >= 0x7f || c == '#' {
					t.Errorf("query %q", r.URL.RawQuery)
				}
			}
			w.WriteHeader(http.StatusAccepted)
		}, ev)
		switch {
		case reached && (resp.StatusCode != 202 || err != nil):
			t.Errorf("the handler was reached, the body's base64 has the error %v, the answer is %d",
				err, resp.StatusCode)
		case !reached:
			wantPlain(t, resp, 400)
		}
	})
}
