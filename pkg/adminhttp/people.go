package adminhttp

import (
	"net/http"
	"strconv"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/lists"
	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/shown"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// merge replaces the member in the path by the member in the body, and answers the one who stays.
func (a *api) merge(w http.ResponseWriter, r *http.Request) error {
	o, err := body(r, false, "into")
	if err != nil {
		return err
	}
	into, err := text(o, "into")
	if err != nil {
		return err
	}
	if into == "" {
		return badRequest("into must be the id of the member who stays.")
	}
	id, err := memberID(r)
	if err != nil {
		return err
	}
	if len(into) > maxMemberID {
		return noMember(into)
	}
	t, err := a.of(r)
	if err != nil {
		return err
	}
	m, err := a.members.Merge(r.Context(), t, id, into)
	if err != nil {
		return err
	}
	return ok(w, http.StatusOK, m.Object())
}

// listDuplicates lists pairs of members who are probably one person.
func (a *api) listDuplicates(w http.ResponseWriter, r *http.Request) error {
	p, err := a.page(r)
	if err != nil {
		return err
	}
	if len(p.cursor) > maxMemberID {
		return badRequest(noCursor)
	}
	left, err := a.members.Publish(r.Context(), p.tenant, publishFor)
	if err != nil && !left {
		return err
	}
	all, next, err := a.members.Duplicates(r.Context(), p.tenant, p.cursor, p.count)
	if err != nil {
		return err
	}
	return ok(w, http.StatusOK, lists.Answer("duplicates", lists.Objects(all, member.Duplicate.Object), next))
}

func (a *api) invite(w http.ResponseWriter, r *http.Request) error {
	if _, err := body(r, true); err != nil {
		return err
	}
	id, err := memberID(r)
	if err != nil {
		return err
	}
	t, err := a.of(r)
	if err != nil {
		return err
	}
	n, err := a.members.Invite(r.Context(), t, id)
	if err != nil {
		return err
	}
	return ok(w, http.StatusOK, scim.Object{"invited": int64(n)})
}

// inviteAll invites all members that match the filter in the body. "more" says that the time was not enough.
func (a *api) inviteAll(w http.ResponseWriter, r *http.Request) error {
	o, err := body(r, true, "filter")
	if err != nil {
		return err
	}
	filter, err := text(o, "filter")
	if err != nil {
		return err
	}
	t, err := a.of(r)
	if err != nil {
		return err
	}
	left, err := a.members.Publish(r.Context(), t, publishFor)
	if err != nil && !left {
		return err
	}
	n, more, err := a.members.InviteAll(r.Context(), t, filter)
	if err != nil {
		return err
	}
	answer := scim.Object{"invited": int64(n)}
	if more || left {
		answer["more"] = true
	}
	return ok(w, http.StatusOK, answer)
}

// putAccount gives a member the application's own id, or takes it away if it is null.
func (a *api) putAccount(w http.ResponseWriter, r *http.Request) error {
	o, err := body(r, false, "accountId")
	if err != nil {
		return err
	}
	id, err := text(o, "accountId")
	if err != nil {
		return err
	}
	if _, named := o["accountId"]; !named || len(id) > member.MaxAccountBytes || id == "" && o["accountId"] != nil {
		return badRequest("accountId must be a string of 1 to " + strconv.Itoa(member.MaxAccountBytes) +
			" bytes, or null.")
	}
	memberID, err := memberID(r)
	if err != nil {
		return err
	}
	t, err := a.of(r)
	if err != nil {
		return err
	}
	m, err := a.members.SetAccount(r.Context(), t, memberID, id)
	if err != nil {
		return err
	}
	return inUse(w, shown.MemberTag(m), m.Object())
}

// How much one request imports.
const (
	maxAccounts     = 1000
	maxAccountsBody = 1 << 20
)

// importAccounts stores the application's existing people, whom members adopt.
func (a *api) importAccounts(w http.ResponseWriter, r *http.Request) error {
	o, err := document(r, false, maxAccountsBody)
	if err != nil {
		return err
	}
	list, isList := o["accounts"].([]any)
	if !isList || len(o) != 1 || len(list) > maxAccounts {
		return badRequest(`The body must be {"accounts": [...]}, with ` + strconv.Itoa(maxAccounts) +
			" accounts at most.")
	}
	accounts, seen := make([]member.Account, len(list)), map[string]bool{}
	for i, v := range list {
		if accounts[i], err = account(v); err != nil {
			return err
		}
		if id := accounts[i].ID; seen[id] {
			return badRequest("The account " + scim.Quote(id) + " is given twice.")
		}
		seen[accounts[i].ID] = true
	}
	t, err := a.of(r)
	if err != nil {
		return err
	}
	results, err := a.members.ImportAccounts(r.Context(), t, accounts)
	if err != nil {
		return err
	}
	var stored, adopted int64
	each := make([]any, len(results))
	for i, came := range results {
		o := scim.Object{"accountId": accounts[i].ID, "result": "waits"}
		switch {
		case came.Adopted:
			adopted++
			o["result"], o["member"] = "adopted", came.Member
		case came.Member != "":
			o["result"], o["member"] = "has-member", came.Member
		}
		if came.Stored {
			stored++
		}
		each[i] = o
	}
	return ok(w, http.StatusOK, scim.Object{"imported": stored, "adopted": adopted, "accounts": each})
}

// maxMatchBytes is the greatest length of a value that matches an account to a member.
const maxMatchBytes = 1024

func account(v any) (member.Account, error) {
	o, isObject := v.(scim.Object)
	if !isObject {
		return member.Account{}, badRequest("Each account must be an object.")
	}
	var out member.Account
	fields := map[string]*string{
		"accountId": &out.ID, "externalId": &out.ExternalID, "userName": &out.UserName, "email": &out.Email,
	}
	for name := range o {
		if fields[name] == nil {
			return out, badRequest(scim.Quote(name) + " is not known here; known: accountId, " +
				"externalId, userName, email.")
		}
		value, err := text(o, name)
		if err != nil {
			return out, err
		}
		if len(value) > maxMatchBytes {
			return out, badRequest(name + " may have " + strconv.Itoa(maxMatchBytes) + " bytes at most.")
		}
		*fields[name] = value
	}
	if out.ID == "" || len(out.ID) > member.MaxAccountBytes {
		return out, badRequest("accountId must have 1 to " + strconv.Itoa(member.MaxAccountBytes) + " bytes.")
	}
	return out, nil
}
