package local

import (
	"net/http"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/oauthhttp"
)

// withOAuth sends the token endpoints' paths to their handler and all others to next.
func (s *Server) withOAuth(next http.Handler) http.Handler {
	oauth := oauthhttp.New(oauthhttp.Config{Tenants: s.tenants, BaseURL: s.o.BaseURL, Log: s.log})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, oauthhttp.Root) {
			oauth.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
