package fakelambda

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/serverless-scim/serverless-scim/pkg/apigw"
)

// API is an HTTP API. It does not check who may call the admin API: that is IAM's.
type API struct {
	routes []route
}

// route is a route of the API; parts are the segments of its path.
type route struct {
	key, method string
	parts       []string
	function    *Function
}

// defaultRoute takes the requests that no other route takes.
const defaultRoute = "$default"

// NewAPI returns an API in front of functions, by their routes: "GET /Users/{id}", "ANY /Users/{proxy+}", or
// "$default".
func NewAPI(functions map[string]*Function) (*API, error) {
	a := &API{}
	for _, key := range slices.Sorted(maps.Keys(functions)) {
		r := route{key: key, function: functions[key]}
		if key != defaultRoute {
			method, path, found := strings.Cut(key, " ")
			if !found {
				return nil, fmt.Errorf("fakelambda: %q is no route", key)
			}
			r.method, r.parts = method, segments(path)
		}
		a.routes = append(a.routes, r)
	}
	return a, nil
}

// Handler returns the handler that serves the API.
func (a *API) Handler() http.Handler { return apigw.Gateway{Function: a.serve, Now: time.Now} }

// serve sends an event to the function of its route. As in AWS, a path with an encoded question mark is cut there,
// and only the path parameters hold the rest.
func (a *API) serve(ctx context.Context, ev events.APIGatewayV2HTTPRequest) (
	resp events.APIGatewayV2HTTPResponse, err error,
) {
	r, parameters := a.match(ev.RequestContext.HTTP.Method, ev.RawPath)
	if r == nil {
		return events.APIGatewayV2HTTPResponse{
			StatusCode: http.StatusNotFound, Headers: map[string]string{"Content-Type": "application/json"},
			Body: `{"message":"Not Found"}`,
		}, nil
	}
	ev.RawPath, _, _ = strings.Cut(ev.RawPath, "?")
	ev.RequestContext.HTTP.Path = ev.RawPath
	ev.RouteKey, ev.RequestContext.RouteKey, ev.PathParameters = r.key, r.key, parameters
	event, err := json.Marshal(ev)
	if err != nil {
		return resp, err
	}
	answer, err := r.function.Invoke(ctx, event)
	if err != nil {
		return resp, err
	}
	if err := json.Unmarshal(answer, &resp); err != nil {
		return resp, fmt.Errorf("fakelambda: answer of %s: %w", r.function.Name, err)
	}
	return resp, nil
}

// match finds the route of a path: the one with the most literal segments, a greedy one after all others, the default
// one last.
func (a *API) match(method, path string) (best *route, parameters map[string]string) {
	score := -1
	for i := range a.routes {
		r := &a.routes[i]
		p, s := r.match(method, segments(path))
		if s > score {
			best, parameters, score = r, p, s
		}
	}
	return best, parameters
}

// greedyPenalty puts greedy routes behind all others, and before the default one.
const greedyPenalty = 1000

// match returns the path parameters and how well the route fits; -1: not at all.
func (r *route) match(method string, path []string) (parameters map[string]string, score int) {
	if r.key == defaultRoute {
		return nil, 0
	}
	if r.method != "ANY" && r.method != method {
		return nil, -1
	}
	parameters, score = map[string]string{}, 2*greedyPenalty
	for i, part := range r.parts {
		name, variable := strings.CutPrefix(part, "{")
		switch {
		case i >= len(path) || path[i] == "":
			return nil, -1
		case variable && strings.HasSuffix(name, "+}"):
			parameters[strings.TrimSuffix(name, "+}")] = url.PathEscape(strings.Join(path[i:], "/"))
			return parameters, score - greedyPenalty
		case variable:
			parameters[strings.TrimSuffix(name, "}")] = path[i]
		case part != path[i]:
			return nil, -1
		default:
			score++
		}
	}
	if len(path) != len(r.parts) {
		return nil, -1
	}
	return parameters, score
}

func segments(path string) []string { return strings.Split(strings.TrimPrefix(path, "/"), "/") }
