package scimhttp

import (
	"errors"
	"mime"
	"net/http"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/web"
)

// body reads the request's body as a JSON object.
func (h *handler) body(rq *request) (scim.Object, error) {
	text, err := h.text(rq)
	if err != nil {
		return nil, err
	}
	rq.parsed, err = scim.ParseObject(text)
	return rq.parsed, err
}

// text returns the request's body, whose syntax is not checked. Its size is checked first, then its media type. An
// empty body is not JSON, even with the media type of JSON (a gateway may have added it).
func (h *handler) text(rq *request) (string, error) {
	text, err := rq.body()
	switch {
	case errors.Is(err, web.ErrTooLarge):
		return "", h.tooLarge(rq)
	case err != nil:
		return "", scim.BadRequest(scim.InvalidSyntax, "The request body could not be read to its end.")
	}
	if strings.TrimSpace(text) == "" {
		return "", scim.BadRequest(scim.InvalidSyntax, "The request has no body; a JSON object is needed.")
	}
	return text, checkMediaType(rq.Header)
}

func (h *handler) tooLarge(rq *request) error {
	if rq.target.key == "bulk" {
		return scim.Errorf(http.StatusRequestEntityTooLarge, scim.NoType,
			"The size of the bulk request exceeds maxPayloadSize (%d). Spread its operations over several requests.",
			h.MaxBodyBytes)
	}
	return scim.Errorf(http.StatusRequestEntityTooLarge, scim.NoType,
		"The request body is larger than %d bytes, the limit of this server. "+
			"Spread the change over several requests.", h.MaxBodyBytes)
}

// checkMediaType takes a body without a media type or with any JSON one (RFC 7644, section 3.1:
// application/scim+json, and application/json), with any parameters, and no other.
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
