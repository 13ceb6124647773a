package web

import "net/http"

// Headers sets the headers that every answer has: no cache keeps it, and no browser takes it for another type than it
// says. An edge may allow a cache more, for answers that hold no secret.
func Headers(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
}
