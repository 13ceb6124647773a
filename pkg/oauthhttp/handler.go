package oauthhttp

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/web"
)

// Root is the path under which the token endpoints are.
const Root = "/oauth2/"

// Config holds the dependencies and settings of New. Tenants is required.
type Config struct {
	Tenants *tenant.Service
	// BaseURL is scheme and host of the endpoints, which assertions must be for; empty takes them from each request.
	BaseURL string
	// Log takes the errors that are answered with 5xx; nil discards them.
	Log *slog.Logger
}

type handler struct{ Config }

// New returns the handler of Root.
func New(c Config) http.Handler {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	h := &handler{c}
	return web.New(web.Edge{Name: "oauth", Serve: h.serve, Fail: h.fail, Log: c.Log})
}

// problem is an error of RFC 6749, section 5.2.
type problem struct {
	status       int
	code, detail string
}

func (p *problem) Error() string { return "oauthhttp: " + p.code + ": " + p.detail }

func badRequest(detail string) error {
	return &problem{http.StatusBadRequest, "invalid_request", detail}
}

// serve answers a request with an access token, or returns the error to answer.
func (h *handler) serve(ctx context.Context, w http.ResponseWriter, r *web.Request) error {
	token, err := h.grant(ctx, w, r)
	if err != nil {
		return err
	}
	scopes := make([]string, len(token.Scopes))
	for i, scope := range token.Scopes {
		scopes[i] = string(scope)
	}
	write(w, http.StatusOK, map[string]any{
		"access_token": token.Value, "token_type": "Bearer", "expires_in": int64(token.ExpiresIn / time.Second),
		"scope": strings.Join(scopes, " "),
	})
	return nil
}

func (h *handler) grant(ctx context.Context, w http.ResponseWriter, r *web.Request) (tenant.AccessToken, error) {
	rest, _ := strings.CutPrefix(r.URL.Path, Root)
	id, last, _ := strings.Cut(rest, "/")
	if id == "" || last != "token" {
		return tenant.AccessToken{}, &problem{
			http.StatusNotFound, "invalid_request",
			"There is no endpoint at this path. The token endpoint of a tenant is /oauth2/TENANT/token.",
		}
	}
	r.Route = Root + "{tenant}/token"
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return tenant.AccessToken{}, &problem{
			http.StatusMethodNotAllowed, "invalid_request",
			"Access tokens are requested by POST.",
		}
	}
	form, err := readForm(r.Request)
	if err != nil {
		return tenant.AccessToken{}, err
	}
	proof, err := proofOf(r.Header.Values("Authorization"), form)
	if err != nil {
		return tenant.AccessToken{}, err
	}
	switch form["grant_type"] {
	case "client_credentials":
	case "":
		return tenant.AccessToken{}, badRequest("The parameter grant_type is missing; it must be client_credentials.")
	default:
		return tenant.AccessToken{}, &problem{
			http.StatusBadRequest, "unsupported_grant_type",
			"The grant_type must be client_credentials.",
		}
	}
	audience, err := h.audience(r.Request, id)
	if err != nil {
		return tenant.AccessToken{}, err
	}
	var want []tenant.Scope
	for scope := range strings.FieldsSeq(form["scope"]) {
		want = append(want, tenant.Scope(scope))
	}
	return h.Tenants.Grant(ctx, id, proof, audience, want)
}

// audience is the URL of a tenant's token endpoint, which an assertion must be for. It does not follow the Host
// header: an assertion that a client made for another server would be taken here.
func (h *handler) audience(r *http.Request, id string) (string, error) {
	base, err := web.Bound(h.BaseURL, r)
	if err != nil {
		return "", badRequest("The Host header names no host.")
	}
	return base + Root + url.PathEscape(id) + "/token", nil
}

// fail answers an error. The text of an unknown error goes to the log only.
func (h *handler) fail(ctx context.Context, w http.ResponseWriter, r *web.Request, err error) {
	p := (*problem)(nil)
	denied := (*tenant.GrantError)(nil)
	detail, outage := tenant.Outage(err)
	switch {
	case errors.As(err, &p):
	case errors.As(err, &denied) && denied.Code == tenant.InvalidClient:
		p = &problem{http.StatusUnauthorized, string(denied.Code), denied.Detail}
	case errors.As(err, &denied):
		p = &problem{http.StatusBadRequest, string(denied.Code), denied.Detail}
	case outage:
		h.Log.ErrorContext(ctx, "outage", "error", err)
		p = &problem{http.StatusServiceUnavailable, "temporarily_unavailable", detail}
		w.Header().Set("Retry-After", "60")
	case tenant.Temporary(err) || errors.Is(err, context.Canceled):
		h.Log.WarnContext(ctx, "busy", "requestId", r.ID, "error", err)
		p = &problem{
			http.StatusServiceUnavailable, "temporarily_unavailable",
			"The service is busy. Try again in a few seconds.",
		}
		w.Header().Set("Retry-After", "5")
	default:
		h.Log.ErrorContext(ctx, "token request failed", "requestId", r.ID, "error", err)
		detail := "An internal error occurred. The operator finds it in the log."
		p = &problem{http.StatusInternalServerError, "server_error", detail}
	}
	if p.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="OAuth"`)
	}
	write(w, p.status, map[string]any{"error": p.code, "error_description": plain(p.detail)})
}

// Refuse answers a request that a gateway refused before the handler saw it, with an error of RFC 6749, section 5.2.
func Refuse(w http.ResponseWriter, _ *http.Request, status int, detail string) {
	code := "invalid_request"
	if status >= http.StatusInternalServerError {
		code = "temporarily_unavailable"
	}
	web.Headers(w)
	write(w, status, map[string]any{"error": code, "error_description": plain(detail)})
}

// plain removes characters that error_description may not hold (RFC 6749, section 5.2).
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, s)
}

func write(w http.ResponseWriter, status int, body map[string]any) {
	data, err := json.Marshal(body)
	if err != nil {
		data = []byte(`{"error":"server_error"}`) // strings and a number: it does not happen
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.Header().Set("Pragma", "no-cache")
	w.WriteHeader(status)
	_, _ = w.Write(data) // the client is gone
}
