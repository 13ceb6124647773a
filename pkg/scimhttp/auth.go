package scimhttp

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/limit"
	"github.com/serverless-scim/serverless-scim/pkg/provlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/task"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/web"
)

// challenge is the WWW-Authenticate header of every 401 (RFC 6750, section 3). It is the same for every reason.
const challenge = `Bearer realm="SCIM"`

// scopeChallenge is the WWW-Authenticate header of a 403 to a token that is good for other requests (RFC 6750, section
// 3.1).
const scopeChallenge = `Bearer error="insufficient_scope", realm="SCIM"`

// scopeError says that the token of a request has no scope for its method: a 403.
type scopeError struct{ method string }

// Error implements error.
func (e *scopeError) Error() string { return "scimhttp: the token has no scope for " + e.method }

// authenticate checks that the token of a request belongs to the tenant in its path, and answers the request.
// Unless this process has accepted the token for the tenant before, no data of the tenant is read until then.
func (h *handler) authenticate(ctx context.Context, rq *request) (a answer, err error) {
	bearer := bearerOf(rq.Request.Request)
	account, token, known := h.Tenants.Recall(rq.target.tenant, bearer)
	rq.known = known
	switch {
	case known && !rq.discovers():
		return h.ahead(ctx, rq, bearer, account, token)
	case !known:
		if err := h.Limit.Listen(rq.sender()); err != nil {
			return answer{}, err
		}
	}
	account, token, err = h.Tenants.Authenticate(ctx, rq.target.tenant, bearer)
	if refused := (*tenant.UnauthorizedError)(nil); errors.As(err, &refused) {
		h.Limit.Wrong(rq.sender())
	}
	if err != nil {
		return answer{}, err
	}
	touched := beside(ctx, func(ctx context.Context) {
		h.Tenants.Touch(context.WithoutCancel(ctx), account.ID, token.ID)
	})
	flushed := done
	if known {
		flushed = beside(ctx, h.Journal.Due(account.ID))
	}
	defer func() { err = errors.Join(err, <-touched, <-flushed) }()
	return h.carryOut(ctx, rq, account, token)
}

// bearerKey is the key of the bearer token that Admit has read, in a context.
type bearerKey struct{}

// bearerOf returns the bearer token of a request; two Authorization headers are no token. The token that Admit has
// read is used if the header is still the same, because a second read would hash the token again.
func bearerOf(r *http.Request) tenant.Bearer {
	header := authorization(r)
	if b, ok := r.Context().Value(bearerKey{}).(readBearer); ok && b.header == header {
		return b.bearer
	}
	return tenant.ReadBearer(header)
}

// readBearer is a bearer token with the header that it was read from.
type readBearer struct {
	header string
	bearer tenant.Bearer
}

// withBearer is the context of a request with its bearer token.
func withBearer(r *http.Request, b tenant.Bearer) context.Context {
	return context.WithValue(r.Context(), bearerKey{}, readBearer{authorization(r), b})
}

// authorization is the Authorization header of a request as HTTP API joins several.
func authorization(r *http.Request) string {
	return strings.Join(r.Header.Values("Authorization"), ",")
}

// errChanged says that the tenant has changed since it was last read.
var errChanged = errors.New("scimhttp: the tenant has changed")

// ahead carries out a request with the remembered tenant and token of its sender, while the tenant is read: the
// request's first reads and the tenant's read are one round. Nothing is written before the tenant's read has shown
// that the token is still valid and the tenant unchanged. If the tenant has changed, the result is dropped, and the
// request is carried out again.
func (h *handler) ahead(
	ctx context.Context, rq *request, bearer tenant.Bearer, account *tenant.Tenant, token *tenant.Token,
) (a answer, failed error) {
	var (
		now   *tenant.Tenant
		by    *tenant.Token
		err   error
		known = make(chan struct{})
	)
	trial, cancel := context.WithCancel(directory.Hold(ctx, func() error { <-known; return err }))
	defer cancel()
	finished := task.Start(func() error {
		err = task.Do(func() (err error) {
			now, by, err = h.Tenants.Authenticate(ctx, rq.target.tenant, bearer)
			return err
		})
		if err == nil && !(now.Same(account) && by.Same(token)) {
			err = errChanged
		}
		close(known)
		if err != nil {
			cancel()
		}
		if err == nil || errors.Is(err, errChanged) {
			h.Tenants.Touch(context.WithoutCancel(ctx), now.ID, by.ID)
		}
		return nil
	})
	flushed := beside(ctx, h.Journal.Due(account.ID))
	defer func() { failed = errors.Join(failed, <-finished, <-flushed) }()
	attempt := *rq
	a, failed = h.carryOut(trial, &attempt, account, token)
	<-known
	switch {
	case err == nil:
		*rq = attempt
		return a, failed
	case errors.Is(err, errChanged):
		return h.carryOut(ctx, rq, now, by)
	}
	return answer{}, err
}

// done is the end of work that there was none of.
var done = func() <-chan error {
	c := make(chan error)
	close(c)
	return c
}()

// beside writes something concurrently with the request; nil writes nothing. The channel signals the end.
func beside(ctx context.Context, write func(context.Context)) <-chan error {
	if write == nil {
		return done
	}
	return task.Start(func() error {
		write(ctx)
		return nil
	})
}

// carryOut carries out a request, as the holder of a token of a tenant.
func (h *handler) carryOut(ctx context.Context, rq *request, account *tenant.Tenant, token *tenant.Token) (
	a answer, failed error,
) {
	types, err := h.Tenants.Types(ctx, *account)
	if err != nil {
		return answer{}, err
	}
	rq.account, rq.token = account, token
	rq.tenant = directory.Tenant{
		ID:               account.ID,
		Types:            types,
		BaseURL:          rq.base,
		Dialect:          account.Dialect(),
		UniqueGroupNames: account.UniqueGroupNames(),
		Policy:           account.Policy,
		Domains:          account.Domains,
		CursorKey:        account.CursorKey(),
	}
	rq.route = h.find(rq)
	rq.entry = h.Journal.Begin(rq.facts())
	if !rq.known {
		counted := beside(ctx, rq.entry.Ahead)
		defer func() { failed = errors.Join(failed, <-counted) }()
	}
	op, a, err := rq.operation()
	if op == nil {
		return a, err
	}
	if err := h.Limit.Take(ctx, account.ID, limit.Rate(account.Settings.Limits)); err != nil {
		return answer{}, err
	}
	if err := h.permit(ctx, rq); err != nil {
		return answer{}, err
	}
	walking, end := h.Limit.Walks(ctx, account.ID) // not the context that is in use beside
	defer end()
	return op(h, directory.WithOrigin(walking, rq.origin(rq.entry)), rq)
}

// origin is the origin of the writes of a request, or of an operation of it.
func (rq *request) origin(entry *provlog.Request) directory.Origin {
	o := directory.Origin{RequestID: rq.ID, TokenID: rq.token.ID, Silent: !rq.account.PublishesMembers()}
	if entry != nil {
		o.Record, o.Recorded = entry.Record, entry.Recorded
	}
	return o
}

// sender is the address that a request comes from.
func (rq *request) sender() string {
	host, _, err := net.SplitHostPort(rq.RemoteAddr)
	if err != nil {
		return rq.RemoteAddr
	}
	return host
}

// baseURL is the base URL of the tenant that the path names.
func (h *handler) baseURL(rq *request) (string, error) {
	base, err := web.Base(h.BaseURL, rq.Request.Request)
	if err != nil {
		return "", scim.BadRequest(scim.NoType, "The Host header names no host.")
	}
	return base + "/scim/v2/" + url.PathEscape(rq.target.tenant), nil
}

// permit checks whether the tenant's policy allows such a request at all, before its body is read.
func (h *handler) permit(ctx context.Context, rq *request) error {
	action, writes := actions[rq.Method]
	if !writes || rq.route.reads || rq.route.rt == nil {
		return nil
	}
	return h.Directory.Permit(ctx, rq.tenant, rq.route.rt, action)
}

// actions are the directory's actions by HTTP method.
var actions = map[string]directory.Action{
	http.MethodPost: directory.ActionCreate, http.MethodPut: directory.ActionUpdate,
	http.MethodPatch: directory.ActionUpdate, http.MethodDelete: directory.ActionDelete,
}
