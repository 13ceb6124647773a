package apigw

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// certain is a number of bytes whose JSON is within MaxInvocation whatever they are: none needs more than six
// (`\u0000`). What stands around them is well below the rest.
const certain = MaxInvocation/6 - 16<<10

// sentRequest is ev as it arrives through JSON, and the size of that JSON, or less where that is within the limit. JSON
// changes no text that is valid UTF-8; so only an event that it would change, or that may be too large for AWS, is
// encoded.
func sentRequest(ev events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPRequest, int, error) {
	var t text
	c := &ev.RequestContext
	t.add(ev.RawPath, ev.RawQueryString, ev.Body, c.DomainName, c.HTTP.Method, c.HTTP.Path, c.HTTP.Protocol,
		c.HTTP.SourceIP, c.HTTP.UserAgent)
	t.add(ev.Cookies...)
	t.addMap(ev.Headers)
	t.addMap(ev.QueryStringParameters)
	if t.plain() {
		return ev, t.size, nil
	}
	var received events.APIGatewayV2HTTPRequest
	size, err := throughJSON(ev, &received)
	return received, size, err
}

// sentResponse is sentRequest for an answer.
func sentResponse(resp events.APIGatewayV2HTTPResponse) (events.APIGatewayV2HTTPResponse, int, error) {
	var t text
	t.add(resp.Body)
	t.add(resp.Cookies...)
	t.addMap(resp.Headers)
	if t.plain() && len(resp.MultiValueHeaders) == 0 {
		return resp, t.size, nil
	}
	var received events.APIGatewayV2HTTPResponse
	size, err := throughJSON(resp, &received)
	return received, size, err
}

// text is what is known of the strings of an event.
type text struct {
	size    int
	invalid bool
}

func (t *text) add(all ...string) {
	for _, s := range all {
		t.size += len(s) + 8
		t.invalid = t.invalid || !utf8.ValidString(s)
	}
}

func (t *text) addMap(m map[string]string) {
	for name, value := range m {
		t.add(name, value)
	}
}

// plain reports whether JSON carries the strings unchanged and within the limit.
func (t *text) plain() bool { return !t.invalid && t.size <= certain }

// throughJSON encodes in and decodes it into out. It returns the size of the JSON in bytes.
func throughJSON(in, out any) (int, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(in); err != nil {
		return 0, errors.New("apigw: event is no JSON")
	}
	if err := json.Unmarshal(b.Bytes(), out); err != nil {
		return 0, errors.New("apigw: event does not decode")
	}
	return b.Len(), nil
}
