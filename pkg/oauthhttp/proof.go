package oauthhttp

import (
	"encoding/base64"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/web"
)

const (
	// maxBody bounds a request body: an assertion and some parameters.
	maxBody = 16 << 10
	// maxBasic bounds the credentials of HTTP Basic.
	maxBasic = 1 << 10
	// jwtBearer is the one type of assertions (RFC 7523, section 2.2).
	jwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
)

// readForm reads the parameters of the body. One without a value counts as left out, one that comes twice is an
// error, unknown ones are ignored (RFC 6749, section 3.2). Parameters of the query are ignored: secrets must not be
// there.
func readForm(r *http.Request) (map[string]string, error) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/x-www-form-urlencoded" {
		return nil, badRequest("Send the parameters in the body, as application/x-www-form-urlencoded.")
	}
	text, err := web.ReadText(r, maxBody)
	switch {
	case errors.Is(err, web.ErrTooLarge):
		return nil, &problem{
			http.StatusRequestEntityTooLarge, "invalid_request", "The body must not be larger than 16 KiB.",
		}
	case err != nil:
		return nil, badRequest("The body could not be read.")
	}
	return parseForm(text)
}

func parseForm(body string) (map[string]string, error) {
	values, err := url.ParseQuery(body)
	if err != nil {
		return nil, badRequest("The body is not application/x-www-form-urlencoded.")
	}
	form := map[string]string{}
	for name, all := range values {
		if len(all) > 1 {
			return nil, badRequest("A parameter was sent more than once.")
		}
		form[name] = all[0]
	}
	return form, nil
}

// proofOf returns the client's credentials; more than one kind of them is an error.
func proofOf(authorization []string, form map[string]string) (tenant.ClientProof, error) {
	p := tenant.ClientProof{ID: form["client_id"], Secret: form["client_secret"], Assertion: form["client_assertion"]}
	ways := 0
	for _, given := range []bool{len(authorization) > 0, p.Secret != "", p.Assertion != ""} {
		if given {
			ways++
		}
	}
	switch {
	case ways > 1:
		return p, badRequest("Send the client's credentials in one way only.")
	case len(authorization) > 0:
		return basic(authorization, p.ID)
	case p.Assertion != "" && form["client_assertion_type"] != jwtBearer:
		return p, badRequest("The client_assertion_type must be " + jwtBearer + ".")
	case p.Secret != "" && p.ID == "":
		return p, badRequest("The parameter client_id is missing.")
	case ways == 0:
		return p, &problem{
			http.StatusUnauthorized, "invalid_client",
			"Send client_id and client_secret by HTTP Basic or in the body, or a client_assertion.",
		}
	}
	return p, nil
}

// basic reads the credentials of HTTP Basic (RFC 7617), whose parts are form-urlencoded (RFC 6749, section 2.3.1). id
// is the client_id of the body, which may be there too.
func basic(authorization []string, id string) (tenant.ClientProof, error) {
	wrong := &problem{
		http.StatusUnauthorized, "invalid_client",
		"The Authorization header must be Basic, with client id and secret.",
	}
	scheme, encoded, _ := strings.Cut(authorization[0], " ")
	encoded = strings.TrimSpace(encoded)
	if len(authorization) > 1 || !strings.EqualFold(scheme, "Basic") || len(encoded) > maxBasic {
		return tenant.ClientProof{}, wrong
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return tenant.ClientProof{}, wrong
	}
	user, password, found := strings.Cut(string(raw), ":")
	client, errID := url.QueryUnescape(user)
	secret, errSecret := url.QueryUnescape(password)
	if !found || errID != nil || errSecret != nil || client == "" || secret == "" {
		return tenant.ClientProof{}, wrong
	}
	if id != "" && id != client {
		return tenant.ClientProof{}, badRequest("The client_id in the body is not the one in the Authorization header.")
	}
	return tenant.ClientProof{ID: client, Secret: secret}, nil
}
