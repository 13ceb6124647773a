package notice

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// view is what the texts go by: everything in words of their language.
type view struct {
	Product, Contact string
	Tenant, TenantID string
	BaseURL          string
	IdP, FromIdP     string // as its people call it; after "from"
	Days             string // that are left: "14 days"
	Old, New         tokenView
	ToCollect        bool   // the new token is made when somebody collects it
	StillUsed        bool   // the old token was used after the new one
	Steps            string // what to do at the identity provider
	ClientID         string // of the OAuth client whose secret Old is; else empty
	Again            string // and what, once requests were refused; empty before
}

// tokenView is a token in words. All is empty where there is none.
type tokenView struct {
	ID         string
	Begins     string // what its value begins with
	EndsOn     string // a day
	Ends       string // a day and time
	FirstUsed  string
	LastUsed   string
	LastUsedIn string // "3 hours ago"
}

// reopened is how soon after the new token's first use another use of the old one is no more than the swap itself.
const reopened = time.Hour

func (n *Notifier) view(t tenant.Tenant, notice tenant.Notice, l *language, now time.Time) view {
	v := view{
		Product: n.o.Product, Contact: n.o.Contact, Tenant: clean(t.Name, maxName), TenantID: t.ID, IdP: idps[t.IdP],
		Old: l.token(notice.Token, now), New: l.token(notice.Successor, now), ToCollect: notice.ToCollect,
		StillUsed: !notice.Successor.FirstUsedAt.IsZero() && notice.Token.LastUsedAt.After(notice.Successor.FirstUsedAt.Add(reopened)),
	}
	v.ClientID = notice.ClientID
	if v.Tenant == "" {
		v.Tenant = t.ID
	}
	if v.FromIdP = v.IdP; v.IdP == "" {
		v.IdP, v.FromIdP = l.generic[0], l.generic[1]
	}
	if n.o.BaseURL != "" {
		v.BaseURL = n.o.BaseURL + "/scim/v2/" + t.ID
	}
	if end := notice.Token.ExpiresAt; !end.IsZero() {
		v.Days = l.days(left(end.Sub(now)))
	}
	return v
}

// left is a time in whole days, rounded up; at least 1.
func left(d time.Duration) int { return max(1, int((d+24*time.Hour-1)/(24*time.Hour))) }

func (l *language) token(t tenant.Token, now time.Time) tokenView {
	if t.ID == "" {
		return tokenView{}
	}
	v := tokenView{ID: t.ID, Begins: "scim_" + t.ID + "_", FirstUsed: l.moment(t.FirstUsedAt), LastUsed: l.moment(t.LastUsedAt)}
	if !t.ExpiresAt.IsZero() {
		v.EndsOn, v.Ends = l.day(t.ExpiresAt), l.moment(t.ExpiresAt)
	}
	if !t.LastUsedAt.IsZero() {
		v.LastUsedIn = l.ago(now.Sub(t.LastUsedAt))
	}
	return v
}

// section is the part of the texts that a notice is written from. A reminder that could only be sent after the end says that.
func section(notice tenant.Notice, now time.Time) string {
	end := notice.Token.ExpiresAt
	ended := !end.IsZero() && !now.Before(end)
	switch {
	case notice.Kind == tenant.NoticeTest:
		return "test"
	case notice.ClientID != "" && ended:
		return "client-expired"
	case notice.ClientID != "":
		return "client-reminder"
	case notice.Kind == tenant.NoticeExpired || ended:
		return "expired"
	case notice.Kind == tenant.NoticeSuccessorReady:
		return "successor-ready"
	}
	return "reminder"
}

// How many characters are shown of a name, and of a subject.
const (
	maxName    = 100
	maxSubject = 200
)

// clean makes one line of a name, without control and formatting characters, and cuts it where it is too long.
func clean(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError || unicode.Is(unicode.Cf, r):
			return -1
		case unicode.IsControl(r) || unicode.IsSpace(r):
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		s = strings.TrimSpace(string(r[:most])) + "…"
	}
	return s
}

// language is what a language needs beside its texts.
type language struct {
	generic [2]string // an identity provider whose name is not known; the same after "from"
	months  []string  // nil: as time.Format has them
	date    string    // a day, with %[2]s for the month
	clock   string    // what follows the day
	counted [2]string // one day, several days
	recent  string    // within the last hour
	hours   [2]string
	before  [2]string
}

var languages = map[string]*language{
	"en": {
		generic: [2]string{"your identity provider", "your identity provider"}, date: "%[1]d %[2]s %[3]d", clock: ", 15:04 UTC",
		counted: [2]string{"1 day", "%d days"}, recent: "within the last hour",
		hours: [2]string{"1 hour ago", "%d hours ago"}, before: [2]string{"1 day ago", "%d days ago"},
	},
	"de": {
		generic: [2]string{"Ihr Identity-Provider", "Ihrem Identity-Provider"}, date: "%[1]d. %[2]s %[3]d", clock: ", 15:04 Uhr UTC",
		months: []string{
			"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember",
		},
		counted: [2]string{"1 Tag", "%d Tage"}, recent: "innerhalb der letzten Stunde",
		hours: [2]string{"vor 1 Stunde", "vor %d Stunden"}, before: [2]string{"vor 1 Tag", "vor %d Tagen"},
	},
}

// idps are names of identity providers.
var idps = map[string]string{
	"entra": "Microsoft Entra ID", "okta": "Okta", "google": "Google Workspace", "onelogin": "OneLogin", "pingone": "PingOne",
	"pingfederate": "PingFederate", "jumpcloud": "JumpCloud", "keycloak": "Keycloak", "authentik": "authentik", "rippling": "Rippling",
	"cyberark": "CyberArk Identity", "sailpoint": "SailPoint",
}

func (l *language) day(t time.Time) string {
	t = t.UTC()
	month := t.Month().String()
	if l.months != nil {
		month = l.months[t.Month()-1]
	}
	return fmt.Sprintf(l.date, t.Day(), month, t.Year())
}

// moment is a day and time; "" for none.
func (l *language) moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return l.day(t) + t.UTC().Format(l.clock)
}

func (l *language) days(n int) string { return count(n, l.counted) }

func (l *language) ago(d time.Duration) string {
	switch {
	case d < time.Hour:
		return l.recent
	case d < 48*time.Hour:
		return count(int(d/time.Hour), l.hours)
	}
	return count(int(d/(24*time.Hour)), l.before)
}

func count(n int, forms [2]string) string {
	if n == 1 {
		return forms[0]
	}
	return fmt.Sprintf(forms[1], n)
}
