package control

import (
	"errors"
	"net/http"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/domain/claim"
	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

type domainRow struct {
	Name, Record, Value string
	Place               int // in the list, for ids in the page
	State               string
	Badge               string
	At, Lost, Failing   time.Time
	ByOperator          bool
	Checked             string // the key of the text about the check that was just made; "": none
}

type domainsPage struct {
	Rows          []domainRow
	Name          string // as it was typed
	Wrong, Detail string
	Field         string // the id of the field with the fault
}

func (r room) domains(v *frame.Visit) error {
	return r.showDomains(v, http.StatusOK, domainsPage{}, "", "")
}

// showDomains shows the domains; checked is the one that was just checked, answer the key of the text about the DNS.
func (r room) showDomains(v *frame.Visit, status int, page domainsPage, checked, answer string) error {
	all, err := r.c.Domains.List(v.R.Context(), v.Tenant.ID)
	if err != nil {
		return err
	}
	badges := map[claim.State]string{claim.Pending: "wait", claim.Verified: "good", claim.Lost: "bad"}
	for i, d := range all {
		row := domainRow{
			Name: d.Name, Record: claim.RecordName(d.Name), Value: d.Value, Place: i,
			State: "domains.state." + string(d.State), Badge: badges[d.State], ByOperator: d.By == claim.ByOperator,
		}
		if d.At != 0 {
			row.At = time.Unix(d.At, 0)
		}
		if d.LostAt != 0 {
			row.Lost = time.Unix(d.LostAt, 0)
		}
		if d.Failing != nil {
			row.Failing = time.Unix(d.Failing.Since, 0)
		}
		if d.Name == checked {
			row.Checked = answer
		}
		page.Rows = append(page.Rows, row)
	}
	return v.ShowStatus(status, "domains", page)
}

func (r room) addDomain(v *frame.Visit) error {
	name := v.Form("name")
	d, _, err := r.c.Domains.Add(v.R.Context(), v.Tenant.ID, name)
	invalid, conflict := (*tenant.InvalidError)(nil), (*tenant.ConflictError)(nil)
	switch {
	case errors.As(err, &invalid):
		return r.showDomains(v, http.StatusBadRequest, domainsPage{
			Name: name, Field: "name", Wrong: v.Text("domains.error.name"), Detail: v.English(invalid.Detail()),
		}, "", "")
	case errors.As(err, &conflict):
		return r.showDomains(v, http.StatusConflict, domainsPage{
			Name: name, Field: "name", Wrong: v.Text("domains.error.many"), Detail: v.English(conflict.Detail),
		}, "", "")
	case err != nil:
		return err
	}
	v.Object = d.Name // not before: anything can be typed
	return v.Lead("domains", "domain.added")
}

// checkDomain asks the DNS now, and shows its answer.
func (r room) checkDomain(v *frame.Visit) error {
	d, answer, err := r.c.Domains.Verify(v.R.Context(), v.Tenant.ID, v.Form("name"))
	if err != nil {
		return r.noDomain(v, err)
	}
	v.Object = d.Name
	return r.showDomains(v, http.StatusOK, domainsPage{}, d.Name, "domains.answer."+string(answer))
}

func (r room) removeDomain(v *frame.Visit) error {
	name := v.Form("name")
	if err := r.c.Domains.Remove(v.R.Context(), v.Tenant.ID, name); err != nil {
		return r.noDomain(v, err)
	}
	v.Object = name
	return v.Lead("domains", "domain.removed")
}

// noDomain shows the list again if a domain is not there any more.
func (r room) noDomain(v *frame.Visit, err error) error {
	if errors.Is(err, tenant.ErrNotFound) {
		return r.showDomains(v, http.StatusNotFound, domainsPage{Wrong: v.Text("domains.error.gone")}, "", "")
	}
	return err
}
