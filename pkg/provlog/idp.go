package provlog

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// agents are parts of the User-Agent header of identity providers, in lower case.
var agents = []struct{ part, idp string }{
	{"okta", "okta"},
	{"onelogin", "onelogin"},
	{"google", "google"},
	{"pingone", "pingone"},
	{"pingfederate", "pingfederate"},
	{"pingidentity", "pingone"},
	{"jumpcloud", "jumpcloud"},
	{"authentik", "authentik"},
	{"keycloak", "keycloak"},
	{"cyberark", "cyberark"},
	{"idaptive", "cyberark"},
	{"rippling", "rippling"},
	{"sailpoint", "sailpoint"},
	{"microsoft", "entra"},
	{"azure", "entra"},
}

// The schemas that one client alone names.
const (
	entraGroupURN  = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
	googleCoreURN  = "urn:scim:schemas:core:1.0"
	entraFlagName  = "aadoptscim062020"
	entraOtherFlag = "azureadscimpatch2017"
)

// hasFlag reports whether a raw query has Entra's flag, in any spelling.
func hasFlag(query string) bool {
	return len(query) >= len(entraFlagName) && strings.Contains(strings.ToLower(query), entraFlagName)
}

// recognise says which identity provider sends such a request; "" if that does not show. Its User-Agent says it first.
// Else the form of the requests decides, if no other client is known to send it: Entra's flag, its URN of groups,
// operations in capitals, and the look for a random userName in a query that writes blanks as "+"; and Google's URN of
// SCIM 1.0.
func recognise(r *http.Request) string {
	if agent := strings.ToLower(r.UserAgent()); agent != "" {
		for _, a := range agents {
			if strings.Contains(agent, a.part) {
				return a.idp
			}
		}
	}
	switch {
	case hasFlag(r.URL.RawQuery), strings.Contains(strings.ToLower(r.URL.RawQuery), entraOtherFlag):
		return "entra"
	case strings.Contains(r.URL.RawQuery, "+eq+") && probes(r):
		return "entra"
	}
	return ""
}

// recogniseBody is recognise for a body, if nothing else of the request says it.
func recogniseBody(body scim.Object) string {
	schemas, _ := scim.Field(body, "schemas")
	list, _ := schemas.([]any)
	for _, v := range list {
		switch v {
		case entraGroupURN:
			return "entra"
		case googleCoreURN:
			return "google"
		}
	}
	ops, _ := scim.Field(body, "Operations")
	list, _ = ops.([]any)
	for _, v := range list {
		o, _ := v.(scim.Object)
		switch op, _ := o["op"].(string); op {
		case "Add", "Replace", "Remove":
			return "entra"
		}
	}
	return ""
}

// probes reports whether a request looks for one user by a random value, as the test of a connection does: the value is
// a UUID.
func probes(r *http.Request) bool {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || r.Method != http.MethodGet {
		return false
	}
	text := q.Get("filter")
	first := strings.IndexByte(text, '"')
	return first > 0 && len(text) == first+38 && text[first+37] == '"' && isUUID(text[first+1:first+37])
}

func isUUID(s string) bool {
	for i := range len(s) {
		c := s[i]
		dash := i == 8 || i == 13 || i == 18 || i == 23
		hex := '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
		if dash != (c == '-') || !dash && !hex {
			return false
		}
	}
	return len(s) == 36
}

// isTest reports whether a request is one that identity providers test a connection with: they look for nobody, or for
// the first users, or at the configuration.
func isTest(r *http.Request, endpoint, id string) bool {
	if r.Method != http.MethodGet || id != "" {
		return false
	}
	q := r.URL.Query()
	few := r.URL.RawQuery == "" || q.Get("count") == "1" || q.Get("count") == "2"
	return probes(r) || endpoint == "serviceproviderconfig" || endpoint == "users" && q.Get("filter") == "" && few
}
