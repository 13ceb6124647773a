package local_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
)

// TestCallerOfACommand: whoever works on a table in AWS is the IAM principal that AWS names; on another one, and if AWS
// does not answer, the user of the operating system.
func TestCallerOfACommand(t *testing.T) {
	const arn = "arn:aws:sts::123456789012:assumed-role/Operator/ada"
	status := http.StatusOK
	sts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">`+
			`<GetCallerIdentityResult><Arn>`+arn+`</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	}))
	t.Cleanup(sts.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_STS": sts.URL, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "a",
		"AWS_SECRET_ACCESS_KEY": "b", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
	} {
		t.Setenv(name, value)
	}
	inAWS := local.Options{Engine: "dynamodb", Table: "x", YesAWS: true}
	if got := local.Caller(t.Context(), inAWS); got != arn {
		t.Errorf("in AWS: %q", got)
	}
	status = http.StatusForbidden
	for name, o := range map[string]local.Options{
		"a file": {Engine: "bolt"}, "without AWS": {Engine: "dynamodb", DynamoDBEndpoint: "http://127.0.0.1:1"},
		"AWS refuses": inAWS,
	} {
		if got := local.Caller(t.Context(), o); !strings.HasPrefix(got, "user ") || len(got) < len("user x") {
			t.Errorf("%s: %q", name, got)
		}
	}
}
