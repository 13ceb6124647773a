package web

import "net/http"

// Headers sets the headers of every answer: no cache stores it, and no browser guesses its type. An edge may allow
// caching for answers without secrets.
func Headers(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
}
