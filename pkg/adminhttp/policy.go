package adminhttp

import (
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/etag"
	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/lists"
	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/shown"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// policyTag is the entity tag of a policy. Equal documents have equal tags, whatever the version: a version comes again
// if the tenant is deleted and created again.
func policyTag(p member.PolicyDocument) string { return etag.OfBytes(p.Document) }

func (a *api) getPolicy(w http.ResponseWriter, r *http.Request) error {
	t, err := a.of(r)
	if err != nil {
		return err
	}
	p, err := a.members.Policy(r.Context(), t)
	if err != nil {
		return err
	}
	if p.Version == 0 {
		return tagged(w, r, policyTag(p), scim.Object{})
	}
	o, err := shown.Policy(p)
	if err != nil {
		return err
	}
	return tagged(w, r, policyTag(p), o)
}

// saveTries is the number of attempts to check a policy against the schemas of a tenant that others change.
const saveTries = 5

func (a *api) putPolicy(w http.ResponseWriter, r *http.Request) error {
	document, err := policyBody(r)
	if err != nil {
		return err
	}
	conditional := etag.Read(r.Header).Given()
	var t member.Tenant
	var saved member.PolicyDocument
	var warnings []mapping.Warning
	err = member.ErrTenantChanged
	for tries := 0; changedMeanwhile(err) && tries < saveTries; tries++ {
		if t, err = a.of(r); err != nil {
			return err
		}
		expected := int64(-1)
		if conditional {
			p, err := a.members.Policy(r.Context(), t)
			if err != nil {
				return err
			}
			tag := policyTag(p)
			if p.Version == 0 && r.Header.Get("If-Match") == "" {
				tag = "" // GET answers {} with a tag, but for If-None-Match there is no policy yet
			}
			if err := allowed(r, tag); err != nil {
				return err
			}
			expected = p.Version
		}
		saved, warnings, err = a.members.SavePolicy(r.Context(), t, document, expected)
	}
	switch {
	case changedMeanwhile(err):
		return &problem{status: http.StatusConflict, detail: "The tenant was changed at the same time. Try again."}
	case err != nil:
		return err
	}
	more, err := a.warnOfDomains(r.Context(), t, document)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", policyTag(saved))
	return ok(w, http.StatusOK, scim.Object{
		"version": saved.Version, "warnings": warningList(append(warnings, more...)),
	})
}

// changedMeanwhile reports whether a policy was not saved because the tenant or its policy was changed in between.
func changedMeanwhile(err error) bool {
	return errors.Is(err, member.ErrVersion) || errors.Is(err, member.ErrTenantChanged)
}

func warningList(warnings []mapping.Warning) []any {
	return lists.Objects(warnings, func(w mapping.Warning) scim.Object {
		return scim.Object{"pointer": w.Pointer, "reason": w.Reason}
	})
}

// policyPath matches the paths that take a policy as body.
var policyPath = regexp.MustCompile(`^` + Root + `/tenants/[^/]+/policy(/rehearse)?$`)

var tooLarge = "A policy may have " + strconv.Itoa(mapping.MaxPolicyBytes>>10) + " KiB at most. Nothing was saved."

// policyBody reads a policy document unchecked: package mapping finds its faults, with their places. createdAt, which
// GET adds, is not part of it.
func policyBody(r *http.Request) ([]byte, error) {
	o, err := document(r, false, mapping.MaxPolicyBytes)
	if p := (*problem)(nil); errors.As(err, &p) && p.status == http.StatusRequestEntityTooLarge {
		return nil, badRequest(tooLarge)
	}
	if err != nil {
		return nil, err
	}
	delete(o, "createdAt")
	return scim.AppendJSON(nil, o), nil
}

func (a *api) rehearse(w http.ResponseWriter, r *http.Request) error {
	param, err := asked(r, "cursor")
	if err != nil {
		return err
	}
	document, err := policyBody(r)
	if err != nil {
		return err
	}
	t, err := a.of(r)
	if err != nil {
		return err
	}
	out, err := a.members.Rehearse(r.Context(), t, document, param("cursor"))
	if err != nil {
		return err
	}
	more, err := a.warnOfDomains(r.Context(), t, document)
	if err != nil {
		return err
	}
	o := scim.Object{
		"examined": int64(out.Examined), "gains": differences(out.Gains), "losses": differences(out.Losses),
		"manualRemovals": differences(out.ManualRemovals), "of": out.Of,
		"warnings": warningList(append(out.Warnings, more...)),
	}
	shortages := make([]any, len(out.Shortages))
	for i, s := range out.Shortages {
		shortage := targetObject(s.TargetKey)
		shortage["size"], shortage["used"], shortage["missing"] = s.Size, s.Used, s.Missing
		shortages[i] = shortage
	}
	o["shortages"] = shortages
	statuses := make([]any, len(out.Statuses))
	for i, s := range out.Statuses {
		from := any(string(s.From))
		if s.From == "" {
			from = nil
		}
		statuses[i] = scim.Object{"member": s.Member, "from": from, "to": string(s.To)}
	}
	o["statuses"] = statuses
	if out.Next != "" {
		o["next"] = out.Next
	}
	return ok(w, http.StatusOK, o)
}

func differences(list []member.Difference) []any {
	return lists.Objects(list, func(d member.Difference) scim.Object {
		o := targetObject(d.TargetKey)
		o["member"] = d.Member
		return o
	})
}

func targetObject(key mapping.TargetKey) scim.Object {
	o := scim.Object{"kind": key.Kind, "target": key.Name}
	if key.Organisation != "" {
		o["organisation"] = key.Organisation
	}
	return o
}

func (a *api) policyStatus(w http.ResponseWriter, r *http.Request) error {
	t, err := a.of(r)
	if err != nil {
		return err
	}
	st, err := a.members.PolicyStatus(r.Context(), t)
	if err != nil {
		return err
	}
	applied := scim.Object{"version": st.Applied, "done": st.Done, "of": st.Of}
	if !st.FinishedAt.IsZero() {
		applied["finishedAt"] = scim.FormatTime(st.FinishedAt)
	}
	return ok(w, http.StatusOK, scim.Object{"version": st.Version, "applied": applied})
}

func (a *api) listPresets(w http.ResponseWriter, _ *http.Request) error {
	all := []any{}
	for _, name := range mapping.Presets() {
		all = append(all, name)
	}
	return ok(w, http.StatusOK, scim.Object{"presets": all})
}

func (a *api) getPreset(w http.ResponseWriter, r *http.Request) error {
	document, found := mapping.Preset(r.PathValue("name"))
	if !found {
		return &problem{
			status: http.StatusNotFound,
			detail: "The preset does not exist. Presets: " + strings.Join(mapping.Presets(), ", ") + ".",
		}
	}
	o, err := scim.ParseObject(document)
	if err != nil {
		return err
	}
	return ok(w, http.StatusOK, o)
}
