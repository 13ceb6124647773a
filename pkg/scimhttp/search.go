package scimhttp

import (
	"context"
	"strconv"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// search answers POST on an endpoint's /.search, or on that of the root for all types (RFC 7644, section 3.4.3),
// like a GET with the same parameters in its query.
func (h *handler) search(ctx context.Context, rq *request) (answer, error) {
	msg, err := h.body(rq)
	if err != nil {
		return answer{}, err
	}
	// Some clients name the message that they expect back.
	if err := checkMessage(msg, scim.SearchRequestURN, scim.ListResponseURN); err != nil {
		return answer{}, err
	}
	p, err := searchParameters(msg)
	if err != nil {
		return answer{}, err
	}
	return h.page(ctx, rq, p, rq.types())
}

// types are the resource types that a query on the route is about: its own, or all if it has none.
func (rq *request) types() []*schema.ResourceType {
	if rq.route.rt != nil {
		return []*schema.ResourceType{rq.route.rt}
	}
	return rq.tenant.ResourceTypes().All()
}

// searchParameters turns a SearchRequest into the parameters that a query would have. Names may be in any case;
// unknown ones are ignored, as in a query.
func searchParameters(msg scim.Object) (parameters, error) {
	p := parameters{}
	for key, v := range msg {
		name := strings.ToLower(key)
		switch v := v.(type) {
		case nil:
		case string:
			p[name] = []string{v}
		case int64, float64:
			n, ok := scim.Whole(v)
			if !ok {
				return nil, unreadable(key)
			}
			p[name] = []string{strconv.FormatInt(n, 10)}
		case []any:
			for _, e := range v {
				s, ok := e.(string)
				if !ok {
					return nil, unreadable(key)
				}
				p[name] = append(p[name], s)
			}
		default:
			return nil, unreadable(key)
		}
	}
	return p, nil
}

func unreadable(key string) error {
	return scim.BadRequest(scim.InvalidSyntax,
		"The value of %s has the wrong type: attributes and excludedAttributes are arrays of strings, "+
			"startIndex and count whole numbers, the others strings.", scim.Quote(key))
}
