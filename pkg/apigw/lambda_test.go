package apigw_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httputil"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/serverless-scim/serverless-scim/pkg/apigw"
)

// The whole event and the fields that Lambda reads of its JSON must give the same request.
func TestLambdaReadsWhatHandlerNeeds(t *testing.T) {
	dump := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := httputil.DumpRequest(r, true)
		if err != nil {
			t.Error(err)
		}
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		w.Header().Add("X-Test", "a")
		w.Header().Add("X-Test", "b")
		w.WriteHeader(http.StatusAccepted)
		if r.URL.RawQuery == "binary" {
			_, _ = w.Write([]byte{0xff, '<'})
		}
		_, _ = io.WriteString(w, r.RemoteAddr+"\n"+r.URL.String()+"\n"+string(text))
	})
	post := get("/prod/scim/v2/acme/Users/a#b")
	post.RequestContext.HTTP.Method, post.RequestContext.Stage = "POST", "prod"
	post.RawQueryString, post.Cookies = "filter=a%20eq%20%22b%22", []string{"a=b", "c=d"}
	post.Headers["authorization"], post.Headers["content-type"] = "Bearer x", "application/scim+json"
	post.Body, post.IsBase64Encoded = "eyJhIjoxfQ==", true
	cut := get("/Users/a")
	cut.PathParameters = map[string]string{"id": "a?b"}
	noPath, noHost, noMethod, binary := get("/Users"), get("/Users"), get("/Users"), get("/Users")
	binary.RawQueryString = "binary"
	noPath.RawPath, noHost.Headers, noMethod.RequestContext.HTTP.Method = "", nil, ""
	for name, ev := range map[string]any{
		"post": post, "cut": cut, "no path": noPath, "no host": noHost,
		"no method": noMethod, "binary": binary,
	} {
		event, err := json.Marshal(ev)
		if err != nil {
			t.Fatal(err)
		}
		var answers [2]response
		for i, f := range []lambda.Handler{
			lambda.NewHandler(apigw.Handler(dump)), apigw.Lambda{Function: apigw.Handler(dump)},
		} {
			answer, err := f.Invoke(context.Background(), event)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if err := json.Unmarshal(answer, &answers[i]); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if !cmp.Equal(answers[0], answers[1], cmpopts.EquateEmpty()) {
			t.Errorf("%s: through the runtime's types\n%+v\nthrough Lambda\n%+v", name, answers[0], answers[1])
		}
	}
}

// An event that is no HTTP request still gets an answer if it is JSON.
func TestLambdaGetsOtherEvents(t *testing.T) {
	f := apigw.Lambda{Function: apigw.Handler(http.NotFoundHandler())}
	for event, want := range map[string]string{
		`{}`: `"statusCode":400`, `[]`: `"statusCode":400`, `null`: `"statusCode":400`,
		`{"headers":1,"cookies":[1],"requestContext":"x"}`: `"statusCode":400`,
	} {
		answer, err := f.Invoke(context.Background(), []byte(event))
		if err != nil || !bytes.Contains(answer, []byte(want)) {
			t.Errorf("%s: %s, error %v", event, answer, err)
		}
	}
	if answer, err := f.Invoke(context.Background(), []byte(`{`)); err == nil {
		t.Errorf("no JSON was answered by %s", answer)
	}
}
