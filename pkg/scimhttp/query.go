package scimhttp

import (
	"math"
	"net/url"
	"strconv"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// Sizes of a page (RFC 7644, section 3.4.2.4).
const (
	defaultCount = 100
	// maxResults is the largest page, as ServiceProviderConfig says.
	maxResults = 1000
)

// maxInteger is the largest integer that JSON carries safely; a larger startIndex means this one.
const maxInteger = 1<<53 - 1

// parameters are the query parameters of a request by name in lower case.
type parameters map[string][]string

// parseQuery decodes a query. Keys may be in any case. A semicolon is an ordinary character, as in RFC 3986.
func parseQuery(raw string) (parameters, error) {
	p := parameters{}
	for part := range strings.SplitSeq(raw, "&") {
		key, value, _ := strings.Cut(part, "=")
		key, errKey := url.QueryUnescape(key)
		value, errValue := unescaper(value)(value)
		if errKey != nil || errValue != nil {
			return nil, scim.BadRequest(scim.InvalidSyntax,
				"The query is not properly percent-encoded: write a %% in a value as %%25.")
		}
		key = strings.ToLower(key)
		p[key] = append(p[key], value)
	}
	return p, nil
}

// unescaper returns the decoding for the value of a parameter. A client that writes a blank as `%20` encodes as RFC
// 3986 does, so `+` is a plus: "jane+test@example.com"; the same if the value is encoded twice. In any other value
// `+` is a blank, as forms are encoded. Each parameter is decoded by itself: a client may encode them with
// different code.
func unescaper(raw string) func(string) (string, error) {
	if strings.Contains(raw, "%20") || strings.Contains(raw, "%2520") {
		return url.PathUnescape
	}
	return url.QueryUnescape
}

// one returns the value of a parameter that has one value; empty if it was not sent.
func (p parameters) one(key string) (string, error) {
	var value string
	for i, v := range p[strings.ToLower(key)] {
		if i > 0 && v != value {
			return "", scim.BadRequest(scim.InvalidValue,
				"The query parameter %s was sent twice with different values.", key)
		}
		value = v
	}
	return value, nil
}

// names returns the names of a comma-separated list.
func (p parameters) names(key string) []string {
	var names []string
	for _, v := range p[strings.ToLower(key)] {
		for name := range strings.SplitSeq(v, ",") {
			if name = strings.TrimSpace(name); name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

// integer returns the value of a whole-number parameter; absent if it was not sent or is empty. For a number out of
// range it returns the nearest one in range.
func (p parameters) integer(key string, absent int) (int, error) {
	s, err := p.one(key)
	if err != nil {
		return 0, err
	}
	if s = strings.TrimSpace(s); s == "" {
		return absent, nil
	}
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, scim.BadRequest(scim.InvalidValue, "The query parameter %s must be a whole number.", key)
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil { // out of range
		n = math.MaxInt64
		if digits != s {
			n = math.MinInt64
		}
	}
	return int(min(max(n, -maxInteger), maxInteger)), nil
}

// selection is the projection that attributes and excludedAttributes ask for (RFC 7644, section 3.9); nil if they
// ask for none.
func (p parameters) selection(rt *schema.ResourceType) (*schema.Projection, error) {
	attributes, excluded := p.names("attributes"), p.names("excludedAttributes")
	if len(attributes) == 0 && len(excluded) == 0 {
		return nil, nil
	}
	return rt.Projection(attributes, excluded)
}

// listQuery is the query of a list of resources of some types (RFC 7644, section 3.4.2, and RFC 9865, section 2).
func (p parameters) listQuery(t directory.Tenant, types []*schema.ResourceType) (q directory.ListQuery, err error) {
	q.MaxBytes = maxAnswer
	if err = p.paging(&q); err != nil {
		return q, err
	}
	if err = p.sorting(&q); err != nil {
		return q, err
	}
	q.Selections = map[string]*schema.Projection{}
	for _, rt := range types {
		if q.Selections[rt.ID], err = p.selection(rt); err != nil {
			return q, err
		}
	}
	expression, err := p.one("filter")
	if err != nil || strings.TrimSpace(expression) == "" {
		return q, err
	}
	q.Filter, err = filter.Parse(decodedOnce(expression), t.Dialect)
	return q, err
}

// paging reads the requested page. A parameter cursor, also an empty one, asks for cursor paging; startIndex is
// ignored then.
func (p parameters) paging(q *directory.ListQuery) (err error) {
	if _, q.HasCursor = p["cursor"]; q.HasCursor {
		if q.Cursor, err = p.one("cursor"); err != nil {
			return err
		}
	}
	if q.Count, err = p.integer("count", defaultCount); err != nil {
		if q.HasCursor {
			return scim.BadRequest(scim.InvalidCount, "The query parameter count must be a whole number from 0 to %d.",
				maxResults)
		}
		return err
	}
	q.StartIndex = 1
	if !q.HasCursor {
		if q.StartIndex, err = p.integer("startIndex", 1); err != nil {
			return err
		}
	}
	q.StartIndex, q.Count = max(q.StartIndex, 1), min(max(q.Count, 0), maxResults)
	return nil
}

// sorting reads the requested order (RFC 7644, section 3.4.2.3).
func (p parameters) sorting(q *directory.ListQuery) (err error) {
	if q.SortBy, err = p.one("sortBy"); err != nil {
		return err
	}
	direction, err := p.one("sortOrder")
	if err != nil {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(direction)) {
	case "", "ascending":
	case "descending":
		q.Descending = true
	default:
		return scim.BadRequest(scim.InvalidValue, "The query parameter sortOrder must be ascending or descending.")
	}
	return nil
}

// decodedOnce undoes the second encoding of a filter that was encoded twice, as Entra's validator does. Every valid
// filter has a space, so a filter without one must be encoded twice.
func decodedOnce(expression string) string {
	if strings.ContainsRune(expression, ' ') {
		return expression
	}
	again, err := unescaper(expression)(expression)
	if err != nil {
		return expression
	}
	return again
}
