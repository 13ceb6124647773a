package scimhttp

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/task"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// DefaultMaxBodyBytes is the size of the largest request body that is read.
const DefaultMaxBodyBytes = 4 << 20

// Config is what New needs. Tenants, Directory and Now are required.
type Config struct {
	Tenants   *tenant.Service
	Directory *directory.Directory
	// BaseURL is scheme and host that locations begin with, "https://scim.example.com"; empty takes them from each
	// request.
	BaseURL string
	// Log gets one line a request, without personal data; nil discards.
	Log *slog.Logger
	Now func() time.Time
	// MaxBodyBytes is the size of the largest request body; zero means DefaultMaxBodyBytes.
	MaxBodyBytes int64
	// CostHeaders adds a header Scim-Cost to each answer: what the request consumed in the store.
	CostHeaders bool
}

type handler struct {
	Config
	routes    map[string]*route
	documents documents
	// open are the documents of discovery that everybody is shown.
	open documents
}

// New returns the handler of /scim/v2/{tenant}/... and its alias /scim/{tenant}/...; any other path is a SCIM 404. It
// must see paths as the client sent them: a ServeMux in front would answer `//` with a redirect.
func New(c Config) http.Handler {
	if c.MaxBodyBytes == 0 {
		c.MaxBodyBytes = DefaultMaxBodyBytes
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &handler{Config: c, routes: routes()}
}

// request is an HTTP request and what has been found out about it.
type request struct {
	*http.Request
	id     string // for the log and the operator
	target target
	route  *route
	base   string // of the tenant, without a trailing slash
	// body reads the body to its end, once: a request may be carried out twice.
	body func() (string, error)

	// Set by authentication.
	account tenant.Tenant
	token   tenant.Token
	tenant  directory.Tenant
}

// margin is what is left of the time that the caller allows for writing an answer that says so when it runs out.
const margin = 500 * time.Millisecond

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := h.Now()
	ctx, cost := directory.Metered(r.Context())
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-margin))
		defer cancel()
	}
	rq := &request{Request: r, id: requestID(r), body: sync.OnceValues(func() (string, error) {
		return readText(r.Body, r.ContentLength, h.MaxBodyBytes+1)
	})}
	a, err := h.answer(ctx, rq)
	if err != nil {
		a = h.failure(ctx, rq, err)
	}
	if h.CostHeaders {
		c := cost()
		w.Header().Set("Scim-Cost", fmt.Sprintf("calls=%d, read=%.1f, write=%.1f", c.Calls, c.ReadUnits, c.WriteUnits))
	}
	a.send(w, rq)
	h.logRequest(ctx, rq, a.status, h.Now().Sub(started), cost())
}

// answer finds the answer to a request; a panic on the way is an error like any other.
func (h *handler) answer(ctx context.Context, rq *request) (a answer, err error) {
	defer task.Catch(&err)
	var known bool
	if rq.target, known = parsePath(rq.URL.Path); !known {
		return answer{}, scim.Errorf(http.StatusNotFound, scim.NoType,
			"There is no endpoint at this path. The base URL of a tenant is /scim/v2/ and its id, without doubled slashes.")
	}
	if rq.base, err = h.baseURL(rq); err != nil {
		return answer{}, err
	}
	rq.route = h.routes[rq.target.key]
	if rq.openToAll() {
		return h.serviceProviderConfig(ctx, rq)
	}
	return h.authenticate(ctx, rq)
}
