package apigw

import (
	"maps"
	"net/http"
)

// answer is an http.ResponseWriter that adds the behaviour of net/http's own to the library's: the first status
// counts, headers set after it do not, no status means 200, and no body goes out if HTTP allows none.
type answer struct {
	out    http.ResponseWriter
	header http.Header
	method string
	status int
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status != 0 || status < http.StatusOK {
		return
	}
	a.status = status
	maps.Copy(a.out.Header(), a.header)
	if !a.bodyAllowed() && a.method != http.MethodHead {
		a.out.Header().Del("Content-Type")
		a.out.Header().Del("Content-Length")
	}
	a.out.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	a.finish()
	if !a.bodyAllowed() {
		if a.method == http.MethodHead {
			return len(p), nil
		}
		return 0, http.ErrBodyNotAllowed
	}
	return a.out.Write(p)
}

// finish sends the status if it is not sent yet.
func (a *answer) finish() {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
}

func (a *answer) bodyAllowed() bool {
	return a.method != http.MethodHead && a.status != http.StatusNoContent && a.status != http.StatusNotModified
}
