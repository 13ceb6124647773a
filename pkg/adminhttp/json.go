package adminhttp

import (
	"errors"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/web"
)

// maxBody bounds a request body.
const maxBody = 64 << 10

// body reads a JSON object that has no other keys than those. A body that may be left out reads as an empty object.
func body(r *http.Request, optional bool, keys ...string) (scim.Object, error) {
	o, err := document(r, optional, maxBody)
	if err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(o)) {
		switch {
		case slices.Contains(keys, key):
		case len(keys) == 0:
			return nil, badRequest(strconv.Quote(key) + " is not known here; send no body, or {}.")
		default:
			return nil, badRequest(strconv.Quote(key) + " is not known here; known: " + strings.Join(keys, ", ") + ".")
		}
	}
	return o, nil
}

// document reads a JSON object of at most limit bytes, without U+0000 in any text.
func document(r *http.Request, optional bool, limit int64) (scim.Object, error) {
	data, err := web.ReadText(r, limit)
	switch {
	case errors.Is(err, web.ErrTooLarge):
		return nil, &problem{status: http.StatusRequestEntityTooLarge, detail: "A body may have " + strconv.FormatInt(
			limit>>10, 10) + " KiB at most."}
	case err != nil:
		return nil, badRequest("The body could not be read.")
	}
	if len(data) == 0 && optional {
		return scim.Object{}, nil
	}
	if !jsonType(r.Header.Get("Content-Type")) {
		return nil, &problem{status: http.StatusUnsupportedMediaType, detail: "Send the body as application/json."}
	}
	if strings.Contains(strings.ReplaceAll(string(data), `\\`, ""), `\u0000`) { // without escaped backslashes
		return nil, badRequest("The body must not have the character U+0000.")
	}
	return scim.ParseObject(data)
}

// jsonType reports whether a media type is JSON; a missing type counts as JSON.
func jsonType(contentType string) bool {
	if contentType == "" {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && (mediaType == "application/json" || strings.HasSuffix(mediaType, "+json"))
}

// text reads a string member; missing and null are "".
func text(o scim.Object, key string) (string, error) {
	switch v := o[key].(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	}
	return "", badRequest(key + " must be a string.")
}

func write(w http.ResponseWriter, status int, mediaType string, o scim.Object) {
	writeText(w, status, mediaType, scim.AppendJSON(nil, o))
}

func writeText(w http.ResponseWriter, status int, mediaType string, data []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	_, _ = w.Write(data) // the client is gone
}

func ok(w http.ResponseWriter, status int, o scim.Object) error {
	write(w, status, "application/json", o)
	return nil
}
