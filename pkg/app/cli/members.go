package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

type membersCmd struct {
	List membersListCmd `cmd:"" help:"List the members."`
	Get  membersGetCmd  `cmd:"" help:"Print a member."`
	Why  membersWhyCmd  `cmd:"" help:"Explain why a member has or lacks each target."`

	Invite     membersInviteCmd     `cmd:"" help:"Invite active members who were never invited."`
	Duplicates membersDuplicatesCmd `cmd:"" help:"List pairs of members who are probably one person."`
	Merge      membersMergeCmd      `cmd:"" help:"Merge two members who are one person."`
}

// query adds parameters that are not empty to a path.
func query(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// part are the flags of a list that comes in parts.
type part struct {
	Count  int    `placeholder:"N" help:"Entries to list, 100 by default, 1000 at most."`
	Cursor string `placeholder:"CURSOR" help:"Cursor that the page before printed: continue there."`
}

// next says how to go on with a list.
func (s *session) next(answer object) {
	if cursor := answer["nextCursor"]; cursor != nil {
		fmt.Fprintf(s.Out, "There are more: -cursor %s\n", strconv.Quote(text(cursor)))
	}
}

func (p part) count() string {
	if p.Count == 0 {
		return ""
	}
	return strconv.Itoa(p.Count)
}

type membersListCmd struct {
	ofTenant
	part
	search
	Filter string `placeholder:"FILTER" help:"SCIM filter, such as status eq \"active\"."`
}

// Run lists.
func (c *membersListCmd) Run(s *session) error {
	p := query(path("tenants", c.Tenant, "members"), "filter", c.Filter, "name", c.Name,
		"count", c.count(), "cursor", c.Cursor)
	return c.call(s, request{http.MethodGet, p, nil}, func(answer object) {
		rows := [][]any{{"MEMBER", "STATUS", "USERNAME", "ASSIGNMENTS"}}
		for _, m := range objects(answer["members"]) {
			var has []any
			for _, a := range objects(m["assignments"]) {
				has = append(has, target(a))
			}
			rows = append(rows, []any{m["id"], m["status"], m["userName"], has})
		}
		table(s.Out, rows)
		if n := answer["pending"]; n != nil {
			fmt.Fprintf(s.Out, "%v changes are not in this list yet.\n", n)
		}
		s.next(answer)
	})
}

// target is a target in one word: "role admin", "function AZ1NC9/Maschinist".
func target(o object) string {
	name := text(o["target"])
	if org := text(o["organisation"]); org != "" {
		name = org + "/" + name
	}
	return text(o["kind"]) + " " + name
}

// oneMember names a member.
type oneMember struct {
	Member string `arg:"" help:"Id of the member, which is the id of its SCIM user."`
}

type membersGetCmd struct {
	ofTenant
	oneMember
}

// Run prints.
func (c *membersGetCmd) Run(s *session) error {
	return c.call(s, request{http.MethodGet, path("tenants", c.Tenant, "members", c.Member), nil}, s.showDefinition)
}

type membersWhyCmd struct {
	ofTenant
	oneMember
}

// Run explains.
func (c *membersWhyCmd) Run(s *session) error {
	p := path("tenants", c.Tenant, "members", c.Member, "why")
	return c.call(s, request{http.MethodGet, p, nil}, func(why object) {
		status, _ := why["status"].(object)
		fmt.Fprintf(s.Out, "%s: %s\n", text(status["is"]), text(status["because"]))
		for _, a := range objects(why["assignments"]) {
			var because []string
			for _, b := range objects(a["because"]) {
				group, _ := b["group"].(object)
				because = append(because, strings.TrimSpace("rule "+text(b["rule"])+" "+quoted(group["displayName"])))
			}
			if a["origin"] == "manual" || a["manual"] == true {
				because = append(because, "given manually")
			}
			fmt.Fprintf(s.Out, "+ %s: %s\n", target(a), strings.Join(because, ", "))
		}
		for _, m := range objects(why["missing"]) {
			fmt.Fprintf(s.Out, "- %s: %s: %s\n", target(m), text(m["reason"]), text(m["detail"]))
		}
	})
}

// quoted is the name of a group; nothing if there is none.
func quoted(name any) string {
	if name == nil {
		return ""
	}
	return "by group " + strconv.Quote(text(name))
}

type targetsCmd struct {
	List   targetsListCmd   `cmd:"" help:"List the targets that exist: roles, teams, organisations and others."`
	Put    targetsPutCmd    `cmd:"" help:"Create or replace a target."`
	Delete targetsDeleteCmd `cmd:"" help:"Delete a target that no rule gives."`
}

type targetsListCmd struct {
	ofTenant
	part
	search
	Kind string `placeholder:"KIND" help:"Targets of one kind; all by default."`
}

// Run lists.
func (c *targetsListCmd) Run(s *session) error {
	p := query(path("tenants", c.Tenant, "targets"), "kind", c.Kind, "name", c.Name,
		"count", c.count(), "cursor", c.Cursor)
	return c.call(s, request{http.MethodGet, p, nil}, func(answer object) {
		rows := [][]any{{"KIND", "ORGANISATION", "TARGET", "NAME", "FEATURES"}}
		for _, o := range objects(answer["targets"]) {
			rows = append(rows, []any{
				o["kind"], orWord(o["organisation"], "-"), o["target"], orWord(o["displayName"], "-"), o["features"],
			})
		}
		table(s.Out, rows)
		s.next(answer)
	})
}

// oneTarget names a target.
type oneTarget struct {
	Kind         string `arg:"" help:"Kind of the policy, such as role."`
	Target       string `arg:"" help:"Name of the target."`
	Organisation string `placeholder:"ORGANISATION" help:"Organisation, if the kind is given inside one."`
}

func (o oneTarget) path(tenant string) string {
	return query(path("tenants", tenant, "targets", o.Kind, o.Target), "organisation", o.Organisation)
}

type targetsPutCmd struct {
	ofTenant
	oneTarget
	Name     string   `placeholder:"NAME" help:"Display name."`
	Features []string `placeholder:"FEATURE" help:"Features of the target that rules may require, with commas."`
}

// Run puts.
func (c *targetsPutCmd) Run(s *session) error {
	body := object{}
	if c.Name != "" {
		body["displayName"] = c.Name
	}
	if len(c.Features) > 0 {
		body["features"] = c.Features
	}
	return c.call(s, request{http.MethodPut, c.path(c.Tenant), body}, s.showDefinition)
}

type targetsDeleteCmd struct {
	ofTenant
	oneTarget
}

// Run deletes.
func (c *targetsDeleteCmd) Run(s *session) error {
	return c.call(s, request{http.MethodDelete, c.path(c.Tenant), nil}, func(object) {
		fmt.Fprintf(s.Out, "%s %s is deleted.\n", c.Kind, c.Target)
	})
}

type policyCmd struct {
	Get      policyGetCmd      `cmd:"" help:"Print the policy."`
	Put      policyPutCmd      `cmd:"" help:"Replace the policy."`
	Rehearse policyRehearseCmd `cmd:"" help:"Show the changes that a policy would make, without saving it."`
}

type policyGetCmd struct{ ofTenant }

// Run prints.
func (c *policyGetCmd) Run(s *session) error {
	return c.call(s, request{http.MethodGet, path("tenants", c.Tenant, "policy"), nil}, s.showDefinition)
}

// policyFile is a file with a policy.
type policyFile struct {
	File string `arg:"" help:"File with the policy; - reads standard input."`
}

type policyPutCmd struct {
	ofTenant
	policyFile
}

// Run puts.
func (c *policyPutCmd) Run(s *session) error {
	body, err := s.document(c.File)
	if err != nil {
		return err
	}
	return c.call(s, request{http.MethodPut, path("tenants", c.Tenant, "policy"), body}, func(answer object) {
		fmt.Fprintln(s.Out, "The policy is saved.")
		s.warnings(answer)
	})
}

func (s *session) warnings(answer object) {
	for _, w := range objects(answer["warnings"]) {
		fmt.Fprintf(s.Out, "Warning: %s: %s\n", text(w["pointer"]), text(w["reason"]))
	}
}

type policyRehearseCmd struct {
	ofTenant
	policyFile
}

// Run rehearses page by page: with -json each page is a line.
func (c *policyRehearseCmd) Run(s *session) error {
	body, err := s.document(c.File)
	if err != nil {
		return err
	}
	examined, changed := 0, 0
	var short []object // as the last page has them, which counts all before it
	for cursor := ""; ; {
		next := ""
		p := query(path("tenants", c.Tenant, "policy", "rehearse"), "cursor", cursor)
		raw, err := c.send(s, request{http.MethodPost, p, body})
		if err != nil {
			return err
		}
		answer, err := c.read(raw)
		if err != nil {
			return err
		}
		next = text(answer["next"])
		if n, ok := answer["examined"].(float64); ok {
			examined += int(n)
		}
		if c.JSON {
			fmt.Fprintf(s.Out, "%s\n", strings.TrimSpace(string(raw)))
		} else {
			if cursor == "" {
				s.warnings(answer)
			}
			changed += s.difference(answer)
			short = objects(answer["shortages"])
			if s.Draws && next != "" {
				fmt.Fprintf(s.Err, "People examined: %d\n", examined)
			}
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	for _, o := range short {
		fmt.Fprintf(s.Out, "! %s: %s missing, %s of %s in use\n",
			target(o), text(o["missing"]), text(o["used"]), text(o["size"]))
	}
	if !c.JSON {
		fmt.Fprintf(s.Out, "People: %d, changes: %d.\n", examined, changed)
	}
	return nil
}

// difference prints the changes in a page of a policy rehearsal, a line each, and returns their number.
func (s *session) difference(answer object) (n int) {
	for _, d := range objects(answer["statuses"]) {
		fmt.Fprintf(s.Out, "~ %s: %s -> %s\n", text(d["member"]), text(orWord(d["from"], "new")), text(d["to"]))
		n++
	}
	for _, kind := range [][2]string{{"gains", "+"}, {"losses", "-"}, {"manualRemovals", "- (manual)"}} {
		for _, d := range objects(answer[kind[0]]) {
			fmt.Fprintf(s.Out, "%s %s: %s\n", kind[1], text(d["member"]), target(d))
			n++
		}
	}
	return n
}

type eventsCmd struct {
	Tail eventsTailCmd `cmd:"" help:"Print the events of a tenant, and wait for more."`
}

type eventsTailCmd struct {
	ofTenant
	After string `placeholder:"EVENT" help:"Start after this event; at the oldest stored event by default."`
	Once  bool   `help:"Stop after the last event instead of waiting for more."`
}

// Run prints events, with -json each as a line, until it is interrupted.
func (c *eventsTailCmd) Run(s *session) error {
	wait := "2"
	if c.Once {
		wait = ""
	}
	for after := c.After; s.ctx.Err() == nil; {
		p := query(path("tenants", c.Tenant, "events"), "after", after, "count", "100", "wait", wait)
		raw, err := c.send(s, request{http.MethodGet, p, nil})
		if err != nil && s.ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		var page struct{ Events []json.RawMessage }
		if err := json.Unmarshal(raw, &page); err != nil {
			return fmt.Errorf("the response is not JSON: is %s the URL of the server?", c.URL)
		}
		for _, event := range page.Events {
			var o object
			if err := json.Unmarshal(event, &o); err != nil {
				return err
			}
			after = text(o["id"])
			if c.JSON {
				fmt.Fprintf(s.Out, "%s\n", event)
				continue
			}
			fmt.Fprintf(s.Out, "%s  %s  %s  %s\n", after, text(o["time"]), text(o["type"]), text(o["subject"]))
		}
		if c.Once && len(page.Events) == 0 {
			return nil
		}
	}
	return nil
}
