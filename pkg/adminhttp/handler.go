package adminhttp

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/idempotency"
	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/openapi"
	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/shown"
	"github.com/serverless-scim/serverless-scim/pkg/domain/claim"
	"github.com/serverless-scim/serverless-scim/pkg/guard"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/provlog"
	"github.com/serverless-scim/serverless-scim/pkg/provlog/diagnosis"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/setup"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/web"
	"github.com/serverless-scim/serverless-scim/pkg/webhook"
)

// Root is the path under which the admin API is served.
const Root = "/admin/v1"

// Config holds the dependencies of the admin API.
type Config struct {
	Tenants *tenant.Service
	// BaseURL begins every scimBaseUrl, without a slash at the end; empty takes scheme and host of the request.
	BaseURL string
	// Host, if set, is the one host name that requests may come in under; under any other there is nothing.
	Host string
	// CheckTypes has to agree with every change of a tenant's schemas and resource types; nil agrees with none. So has
	// the saved policy, if there are Members.
	CheckTypes tenant.CheckTypes
	// SetClock, if set, moves the program's clock, does the work that is then due, and returns the time. It returns a
	// *tenant.InvalidError for a time that can't be set. It is for local runs: if it is nil, there is no such route.
	SetClock func(ctx context.Context, now time.Time) (time.Time, error)
	// Clock returns the program's time, and the machine's. It is required with SetClock.
	Clock func() (now, machine time.Time)
	// Members, if set, serves the routes for the application behind the endpoint: members, policy, targets, events.
	Members *member.Service
	// Guard shows and decides about the guards of tenants. It is required with Members.
	Guard *guard.Service
	// Domains keeps the domains of tenants. It is required.
	Domains *claim.Registry
	// Journal, if set, shows the provisioning logs, and records each change with its caller.
	Journal *provlog.Journal
	// Diagnosis, if set, finds mistakes at identity providers. It needs Journal.
	Diagnosis *diagnosis.Service
	// Caller is the log's name for a caller whom no gateway names; empty is "local".
	Caller string
	// Webhooks keeps webhooks; nil: there are no such routes. It needs Members.
	Webhooks *webhook.Service
	// Links creates set-up links. It is required.
	Links *setup.Service
	// Once remembers the requests with an Idempotency-Key; nil: the header is not looked at.
	Once *idempotency.Memory
	// Log gets one line a request, and why an answer is a 5xx; nil discards.
	Log *slog.Logger
}

type api struct {
	webhooks *webhook.Service
	tenants  *tenant.Service
	members  *member.Service
	guard    *guard.Service
	domains  *claim.Registry
	journal  *provlog.Journal
	caller   string
	doctor   *diagnosis.Service
	links    *setup.Service
	once24   *idempotency.Memory
	baseURL  string
	host     string
	check    tenant.CheckTypes
	clock    func() (now, machine time.Time)
	moveTo   func(context.Context, time.Time) (time.Time, error)
	log      *slog.Logger
}

// endpoint answers a request, or returns the error to answer.
type endpoint func(w http.ResponseWriter, r *http.Request) error

// methods are the endpoints of one path.
type methods map[string]endpoint

// New returns the admin API.
func New(c Config) http.Handler {
	a := &api{
		tenants: c.Tenants, baseURL: strings.TrimSuffix(c.BaseURL, "/"), host: c.Host, check: c.CheckTypes,
		clock: c.Clock, moveTo: c.SetClock, log: c.Log, members: c.Members, guard: c.Guard, webhooks: c.Webhooks,
		domains: c.Domains, links: c.Links, once24: c.Once,
		journal: c.Journal, caller: cmp.Or(c.Caller, "local"), doctor: c.Diagnosis,
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.check == nil {
		a.check = func(context.Context, string, *schema.Types, *schema.Types) error { return errNoCheck }
	}
	if a.members != nil {
		a.check = withPolicy(a.check, a.members)
	}
	mux := http.NewServeMux()
	for path, m := range a.routes() {
		mux.Handle(Root+path, a.handler(path, m))
	}
	return web.New(web.Edge{Name: "admin", Serve: a.serve(mux), Fail: a.failed, Log: c.Log})
}

// routes are the endpoints of each path after Root.
func (a *api) routes() map[string]methods {
	routes := map[string]methods{
		"/openapi.json": {"GET": getDocument},
		"/tenants":      {"GET": a.listTenants, "POST": a.createTenant},
		"/tenants/{id}": {
			"GET": a.getTenant, "PATCH": conditional(a.changeTenant, shown.OfTenant),
			"DELETE": conditional(a.deleteTenant, shown.OfTenant),
		},
		"/tenants/{id}/disconnect": {"POST": a.disconnect},
		"/tenants/{id}/tokens":     {"GET": a.listTokens, "POST": a.createToken},
		"/tenants/{id}/tokens/{token}": {
			"GET": a.getToken, "PATCH": ofToken(a.changeToken), "DELETE": ofToken(a.revokeToken),
		},
		"/tenants/{id}/tokens/{token}/reveal": {"POST": a.revealToken},
		"/tenants/{id}/rotation":              {"POST": a.rotate},
		"/tenants/{id}/notices":               {"GET": a.listNotices, "POST": a.sendNotice},
		"/tenants/{id}/schemas":               {"GET": a.listSchemas},
		"/tenants/{id}/schemas/{urn}":         {"GET": a.getSchema, "PUT": a.putSchema, "DELETE": a.deleteSchema},
		"/tenants/{id}/resource-types":        {"GET": a.listResourceTypes},
		"/tenants/{id}/resource-types/{type}": {
			"GET": a.getResourceType, "PUT": a.putResourceType,
			"DELETE": a.deleteResourceType,
		},
	}
	if a.moveTo != nil {
		routes["/clock"] = methods{"GET": a.getClock, "PUT": a.setClock}
	}
	more := []map[string]methods{a.domainRoutes(), a.setupRoutes(), a.clientRoutes()}
	if a.journal != nil {
		more = append(more, a.logRoutes())
	}
	if a.members != nil {
		more = append(more, a.withWebhooks(a.memberRoutes()))
	}
	for _, some := range more {
		maps.Copy(routes, some)
	}
	return routes
}

// getDocument responds with the OpenAPI document of this API.
func getDocument(w http.ResponseWriter, _ *http.Request) error {
	writeText(w, http.StatusOK, "application/json", openapi.Document())
	return nil
}

// serve answers with the mux, or with a 404 if the mux has no route. The mux itself would answer in plain text, and
// redirect paths that are not clean.
func (a *api) serve(mux *http.ServeMux) func(context.Context, http.ResponseWriter, *web.Request) error {
	return func(ctx context.Context, w http.ResponseWriter, wr *web.Request) error {
		r := wr.WithContext(provlog.Caused(ctx, wr.ID))
		defer func() {
			wr.Route = r.Pattern
			wr.Attrs = append(wr.Attrs, slog.String("caller", a.callerOf(r)))
			if id := r.PathValue("id"); tenant.ValidID(id) {
				wr.Attrs = append(wr.Attrs, slog.String("tenant", id))
			}
		}()
		if !utf8.ValidString(r.URL.Path) {
			return badRequest("The path is not UTF-8 after percent-decoding.")
		}
		u := *r.URL
		escapeName(&u)
		r.URL = &u
		path := u.EscapedPath() // an encoded slash or dot belongs to a name
		_, pattern := mux.Handler(r)
		if pattern == "" || strings.Contains(path, "//") || strings.Contains(path, "/.") ||
			strings.HasSuffix(pattern, "...}") && u.RawPath == "" ||
			a.host != "" && !strings.EqualFold(r.Host, a.host) {
			return &problem{status: http.StatusNotFound, detail: "There is no route at " + r.URL.Path + "."}
		}
		mux.ServeHTTP(w, r)
		return nil
	}
}

// withName matches the paths whose rest is the name of a target.
var withName = regexp.MustCompile(`(?s)^(` + Root + `/tenants/[^/]+/(?:targets|members/[^/]+/assignments)/[^/]+/)(.+)$`)

// escapeName escapes the name of a target, so that it may be "..", or have slashes beside each other. API Gateway
// decodes the path, so a slash of the name can't be distinguished from one that divides.
func escapeName(u *url.URL) {
	if m := withName.FindStringSubmatch(u.Path); m != nil {
		u.RawPath = (&url.URL{Path: m[1]}).EscapedPath() + strings.ReplaceAll(url.PathEscape(m[2]), ".", "%2E")
	}
}

// failed responds to an error that no endpoint has handled, such as a panic.
func (a *api) failed(ctx context.Context, w http.ResponseWriter, r *web.Request, err error) {
	a.fail(w, r.WithContext(ctx), err)
}

// queried are the endpoints that read the query of a request, and refuse unknown parameters. The others refuse any
// query: a parameter that is ignored, such as a filter, must not mean all.
var queried = []string{
	"GET /tenants", "DELETE /tenants/{id}/tokens/{token}", "GET /webhooks", "GET /webhooks/{webhook}",
	"GET /log", "GET /tenants/{id}/log", "GET /tenants/{id}/log/{entry}", "GET /tenants/{id}/activity",
	"GET /tenants/{id}/diagnosis", "GET /tenants/{id}/members", "GET /tenants/{id}/members/duplicates",
	"GET /tenants/{id}/pending", "GET /tenants/{id}/events", "POST /tenants/{id}/policy/rehearse",
	"PUT /tenants/{id}/members/{member}/assignments/{kind}/{name...}",
	"DELETE /tenants/{id}/members/{member}/assignments/{kind}/{name...}",
	"GET /tenants/{id}/targets", "GET /tenants/{id}/targets/{kind}/{name...}",
	"PUT /tenants/{id}/targets/{kind}/{name...}", "DELETE /tenants/{id}/targets/{kind}/{name...}",
}

// searched are the lists that are read whole. Their only query parameter is name.
var searched = []string{
	"GET /clients", "GET /tenants/{id}/clients", "GET /tenants/{id}/webhooks", "GET /tenants/{id}/domains",
	"GET /tenants/{id}/setup-links", "GET /tenants/{id}/schemas", "GET /tenants/{id}/resource-types",
}

// withQuery refuses requests with other query parameters than those known.
func withQuery(serve endpoint, known ...string) endpoint {
	return func(w http.ResponseWriter, r *http.Request) error {
		if _, err := asked(r, known...); err != nil {
			return err
		}
		return serve(w, r)
	}
}

// handler picks the endpoint by method and writes its error.
func (a *api) handler(path string, m methods) http.Handler {
	for method, serve := range m {
		switch route := method + " " + path; {
		case slices.Contains(searched, route):
			serve = withQuery(serve, "name")
		case !slices.Contains(queried, route):
			serve = withQuery(serve)
		}
		if m[method] = serve; method == http.MethodPost {
			m[method] = a.once(method+" "+path, serve)
		}
	}
	allowed := make([]string, 0, len(m)+1)
	for method := range m {
		allowed = append(allowed, method)
	}
	if _, ok := m["GET"]; ok {
		m["HEAD"] = m["GET"]
		allowed = append(allowed, "HEAD")
	}
	slices.Sort(allowed)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		serve, ok := m[r.Method]
		if !ok {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			a.fail(w, r, &problem{
				status: http.StatusMethodNotAllowed,
				detail: "Allowed here: " + strings.Join(allowed, ", ") + ".",
			})
			return
		}
		if err := a.audited(serve)(w, r); err != nil {
			a.fail(w, r, err)
		}
	})
}
