package overview

import (
	"embed"
	"net/http"

	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
	"github.com/serverless-scim/serverless-scim/pkg/provlog"
	"github.com/serverless-scim/serverless-scim/pkg/provlog/diagnosis"
	"github.com/serverless-scim/serverless-scim/pkg/setup"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

//go:embed pages words
var files embed.FS

// Link is the path of the form that opens a tenant's pages. The page itself is at "/".
const Link = "/operator/link"

// Config has the services of the page. All of it is required.
type Config struct {
	Tenants   *tenant.Service
	Journal   *provlog.Journal
	Diagnosis *diagnosis.Service
	Links     *setup.Service
	// Caller is the log's name for those who may see the page.
	Caller string
}

type room struct{ c Config }

// Room returns the page.
func Room(c Config) frame.Room {
	r := room{c}
	return frame.Room{Files: files, Open: map[string]frame.Handler{"GET /{$}": r.list, "POST " + Link: r.open}}
}

// perPage is how many tenants a page shows.
const perPage = 25

// page is the page.
type page struct {
	Rows []row
	Next string // cursor of the next page
}

// row is a tenant.
type row struct {
	tenant.Tenant
	Activity provlog.Activity
	Findings int
}

func (r room) list(v *frame.Visit) error {
	ctx := v.R.Context()
	tenants, next, err := r.c.Tenants.List(ctx, perPage, v.Form("cursor"))
	if err != nil {
		return err
	}
	p := page{Next: next}
	for _, t := range tenants {
		one := row{Tenant: t}
		if one.Activity, err = r.c.Journal.Activity(ctx, t, 2); err != nil {
			return err
		}
		found, err := r.c.Diagnosis.Findings(ctx, t, v.Lang)
		if err != nil {
			return err
		}
		one.Findings = len(found)
		p.Rows = append(p.Rows, one)
	}
	return v.Show("overview", p)
}

// open creates a set-up link of a tenant and goes there. The code is after the #, which no log and no other server
// sees.
func (r room) open(v *frame.Visit) (err error) {
	if v.Tenant, err = r.c.Tenants.Get(v.R.Context(), v.Form("tenant")); err != nil {
		return err
	}
	return v.Noted(r.c.Caller, func(v *frame.Visit) error {
		l, code, err := r.c.Links.Create(v.R.Context(), v.Tenant.ID, setup.NewLink{
			Role: setup.Admin, Language: v.Lang, ValidHours: 1,
		})
		if err != nil {
			return err
		}
		v.Object = l.ID
		v.W.Header().Set("Location", frame.SetupRoot+l.ID+"#"+code)
		v.W.WriteHeader(http.StatusSeeOther)
		return nil
	})
}
