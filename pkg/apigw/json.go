package apigw

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// certain is a number of bytes whose JSON is always within MaxInvocation: no byte needs more than six (`\u0000`).
// The 96 KiB left over are far more than the rest of the JSON needs.
const certain = MaxInvocation/6 - 16<<10

// sentRequest is ev as it arrives through JSON, and the size of that JSON, or less if that is within the limit. JSON
// changes no text that is valid UTF-8; so only an event that it would change, or that may be too large for AWS, is
// encoded, and of that not the body, which may take megabytes several times over, unless it changes.
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
	body, more := apart(&ev.Body)
	size, err := throughJSON(ev, &received)
	if more > 0 {
		received.Body = body
	}
	return received, size + more, err
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
	body, more := apart(&resp.Body)
	size, err := throughJSON(resp, &received)
	if more > 0 {
		received.Body = body
	}
	return received, size + more, err
}

// apart puts one byte in the place of a body that JSON does not change. It returns the body, and how many more bytes it
// takes as JSON than its replacement: 0 if it is left as it is.
func apart(body *string) (whole string, more int) {
	whole = *body
	if len(whole) < 2 || !utf8.ValidString(whole) {
		return whole, 0
	}
	*body = "x"
	return whole, escaped(whole) - 1
}

// escaped is the size of valid UTF-8 between the quotes of a JSON string, as encoding/json writes it.
func escaped(s string) int {
	const line, paragraph = "\u2028", "\u2029"
	n := len(s) + strings.Count(s, `"`) + strings.Count(s, `\`) +
		(len(`\u2028`)-len(line))*(strings.Count(s, line)+strings.Count(s, paragraph))
	for ; s != ""; s = s[min(8, len(s)):] {
		if len(s) >= 8 && !controls(s) {
			continue
		}
		for _, c := range []byte(s[:min(8, len(s))]) {
			switch {
			case c == '\b', c == '\f', c == '\n', c == '\r', c == '\t':
				n++
			case c < ' ':
				n += len(`\u0000`) - 1
			}
		}
	}
	return n
}

// controls reports whether there is a control character among the first eight bytes of a text. It looks at all of them
// at once, as parts of one number: a part that is less than a space has its highest bit set afterwards.
func controls(s string) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	_ = s[7] // so that the compiler reads them as one number
	x := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	return (x-' '*ones)&^x&high != 0
}

// text is the size and validity of the strings of an event.
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
		return 0, errors.New("apigw: event is not JSON")
	}
	if err := json.Unmarshal(b.Bytes(), out); err != nil {
		return 0, errors.New("apigw: event does not decode")
	}
	return b.Len(), nil
}
