package control

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/guard"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
	"github.com/serverless-scim/serverless-scim/pkg/portal/saved"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/setup"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

const (
	tried     = 5  // members whose login address is shown
	heldShown = 50 // people whom the guard holds back
)

func (r room) of(v *frame.Visit) (member.Tenant, error) {
	return member.TenantFrom(v.R.Context(), r.c.Tenants, v.Tenant)
}

// permission is a request that the policy takes or refuses.
type permission struct {
	Name, Key string
	Taken     bool
}

// address is the login address that a path finds for a member.
type address struct{ Name, Address string }

type held struct {
	ID, Name string
	Delete   bool
	At       time.Time
}

type linkRow struct {
	setup.Link
	Key, Badge string
	Open, Own  bool
}

type settingsPage struct {
	// Wrong is the text about a fault of the form In; Detail is more about it.
	Wrong, In, Detail string
	Version           int64
	Permissions       []permission
	OnDelete, Invite  string
	Login             string
	Found             []address
	Guard             *mapping.Guard
	State             guard.State
	Held              []held
	Recipients        []notice.Recipient
	Links             []linkRow
}

func (r room) settings(v *frame.Visit) error { return r.show(v, settingsPage{}) }

// wrong shows the settings again, with an error at the form in.
func (r room) wrong(v *frame.Visit, in, key, detail string) error {
	return r.show(v, settingsPage{Wrong: v.Text(key), In: in, Detail: detail})
}

func (r room) show(v *frame.Visit, page settingsPage) error {
	t, err := r.of(v)
	if err != nil {
		return err
	}
	var (
		p      saved.Policy
		people []scim.Object
	)
	g, ctx := task.WithContext(v.R.Context())
	g.Go(func() (err error) {
		if p, err = saved.Read(ctx, r.c.Members, t); err != nil || p.Compiled.Guard == nil {
			return err
		}
		page.State, err = r.c.Guard.State(ctx, t.ID, *p.Compiled.Guard)
		return err
	})
	g.Go(func() (err error) { people, err = r.c.Directory.UsersAfter(ctx, t.ID, "", tried); return err })
	g.Go(func() error {
		links, err := r.c.Links.List(ctx, t.ID)
		for _, l := range links {
			page.Links = append(page.Links, linkOf(v, l))
		}
		return err
	})
	if err := g.Wait(); err != nil {
		return err
	}
	page.Version, page.Guard = p.Version, p.Compiled.Guard
	page.OnDelete, page.Invite = p.Compiled.OnDelete, p.Compiled.Invite
	for _, resource := range []string{"Users", "Groups"} {
		for _, action := range []string{"create", "update", "delete"} {
			name := resource + "." + action
			page.Permissions = append(page.Permissions, permission{
				name, "settings.may." + name, !p.Compiled.Forbids(resource, action),
			})
		}
	}
	page.Recipients = v.Tenant.Settings.Notices.Recipients
	if page.Login = v.Form("login"); page.Login == "" {
		members, _ := p.Doc["members"].(scim.Object)
		if page.Login, _ = members["loginAddress"].(string); page.Login == "" {
			page.Login = "userName"
		}
	}
	page.try(v, t, people)
	if page.Held, err = r.named(v.R.Context(), t, page.State.Held); err != nil {
		return err
	}
	status := http.StatusOK
	if page.Wrong != "" && v.R.Method == http.MethodPost {
		status = http.StatusBadRequest
	}
	return v.ShowStatus(status, "settings", page)
}

// try shows the addresses that the path of the login address finds.
func (p *settingsPage) try(v *frame.Visit, t member.Tenant, people []scim.Object) {
	policy, _, err := mapping.Parse(
		scim.AppendJSON(nil, scim.Object{"members": scim.Object{"loginAddress": p.Login}}), t.Types)
	if err != nil {
		if p.Wrong == "" {
			p.Wrong, p.In, p.Detail = v.Text("settings.error.login"), "login", reason(v, err)
		}
		return
	}
	for _, doc := range people {
		found := policy.Person(doc)
		name := found.DisplayName
		if name == "" {
			name = found.UserName
		}
		p.Found = append(p.Found, address{name, found.LoginAddress})
	}
}

// reason is the reason of a fault in a policy; "" if it is another error.
func reason(v *frame.Visit, err error) string {
	faults := mapping.Faults(nil)
	if errors.As(err, &faults) {
		return saved.Faults(v.Lang, faults)[0].Reason
	}
	return ""
}

// named are the first people whom the guard holds back, with names.
func (r room) named(ctx context.Context, t member.Tenant, list []guard.Held) ([]held, error) {
	list = list[:min(len(list), heldShown)]
	if len(list) == 0 {
		return nil, nil
	}
	ids := make([]string, len(list))
	for i, h := range list {
		ids[i] = h.ID
	}
	people, err := r.c.Directory.People(ctx, t.ID, ids)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, p := range people {
		if names[p.ID], _ = p.Doc["displayName"].(string); names[p.ID] == "" {
			names[p.ID], _ = p.Doc["userName"].(string)
		}
	}
	all := make([]held, len(list))
	for i, h := range list {
		if all[i] = (held{h.ID, names[h.ID], h.Action == guard.Delete, h.At}); all[i].Name == "" {
			all[i].Name = h.ID
		}
	}
	return all, nil
}

func linkOf(v *frame.Visit, l setup.Link) linkRow {
	badges := map[setup.State]string{setup.Open: "wait", setup.Redeemed: "good"}
	row := linkRow{
		Link: l, Key: "settings.link." + string(l.State), Badge: "off", Own: l.ID == v.Session.ID,
		Open: l.State == setup.Open || l.State == setup.Redeemed,
	}
	if badge, ok := badges[l.State]; ok {
		row.Badge = badge
	}
	return row
}
