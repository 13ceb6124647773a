package adminhttp

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/lists"
	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/shown"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// memberRoutes are the routes for the application behind the endpoint: members, targets, policy and events.
func (a *api) memberRoutes() map[string]methods {
	return map[string]methods{
		"/tenants/{id}/members":              {"GET": a.listMembers},
		"/tenants/{id}/members/{member}":     {"GET": a.getMember, "DELETE": ofMember(a.eraseMember)},
		"/tenants/{id}/members/{member}/why": {"GET": a.why},
		"/tenants/{id}/members/{member}/assignments/{kind}/{name...}": {
			"PUT": ofMember(a.assign), "DELETE": ofMember(a.unassign),
		},
		"/tenants/{id}/members/duplicates":       {"GET": a.listDuplicates},
		"/tenants/{id}/members/{member}/merge":   {"POST": ofMember(a.merge)},
		"/tenants/{id}/members/{member}/invite":  {"POST": ofMember(a.invite)},
		"/tenants/{id}/members/invite":           {"POST": a.inviteAll},
		"/tenants/{id}/members/{member}/account": {"PUT": ofMember(a.putAccount)},
		"/tenants/{id}/accounts":                 {"POST": a.importAccounts},
		"/tenants/{id}/pending":                  {"GET": a.listPending},
		"/tenants/{id}/targets":                  {"GET": a.listTargets},
		"/tenants/{id}/targets/{kind}/{name...}": {
			"GET": a.getTarget, "PUT": conditional(a.putTarget, shown.OfTarget),
			"DELETE": conditional(a.deleteTarget, shown.OfTarget),
		},
		"/tenants/{id}/policy":          {"GET": a.getPolicy, "PUT": a.putPolicy},
		"/tenants/{id}/policy/rehearse": {"POST": a.rehearse},
		"/tenants/{id}/policy/status":   {"GET": a.policyStatus},
		"/tenants/{id}/guard":           {"GET": a.getGuard, "POST": conditional(a.decideGuard, shown.OfGuard)},
		"/tenants/{id}/events":          {"GET": a.listEvents},
		"/policy-presets":               {"GET": a.listPresets},
		"/policy-presets/{name}":        {"GET": a.getPreset},
	}
}

// publishFor is the most time for which a list publishes marked members before it answers.
const publishFor = 3 * time.Second

// of reads the tenant in the path, with the settings for publishing.
func (a *api) of(r *http.Request) (member.Tenant, error) {
	return member.TenantOf(r.Context(), a.tenants, r.PathValue("id"))
}

// asked reads the query parameters of a request. Unknown ones are refused: a misspelt filter must not mean all.
func asked(r *http.Request, known ...string) (func(string) string, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badRequest("The query is not properly percent-encoded.")
	}
	for name, values := range q {
		if !slices.Contains(known, name) {
			if len(known) == 0 {
				return nil, badRequest("This route has no query parameters, so not " + scim.Quote(name) + ".")
			}
			return nil, badRequest("The query parameter " + scim.Quote(name) + " is not known here; known: " +
				strings.Join(known, ", ") + ".")
		}
		if len(values) > 1 {
			return nil, badRequest(name + " is given twice.")
		}
		if !utf8.ValidString(values[0]) {
			return nil, badRequest(name + " is not UTF-8 after percent-decoding.")
		}
	}
	return q.Get, nil
}

// countOf reads the number of results that a page may have.
func countOf(text string, fallback, most int) (int, error) {
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, badRequest("count must be a number from 1 to " + strconv.Itoa(most) + ".")
	}
	return n, nil
}

// page is the part of a list that a request asks for.
type page struct {
	tenant member.Tenant
	count  int
	cursor string
	param  func(string) string
}

// maxCursor is more bytes than the cursor of any list has.
const maxCursor = 1024

const noCursor = "The cursor must be one from an earlier page of this list."

// page reads count, cursor and the tenant of a list. further are the names of other parameters.
func (a *api) page(r *http.Request, further ...string) (p page, err error) {
	if p.param, err = asked(r, append(further, "count", "cursor")...); err != nil {
		return p, err
	}
	if p.count, err = countOf(p.param("count"), 100, 1000); err != nil {
		return p, err
	}
	if p.cursor = p.param("cursor"); len(p.cursor) > maxCursor {
		return p, badRequest(noCursor)
	}
	p.tenant, err = a.of(r)
	return p, err
}

// listPending lists memberships and managers whose id names no user yet. It publishes first, because the publication
// of a deletion notes the names of the user.
func (a *api) listPending(w http.ResponseWriter, r *http.Request) error {
	p, err := a.page(r)
	if err != nil {
		return err
	}
	left, err := a.members.Publish(r.Context(), p.tenant, publishFor)
	if err != nil && !left {
		return err
	}
	refs, next, err := a.members.Unresolved(r.Context(), p.tenant, p.cursor, p.count)
	if err != nil {
		return err
	}
	return ok(w, http.StatusOK, lists.Answer("pending", lists.Objects(refs, pendingObject), next))
}

func pendingObject(ref member.Reference) scim.Object {
	reason, detail := "user-unknown", "No user has the id, externalId or userName "+scim.Quote(ref.Value)+
		" yet: it was not sent, or the identity provider does not provision it. It is resolved when such a user is "+
		"created: check that the identity provider assigns this user."
	if ref.Deleted {
		reason, detail = "user-deleted", "The user with the id, externalId or userName "+scim.Quote(ref.Value)+
			" was deleted. It is resolved when the identity provider creates this user again; "+
			"otherwise remove the reference there."
	}
	return scim.Object{
		"resourceType": ref.ResourceType, "id": ref.ID, "attribute": ref.Attribute, "value": ref.Value,
		"reason": reason, "detail": detail,
	}
}

func (a *api) listMembers(w http.ResponseWriter, r *http.Request) error {
	p, err := a.page(r, "filter", "name", "changedAfter")
	if err != nil {
		return err
	}
	if p.param("changedAfter") != "" {
		return a.changedMembers(w, r, p)
	}
	text, err := member.NamedFilter(p.param("filter"), p.param("name"))
	if err != nil {
		return err
	}
	t := p.tenant
	if len(p.cursor) > maxMemberID {
		return badRequest(noCursor)
	}
	left, err := a.members.Publish(r.Context(), t, publishFor)
	if err != nil && !left {
		return err
	}
	var head string // read first: changes while the list is read have events after it
	if p.cursor == "" {
		if head, err = a.head(r.Context(), t); err != nil {
			return err
		}
	}
	l, err := a.members.List(r.Context(), t, text, p.cursor, p.count)
	if err != nil {
		return err
	}
	all := lists.Objects(l.Members, member.Member.Object)
	if n := lists.Fitting(all); n < len(all) {
		all, l.Next = all[:n], l.Members[n-1].ID
	}
	o := lists.Answer("members", all, l.Next)
	if head != "" {
		o["after"] = head
	}
	if left {
		n, err := a.members.Pending(r.Context(), t)
		if err != nil {
			return err
		}
		o["pending"] = int64(n)
	}
	return ok(w, http.StatusOK, o)
}

func (a *api) getMember(w http.ResponseWriter, r *http.Request) error {
	return a.oneMember(w, r, func(ctx context.Context, t member.Tenant, id string) (scim.Object, bool, error) {
		m, found, err := a.members.Get(ctx, t, id)
		if found {
			w.Header().Set("ETag", shown.MemberTag(m))
		}
		return m.Object(), found, err
	})
}

// oneMember responds with the object that read returns for the member in the path.
func (a *api) oneMember(
	w http.ResponseWriter, r *http.Request,
	read func(ctx context.Context, t member.Tenant, id string) (o scim.Object, found bool, err error),
) error {
	t, err := a.of(r)
	if err != nil {
		return err
	}
	id, err := memberID(r)
	if err != nil {
		return err
	}
	o, found, err := read(r.Context(), t, id)
	switch {
	case err != nil:
		return err
	case !found:
		return noMember(id)
	}
	return ok(w, http.StatusOK, o)
}

// eraseMember erases a person who has left. It answers 204, or 202 while the person is still being taken out of the
// log.
func (a *api) eraseMember(w http.ResponseWriter, r *http.Request) error {
	if _, err := asked(r); err != nil {
		return err
	}
	t, err := a.of(r)
	if err != nil {
		return err
	}
	id, err := memberID(r)
	if err != nil {
		return err
	}
	done, err := a.members.Erase(r.Context(), t, id)
	if err != nil {
		return err
	}
	status := http.StatusNoContent
	if !done {
		status = http.StatusAccepted
	}
	w.WriteHeader(status)
	return nil
}

// maxMemberID is more bytes than the id of any member has.
const maxMemberID = 128

// memberID is the member that the path names.
func memberID(r *http.Request) (string, error) {
	id := r.PathValue("member")
	if len(id) > maxMemberID {
		return "", noMember(id)
	}
	return id, nil
}

func noMember(id string) error {
	return &problem{status: http.StatusNotFound, detail: "There is no member " + scim.Quote(id) + "."}
}

func (a *api) why(w http.ResponseWriter, r *http.Request) error {
	return a.oneMember(w, r, a.members.Why)
}

// targetIn reads the target that the path names.
func targetIn(r *http.Request) (mapping.TargetKey, error) {
	param, err := asked(r, "organisation")
	if err != nil {
		return mapping.TargetKey{}, err
	}
	key := mapping.TargetKey{Kind: r.PathValue("kind"), Name: r.PathValue("name"), Organisation: param("organisation")}
	if key.TooLong() {
		return key, badRequest("A target and its organisation have " + strconv.Itoa(mapping.MaxTargetBytes) +
			" bytes together at most, a kind 128.")
	}
	return key, nil
}

// target reads the tenant and the target that the path names.
func (a *api) target(r *http.Request) (member.Tenant, mapping.TargetKey, error) {
	key, err := targetIn(r)
	if err != nil {
		return member.Tenant{}, key, err
	}
	t, err := a.of(r)
	return t, key, err
}

func (a *api) assign(w http.ResponseWriter, r *http.Request) error {
	return a.assignment(w, r, a.members.Assign)
}

func (a *api) unassign(w http.ResponseWriter, r *http.Request) error {
	return a.assignment(w, r, a.members.Unassign)
}

// assignment changes a manual assignment, and answers 204.
func (a *api) assignment(
	w http.ResponseWriter, r *http.Request,
	change func(context.Context, member.Tenant, string, mapping.TargetKey) error,
) error {
	t, key, err := a.target(r)
	if err != nil {
		return err
	}
	id, err := memberID(r)
	if err != nil {
		return err
	}
	if err := change(r.Context(), t, id, key); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *api) listTargets(w http.ResponseWriter, r *http.Request) error {
	p, err := a.page(r, "kind", "name")
	if err != nil {
		return err
	}
	if key := (mapping.TargetKey{Kind: p.param("kind")}); key.TooLong() {
		return badRequest("A kind has 128 bytes at most.")
	}
	targets, next, err := a.members.Targets(r.Context(), p.tenant, member.TargetQuery{
		Kind: p.param("kind"), Name: p.param("name"), After: p.cursor, Count: p.count,
	})
	if err != nil {
		return err
	}
	return ok(w, http.StatusOK, lists.Answer("targets", lists.Objects(targets, shown.Target), next))
}

func (a *api) getTarget(w http.ResponseWriter, r *http.Request) error {
	t, key, err := a.target(r)
	if err != nil {
		return err
	}
	target, err := a.members.Target(r.Context(), t, key)
	if err != nil {
		return err
	}
	return tagged(w, r, shown.TargetTag(target), shown.Target(target))
}

func (a *api) putTarget(w http.ResponseWriter, r *http.Request) error {
	key, err := targetIn(r)
	if err != nil {
		return err
	}
	o, err := body(r, true, "displayName", "features", "seats", "kind", "target", "organisation", "origin", "createdAt")
	if err != nil {
		return err
	}
	for name, here := range map[string]string{"kind": key.Kind, "target": key.Name, "organisation": key.Organisation} {
		if v, given := o[name]; given && v != here {
			return badRequest(name + " must be as in the URL, " + scim.Quote(here) + ", or absent.")
		}
	}
	target := member.Target{TargetKey: key}
	if target.Seats, err = seats(o); err != nil {
		return err
	}
	if target.DisplayName, err = text(o, "displayName"); err != nil {
		return err
	}
	features, isList := o["features"].([]any)
	if o["features"] != nil && !isList {
		return badRequest("features must be an array of strings.")
	}
	for _, v := range features {
		feature, isText := v.(string)
		if !isText || feature == "" {
			return badRequest("features must be an array of strings.")
		}
		target.Features = append(target.Features, feature)
	}
	t, err := a.of(r)
	if err != nil {
		return err
	}
	saved, err := a.members.SaveTarget(r.Context(), t, target)
	if err != nil {
		return err
	}
	return tagged(w, r, shown.TargetTag(saved), shown.Target(saved))
}

// maxSeats bounds the number of seats of a target.
const maxSeats = 10_000_000

// seats reads the number of seats in the body of a target.
func seats(o scim.Object) (int64, error) {
	if o["seats"] == nil {
		return member.Unbounded, nil
	}
	inner, ok := o["seats"].(scim.Object)
	size, whole := scim.Whole(inner["size"])
	delete(inner, "used") // as GET shows it
	if !ok || len(inner) != 1 || !whole || size < 0 || size > maxSeats {
		return 0, badRequest(`seats must be {"size": N}, with a whole number from 0 to 10,000,000.`)
	}
	return size, nil
}

func (a *api) deleteTarget(w http.ResponseWriter, r *http.Request) error {
	t, key, err := a.target(r)
	if err != nil {
		return err
	}
	if err := a.members.RemoveTarget(r.Context(), t, key); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
