package portal

import (
	"embed"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/domain/claim"
	"github.com/serverless-scim/serverless-scim/pkg/guard"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/portal/access"
	"github.com/serverless-scim/serverless-scim/pkg/portal/control"
	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
	"github.com/serverless-scim/serverless-scim/pkg/portal/guide"
	"github.com/serverless-scim/serverless-scim/pkg/portal/overview"
	"github.com/serverless-scim/serverless-scim/pkg/portal/people"
	"github.com/serverless-scim/serverless-scim/pkg/provlog"
	"github.com/serverless-scim/serverless-scim/pkg/provlog/diagnosis"
	"github.com/serverless-scim/serverless-scim/pkg/setup"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

//go:embed pages words
var files embed.FS

// Config has the services of the portal. All but Brand, BaseURL and Log is required.
type Config struct {
	Tenants   *tenant.Service
	Members   *member.Service
	Directory *directory.Directory
	Domains   *claim.Registry
	Guard     *guard.Service
	Journal   *provlog.Journal
	Diagnosis *diagnosis.Service
	Links     *setup.Service
	Brand     frame.Brand
	// BaseURL begins all addresses, without a slash at the end; empty takes scheme and host of the request.
	BaseURL string
	Now     func() time.Time
	// Log gets one line a request, and why a page could not be shown; nil discards.
	Log *slog.Logger
	// Overview adds the operator's page at "/". Whoever serves it decides who may see it. Caller is the log's name for
	// them.
	Overview bool
	Caller   string
}

// New returns the portal. An error is one of the brand.
func New(c Config) (http.Handler, error) {
	all, err := rooms(c)
	if err != nil {
		return nil, err
	}
	f, err := frame.New(
		frame.Options{
			Tenants: c.Tenants, Links: c.Links, Journal: c.Journal, Brand: c.Brand, BaseURL: c.BaseURL, Now: c.Now,
			Log: c.Log,
		},
		all...,
	)
	if err != nil {
		return nil, err
	}
	return f.Handler(), nil
}

// rooms are all pages.
func rooms(c Config) ([]frame.Room, error) {
	door := door{c.Links}
	guiding, err := guide.Room(guide.Config{
		Tenants: c.Tenants, Members: c.Members, Journal: c.Journal, Diagnosis: c.Diagnosis,
	})
	if err != nil {
		return nil, err
	}
	all := []frame.Room{
		{Files: files, Open: map[string]frame.Handler{
			"GET " + frame.SetupRoot + "{id}": door.look, "POST " + frame.SetupRoot + "{id}": door.redeem,
			"GET " + frame.SetupRoot + "renew/{id}": door.ask, "POST " + frame.SetupRoot + "renew/{id}": door.renew,
		}},
		guiding,
		control.Room(control.Config{
			Tenants: c.Tenants, Links: c.Links, Directory: c.Directory, Members: c.Members, Guard: c.Guard,
			Domains: c.Domains,
		}),
		people.Room(people.Config{Tenants: c.Tenants, Directory: c.Directory, Members: c.Members, Journal: c.Journal}),
		access.Room(access.Config{Tenants: c.Tenants}),
	}
	if c.Overview {
		all = append(all, overview.Room(overview.Config{
			Tenants: c.Tenants, Journal: c.Journal, Diagnosis: c.Diagnosis, Links: c.Links, Caller: c.Caller,
		}))
	}
	return all, nil
}

// door is the page for somebody with a link.
type door struct{ links *setup.Service }

// entrance is the page of a link.
type entrance struct {
	ID    string
	Open  bool
	Role  setup.Role
	Until time.Time
	Wrong bool // the code was not right
}

// look shows the page of a link. It redeems nothing: programs that check mails open all links in them.
func (d door) look(v *frame.Visit) error {
	l, err := d.links.Look(v.R.Context(), v.R.PathValue("id"))
	return d.show(v, l, err, http.StatusOK)
}

// show shows a link with a status; of one that is over it shows nothing else.
func (d door) show(v *frame.Visit, l setup.Link, err error, status int) error {
	if err != nil && !errors.Is(err, setup.ErrOver) {
		return err
	}
	if err == nil {
		v.Speak(l.Language)
	}
	if err != nil || l.State != setup.Open {
		return v.ShowStatus(http.StatusGone, "setup", entrance{})
	}
	v.Expect()
	return v.ShowStatus(status, "setup", entrance{
		ID: l.ID, Open: true, Role: l.Role, Until: l.ExpiresAt, Wrong: status == http.StatusForbidden,
	})
}

func (d door) redeem(v *frame.Visit) error {
	id := v.R.PathValue("id")
	err := v.Begin(d.links, id, v.R.PostFormValue("code"))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, setup.ErrCode):
		l, err := d.links.Look(v.R.Context(), id)
		return d.show(v, l, err, http.StatusForbidden)
	case errors.Is(err, setup.ErrOver):
		return d.show(v, setup.Link{}, err, http.StatusGone)
	}
	return err
}

// renewing is the page on which a recipient of notices has a link mailed.
type renewing struct {
	ID    string
	Asked bool
}

// ask shows the page. It reads nothing, so it looks the same for every id.
func (d door) ask(v *frame.Visit) error { return v.Show("renew", renewing{ID: v.R.PathValue("id")}) }

// renew has a link mailed. The answer is the same if no mail is sent: it says nothing about recipients.
func (d door) renew(v *frame.Visit) error {
	if err := v.Renew(d.links, v.R.PathValue("id")); err != nil {
		return err
	}
	return v.Show("renew", renewing{Asked: true})
}
