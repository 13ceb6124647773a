package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

type logCmd struct {
	List logListCmd `cmd:"" help:"List the requests of the identity provider and their results, newest first."`
	Show logShowCmd `cmd:"" help:"Print an entry with its body, the events that followed and the steps that help."`
	Tail logTailCmd `cmd:"" help:"Print the entries of a log, and wait for more."`
}

// logFilter are the flags that narrow the log.
type logFilter struct {
	Filter  string `placeholder:"FILTER" help:"SCIM filter, such as status ge 400 and resourceType eq \"Group\"."`
	Subject string `placeholder:"NAME" help:"Only entries about this userName or displayName."`
	Outcome string `placeholder:"OUTCOME" help:"Only entries with this result: done, nothing-to-do, refused or failed."`
}

// expression joins the conditions of the flags, and more, into one filter.
func (f logFilter) expression(more ...string) string {
	parts := more
	for _, p := range [][2]string{{"subject", f.Subject}, {"outcome", f.Outcome}} {
		if p[1] != "" {
			value, _ := json.Marshal(p[1]) // a string of a SCIM filter is one of JSON; it never fails
			parts = append(parts, p[0]+" eq "+string(value))
		}
	}
	if f.Filter != "" && len(parts) > 0 {
		parts = append(parts, "("+f.Filter+")")
	} else if f.Filter != "" {
		parts = append(parts, f.Filter)
	}
	return strings.Join(parts, " and ")
}

// logOf is the path of a tenant's log, or of the operator's without a tenant.
func logOf(tenant string) string {
	if tenant == "" || tenant == "-" {
		return path("log")
	}
	return path("tenants", tenant, "log")
}

type logListCmd struct {
	admin
	Tenant string `arg:"" optional:"" help:"Id of the tenant; without it, or with -: the operator's log."`
	part
	logFilter
}

// Run lists.
func (c *logListCmd) Run(s *session) error {
	p := query(logOf(c.Tenant), "filter", c.expression(), "count", c.count(), "cursor", c.Cursor)
	return c.call(s, request{http.MethodGet, p, nil}, func(answer object) {
		rows := [][]any{{"ENTRY", "TIME", "OPERATION", "OUTCOME", "STATUS", "SUBJECT", "DETAIL"}}
		for _, e := range objects(answer["entries"]) {
			rows = append(rows, []any{
				e["id"], e["time"], e["operation"], e["outcome"], e["status"], orWord(e["subject"], "-"),
				entryDetail(e),
			})
		}
		table(s.Out, rows)
		s.next(answer)
	})
}

// entryDetail is the text of an entry that a line shows after its outcome.
func entryDetail(e object) any {
	switch {
	case e["detail"] != nil:
		return e["detail"]
	case e["caller"] != nil:
		return text(e["method"]) + " " + text(e["path"]) + " by " + text(e["caller"])
	}
	return e["changed"]
}

type logShowCmd struct {
	admin
	Tenant   string `arg:"" help:"Id of the tenant; leave it out, or write -, for an entry of the operator's log."`
	Entry    string `arg:"" optional:"" help:"Id of the entry."`
	Language string `placeholder:"LANGUAGE" help:"Language of the steps that help: en or de."`
}

// Run prints the fields of an entry, a line each, the body last.
func (c *logShowCmd) Run(s *session) error {
	tenant, entry := c.Tenant, c.Entry
	if entry == "" {
		tenant, entry = "", c.Tenant
	}
	p := query(logOf(tenant)+path(entry), "language", c.Language)
	return c.call(s, request{http.MethodGet, p, nil}, func(e object) {
		rows := [][]any{}
		for _, name := range []string{
			"time", "requestId", "tokenId", "caller", "idp", "operation", "method", "path", "number", "resourceType",
			"resourceId", "subject", "group", "added", "removed", "outcome", "status", "scimType", "detail",
			"durationMs", "changed", "eventSequences",
		} {
			if e[name] != nil {
				rows = append(rows, []any{name, e[name]})
			}
		}
		table(s.Out, rows)
		if e["body"] != nil {
			fmt.Fprintln(s.Out, text(e["body"]))
		}
		s.findings(e)
	})
}

// findings prints the findings of a diagnosis, each with its remedy.
func (s *session) findings(answer object) {
	for _, f := range objects(answer["findings"]) {
		fmt.Fprintf(s.Out, "%s: %s (%s)\n  %s\n  %s\n", text(f["severity"]), text(f["title"]), text(f["code"]),
			text(f["evidence"]), text(f["do"]))
	}
}

type logTailCmd struct {
	admin
	Tenant string `arg:"" optional:"" help:"Id of the tenant; without it, or with -: the operator's log."`
	logFilter
	Once bool `help:"Stop after the newest entry instead of waiting for more."`
}

// pollEvery is how often new entries are asked for.
const pollEvery = 2 * time.Second

// Run prints entries, the oldest first, with -json each as a line, until it is interrupted. It begins with those of the
// last hour.
func (c *logTailCmd) Run(s *session) error {
	since, last := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339), ""
	for {
		fresh, err := c.since(s, since, last)
		if err != nil && s.ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		for _, e := range slices.Backward(fresh) {
			last, since = text(e["id"]), text(e["time"])
			if c.JSON {
				if err := writeJSON(s.Out, e); err != nil {
					return err
				}
				continue
			}
			fmt.Fprintf(s.Out, "%s  %s  %s  %s  %s  %s\n", since, text(e["operation"]), text(e["outcome"]),
				text(e["status"]), text(orWord(e["subject"], "-")), text(entryDetail(e)))
		}
		if c.Once {
			return nil
		}
		select {
		case <-s.ctx.Done():
			return nil
		case <-time.After(pollEvery):
		}
	}
}

// since reads the entries from a time on that come after one, the newest first.
func (c *logTailCmd) since(s *session, from, last string) (fresh []object, err error) {
	for cursor := ""; ; {
		p := query(logOf(c.Tenant), "filter", c.expression(`time ge "`+from+`"`), "cursor", cursor)
		raw, err := c.send(s, request{http.MethodGet, p, nil})
		if err != nil {
			return nil, err
		}
		answer, err := c.read(raw)
		if err != nil {
			return nil, err
		}
		for _, e := range objects(answer["entries"]) {
			if text(e["id"]) <= last {
				return fresh, nil
			}
			fresh = append(fresh, e)
		}
		if cursor = text(answer["nextCursor"]); cursor == "" {
			return fresh, nil
		}
	}
}

type diagnosisCmd struct {
	ofTenant
	Language string `placeholder:"LANGUAGE" help:"Language of the texts: en or de."`
}

// Run prints the findings, each with its remedy at the identity provider.
func (c *diagnosisCmd) Run(s *session) error {
	p := query(path("tenants", c.Tenant, "diagnosis"), "language", c.Language)
	return c.call(s, request{http.MethodGet, p, nil}, func(answer object) {
		if len(objects(answer["findings"])) == 0 {
			fmt.Fprintln(s.Out, "Nothing is wrong, as far as requests and stored data show.")
		}
		s.findings(answer)
	})
}

type activityCmd struct {
	ofTenant
	Days string `placeholder:"N" help:"Number of days, 7 by default, 90 at most."`
}

// Run prints when requests came, and how many.
func (c *activityCmd) Run(s *session) error {
	p := query(path("tenants", c.Tenant, "activity"), "days", c.Days)
	return c.call(s, request{http.MethodGet, p, nil}, func(answer object) {
		fmt.Fprintf(s.Out, "first request %s, last %s, last good %s\n", text(orWord(answer["firstRequestAt"], "never")),
			text(orWord(answer["lastRequestAt"], "never")), text(orWord(answer["lastGoodRequestAt"], "never")))
		if members, ok := answer["members"].(object); ok {
			fmt.Fprintf(s.Out, "members: %s active, %s staged, %s inactive\n", text(members["active"]),
				text(members["staged"]), text(members["inactive"]))
		}
		rows := [][]any{{"DAY", "OPERATION", "OUTCOME", "REQUESTS"}}
		for _, day := range objects(answer["days"]) {
			for _, n := range objects(day["requests"]) {
				rows = append(rows, []any{day["day"], n["operation"], n["outcome"], n["count"]})
			}
		}
		table(s.Out, rows)
	})
}

type staleCmd struct{ ofTenant }

// Run lists the attributes that an identity provider may have left behind.
func (c *staleCmd) Run(s *session) error {
	return c.call(s, request{http.MethodGet, path("tenants", c.Tenant, "stale-attributes"), nil}, func(answer object) {
		rows := [][]any{{"USER", "ATTRIBUTE", "USER CHANGED", "REASON"}}
		for _, a := range objects(answer["attributes"]) {
			rows = append(rows, []any{a["userName"], a["attribute"], a["userChangedAt"], a["reason"]})
		}
		table(s.Out, rows)
	})
}
