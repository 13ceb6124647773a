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

	"github.com/serverless-scim/serverless-scim/pkg/apigw"
)

// What is a request of the whole event has to be the same request of what Lambda reads of the event's JSON.
func TestLambdaReadsWhatHandlerNeeds(t *testing.T) {
	dump := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := httputil.DumpRequest(r, true)
		if err != nil {
			t.Error(err)
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
	noPath, noHost, noMethod := get("/Users"), get("/Users"), get("/Users")
	noPath.RawPath, noHost.Headers, noMethod.RequestContext.HTTP.Method = "", nil, ""
	for name, ev := range map[string]any{"post": post, "cut": cut, "no path": noPath, "no host": noHost, "no method": noMethod} {
		event, err := json.Marshal(ev)
		if err != nil {
			t.Fatal(err)
		}
		var answers [2][]byte
		for i, f := range []any{apigw.Handler(dump), apigw.Lambda(apigw.Handler(dump))} {
			if answers[i], err = lambda.NewHandler(f).Invoke(context.Background(), event); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if !bytes.Equal(answers[0], answers[1]) {
			t.Errorf("%s: of the whole event\n%s\nthrough Lambda\n%s", name, answers[0], answers[1])
		}
	}
}
