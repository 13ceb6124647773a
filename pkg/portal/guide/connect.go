package guide

import (
	"context"
	"html/template"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/task"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// flag is the ending of the URL that makes Entra follow RFC 7644.
const flag = "?aadOptscim062020"

// connecting is the page Connect.
type connecting struct {
	progress
	Choices, Others []choice
	Guide           *shown // nil: nothing is chosen
}

type choice struct {
	ID, Name string
	Chosen   bool
}

// shown is a guide in one language, with the values of the tenant.
type shown struct {
	ID, Name, Checked string
	Steps             []shownStep
	Limits            []template.HTML
	First             bool
	FlagWhy           template.HTML
	Attributes        []string
}

type shownStep struct {
	Text   template.HTML
	Values []shownValue
	Try    bool
}

// shownValue is a value to copy; a Token is no value, it leads to the page that shows it.
type shownValue struct {
	ID, Label, Value string
	Token            bool
}

// urns are the attributes of users as identity providers want them pasted.
var urns = []string{
	"userName", "externalId", "active", "displayName", "name.givenName", "name.familyName", "title",
	`emails[type eq "work"].value`, `phoneNumbers[type eq "work"].value`,
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber",
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
}

// oneLogin is the SCIM JSON Template of OneLogin. Its names are those on which guides of several products for the
// connector "SCIM v2 Enterprise" agree; OneLogin's own list of them was not to be found.
const oneLogin = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User",` +
	`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"{$parameters.scimusername}",` +
	`"name":{"givenName":"{$user.firstname}","familyName":"{$user.lastname}"},"displayName":"{$user.display_name}",` +
	`"emails":[{"value":"{$user.email}","type":"work","primary":true}],"title":"{$parameters.title}",` +
	`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"{$parameters.department}"}}`

// connect shows the choice and the steps; with part=state only whether a request has come.
func (r room) connect(v *frame.Visit) error {
	var c connecting
	part := v.Form("part") == "state"
	g, ctx := task.WithContext(v.R.Context())
	g.Go(func() (err error) { c.progress, err = r.progress(ctx, v); return err })
	if chosen, ok := r.guide(v.Tenant.IdP); ok && !part {
		g.Go(func() (err error) { c.Guide, err = r.shown(ctx, v, chosen); return err })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if part {
		if v.Form("seen") == c.Seen() {
			v.Unchanged()
			return nil
		}
		return v.ShowPart("connect", "state", c)
	}
	for _, g := range r.guides {
		one := choice{g.ID, g.called(v.Lang), g.ID == v.Tenant.IdP}
		if g.Other {
			c.Others = append(c.Others, one)
			continue
		}
		c.Choices = append(c.Choices, one)
	}
	return v.Show("connect", c)
}

// shown fills a guide in.
func (r room) shown(ctx context.Context, v *frame.Visit, g guideOf) (*shown, error) {
	s := &shown{ID: g.ID, Name: g.called(v.Lang), Checked: g.Checked, First: g.First}
	base := v.Base() + "/scim/v2/" + v.Tenant.ID
	values := map[string]string{
		"url": base, "oauth": v.Base() + "/oauth2/" + v.Tenant.ID + "/token", "template": oneLogin,
	}
	if g.Flag {
		values["url"] += flag
		s.FlagWhy = frame.Markup(g.FlagWhy[v.Lang])
	}
	for _, one := range g.Steps {
		st := shownStep{Text: frame.Markup(one.text(v.Lang))}
		for _, value := range one.Values {
			kind, label := kindOf(value)
			if kind == "try" {
				st.Try = true
				continue
			}
			st.Values = append(st.Values, shownValue{
				ID: "value-" + kind, Label: label, Value: values[kind], Token: kind == "token",
			})
		}
		s.Steps = append(s.Steps, st)
	}
	for _, l := range g.Limits {
		s.Limits = append(s.Limits, frame.Markup(l[v.Lang]))
	}
	if !g.Attributes {
		return s, nil
	}
	s.Attributes = append(s.Attributes, urns...)
	if v.Tenant.Schemas == "" { // it has none of its own
		return s, nil
	}
	types, err := r.c.Tenants.Definitions(ctx, v.Tenant.ID)
	if err != nil {
		return nil, err
	}
	for _, schema := range types.Schemas {
		for _, a := range schema.Attributes {
			s.Attributes = append(s.Attributes, strings.TrimSuffix(schema.ID, ":")+":"+a.Name)
		}
	}
	return s, nil
}

// choose sets the tenant's profile.
func (r room) choose(v *frame.Visit) error {
	id := v.Form("idp")
	if _, ok := r.guide(id); !ok {
		return &tenant.InvalidError{Field: "idp", Problem: "must be one of the identity providers of the page"}
	}
	if _, err := r.c.Tenants.Change(v.R.Context(), v.Tenant.ID, scim.Object{"idp": id}); err != nil {
		return err
	}
	return v.Lead("connect", "connect.chosen")
}
