package access

import (
	"embed"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
	"github.com/serverless-scim/serverless-scim/pkg/task"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

//go:embed pages words
var files embed.FS

// Config has the services of the page. All of it is required.
type Config struct {
	Tenants *tenant.Service
}

type room struct{ c Config }

// Room returns the page.
func Room(c Config) frame.Room {
	r := room{c}
	return frame.Room{Files: files, Ask: map[string]frame.Question{
		"POST token/revoke": {Key: "token", Back: "token", About: r.lastUse},
		"POST token/rotate": {Key: "rotation", Back: "token", When: func(v *frame.Visit) bool {
			return v.Form("action") == "cancel"
		}},
		"POST token/client/end": {Key: "client", Back: "token", About: clientID},
	}, Routes: map[string]frame.Handler{
		"GET token":               r.show,
		"POST token/create":       r.create,
		"POST token/reveal":       r.reveal,
		"POST token/revoke":       r.revoke,
		"POST token/rotate":       r.rotate,
		"POST token/client":       r.client,
		"POST token/client/end":   r.endClient,
		"POST token/client/renew": r.renew,
	}}
}

// clientID is what the question about the end of a client names. Nothing is known of its last use.
func clientID(v *frame.Visit) (name, evidence string, _ error) { return v.Form("id"), "", nil }

// page is the page Token.
type page struct {
	BaseURL, TokenURL string
	Tokens            []token
	// Old and New are the two tokens of a rotation, both live; nil: there is none.
	Old, New *token
	Clients  []tenant.Client
	Kept     bool // the values of tokens are kept, and can be revealed
	// Value is the value of the token or client ID, if it was asked for: it is in this answer alone. Kind is "token" or
	// "secret".
	Value, Kind, ID string
}

// token is a token, and how much of its life is over.
type token struct {
	tenant.Token
	Live    bool
	Percent int // of its life that is over
	Soon    bool
	// OldUsed says that the older of two tokens was used in the last week.
	OldUsed bool
}

// soon is how long before its end a token needs attention.
const soon = 28 * 24 * time.Hour

// read reads the page.
func (r room) read(v *frame.Visit) (p page, err error) {
	var all []tenant.Token
	g, ctx := task.WithContext(v.R.Context())
	g.Go(func() (err error) { all, err = r.c.Tenants.Tokens(ctx, v.Tenant.ID); return err })
	g.Go(func() (err error) { p.Clients, err = r.c.Tenants.Clients(ctx, v.Tenant.ID); return err })
	if err := g.Wait(); err != nil {
		return p, err
	}
	p.BaseURL = v.Base() + "/scim/v2/" + v.Tenant.ID
	p.TokenURL = v.Base() + "/oauth2/" + v.Tenant.ID + "/token"
	p.Kept = v.Tenant.Settings.Token.Vault != tenant.VaultNone
	for _, t := range slices.Backward(all) {
		p.Tokens = append(p.Tokens, lifeOf(t, v.Now()))
	}
	var live []*token
	for i := range p.Tokens {
		if p.Tokens[i].Live {
			live = append(live, &p.Tokens[i])
		}
	}
	if len(live) > 1 {
		p.New, p.Old = live[0], live[1]
		p.Old.OldUsed = v.Now().Sub(p.Old.LastUsedAt) < 7*24*time.Hour
	}
	return p, nil
}

func lifeOf(t tenant.Token, now time.Time) token {
	one := token{Token: t, Live: t.State == tenant.TokenActive || t.State == tenant.TokenSuccessor}
	if life := t.ExpiresAt.Sub(t.CreatedAt); !t.ExpiresAt.IsZero() && life > 0 {
		one.Percent = int(100 * min(max(now.Sub(t.CreatedAt), 0), life) / life)
		one.Soon = one.Live && t.ExpiresAt.Sub(now) < soon
	}
	return one
}

func (r room) show(v *frame.Visit) error {
	p, err := r.read(v)
	if err != nil {
		return err
	}
	return v.Show("token", p)
}

// shown answers a form with the page and a value that was asked for.
func (r room) shown(v *frame.Visit, kind, id, value string) error {
	p, err := r.read(v)
	if err != nil {
		return err
	}
	p.Kind, p.ID, p.Value, v.Object = kind, id, value, id
	return v.Show("token", p)
}

func (r room) create(v *frame.Visit) error {
	t, err := r.c.Tenants.Issue(v.R.Context(), v.Tenant.ID, tenant.NewToken{})
	if err != nil {
		return err
	}
	return r.shown(v, "token", t.ID, t.Value)
}

func (r room) reveal(v *frame.Visit) error {
	t, err := r.c.Tenants.Reveal(v.R.Context(), v.Tenant.ID, v.Form("id"))
	if err != nil {
		return err
	}
	return r.shown(v, "token", t.ID, t.Value)
}

func (r room) revoke(v *frame.Visit) error {
	sure := v.Form("sure") == "yes"
	return r.then(v, "token.revoked", r.c.Tenants.Revoke(v.R.Context(), v.Tenant.ID, v.Form("id"), sure))
}

// lastUse says when the identity provider used the token of a form.
func (r room) lastUse(v *frame.Visit) (name, evidence string, err error) {
	name = v.Form("id")
	all, err := r.c.Tenants.Tokens(v.R.Context(), v.Tenant.ID)
	for _, t := range all {
		switch {
		case t.ID != name:
		case t.LastUsedAt.IsZero():
			evidence = v.Text("sure.token.unused")
		default:
			evidence = v.Text("sure.token.used", v.Ago(t.LastUsedAt))
		}
	}
	return name, evidence, err
}

// rotate starts, completes or cancels a rotation.
func (r room) rotate(v *frame.Visit) error {
	ctx, id := v.R.Context(), v.Tenant.ID
	switch v.Form("action") {
	case "start":
		return r.then(v, "rotation.started", r.c.Tenants.StartRotation(ctx, id))
	case "complete":
		return r.then(v, "rotation.completed", r.c.Tenants.CompleteRotation(ctx, id, v.Form("sure") == "yes"))
	case "cancel":
		return r.then(v, "rotation.cancelled", r.c.Tenants.CancelRotation(ctx, id))
	}
	return &tenant.InvalidError{Field: "action", Problem: "must be start, complete or cancel"}
}

func (r room) client(v *frame.Visit) error {
	c, err := r.c.Tenants.CreateClient(v.R.Context(), v.Tenant.ID, tenant.NewClient{Name: v.Form("name")})
	if err != nil {
		return err
	}
	return r.shown(v, "secret", c.ID, c.Secret)
}

func (r room) renew(v *frame.Visit) error {
	c, err := r.c.Tenants.RenewClient(v.R.Context(), v.Tenant.ID, v.Form("id"), tenant.NewClient{})
	if err != nil {
		return err
	}
	return r.shown(v, "secret", c.ID, c.Secret)
}

func (r room) endClient(v *frame.Visit) error {
	return r.then(v, "client.ended", r.c.Tenants.DeleteClient(v.R.Context(), v.Tenant.ID, v.Form("id")))
}

// then goes back to the page after a change that worked.
func (r room) then(v *frame.Visit, done string, err error) error {
	if err != nil {
		return err
	}
	return v.Lead("token", done)
}
