package adminhttp

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/web"
)

// LocalGuard protects the admin API in local runs, which have no gateway. With a key, every request must send it as
// "Authorization: Bearer KEY"; 401 otherwise. Without one, only programs on this machine get in: the client's
// address must be a loopback address, the Host localhost or a loopback address (so that no name that an attacker
// points here works), and there must be no Origin (so that no web page gets in); 403 otherwise. It must see the
// request as it came from the network. log gets one line for each request that is refused; nil discards.
func LocalGuard(next http.Handler, key string, log *slog.Logger) http.Handler {
	refuse := web.New(web.Edge{
		Name: "admin", Log: log,
		Serve: func(_ context.Context, w http.ResponseWriter, r *web.Request) error {
			return refused(w, r.Request, key)
		},
		Fail: func(_ context.Context, w http.ResponseWriter, _ *web.Request, err error) {
			writeProblem(w, problemOf(err))
		},
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del(callerHeader)
		if key != "" && sent(r, key) || key == "" && foreign(r) == "" {
			next.ServeHTTP(w, r)
			return
		}
		refuse.ServeHTTP(w, r)
	})
}

// refused returns the reason why a request is refused.
func refused(w http.ResponseWriter, r *http.Request, key string) error {
	if key != "" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="admin"`)
		return &problem{status: http.StatusUnauthorized, detail: "Send the admin key as Authorization: Bearer KEY."}
	}
	return &problem{status: http.StatusForbidden, detail: foreign(r)}
}

// sent reports whether the request has the key. Digests are compared, so that the time taken does not reveal the key's
// length.
func sent(r *http.Request, key string) bool {
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	got, want := sha256.Sum256([]byte(strings.TrimSpace(value))), sha256.Sum256([]byte(key))
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// foreign returns the reason why a request does not come from a program on this machine, or "" if it does.
func foreign(r *http.Request) string {
	address, err := netip.ParseAddrPort(r.RemoteAddr)
	switch {
	case err != nil || !address.Addr().Unmap().IsLoopback():
		return "Without an admin key, the admin API allows only requests from this machine."
	case len(r.Header.Values("Origin")) > 0:
		return "Without an admin key, the admin API does not allow requests from web pages."
	case !localHost(r.Host):
		return "Without an admin key, the Host header must be localhost, 127.0.0.1 or [::1]."
	}
	return ""
}

// localHost reports whether a Host header names this machine, with any port or none.
func localHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	} else {
		name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	}
	return strings.EqualFold(name, "localhost") || name == "127.0.0.1" || name == "::1"
}
