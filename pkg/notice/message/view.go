package message

import (
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/serverless-scim/serverless-scim/pkg/notice"
)

// view is the data of the templates: everything in words of their language.
type view struct {
	Product string // as it begins subjects; "" if it has no name
	// the same within a sentence, in the nominative or accusative: "the application at scim.example.com"
	App              string
	Named            bool   // Product is a name that people know
	Host             string // of the base URLs; may be empty
	Contact          contact
	Tenant, TenantID string
	Short            string // the tenant's name, cut for subjects
	BaseURL          string
	TokenURL         string // the token endpoint for OAuth clients
	IdP, FromIdP     string // as its people call it; after "from"
	When             string // the token ends: "today", "in 14 days"
	Old, New         tokenView
	Ended            bool   // Old has ended
	ToCollect        bool   // the new token is made when a person collects it
	Once             bool   // the value of the new token was shown once, and is not kept
	Done             bool   // the new token is in use, and the old one is not
	StillUsed        bool   // the old token was used after the new one
	ClientID         string // of the OAuth client whose secret Old is; else empty
	Setup            string // URL of the set-up link that the message brings
	SetupEnds        string // a day and time
	ReadOnly         bool   // the set-up link is for viewing only
	Renew            string // URL of the page on which the reader can have a set-up link sent
	Steps            string // the steps at the identity provider
	Domains          []domainView
	Several          bool   // there is more than one of Domains
	More             int    // how many there are beside the first
	Check            string // how to see there that it worked
	Again            string // the steps there once requests were refused; empty before
}

// contact is the place to get a token and help; at most one field is set.
type contact struct{ URL, Mail, Words string }

func contactOf(s string) contact {
	u, err := url.Parse(s)
	switch _, mail := plainAddress(s); {
	case mail:
		return contact{Mail: s}
	case err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && !strings.ContainsAny(s, " \"<>"):
		return contact{URL: s}
	}
	return contact{Words: name(s, maxContact)}
}

// tokenView is a token in words. All is empty if there is none.
type tokenView struct {
	ID         string
	Begins     string // the beginning of its value
	Made       string // a day
	EndsOn     string // a day
	Ends       string // a day and time
	FirstUsed  string
	LastUsed   string
	LastUsedIn string // "3 hours ago"
}

// domainView is a domain in words.
type domainView struct {
	Name, Record, Value, Answer string
	Ends                        string // a day
}

// reopened is the time after the new token's first use in which another use of the old one counts as a part of the
// swap.
const reopened = time.Hour

func (n *Notifier) view(t notice.Tenant, about notice.Notice, l *language, now time.Time) view {
	v := view{
		Product: name(n.o.Product, maxShort), App: name(n.o.Product, maxName), Named: n.o.Product != "",
		Contact: contactOf(n.o.Contact), Tenant: name(t.Name, maxName), TenantID: t.ID,
		IdP: idps[t.IdP], Old: l.token(about.Token, now), New: l.token(about.Successor, now),
		ToCollect: about.ToCollect, ClientID: about.ClientID, Once: about.Successor.ID != "" && t.NotKept,
		StillUsed: !about.Successor.FirstUsedAt.IsZero() &&
			about.Token.LastUsedAt.After(about.Successor.FirstUsedAt.Add(reopened)),
	}
	for _, d := range about.Domains {
		v.Domains = append(v.Domains, domainView{d.Name, d.Record, d.Value, d.Answer, l.day(time.Unix(d.Ends, 0))})
	}
	v.More = max(0, len(v.Domains)-1)
	v.Several = v.More > 0
	v.Done = v.New.FirstUsed != "" && !v.StillUsed
	if u, err := url.Parse(n.o.BaseURL); err == nil {
		v.Host = u.Host
	}
	if !v.Named {
		v.App = l.app[0]
		if v.Host != "" {
			v.App = fmt.Sprintf(l.app[1], v.Host)
		}
	}
	if v.Tenant == "" {
		v.Tenant = t.ID
	}
	v.Short = name(v.Tenant, maxShort)
	if v.FromIdP = v.IdP; v.IdP == "" {
		v.IdP, v.FromIdP = l.generic[0], l.generic[1]
	}
	if n.o.BaseURL != "" {
		v.BaseURL, v.TokenURL = n.o.BaseURL+"/scim/v2/"+t.ID, n.o.BaseURL+"/oauth2/"+t.ID+"/token"
	}
	if in := about.Invitation; in.ID != "" && n.o.BaseURL != "" {
		v.Setup, v.SetupEnds, v.ReadOnly = n.o.BaseURL+"/setup/"+in.ID+"#"+in.Code, l.moment(in.Until), in.ReadOnly
	}
	if about.Renewal != "" && n.o.BaseURL != "" {
		v.Renew = n.o.BaseURL + "/setup/renew/" + about.Renewal + "?lang=" + l.code
	}
	if end := about.Token.ExpiresAt; !end.IsZero() {
		v.When, v.Ended = l.when(now, end), !now.Before(end)
	}
	return v
}

// when counts the midnights (UTC) between now and the end, in words: "today", "tomorrow", "in 14 days".
func (l *language) when(now, end time.Time) string {
	midnight := func(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }
	n := max(0, int(midnight(end).Sub(midnight(now))/(24*time.Hour)))
	if n < len(l.soon) {
		return l.soon[n]
	}
	return fmt.Sprintf(l.later, n)
}

func (l *language) token(t notice.Token, now time.Time) tokenView {
	if t.ID == "" {
		return tokenView{}
	}
	v := tokenView{
		ID: t.ID, Begins: "scim_" + t.ID + "_", FirstUsed: l.moment(t.FirstUsedAt),
		LastUsed: l.moment(t.LastUsedAt),
	}
	if !t.CreatedAt.IsZero() {
		v.Made = l.day(t.CreatedAt)
	}
	if !t.ExpiresAt.IsZero() {
		v.EndsOn, v.Ends = l.day(t.ExpiresAt), l.moment(t.ExpiresAt)
	}
	if !t.LastUsedAt.IsZero() {
		v.LastUsedIn = l.ago(now.Sub(t.LastUsedAt))
	}
	return v
}

// section returns the name of the template of a notice. A reminder that could only be sent after the end uses the one
// about the end.
func section(about notice.Notice, now time.Time) string {
	end := about.Token.ExpiresAt
	ended := !end.IsZero() && !now.Before(end)
	switch {
	case about.Kind == notice.Test:
		return "test"
	case about.Kind.OfTenant():
		return string(about.Kind)
	case about.ClientID != "" && ended:
		return "client-expired"
	case about.ClientID != "":
		return "client-reminder"
	case about.Kind == notice.Expired || ended:
		return "expired"
	case about.Kind == notice.SuccessorReady:
		return "successor-ready"
	}
	return "reminder"
}

// The numbers of characters that are shown of a name, of a name in a subject, and of a contact.
const (
	maxName    = 100
	maxShort   = 50
	maxContact = 200
)

// clean makes one line of a name, without control and formatting characters, and cuts it if it is too long.
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

// name is clean, and isolates text in scripts from right to left, so that it does not change the direction of the text
// beside it.
func name(s string, most int) string {
	s = clean(s, most)
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.In(r, fromRight...) }) {
		s = "\u2068" + s + "\u2069"
	}
	return s
}

// fromRight are the scripts in use that are written from right to left.
var fromRight = []*unicode.RangeTable{
	unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko,
	unicode.Adlam, unicode.Samaritan,
}

// language has the data of a language beside its templates.
type language struct {
	code    string
	generic [2]string // an identity provider whose name is not known; the same after "from"
	months  []string  // nil: as time.Format has them
	date    string    // a day, with %[2]s for the month
	clock   string    // the text after the day
	app     [2]string // an application whose name is not known; the same by its host
	soon    []string  // today, tomorrow
	later   string
	recent  string // within the last hour
	hours   [2]string
	before  [2]string
}

var languages = map[string]*language{
	"en": {
		code:    "en",
		generic: [2]string{"your identity provider", "your identity provider"}, date: "%[1]d %[2]s %[3]d",
		clock: ", 15:04 UTC",
		app:   [2]string{"the application", "the application at %s"},
		soon:  []string{"today", "tomorrow"}, later: "in %d days", recent: "within the last hour",
		hours: [2]string{"1 hour ago", "%d hours ago"}, before: [2]string{"1 day ago", "%d days ago"},
	},
	"de": {
		code:    "de",
		generic: [2]string{"Ihr Identity-Provider", "Ihrem Identity-Provider"}, date: "%[1]d. %[2]s %[3]d",
		clock: ", 15:04 Uhr UTC",
		months: []string{
			"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
			"Dezember",
		},
		app:  [2]string{"die Anwendung", "die Anwendung unter %s"},
		soon: []string{"heute", "morgen"}, later: "in %d Tagen", recent: "innerhalb der letzten Stunde",
		hours: [2]string{"vor 1 Stunde", "vor %d Stunden"}, before: [2]string{"vor 1 Tag", "vor %d Tagen"},
	},
}

// idps are names of identity providers.
var idps = map[string]string{
	"entra": "Microsoft Entra ID", "okta": "Okta", "google": "Google Workspace", "onelogin": "OneLogin",
	"pingone":      "PingOne",
	"pingfederate": "PingFederate", "jumpcloud": "JumpCloud", "keycloak": "Keycloak", "authentik": "authentik",
	"rippling": "Rippling",
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
