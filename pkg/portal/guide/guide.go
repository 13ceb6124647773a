package guide

import (
	"embed"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

//go:embed pages words
var files embed.FS

// Config is what the pages work with. All of it is required.
type Config struct {
	Tenants *tenant.Service
}

type room struct{ c Config }

// Room returns the pages.
func Room(c Config) frame.Room {
	r := room{c}
	return frame.Room{Files: files, Routes: map[string]frame.Handler{
		"GET ": r.start,
	}}
}

// progress is how far the tenant has come.
type progress struct {
	Chosen       bool // a profile is set
	FirstRequest time.Time
	LastRequest  time.Time
	Live         *tenant.Token // the newest live token; nil if there is none
}

// progress reads how far the tenant has come.
func (r room) progress(v *frame.Visit) (p progress, err error) {
	p.Chosen = v.Tenant.IdP != "generic"
	p.FirstRequest = v.Tenant.Connected
	tokens, err := r.c.Tenants.Tokens(v.R.Context(), v.Tenant.ID)
	if err != nil {
		return p, err
	}
	for _, t := range tokens {
		if t.State == tenant.TokenActive || t.State == tenant.TokenSuccessor {
			p.Live = &t
		}
		if !t.FirstUsedAt.IsZero() && (p.FirstRequest.IsZero() || t.FirstUsedAt.Before(p.FirstRequest)) {
			p.FirstRequest = t.FirstUsedAt
		}
		if t.LastUsedAt.After(p.LastRequest) {
			p.LastRequest = t.LastUsedAt
		}
	}
	return p, nil
}

// start shows the steps, and which is next.
func (r room) start(v *frame.Visit) error {
	p, err := r.progress(v)
	if err != nil {
		return err
	}
	return v.Show("start", p)
}
