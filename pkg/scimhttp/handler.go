package scimhttp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/limit"
	"github.com/serverless-scim/serverless-scim/pkg/provlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/task"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/web"
)

// DefaultMaxBodyBytes is the size of the largest request body that is read.
const DefaultMaxBodyBytes = 4 << 20

// Config holds the dependencies and settings of New. Tenants, Directory and Now are required.
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
	// Journal, if set, keeps the tenants' provisioning logs.
	Journal *provlog.Journal
	// Limit bounds the requests of each tenant; nil bounds nothing.
	Limit *limit.Service
	// CostHeaders adds a header Scim-Cost to each answer: the store calls, read units and write units of the
	// request.
	CostHeaders bool
}

type handler struct {
	Config
	routes    map[string]*route
	kinds     kinds
	documents documents
	// open are the documents of discovery for requests without a token.
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
	h := &handler{Config: c, routes: routes(), kinds: newKinds()}
	return web.New(web.Edge{Name: "scim", Serve: h.serve, Fail: h.fail, Log: c.Log, Now: c.Now})
}

// request is an HTTP request with the results of routing and authentication.
type request struct {
	*web.Request
	target target
	route  *route
	base   string // of the tenant, without a trailing slash
	// body reads the body to its end, once: a request may be carried out twice.
	body func() (string, error)

	started time.Time
	// parsed is the body as it was decoded; nil if it was not.
	parsed scim.Object
	// entry is the request in the provisioning log, if it was accepted, and failed the error that was answered.
	entry  *provlog.Request
	failed *scim.Error
	// known says that this process has accepted the token for the tenant before.
	known bool

	// Set by authentication. Until then account and token are empty.
	account *tenant.Tenant
	token   *tenant.Token
	tenant  directory.Tenant
}

// nobody and noToken are the account and the token of a request that is not authenticated.
var nobody, noToken = &tenant.Tenant{}, &tenant.Token{}

func newRequest(r *web.Request) *request {
	return &request{Request: r, account: nobody, token: noToken}
}

// serve answers a request. Errors are answers, too; it returns an error only for a panic.
func (h *handler) serve(ctx context.Context, w http.ResponseWriter, r *web.Request) error {
	ctx, cost := directory.Metered(ctx)
	rq := newRequest(r)
	rq.started = h.Now()
	rq.body = sync.OnceValues(func() (string, error) { return web.ReadText(r.Request, h.MaxBodyBytes) })
	defer func() { rq.log(cost()) }()
	a, err := h.answer(ctx, rq)
	if p := (*task.Panic)(nil); errors.As(err, &p) {
		return err
	}
	if err != nil {
		a = h.failure(ctx, rq, err)
	}
	h.takeDown(ctx, rq, a.status, err)
	if h.CostHeaders {
		c := cost()
		w.Header().Set("Scim-Cost", fmt.Sprintf("calls=%d, read=%.1f, write=%.1f", c.Calls, c.ReadUnits, c.WriteUnits))
	}
	a.send(w, rq)
	return nil
}

// log adds the sender, the route and the cost to the request's line in the log. Without a sender it adds the tenant
// that the path names, so that an operator finds whose token is wrong.
func (rq *request) log(cost directory.Cost) {
	if rq.route != nil {
		rq.Route = rq.route.pattern
	}
	rq.Attrs = append(rq.Attrs,
		slog.String("tenant", rq.account.ID),
		slog.String("token", rq.token.ID),
		slog.Int("calls", cost.Calls),
		slog.Float64("readUnits", cost.ReadUnits),
		slog.Float64("writeUnits", cost.WriteUnits),
	)
	if rq.account.ID == "" && tenant.ValidID(rq.target.tenant) {
		rq.Attrs = append(rq.Attrs, slog.String("pathTenant", rq.target.tenant))
	}
}

// fail responds to a panic.
func (h *handler) fail(ctx context.Context, w http.ResponseWriter, r *web.Request, err error) {
	rq := newRequest(r)
	h.failure(ctx, rq, err).send(w, rq)
}

// Refuse answers a request that a gateway refused before the handler saw it, with a SCIM error.
func Refuse(w http.ResponseWriter, r *http.Request, status int, detail string) {
	web.Headers(w)
	a := errorAnswer(scim.Errorf(status, scim.NoType, "%s", detail))
	// A gateway that gives up on a request flushes the answer: it must be whole by itself.
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	a.send(w, newRequest(&web.Request{Request: r}))
}

// Admission is the result of Admit.
type Admission struct {
	// Tenant is the tenant that the request's token is known to be of; empty if that is not known.
	Tenant string
	// Context is the request's context with its token read, so that the handler does not read it again.
	Context context.Context
	// Large says that the answer may be large: a list, or a group with its members.
	Large bool
	// Refuse says that the body is not worth reading: the path names no tenant, or the token does not belong to
	// that tenant.
	Refuse bool
}

// Admit looks at a request before its body is read. It reads nothing of the store for a token that this process has
// let in before, nor for a request without a body. The handler decides again.
func (c Config) Admit(r *http.Request) Admission {
	target, known := parsePath(r.URL.Path)
	if !known {
		return Admission{Refuse: true}
	}
	bearer := bearerOf(r)
	a := Admission{Context: withBearer(r, bearer), Large: target.large(r.Method)}
	_, _, ok := c.Tenants.Recall(target.tenant, bearer)
	if !ok && r.Body != nil && r.Body != http.NoBody {
		var refused *tenant.UnauthorizedError
		_, _, err := c.Tenants.Authenticate(r.Context(), target.tenant, bearer)
		ok, a.Refuse = err == nil, errors.As(err, &refused)
	}
	if ok {
		a.Tenant = target.tenant
	}
	return a
}

// answer finds the answer to a request.
func (h *handler) answer(ctx context.Context, rq *request) (a answer, err error) {
	var known bool
	if rq.target, known = parsePath(rq.URL.Path); !known {
		return answer{}, scim.Errorf(http.StatusNotFound, scim.NoType,
			"There is no endpoint at this path. The base URL of a tenant is /scim/v2/ and its id, "+
				"without doubled slashes.")
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
