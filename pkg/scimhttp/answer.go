package scimhttp

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

const (
	// maxAnswer is the size in bytes at which a page of several resources ends.
	maxAnswer = directory.MaxAnswerBytes
	// maxWire is the size of the largest body as a JSON string, which is how it leaves a Lambda function: of the 6 MiB
	// that it may have there, headers take some.
	maxWire = 6<<20 - 16<<10
	// maxUnzipped is the size of the largest body that is compressed, in bytes: it has to be in memory first.
	maxUnzipped = 40 << 20
)

// answer is the response to the client. It has no body if body is nil.
type answer struct {
	status int
	header http.Header
	body   []byte
	// zipped is the body compressed, if that is known already.
	zipped []byte
	// keep says that a client may cache the body, but must revalidate it before each use.
	keep bool
}

func newAnswer(status int, body []byte) answer {
	return answer{status: status, header: http.Header{}, body: body}
}

// send writes the answer to rq.
func (a answer) send(w http.ResponseWriter, rq *request) {
	h := w.Header()
	for name, values := range a.header {
		h[name] = values
	}
	if a.keep {
		h.Set("Cache-Control", "private, no-cache")
	}
	h.Set("Vary", "Accept, Accept-Encoding")
	if !rq.reads() {
		h.Set("Vary", "Accept, Accept-Encoding, Prefer")
	}
	body := a.body
	if body != nil {
		h.Set("Content-Type", mediaType(rq))
		if a.zipped == nil {
			a.zipped = compressed(rq, body)
		}
		if a.zipped != nil {
			h.Set("Content-Encoding", "gzip")
			body = a.zipped
		}
	}
	w.WriteHeader(a.status)
	if body != nil && rq.Method != http.MethodHead {
		// There is no one to report it to: the client is gone.
		_, _ = w.Write(body)
	}
}

// mediaType is application/scim+json unless the tenant's identity provider, or the Accept header, accepts only
// application/json. There is no 406: a client that asks for anything else gets SCIM too (RFC 7644, section 3.8).
func mediaType(rq *request) string {
	const plain = "application/json"
	if rq.tenant.Dialect.JSONAnswers {
		return plain
	}
	var wanted bool
	for _, value := range rq.Header.Values("Accept") {
		for part := range strings.SplitSeq(value, ",") {
			accepted, parameters, _ := strings.Cut(part, ";")
			switch strings.ToLower(strings.TrimSpace(accepted)) {
			case scim.MediaType, "*/*", "application/*", "*":
				return scim.MediaType
			case plain:
				wanted = wanted || !refused(parameters)
			}
		}
	}
	if wanted {
		return plain
	}
	return scim.MediaType
}

// refused reports whether the parameters of a media range contain q=0.
func refused(parameters string) bool {
	for p := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(name), "q") {
			q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return err == nil && q == 0
		}
	}
	return false
}

// usual is the size of a usual resource, in bytes of JSON.
const usual = 1024

// resourceAnswer is an answer with one resource: its body, its version, and its location (RFC 7644, sections 3.3
// and 3.14).
func (rq *request) resourceAnswer(status int, res directory.Resource, sel *schema.Projection) answer {
	doc := res.Type.Project(res.Doc, sel)
	a := newAnswer(status, scim.AppendJSON(make([]byte, 0, usual), doc))
	rq.locate(a, res)
	meta, _ := doc["meta"].(scim.Object)
	if meta["version"] == nil && rq.Method == http.MethodGet && !rq.tenant.Dialect.HideMeta {
		a.header.Del("Etag")
	}
	return a
}

// locate sets the headers with the location and the version of a resource.
func (rq *request) locate(a answer, res directory.Resource) {
	location := rq.base + res.Type.Endpoint + "/" + res.ID
	a.header.Set("Location", location)
	a.header.Set("Content-Location", location)
	a.header.Set("Etag", res.ETag())
}

// fits reports whether the body can be sent: as it is, or compressed for a client that takes that.
func (a *answer) fits(rq *request) bool {
	if 2*len(a.body) <= maxWire || wireSize(a.body) <= maxWire { // no byte becomes more than two
		return true
	}
	if !takesGzip(rq.Header) || len(a.body) > maxUnzipped {
		return false
	}
	a.zipped = zip(a.body)
	return base64.StdEncoding.EncodedLen(len(a.zipped)) <= maxWire
}

// largest is the size in bytes of the largest body that may turn out to fit.
func (rq *request) largest() int {
	if takesGzip(rq.Header) {
		return maxUnzipped
	}
	return maxWire
}

// wireSize is the size of a body of JSON as a JSON string: quotes and backslashes get a backslash each, and the line
// separators U+2028 and U+2029, of three bytes, become six.
func wireSize(body []byte) int {
	size := len(body) + bytes.Count(body, []byte{'"'}) + bytes.Count(body, []byte{'\\'})
	return size + 3*bytes.Count(body, []byte("\u2028")) + 3*bytes.Count(body, []byte("\u2029"))
}
