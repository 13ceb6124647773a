package scimhttp

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// body reads the request's body as a JSON object.
func (h *handler) body(rq *request) (scim.Object, error) {
	text, err := h.text(rq)
	if err != nil {
		return nil, err
	}
	return scim.ParseObject(text)
}

// text is the request's body, whose syntax nobody has looked at. Its size is checked first, then its media type; no
// body is no JSON, whatever its type (a gateway may have made one up).
func (h *handler) text(rq *request) (string, error) {
	if rq.ContentLength > h.MaxBodyBytes {
		return "", h.tooLarge(rq)
	}
	text, err := rq.body()
	if tooBig := (*http.MaxBytesError)(nil); int64(len(text)) > h.MaxBodyBytes || errors.As(err, &tooBig) {
		return "", h.tooLarge(rq)
	}
	if err != nil {
		return "", scim.BadRequest(scim.InvalidSyntax, "The request body could not be read to its end.")
	}
	if strings.TrimSpace(text) == "" {
		return "", scim.BadRequest(scim.InvalidSyntax, "The request has no body; a JSON object is needed.")
	}
	return text, checkMediaType(rq.Header)
}

// readText reads at most limit bytes. length is how many are announced, or negative: the memory for them is taken once.
func readText(r io.Reader, length, limit int64) (string, error) {
	var b strings.Builder
	b.Grow(int(min(max(length, 0), limit)))
	// io.Copy would take 32 KB to read a body of a hundred bytes.
	_, err := io.CopyBuffer(&b, io.LimitReader(r, limit), make([]byte, min(max(length, 512), 32<<10)))
	return b.String(), err
}

func (h *handler) tooLarge(rq *request) error {
	if rq.target.key == "bulk" {
		return scim.Errorf(http.StatusRequestEntityTooLarge, scim.NoType,
			"The size of the bulk request exceeds maxPayloadSize (%d). Spread its operations over several requests.",
			h.MaxBodyBytes)
	}
	return scim.Errorf(http.StatusRequestEntityTooLarge, scim.NoType,
		"The request body is larger than %d bytes, the most that this server takes. "+
			"Spread the change over several requests.", h.MaxBodyBytes)
}

// checkMediaType takes a body without a media type or with any JSON one (RFC 7644, section 3.1: application/scim+json,
// and application/json), whatever its parameters, and no other.
func checkMediaType(header http.Header) error {
	if encoding := header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return scim.Errorf(http.StatusUnsupportedMediaType, scim.NoType, "Send the body without a Content-Encoding.")
	}
	contentType := header.Get("Content-Type")
	if strings.TrimSpace(contentType) == "" {
		return nil
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		// A broken parameter does not make JSON anything else.
		mediaType, _, _ = strings.Cut(strings.ToLower(contentType), ";")
		mediaType = strings.TrimSpace(mediaType)
	}
	if mediaType == "application/json" || mediaType == "text/json" || strings.HasSuffix(mediaType, "+json") {
		return nil
	}
	return scim.Errorf(http.StatusUnsupportedMediaType, scim.NoType,
		"Send the body as application/scim+json or application/json.")
}
