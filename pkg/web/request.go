package web

import (
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
)

// Request is a request on its way through an edge.
type Request struct {
	*http.Request
	// ID identifies the request in the log and in the answer.
	ID string
	// Route is the pattern of the path, for the log; the edge sets it. It holds no text of the client.
	Route string
	// Attrs are further attributes of the edge for the line in the log. They must hold no personal data and no
	// secret.
	Attrs []slog.Attr
}

// ErrTooLarge says that a body has more bytes than are read, ErrUnreadable that it could not be read to its end.
var (
	ErrTooLarge   = errors.New("web: the body is too large")
	ErrUnreadable = errors.New("web: the body could not be read to its end")
)

// ReadText reads the body of a request that may have at most limit bytes. The error is ErrTooLarge or ErrUnreadable.
// A body that is announced as larger is not read.
func ReadText(r *http.Request, limit int64) (string, error) {
	if r.ContentLength > limit {
		return "", ErrTooLarge
	}
	if r.Body == nil {
		return "", nil
	}
	var b strings.Builder
	b.Grow(int(max(r.ContentLength, 0)))
	// io.Copy would take 32 KB to read a body of a hundred bytes.
	buffer := make([]byte, min(max(r.ContentLength, 512), 32<<10))
	_, err := io.CopyBuffer(&b, io.LimitReader(r.Body, limit+1), buffer)
	tooLarge := (*http.MaxBytesError)(nil)
	switch {
	case int64(b.Len()) > limit, errors.As(err, &tooLarge):
		return "", ErrTooLarge
	case err != nil:
		return "", ErrUnreadable
	}
	return b.String(), nil
}

// requestIDHeader is the header with the gateway's id of a request, if there is a gateway.
const requestIDHeader = "X-Amzn-Requestid"

// requestID is the id of the request in the log: the gateway's, else a random one.
func requestID(r *http.Request) string {
	id := r.Header.Get(requestIDHeader)
	if id == "" || len(id) > 64 || strings.ContainsFunc(id, unfit) {
		return rand.Text()
	}
	return id
}

// unfit reports whether a character must not be in an id.
func unfit(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\\' }
