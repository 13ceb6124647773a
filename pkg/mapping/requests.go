package mapping

import (
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// ParseRequests compiles only the part of a policy document about requests, so that a program that answers identity
// providers links and does no more. The document must be one that Parse accepts for the same types; else the result
// is an error, whose faults have codes and no reasons.
func ParseRequests(document []byte, types *schema.Types) (*Requests, error) {
	c, n, err := begin(document, types)
	if err != nil {
		return nil, err
	}
	members := n.open("members", memberFields...)
	c.attributes(members)
	c.clearing(members)
	c.excludedUsers(members)
	c.requests(n.open("requests", requestFields...))
	if err := c.err(); err != nil {
		return nil, err
	}
	return &c.p.Requests, nil
}

// actions are the requests that a policy can forbid, by resource.
var actions = map[string][]string{
	"Users":  {"create", "update", "delete"},
	"Groups": {"create", "update", "delete"},
}

// Forbids reports whether the policy refuses a request: resource is "Users" or "Groups", action "create", "update" or
// "delete".
func (r *Requests) Forbids(resource, action string) bool {
	return slices.Contains(r.Forbid, resource+"."+action)
}

// Required returns an error if a write leaves a required attribute without a value: next is the user after the
// write, old the user before it, nil on creation. In an update, an attribute that had no value before is not
// checked. A write that deactivates the user is never refused, nor is one of an excluded user, who is no member.
// The error is a *scim.Error 400 invalidValue that names the attribute.
func (r *Requests) Required(old, next scim.Object) error {
	if next["active"] == false {
		return nil
	}
	for _, a := range r.Attributes {
		if !a.Required || a.path.has(next) || old != nil && !a.path.has(old) {
			continue
		}
		if r.excludeUsers != nil && r.excludeUsers.holds(next) {
			return nil
		}
		return scim.BadRequest(scim.InvalidValue,
			"The application requires a value of %s for each user. Map it in the identity provider, and set it there "+
				"for this user. The operator of the application can also make it optional.", scim.Quote(a.From))
	}
	return nil
}

// Addresses calls use with each value that a write sets in an attribute of Domains, and with the attribute's name,
// until use returns an error, which it returns. next is the user after the write, old the user before it, nil on
// creation. There is no call if an update leaves the user inactive, or if the user is excluded after the write. If
// a write ends either, use is called with all values of the user, because they may never have been checked.
func (r *Requests) Addresses(old, next scim.Object, use func(attribute, value string) error) (err error) {
	excluded := func(doc scim.Object) bool { return r.excludeUsers != nil && r.excludeUsers.holds(doc) }
	if len(r.domains) == 0 || old != nil && next["active"] == false || excluded(next) {
		return nil
	}
	if old != nil && (old["active"] == false || excluded(old)) {
		old = nil
	}
	for i, p := range r.domains {
		known := map[string]bool{}
		p.values(old, func(v any) bool { known[textOf(v)] = true; return true })
		p.values(next, func(v any) bool {
			if value := textOf(v); !known[value] {
				err = use(r.Domains[i], value)
			}
			return err == nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (p path) has(doc scim.Object) (found bool) {
	p.values(doc, func(any) bool { found = true; return false })
	return found
}

// excludedUsers reads who is no member, and returns the object that says so.
func (c *compiler) excludedUsers(n node) (exclude node) {
	exclude = n.open("exclude", "users", "groups")
	if v, at := exclude.get("users"); v != nil {
		c.p.excludeUsers = c.userCondition(v, at)
	}
	return exclude
}

func (c *compiler) clearing(n node) {
	c.p.ClearWhenAbsentInPut = n.texts("clearWhenAbsentInPut", maxListed)
	for i, name := range c.p.ClearWhenAbsentInPut {
		at := element(child(n.at, "clearWhenAbsentInPut"), i)
		p, fault := parsePath(c.qualified(name), c.user, false)
		switch {
		case fault != nil:
			c.found(at, fault)
		case p.element != nil || p.sub != nil:
			c.add(at, onlyWhole)
		case p.ref.Attr.Required || p.ref.Extension == nil && p.ref.Attr.Name == "active":
			c.add(at, notCleared, scim.Quote(name))
		case p.ref.Attr.Mutability == schema.ReadOnly || p.ref.Attr.Mutability == schema.Immutable:
			c.add(at, notPut, scim.Quote(name))
		}
	}
}

// qualified is the name of an attribute with the URN of its extension, which may be left out if no other attribute has
// the name.
func (c *compiler) qualified(name string) string {
	if ref, ok := c.user.Lookup(name, true); ok && ref.Extension != nil && ref.Attr != nil && ref.Sub == nil {
		return ref.Extension.ID + ":" + ref.Attr.Name
	}
	return name
}

func (c *compiler) requests(n node) {
	for i, s := range n.texts("forbid", maxListed) {
		resource, action, _ := strings.Cut(s, ".")
		known := actions[resource]
		switch {
		case action == "*" && known != nil:
		case slices.Contains(known, action):
			known = []string{action}
		default:
			c.add(element(child(n.at, "forbid"), i), notForbidden)
			continue
		}
		for _, a := range known {
			if !c.p.Forbids(resource, a) {
				c.p.Forbid = append(c.p.Forbid, resource+"."+a)
			}
		}
	}
	c.p.Domains = n.texts("domains", maxAttributes)
	for i, name := range c.p.Domains {
		c.p.domains = append(c.p.domains, c.path(name, element(child(n.at, "domains"), i), true))
	}
	if n.has("guard") {
		g := n.open("guard", "people", "percent", "minutes")
		if !g.has("people") && !g.has("percent") {
			c.add(g.at, needsPeople)
		}
		c.p.Guard = &Guard{
			People: g.number("people", 0, 1, maxGuardPeople), Percent: g.number("percent", 0, 1, 100),
			Minutes: g.number("minutes", 60, 1, maxGuardMinutes),
		}
	}
}
