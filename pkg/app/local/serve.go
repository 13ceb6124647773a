package local

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp"
	"github.com/serverless-scim/serverless-scim/pkg/apigw"
	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/guard"
	"github.com/serverless-scim/serverless-scim/pkg/limit"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/oauthhttp"
	"github.com/serverless-scim/serverless-scim/pkg/portal"
	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
	"github.com/serverless-scim/serverless-scim/pkg/portal/overview"
	"github.com/serverless-scim/serverless-scim/pkg/provlog/diagnosis"
	"github.com/serverless-scim/serverless-scim/pkg/scimhttp"
)

// server returns the HTTP server. A client that stops sending or reading loses its connection. The gateway gives up
// earlier than WriteTimeout on an answer that the client does not read.
func (s *Server) server() *http.Server {
	return &http.Server{
		Handler: s.handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute,
		WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
}

// edges connects the handlers, each with a gateway of its own, as the template's routes do. It is not a ServeMux, which
// would answer some paths itself.
func (s *Server) edges(
	dir *directory.Directory, members *member.Service, g *guard.Service, l *limit.Service,
) http.Handler {
	o, inFlight := s.o, apigw.NewInFlight()
	journal := s.journal
	behind := func(h http.Handler, g apigw.Gateway) http.Handler {
		g.Function, g.Now, g.InFlight = apigw.Handler(h), o.Now, inFlight
		return g
	}
	scim := scimhttp.Config{
		Tenants: s.tenants, Directory: dir, BaseURL: o.BaseURL, Log: s.log, Now: o.Now, CostHeaders: o.CostHeaders,
		Journal: journal,
		Limit:   l,
	}
	findings := diagnosis.New(diagnosis.Options{
		Now: o.Now, Journal: journal, Tenants: s.tenants, Members: members, Directory: dir,
	})
	admin := adminhttp.New(adminhttp.Config{
		Tenants: s.tenants, BaseURL: o.BaseURL, Log: s.log,
		CheckTypes: dir.CheckTypes, Members: members, Guard: g, Domains: s.domains,
		Links: s.links, Journal: journal, Webhooks: s.webhooks, Once: s.once,
		SetClock: s.setClock, Clock: s.clock.both, Caller: s.caller(),
		Diagnosis: findings,
	})
	oauth := oauthhttp.New(oauthhttp.Config{Tenants: s.tenants, BaseURL: o.BaseURL, Log: s.log})
	var (
		admit    = func(r *http.Request) apigw.Admission { return admitted(scim.Admit(r)) }
		toSCIM   = behind(scimhttp.New(scim), apigw.Gateway{Fail: scimhttp.Refuse, Admit: admit})
		toOAuth  = behind(oauth, apigw.Gateway{Fail: oauthhttp.Refuse})
		gated    = ungated(admin, behind(admin, apigw.Gateway{Fail: adminhttp.Refuse}))
		toPortal = behind(s.portal(portal.Config{
			Members: members, Directory: dir, Guard: g, Diagnosis: findings,
		}), apigw.Gateway{Fail: frame.Refuse})
		toAdmin = adminhttp.LocalGuard(gated, o.AdminKey, s.log)
		// The operator's page is for those who may use the admin API.
		toOverview = sameSite(adminhttp.LocalGuard(toPortal, o.AdminKey, s.log))
	)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case path == "/admin" || strings.HasPrefix(path, "/admin/"):
			toAdmin.ServeHTTP(w, r)
		case path == "/" && browses(r) || path == overview.Link:
			toOverview.ServeHTTP(w, r)
		case path == "/portal" || strings.HasPrefix(path, frame.Root) || strings.HasPrefix(path, frame.SetupRoot):
			toPortal.ServeHTTP(w, r)
		case strings.HasPrefix(path, oauthhttp.Root):
			toOAuth.ServeHTTP(w, r)
		default:
			toSCIM.ServeHTTP(w, r)
		}
	})
}

// browses reports whether a request is a browser's: a SCIM client at "/" has a wrong base URL, and gets a SCIM error
// that says so.
func browses(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html") && r.Header.Get("Authorization") == ""
}

// sameSite removes the header Origin from requests of the site's own pages. The guard of the admin API treats every
// request with an Origin as one of another site.
func sameSite(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Origin") != "" && protection.Check(r) == nil {
			r = r.Clone(r.Context())
			r.Header.Del("Origin")
		}
		next.ServeHTTP(w, r)
	})
}

// caller is the log's name for the caller of the admin API.
func (s *Server) caller() string {
	if s.o.AdminKey != "" {
		return "admin key"
	}
	return "local"
}

// portal is the portal, or its refusal if the brand is not in order, which Options.Check says before.
func (s *Server) portal(c portal.Config) http.Handler {
	c.Tenants, c.Links, c.Domains, c.Journal = s.tenants, s.links, s.domains, s.journal
	c.Overview, c.Caller = true, s.caller()
	c.Brand, c.BaseURL, c.Now, c.Log = s.o.Brand, s.o.BaseURL, s.o.Now, s.log
	c.Brand.Product, c.Brand.Contact = s.o.NoticeProduct, s.o.NoticeContact
	h, err := portal.New(c)
	if err == nil {
		return h
	}
	s.log.Error("portal not available", "error", err)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		frame.Refuse(w, r, http.StatusInternalServerError, "The portal is not set up.")
	})
}

// admitted converts an admission of the SCIM handler to one of the gateway. The prefix keeps the name of a tenant apart
// from an address.
func admitted(a scimhttp.Admission) apigw.Admission {
	out := apigw.Admission{Context: a.Context, Large: a.Large, Refuse: a.Refuse}
	if a.Tenant != "" {
		out.Party = "tenant " + a.Tenant
	}
	return out
}

// ungated serves the route of the clock without the gateway. Moving the clock may take longer than a function may, and
// AWS has no such route.
func ungated(admin, gateway http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != adminhttp.Root+"/clock" {
			gateway.ServeHTTP(w, r)
			return
		}
		_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // tests answer without deadlines
		admin.ServeHTTP(w, r)
	})
}
