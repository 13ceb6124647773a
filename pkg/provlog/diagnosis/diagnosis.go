package diagnosis

import (
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/provlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// The severities: nobody can be provisioned, or some people can't, or as the administrator wants it.
const (
	Error   = "error"
	Warning = "warning"
	Info    = "info"
)

// Finding is one thing that an administrator may want to change.
type Finding struct {
	// Code names the finding; it is the same in every language.
	Code     string
	Severity string
	// Since is the first time that it was seen in the entries that are examined; the zero time: not known.
	Since time.Time
	// Title names the problem, Evidence the facts that show it, and Do the remedy, in the words of the identity
	// provider.
	Title, Evidence, Do string
	// Entries are the ids of entries of the log that show it, the newest first, ten at most.
	Entries []string
}

// Object is a finding as the admin API shows it.
func (f Finding) Object() scim.Object {
	o := scim.Object{
		"code": f.Code, "severity": f.Severity, "title": f.Title, "evidence": f.Evidence, "do": f.Do, "since": nil,
	}
	if !f.Since.IsZero() {
		o["since"] = scim.FormatTime(f.Since)
	}
	if len(f.Entries) > 0 {
		entries := make([]any, len(f.Entries))
		for i, id := range f.Entries {
			entries[i] = id
		}
		o["entries"] = entries
	}
	return o
}

// Service makes diagnoses. It is safe for concurrent use.
type Service struct{ o Options }

// Options of a Service. All are required.
type Options struct {
	Now       func() time.Time
	Journal   *provlog.Journal
	Tenants   *tenant.Service
	Members   *member.Service
	Directory *directory.Directory
}

// New creates a Service.
func New(o Options) *Service { return &Service{o} }

// Languages are the languages of the texts.
func Languages() []string { return []string{"en", "de"} }

// Findings examines a tenant and returns its findings, the worst first, in a language; in English if there are no texts
// in it. It looks at the last 1,000 entries of 30 days, and at 200 users, groups and members each.
func (s *Service) Findings(ctx context.Context, t tenant.Tenant, language string) ([]Finding, error) {
	at, err := s.look(ctx, t)
	if err != nil {
		return nil, err
	}
	all := []Finding{}
	for _, check := range checks {
		if f := check(at); f != nil {
			all = append(all, f.told(language, at.words()))
		}
	}
	rank := map[string]int{Error: 0, Warning: 1, Info: 2}
	slices.SortStableFunc(all, func(a, b Finding) int { return cmp.Compare(rank[a.Severity], rank[b.Severity]) })
	return all, nil
}

// Of returns the findings that an entry of the log is evidence for.
func (s *Service) Of(ctx context.Context, t tenant.Tenant, entryID, language string) ([]Finding, error) {
	all, err := s.Findings(ctx, t, language)
	return slices.DeleteFunc(all, func(f Finding) bool { return !slices.Contains(f.Entries, entryID) }), err
}

// found is a finding without its texts.
type found struct {
	code, severity string
	since          time.Time
	entries        []string
	with           map[string]any // the values of the braces in the texts
}

// note adds an entry to the evidence. Entries come with the newest first.
func (f *found) note(e provlog.Entry) {
	f.since = e.Time
	if len(f.entries) < 10 && e.ID != "" {
		f.entries = append(f.entries, e.ID)
	}
}

// text is a finding in one language. Do is by identity provider; "" is for all others.
type text struct {
	Title    string            `json:"title"`
	Evidence string            `json:"evidence"`
	Do       map[string]string `json:"do"`
}

//go:embed texts/*.json
var files embed.FS

var texts = sync.OnceValue(func() map[string]map[string]text {
	all := map[string]map[string]text{}
	for _, language := range Languages() {
		data, err := files.ReadFile("texts/" + language + ".json")
		if err != nil {
			panic(err) // it is embedded
		}
		var t map[string]text
		if err := json.Unmarshal(data, &t); err != nil {
			panic(fmt.Sprint(language, ": ", err)) // tests read it
		}
		all[language] = t
	}
	return all
})

// told adds the texts to a finding.
func (f *found) told(language, idp string) Finding {
	words, ok := texts()[language]
	if !ok {
		words = texts()["en"]
	}
	t := words[f.code]
	pairs := make([]string, 0, 2*len(f.with))
	for name, v := range f.with {
		pairs = append(pairs, "{"+name+"}", fmt.Sprint(v))
	}
	fill := strings.NewReplacer(pairs...)
	do, ok := t.Do[idp]
	if !ok {
		do = t.Do[""]
	}
	return Finding{
		Code: f.code, Severity: f.severity, Since: f.since, Entries: f.entries, Title: fill.Replace(t.Title),
		Evidence: fill.Replace(t.Evidence), Do: fill.Replace(do),
	}
}

// listed writes some names in a row.
func listed(names []string) string {
	const most = 5
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}
