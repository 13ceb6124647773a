package scimhttp

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// challenge is the WWW-Authenticate header of every 401 (RFC 6750, section 3). It is the same for every reason.
const challenge = `Bearer realm="SCIM"`

// authenticate finds out whether the request comes from the tenant that its path names. Nothing of a tenant has been touched before.
// The note that the token was used is taken beside the request; used waits for it.
func (h *handler) authenticate(ctx context.Context, rq *request) (used func(), err error) {
	authorization := strings.Join(rq.Header.Values("Authorization"), ",")
	rq.account, rq.token, err = h.Tenants.Authenticate(ctx, rq.target.tenant, authorization)
	if err != nil {
		return nil, err
	}
	types, err := h.Tenants.Types(ctx, rq.account)
	if err != nil {
		return nil, err
	}
	rq.tenant = directory.Tenant{
		ID:               rq.account.ID,
		Types:            types,
		BaseURL:          rq.base,
		Dialect:          rq.account.Dialect(),
		UniqueGroupNames: rq.account.UniqueGroupNames(),
		CursorKey:        rq.account.CursorKey(),
	}
	noted := make(chan struct{})
	go func() {
		defer close(noted)
		h.Tenants.Touch(context.WithoutCancel(ctx), rq.account.ID, rq.token.ID)
	}()
	return func() { <-noted }, nil
}

// baseURL is the base URL of the tenant that the path names.
func (h *handler) baseURL(rq *request) (string, error) {
	base := strings.TrimRight(h.BaseURL, "/")
	if base == "" {
		if !plainHost(rq.Host) {
			return "", scim.BadRequest(scim.NoType, "The Host header names no host.")
		}
		base = scheme(rq.Request) + "://" + rq.Host
	}
	return base + "/scim/v2/" + url.PathEscape(rq.target.tenant), nil
}

// scheme is https where the request, or the first proxy that it met, says so.
func scheme(r *http.Request) string {
	first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	if r.TLS != nil || strings.EqualFold(strings.TrimSpace(first), "https") {
		return "https"
	}
	return "http"
}

// plainHost tells whether s is a host, maybe with a port, that can stand in a URL as it is.
func plainHost(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._:[]", c) >= 0) {
			return false
		}
	}
	return s != "" && len(s) <= 255
}
