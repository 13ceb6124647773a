package diagnosis

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/provlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// checks are all checks. Each returns nil if it finds nothing.
var checks = []func(*situation) *found{
	neverConnected, switchedOff, tokenRefused, testFailed, tokenEnds, silent, otherIdP, flagMissing, flagNeedless,
	unverifiedDomain, repeated("repeated-conflict", http.StatusConflict),
	repeated("repeated-refusal", http.StatusBadRequest),
	noExternalID, noLoginAddress, noGroups, nestedGroups, nearMiss, notCovered, unresolved,
}

// admitted is when the last request came whose token was good.
func (at *situation) admitted() time.Time {
	last := at.recent.Good
	for _, e := range at.entries {
		if e.Status != http.StatusUnauthorized && e.Time.After(last) {
			last = e.Time
		}
	}
	return last
}

// neverConnected: no request was ever let in, and none was refused either.
func neverConnected(at *situation) *found {
	if !at.recent.First.IsZero() || !at.recent.Last.IsZero() || len(at.entries) > 0 {
		return nil
	}
	return &found{code: "no-request-yet", severity: Info, since: at.t.Created}
}

// switchedOff: requests come, and the tenant is switched off.
func switchedOff(at *situation) *found {
	if at.t.Active {
		return nil
	}
	f := &found{code: "switched-off", severity: Error, since: at.t.Modified}
	for _, e := range at.entries {
		if e.Status != http.StatusForbidden {
			break
		}
		f.note(e)
	}
	return f
}

// tokenRefused: since the last request with a good token there were some with another one.
func tokenRefused(at *situation) *found {
	since := at.admitted()
	var f *found
	for _, e := range at.entries {
		if e.Status != http.StatusUnauthorized || !e.Time.After(since) {
			continue
		}
		if f == nil {
			f = &found{code: "token-wrong", severity: Error}
			f.with = map[string]any{"token": e.TokenID, "at": minute(e.Time)}
			for _, token := range at.t.Tokens {
				switch {
				case token.ID != e.TokenID:
				case token.State == tenant.TokenRevoked:
					f.code = "token-revoked"
				case !token.ExpiresAt.IsZero() && !token.ExpiresAt.After(e.Time):
					f.code, f.with["end"] = "token-expired", day(token.ExpiresAt)
				}
			}
		}
		f.note(e)
	}
	return f
}

// testFailed: the last test of the connection was refused, and no request was accepted since.
func testFailed(at *situation) *found {
	e := at.recent.Test
	if !at.t.Active || e == nil || e.Outcome == provlog.Done || at.admitted().After(e.Time) {
		return nil
	}
	f := &found{code: "test-failed", severity: Error, since: e.Time, with: map[string]any{
		"at": minute(e.Time), "status": "?", "detail": "?",
	}}
	for _, kept := range at.entries {
		if kept.RequestID == e.RequestID {
			f.note(kept)
			f.with["status"], f.with["detail"] = kept.Status, kept.Detail
		}
	}
	return f
}

// endsSoon is the time before a token's end from which the diagnosis reports it.
const endsSoon = 28 * 24 * time.Hour

// tokenEnds: the token in use ends soon, and none that lasts longer was used yet.
func tokenEnds(at *situation) *found {
	var last tenant.Token
	for _, t := range at.t.Tokens {
		if t.State != tenant.TokenActive && t.State != tenant.TokenSuccessor || t.FirstUsedAt.IsZero() {
			continue
		}
		if t.ExpiresAt.IsZero() {
			return nil
		}
		if t.ExpiresAt.After(last.ExpiresAt) {
			last = t
		}
	}
	if last.ID == "" || last.ExpiresAt.Sub(at.now) > endsSoon {
		return nil
	}
	return &found{code: "token-ends", severity: Warning, since: last.ExpiresAt.Add(-endsSoon), with: map[string]any{
		"token": last.ID, "end": day(last.ExpiresAt), "days": int(last.ExpiresAt.Sub(at.now).Hours() / 24),
	}}
}

// cycles are how often identity providers come by themselves. The others come when something changes: a week.
var cycles = map[string]time.Duration{"entra": 40 * time.Minute, "google": 6 * time.Hour}

// silent: no request was accepted for two cycles.
func silent(at *situation) *found {
	cycle, ok := cycles[at.words()]
	if !ok {
		cycle = 7 * 24 * time.Hour
	}
	last := at.admitted()
	if !at.recent.First.IsZero() && at.now.Sub(last) > maxAge { // it is not looked back further
		last = at.now.Add(-maxAge)
	}
	if last.IsZero() || at.now.Sub(last) <= 2*cycle {
		return nil
	}
	return &found{code: "silent", severity: Warning, since: last, with: map[string]any{
		"at": minute(last), "hours": int(at.now.Sub(last).Hours()),
	}}
}

// otherIdP: another identity provider sends than the tenant is set to.
func otherIdP(at *situation) *found {
	idp, e := at.seen()
	if idp == "" || idp == at.t.IdP || at.t.IdP == "rfc" || at.t.IdP == "interop" {
		return nil
	}
	f := &found{code: "other-idp", severity: Warning, with: map[string]any{"seen": idp, "set": at.t.IdP}}
	if at.t.IdP == "generic" {
		f.code, f.severity = "idp-not-set", Info
	}
	f.note(e)
	return f
}

// flagMissing: Entra sends as it does without its flag, and the tenant's profile takes that for wrong.
func flagMissing(at *situation) *found {
	if at.t.IdP == "entra" {
		return nil
	}
	var f *found
	for _, e := range at.entries {
		if e.IdP != "entra" || e.Operation != provlog.Patch {
			continue
		}
		if e.Flag || e.Outcome == provlog.Done {
			break
		}
		if e.Status == http.StatusBadRequest {
			if f == nil {
				f = &found{
					code: "flag-missing", severity: Error, with: map[string]any{"set": at.t.IdP, "detail": e.Detail},
				}
			}
			f.note(e)
		}
	}
	return f
}

// flagNeedless: Entra's flag is in the URL, and the tenant's profile does not need it.
func flagNeedless(at *situation) *found {
	var f *found
	for _, e := range at.entries {
		if e.IdP != "entra" {
			continue
		}
		if !e.Flag {
			break
		}
		if f == nil {
			f = &found{code: "flag-needless", severity: Info}
		}
		f.note(e)
	}
	if at.t.IdP != "entra" {
		return nil
	}
	return f
}

// key is the subject of an entry: the resource, and its name.
func keys(e provlog.Entry) []string {
	var all []string
	if e.ResourceID != "" {
		all = append(all, e.ResourceID)
	}
	if e.Subject != "" {
		all = append(all, e.ResourceType+" "+scim.Fold(e.Subject))
	}
	return all
}

// open are the refused changes after which nothing about the same resource has worked, the newest first.
func (at *situation) open(keep func(provlog.Entry) bool) []provlog.Entry {
	good := map[string]bool{}
	var all []provlog.Entry
	for _, e := range at.entries {
		about := keys(e)
		switch {
		case e.Outcome == provlog.Done:
			for _, key := range about {
				good[key] = true
			}
		case e.Operation == provlog.Read || !keep(e):
		case !slices.ContainsFunc(about, func(key string) bool { return good[key] }):
			all = append(all, e)
		}
	}
	return all
}

// aboutDomains is part of the detail of a request that is refused for the domain of an address.
const aboutDomains = "addresses of verified domains"

func refusedForDomain(e provlog.Entry) bool {
	return e.Status == http.StatusBadRequest && strings.Contains(e.Detail, aboutDomains)
}

// unverifiedDomain: people are refused for the domain of an address.
func unverifiedDomain(at *situation) *found {
	var f *found
	var names []string
	for _, e := range at.open(refusedForDomain) {
		if f == nil {
			f = &found{code: "domain-not-verified", severity: Error, with: map[string]any{"detail": e.Detail}}
		}
		f.note(e)
		if who := subject(e); !slices.Contains(names, who) {
			names = append(names, who)
		}
	}
	if f != nil {
		f.with["people"], f.with["n"] = listed(names), len(names)
	}
	return f
}

func subject(e provlog.Entry) string {
	if e.Subject != "" {
		return e.Subject
	}
	return e.ResourceID
}

// repeatedly is the number of refusals of one resource from which the diagnosis reports them.
const repeatedly = 3

// repeated returns the check for the same refusal of one resource, again and again.
func repeated(code string, status int) func(*situation) *found {
	return func(at *situation) *found {
		times, newest := map[string]int{}, map[string]provlog.Entry{}
		all := at.open(func(e provlog.Entry) bool {
			return e.Status == status && !refusedForDomain(e) && subject(e) != "" && e.Operation != provlog.Bulk
		})
		for _, e := range all {
			who := subject(e)
			if times[who]++; times[who] == 1 {
				newest[who] = e
			}
		}
		var f *found
		var names []string
		for _, e := range all {
			who := subject(e)
			if times[who] < repeatedly {
				continue
			}
			if f == nil {
				f = &found{code: code, severity: Warning, with: map[string]any{
					"detail": newest[who].Detail, "times": times[who],
				}}
			}
			f.note(e)
			if !slices.Contains(names, who) {
				names = append(names, who)
			}
		}
		if f != nil {
			f.with["people"], f.with["n"] = listed(names), len(names)
		}
		return f
	}
}

func day(t time.Time) string    { return t.UTC().Format(time.DateOnly) }
func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
