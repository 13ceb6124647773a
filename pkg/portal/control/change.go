package control

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
	"github.com/serverless-scim/serverless-scim/pkg/portal/saved"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/setup"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// allowFor is how long a decision about the guard lets all requests through.
const allowFor = time.Hour

func (r room) switchOn(v *frame.Visit) error {
	on := v.Form("active") == "true"
	if _, err := r.c.Tenants.Change(v.R.Context(), v.Tenant.ID, scim.Object{"active": on}); err != nil {
		return err
	}
	if on {
		return v.Lead("settings", "settings.on")
	}
	return v.Lead("settings", "settings.off")
}

// savePolicy changes the policy that the visitor saw, and saves it. in names the form.
func (r room) savePolicy(v *frame.Visit, in string, change func(doc scim.Object)) error {
	t, p, err := saved.Of(v, r.c.Tenants, r.c.Members)
	if err != nil {
		return err
	}
	version, err := strconv.ParseInt(v.Form("version"), 10, 64)
	if err != nil || version != p.Version {
		return r.wrong(v, in, "settings.error.version", "")
	}
	change(p.Doc)
	_, _, err = r.c.Members.SavePolicy(v.R.Context(), t, scim.AppendJSON(nil, p.Doc), version)
	faults, refused := mapping.Faults(nil), (*scim.Error)(nil)
	switch {
	case errors.Is(err, member.ErrVersion):
		return r.wrong(v, in, "settings.error.version", "")
	case errors.As(err, &faults):
		return r.wrong(v, in, "settings.error."+in, reason(v, err))
	case errors.As(err, &refused) && refused.Status < http.StatusInternalServerError:
		return r.wrong(v, in, "settings.error."+in, v.English(refused.Detail))
	case err != nil:
		return err
	}
	return v.Lead("settings", "settings.saved")
}

// inner is an object in a document, which is made if it is not there.
func inner(doc scim.Object, name string) scim.Object {
	o, ok := doc[name].(scim.Object)
	if !ok {
		o = scim.Object{}
		doc[name] = o
	}
	return o
}

// requests saves the requests that are allowed, and the effects of a deletion and an arrival.
func (r room) requests(v *frame.Visit) error {
	onDelete, invite := v.Form("onDelete"), v.Form("invite") // they parse the form
	var forbid []any
	for _, name := range []string{
		"Users.create", "Users.update", "Users.delete", "Groups.create", "Groups.update", "Groups.delete",
	} {
		if !slices.Contains(v.R.Form["may"], name) {
			forbid = append(forbid, name)
		}
	}
	return r.savePolicy(v, "requests", func(doc scim.Object) {
		if requests := inner(doc, "requests"); forbid == nil {
			delete(requests, "forbid")
		} else {
			requests["forbid"] = forbid
		}
		members := inner(doc, "members")
		members["onDelete"], members["invite"] = onDelete, invite
	})
}

func (r room) login(v *frame.Visit) error {
	path := v.Form("login")
	return r.savePolicy(v, "login", func(doc scim.Object) { inner(doc, "members")["loginAddress"] = path })
}

func (r room) setGuard(v *frame.Visit) error {
	numbers := scim.Object{}
	for _, name := range []string{"people", "percent", "minutes"} {
		text := v.Form(name)
		n, err := strconv.ParseInt(text, 10, 32)
		switch {
		case text == "":
		case err != nil:
			return r.wrong(v, "guard", "settings.error.guard", "")
		default:
			numbers[name] = n
		}
	}
	return r.savePolicy(v, "guard", func(doc scim.Object) {
		if numbers["people"] == nil && numbers["percent"] == nil {
			delete(inner(doc, "requests"), "guard")
			return
		}
		inner(doc, "requests")["guard"] = numbers
	})
}

func (r room) decide(v *frame.Visit) error {
	switch v.Form("decision") {
	case "allow":
		if err := r.c.Guard.Allow(v.R.Context(), v.Tenant.ID, allowFor); err != nil {
			return err
		}
		return v.Lead("settings", "guard.allowed")
	case "reject":
		if err := r.c.Guard.Reject(v.R.Context(), v.Tenant.ID); err != nil {
			return err
		}
		return v.Lead("settings", "guard.rejected")
	}
	return &tenant.InvalidError{Field: "decision", Problem: "must be allow or reject"}
}

// recipients adds or removes a recipient of notices.
func (r room) recipients(v *frame.Visit) error {
	add, remove := v.Form("email"), v.Form("remove")
	language := v.Form("language")
	if !slices.Contains(notice.Languages, language) {
		language = v.Lang
	}
	// The list is that of the moment of the change: somebody else may add a recipient meanwhile.
	_, err := r.c.Tenants.Amend(v.R.Context(), v.Tenant.ID, func(now tenant.Settings) scim.Object {
		list := []any{}
		for _, known := range now.Notices.Recipients {
			if known.Email != remove {
				list = append(list, scim.Object{"email": known.Email, "language": known.Language})
			}
		}
		if remove == "" {
			list = append(list, scim.Object{"email": add, "language": language})
		}
		return scim.Object{"settings": scim.Object{"notices": scim.Object{"recipients": list}}}
	})
	if invalid := (*tenant.InvalidError)(nil); errors.As(err, &invalid) {
		return r.wrong(v, "recipients", "settings.error.recipients", v.English(invalid.Detail()))
	}
	if err != nil {
		return err
	}
	return v.Lead("settings", "settings.saved")
}

// test sends a message to the recipients of notices.
func (r room) test(v *frame.Visit) error {
	if len(v.Tenant.Settings.Notices.Recipients) == 0 {
		return r.wrong(v, "recipients", "settings.error.nobody", "")
	}
	err := r.c.Tenants.TryNotice(v.R.Context(), v.Tenant.ID)
	if often := (*tenant.ConflictError)(nil); errors.As(err, &often) {
		return r.wrong(v, "recipients", "settings.error.often", "")
	}
	if err != nil {
		return err
	}
	return v.Lead("settings", "test.sent")
}

func (r room) revoke(v *frame.Visit) error {
	id := v.Form("id")
	if !strings.HasPrefix(id, v.Tenant.ID+".") || len(id) > 128 {
		return r.wrong(v, "links", "settings.error.link", "")
	}
	err := r.c.Links.Revoke(v.R.Context(), v.Tenant.ID, id)
	if errors.Is(err, tenant.ErrNotFound) || errors.Is(err, setup.ErrOver) {
		return r.wrong(v, "links", "settings.error.link", "")
	}
	if err != nil {
		return err
	}
	return v.Lead("settings", "link.revoked")
}

type confirmPage struct{ Wrong bool }

func (r room) confirm(v *frame.Visit) error { return v.Show("disconnect", confirmPage{}) }

// disconnect ends all access of the identity provider, if the visitor has confirmed it.
func (r room) disconnect(v *frame.Visit) error {
	if v.Form("confirm") != "yes" {
		return v.ShowStatus(http.StatusBadRequest, "disconnect", confirmPage{Wrong: true})
	}
	if _, err := r.c.Tenants.Disconnect(v.R.Context(), v.Tenant.ID); err != nil {
		return err
	}
	return v.Lead("settings", "disconnected")
}
