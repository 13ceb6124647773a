package local_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

const (
	host    = "http://localhost"
	jwtType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
)

// oauth is a server with the tenants acme and other, and a clock that moves.
type oauth struct {
	t   *testing.T
	h   http.Handler
	now atomic.Int64
	log *lines
}

// lines is a log that several goroutines write.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newOAuth(t *testing.T) *oauth {
	t.Helper()
	o := &oauth{t: t, log: &lines{}}
	o.now.Store(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC).Unix())
	s, err := local.Open(t.Context(), local.Options{
		Engine: "bolt", Data: boltstore.Memory, Log: o.log, Out: io.Discard,
		Now: func() time.Time { return time.Unix(o.now.Load(), 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	o.h = s.Handler()
	for _, id := range []string{"acme", "other"} {
		o.admin(201, "POST", "/tenants", fmt.Sprintf(`{"id":%q,"name":"x"}`, id))
	}
	return o
}

func (o *oauth) pass(d time.Duration) { o.now.Add(int64(d / time.Second)) }

func (o *oauth) serve(r *http.Request) *httptest.ResponseRecorder {
	r.RemoteAddr = "127.0.0.1:1234"
	w := httptest.NewRecorder()
	o.h.ServeHTTP(w, r)
	return w
}

func (o *oauth) admin(status int, method, path, body string) object {
	o.t.Helper()
	r := httptest.NewRequest(method, host+"/admin/v1"+path, strings.NewReader(body))
	w := o.serve(r)
	if w.Code != status {
		o.t.Fatalf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, status)
	}
	var out object
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			o.t.Fatal(err)
		}
	}
	return out
}

// form is a token request's body.
func form(pairs ...string) url.Values {
	v := url.Values{"grant_type": {"client_credentials"}}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// request asks for a token; with a client id and secret by HTTP Basic.
func (o *oauth) request(tenant string, body url.Values, basic ...string) (*httptest.ResponseRecorder, object) {
	o.t.Helper()
	r := httptest.NewRequest("POST", host+"/oauth2/"+tenant+"/token", strings.NewReader(body.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if len(basic) == 2 {
		r.SetBasicAuth(url.QueryEscape(basic[0]), url.QueryEscape(basic[1]))
	}
	w := o.serve(r)
	var out object
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		o.t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Content-Type") != "application/json" {
		o.t.Errorf("headers %v", w.Header())
	}
	if w.Code == 401 && !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Basic ") {
		o.t.Errorf("401 with %v", w.Header())
	}
	return w, out
}

// granted asks for a token that has to be granted.
func (o *oauth) granted(tenant string, body url.Values, basic ...string) string {
	o.t.Helper()
	w, out := o.request(tenant, body, basic...)
	value, _ := out["access_token"].(string)
	if w.Code != 200 || out["token_type"] != "Bearer" || value == "" || out["expires_in"].(float64) <= 0 {
		o.t.Fatalf("%d %v", w.Code, out)
	}
	return value
}

// refusedAs asks for a token that must not be granted.
func (o *oauth) refusedAs(status int, code, tenant string, body url.Values, basic ...string) string {
	o.t.Helper()
	w, out := o.request(tenant, body, basic...)
	if w.Code != status || out["error"] != code {
		o.t.Errorf("%d %v, want %d %s", w.Code, out, status, code)
	}
	detail, _ := out["error_description"].(string)
	return detail
}

// scim sends a SCIM request and returns status and detail.
func (o *oauth) scim(tenant, method, path, authorization string) (int, string) {
	o.t.Helper()
	body := ""
	if method == "POST" {
		body = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada"}`
	}
	r := httptest.NewRequest(method, host+"/scim/v2/"+tenant+path, strings.NewReader(body))
	r.Header.Set("Authorization", authorization)
	w := o.serve(r)
	var out object
	_ = json.Unmarshal(w.Body.Bytes(), &out)
	detail, _ := out["detail"].(string)
	if w.Code == 401 && w.Header().Get("WWW-Authenticate") != `Bearer realm="SCIM"` {
		o.t.Errorf("401 with %v", w.Header())
	}
	return w.Code, detail
}

func (o *oauth) want(status int, tenant, authorization string) string {
	o.t.Helper()
	got, detail := o.scim(tenant, "GET", "/Users", authorization)
	if got != status {
		o.t.Errorf("GET /Users of %s: %d %s, want %d", tenant, got, detail, status)
	}
	return detail
}

func TestClientSecret(t *testing.T) {
	o := newOAuth(t)
	made := o.admin(201, "POST", "/tenants/acme/clients", `{"name":"Ping"}`)
	id, secret := made["id"].(string), made["secret"].(string)
	if made["tokenUrl"] != host+"/oauth2/acme/token" {
		t.Errorf("%v", made)
	}
	basic := o.granted("acme", form(), id, secret)
	post := o.granted("acme", form("client_id", id, "client_secret", secret, "unknown", "x", "unused", ""))
	both := o.granted("acme", form("client_id", id), id, secret)
	for _, token := range []string{basic, post, both} {
		o.want(200, "acme", "Bearer "+token)
		o.want(200, "acme", "bearer   "+token)
		o.want(200, "acme", token)
	}
	if status, detail := o.scim("acme", "POST", "/Users", basic); status != 201 {
		t.Errorf("create: %d %s", status, detail)
	}
	listed := o.admin(200, "GET", "/tenants/acme/clients", "")["clients"].([]any)
	if len(listed) != 1 || listed[0].(object)["name"] != "Ping" || listed[0].(object)["lastUsedAt"] == nil ||
		listed[0].(object)["secret"] != nil {
		t.Errorf("%v", listed)
	}
	one := o.admin(200, "GET", "/tenants/acme/clients/"+id, "")
	if one["id"] != id || len(one["secrets"].([]any)) != 1 {
		t.Errorf("%v", one)
	}
	// A secret is no bearer token, an access token no secret.
	o.want(401, "acme", "Bearer "+secret)
	o.refusedAs(401, "invalid_client", "acme", form(), id, basic)

	o.pass(time.Hour - time.Second)
	o.want(200, "acme", basic)
	o.pass(time.Second)
	if detail := o.want(401, "acme", basic); !strings.Contains(detail, "expired on 2026-11-22T13:00:00Z") {
		t.Errorf("detail %q", detail)
	}
	again := o.granted("acme", form(), id, secret)
	o.want(200, "acme", again)
	o.admin(204, "DELETE", "/tenants/acme/clients/"+id, "")
	o.want(401, "acme", again)
	o.refusedAs(401, "invalid_client", "acme", form(), id, secret)
	o.admin(404, "DELETE", "/tenants/acme/clients/"+id, "")
	o.admin(404, "GET", "/tenants/acme/clients/"+id, "")
	if log := o.log.String(); strings.Contains(log, secret) || strings.Contains(log, again) ||
		!strings.Contains(log, "client="+id) {
		t.Error("the log has a secret, or no refused client")
	}
}

func TestTokenErrors(t *testing.T) {
	o := newOAuth(t)
	made := o.admin(201, "POST", "/tenants/acme/clients", `{"scopes":["read"]}`)
	id, secret := made["id"].(string), made["secret"].(string)
	foreign := o.admin(201, "POST", "/tenants/other/clients", "")
	wrong := foreign["secret"].(string)
	details := map[string]bool{}
	for _, c := range [][3]string{
		{"acme", id, wrong},
		{"acme", foreign["id"].(string), wrong},
		{"acme", "tc0000000000000000", secret},
		{"other", id, secret},
		{"missing", id, secret},
		{"ACME", id, secret},
		{"acme", id, "x"},
		{"acme", "x", secret},
		{"acme", "oc0000000000000000", secret},
	} {
		details[o.refusedAs(401, "invalid_client", c[0], form(), c[1], c[2])] = true
	}
	if len(details) != 1 {
		t.Errorf("one can tell: %v", details)
	}
	o.refusedAs(401, "invalid_client", "acme", form())
	o.refusedAs(400, "invalid_request", "acme", form("client_secret", secret))
	o.refusedAs(400, "invalid_request", "acme", form("client_id", id, "client_secret", secret), id, secret)
	o.refusedAs(400, "invalid_request", "acme", form("client_id", "another"), id, secret)
	o.refusedAs(400, "invalid_request", "acme", form("client_id", id, "client_assertion", "x"))
	o.refusedAs(401, "invalid_client", "acme", form("client_assertion", "x", "client_assertion_type", jwtType))
	o.refusedAs(400, "unsupported_grant_type", "acme", form("grant_type", "password"), id, secret)
	o.refusedAs(400, "invalid_request", "acme", form("grant_type", ""), id, secret)
	o.refusedAs(400, "invalid_scope", "acme", form("scope", "write"), id, secret)
	o.refusedAs(400, "invalid_scope", "acme", form("scope", "read scim"), id, secret)
	twice := form()
	twice.Add("scope", "read")
	twice.Add("scope", "read")
	o.refusedAs(400, "invalid_request", "acme", twice, id, secret)

	token := o.granted("acme", form("scope", " read read "), id, secret)
	o.want(200, "acme", token)
	if status, _ := o.scim("acme", "POST", "/Users", token); status != 403 {
		t.Errorf("a token that may read writes: %d", status)
	}
	o.admin(200, "PATCH", "/tenants/acme", `{"active":false}`)
	if detail := o.want(403, "acme", token); !strings.Contains(detail, "switched off") {
		t.Errorf("detail %q", detail)
	}
	for name, c := range map[string]struct {
		method, path, mediaType, body string
		status                        int
	}{
		"GET":     {"GET", "/oauth2/acme/token", "", "", 405},
		"path":    {"POST", "/oauth2/acme/authorize", "", "", 404},
		"root":    {"POST", "/oauth2/", "", "", 404},
		"JSON":    {"POST", "/oauth2/acme/token", "application/json", "{}", 400},
		"no type": {"POST", "/oauth2/acme/token", "", form().Encode(), 400},
		"no form": {"POST", "/oauth2/acme/token", "application/x-www-form-urlencoded", "%zz", 400},
		"too large": {
			"POST", "/oauth2/acme/token", "application/x-www-form-urlencoded",
			"scope=" + strings.Repeat("x", 17<<10), 413,
		},
		"in the query": {
			"POST", "/oauth2/acme/token?grant_type=client_credentials&client_id=" + id + "&client_secret=" + secret,
			"application/x-www-form-urlencoded", "", 401,
		},
	} {
		r := httptest.NewRequest(c.method, host+c.path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.mediaType)
		w := o.serve(r)
		var out object
		err := json.Unmarshal(w.Body.Bytes(), &out)
		if err != nil || w.Code != c.status || out["error"] == nil ||
			w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v, want %d", name, w.Code, out, c.status)
		}
	}
}

func TestAccessTokensAreATenantsOwn(t *testing.T) {
	o := newOAuth(t)
	made := o.admin(201, "POST", "/tenants/acme/clients", "")
	id, secret := made["id"].(string), made["secret"].(string)
	token := o.granted("acme", form(), id, secret)
	plain, _ := o.scim("other", "GET", "/Users", "Bearer x")
	status, detail := o.scim("other", "GET", "/Users", token)
	_, none := o.scim("missing", "GET", "/Users", token)
	_, without := o.scim("other", "GET", "/Users", "")
	if status != 401 || plain != 401 || detail != none || detail != without {
		t.Errorf("%d %q %q %q", status, detail, none, without)
	}
	// Nothing of a token can be changed: not its scopes, its end, its client.
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token, "scim_at_"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		changed := append([]byte{}, raw...)
		changed[i] ^= 1
		if status, got := o.scim("acme", "GET", "/Users", "scim_at_"+base64.RawURLEncoding.EncodeToString(
			changed)); status != 401 || got != detail {
			t.Fatalf("byte %d changed: %d %s", i, status, got)
		}
	}
	o.want(401, "acme", token+"A")
	o.want(401, "acme", token[:len(token)-1])
	o.want(200, "acme", token)
	// A new tenant of the same id does not know it.
	o.admin(202, "DELETE", "/tenants/acme", "")
	o.want(401, "acme", token)
	o.refusedAs(401, "invalid_client", "acme", form(), id, secret)
}

func TestSecretsOverlap(t *testing.T) {
	o := newOAuth(t)
	made := o.admin(201, "POST", "/tenants/acme/clients", `{"expiresAt":"2026-11-22T12:30:00Z"}`)
	id, first := made["id"].(string), made["secret"].(string)
	w, out := o.request("acme", form(), id, first)
	if w.Code != 200 || out["expires_in"] != 1800.0 {
		t.Fatalf("an access token lives longer than the secret: %v", out)
	}
	old := out["access_token"].(string)
	second := o.admin(200, "POST", "/tenants/acme/clients/"+id, "")["secret"].(string)
	o.admin(409, "POST", "/tenants/acme/clients/"+id, "")
	o.granted("acme", form(), id, first)
	fresh := o.granted("acme", form(), id, second)
	o.pass(30 * time.Minute)
	o.want(401, "acme", old)
	o.want(200, "acme", fresh)
	if detail := o.refusedAs(401, "invalid_client", "acme", form(), id, first); !strings.Contains(
		detail, "expired on 2026-11-22T12:30:00Z") {
		t.Errorf("detail %q", detail)
	}
	third := o.admin(200, "POST", "/tenants/acme/clients/"+id, "")
	secrets := third["secrets"].([]any)
	if len(secrets) != 2 {
		t.Fatalf("%v", third)
	}
	o.admin(204, "DELETE", "/tenants/acme/clients/"+id+"/secrets/"+secrets[0].(object)["id"].(string), "")
	o.want(401, "acme", fresh)
	o.refusedAs(401, "invalid_client", "acme", form(), id, second)
	o.granted("acme", form(), id, third["secret"].(string))

	o.admin(201, "POST", "/tenants/acme/clients", "")
	o.admin(201, "POST", "/tenants/acme/clients", "")
	o.admin(409, "POST", "/tenants/acme/clients", "")
	for _, bad := range []string{
		`{"expiresAt":null}`, `{"expiresAt":"2026-01-01T00:00:00Z"}`, `{"expiresAt":"tomorrow"}`, `{"scopes":[]}`,
		`{"scopes":["admin"]}`,
		`{"name":"` + strings.Repeat("x", 65) + `"}`, `{"jwks":[]}`, `{"jwks":{}}`,
		`{"jwks":{"keys":[{"kty":"oct","k":"AA"}]}}`, `{"id":"x"}`,
		`{"jwks":{"keys":[{"kty":"RSA","e":"AQAB","n":"` + strings.Repeat("_", 341) + `w"}]}}`, // 2^2048 - 1, which 3 divides
	} {
		o.admin(400, "POST", "/tenants/other/clients", bad)
	}
	o.admin(400, "POST", "/tenants/acme/clients/"+id, `{"name":"x"}`)
	o.admin(404, "POST", "/tenants/other/clients/"+id, "")
	o.admin(404, "GET", "/tenants/missing/clients", "")
}

// signer signs assertions with ES256.
type signer struct {
	key *ecdsa.PrivateKey
	jwk string
}

func newSigner(t *testing.T, kid string) signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	b := base64.RawURLEncoding.EncodeToString
	return signer{key, fmt.Sprintf(`{"kty":"EC","crv":"P-256","kid":%q,"x":%q,"y":%q}`, kid, b(point[1:33]),
		b(point[33:]))}
}

func (s signer) assertion(t *testing.T, client, tenant, jti string, exp int64) url.Values {
	t.Helper()
	return s.assertionTo(t, host+"/oauth2/"+tenant+"/token", client, jti, exp)
}

// assertionTo is an assertion for an audience.
func (s signer) assertionTo(t *testing.T, audience, client, jti string, exp int64) url.Values {
	t.Helper()
	b := base64.RawURLEncoding.EncodeToString
	signed := b([]byte(`{"alg":"ES256"}`)) + "." + b(fmt.Appendf(nil, `{"iss":%q,"sub":%q,"aud":%q,"jti":%q,"exp":%d}`,
		client, client, audience, jti, exp))
	sum := sha256.Sum256([]byte(signed))
	x, y, err := ecdsa.Sign(rand.Reader, s.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := append(x.FillBytes(make([]byte, 32)), y.FillBytes(make([]byte, 32))...)
	return form("client_assertion_type", jwtType, "client_assertion", signed+"."+b(signature))
}

func TestPrivateKeyJWT(t *testing.T) {
	o := newOAuth(t)
	first, second := newSigner(t, "1"), newSigner(t, "2")
	made := o.admin(201, "POST", "/tenants/acme/clients", `{"jwks":{"keys":[`+first.jwk+`]}}`)
	id := made["id"].(string)
	if made["secret"] != nil || made["keys"].([]any)[0].(object)["alg"] != "ES256" {
		t.Errorf("%v", made)
	}
	exp := o.now.Load() + 60
	once := first.assertion(t, id, "acme", "a", exp)
	token := o.granted("acme", once)
	o.want(200, "acme", token)
	if detail := o.refusedAs(401, "invalid_client", "acme", once); !strings.Contains(detail, "used before") {
		t.Errorf("replayed: %q", detail)
	}
	o.granted("acme", first.assertion(t, id, "acme", "b", exp))
	detail := o.refusedAs(401, "invalid_client", "acme", first.assertion(t, id, "other", "c", exp))
	if !strings.Contains(detail, "aud") {
		t.Errorf("for another endpoint: %q", detail)
	}
	o.refusedAs(401, "invalid_client", "other", first.assertion(t, id, "other", "c", exp))
	o.refusedAs(401, "invalid_client", "acme", first.assertion(t, id, "acme", "d", exp+600))
	o.refusedAs(401, "invalid_client", "acme", second.assertion(t, id, "acme", "e", exp))
	withID := first.assertion(t, id, "acme", "f", exp)
	withID.Set("client_id", "tc0000000000000000")
	o.refusedAs(401, "invalid_client", "acme", withID)
	withID.Set("client_id", id)
	o.granted("acme", withID)

	// Adding a key leaves granted tokens valid; removing a key ends the tokens that it signed.
	o.admin(409, "POST", "/tenants/acme/clients/"+id, "")
	o.admin(200, "POST", "/tenants/acme/clients/"+id, `{"jwks":{"keys":[`+first.jwk+","+second.jwk+`]}}`)
	o.want(200, "acme", token)
	other := o.granted("acme", second.assertion(t, id, "acme", "g", exp))
	o.admin(200, "POST", "/tenants/acme/clients/"+id, `{"jwks":{"keys":[`+second.jwk+`]}}`)
	o.want(401, "acme", token)
	o.want(200, "acme", other)
	o.refusedAs(401, "invalid_client", "acme", first.assertion(t, id, "acme", "h", exp))

	// Of many at once one wins.
	race := second.assertion(t, id, "acme", "race", exp)
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if w, _ := o.request("acme", race); w.Code == 200 {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("an assertion was good %d times", won.Load())
	}
}

func TestOperatorClient(t *testing.T) {
	o := newOAuth(t)
	made := o.admin(201, "POST", "/clients", `{"name":"Okta catalogue"}`)
	id, secret := made["id"].(string), made["secret"].(string)
	o.refusedAs(401, "invalid_client", "acme", form(), id, secret)
	for _, tenant := range []string{"acme", "other"} {
		o.admin(200, "PATCH", "/tenants/"+tenant, `{"settings":{"oauth":{"clients":["`+id+`"]}}}`)
	}
	acme, other := o.granted("acme", form(), id, secret), o.granted("other", form(), id, secret)
	o.want(200, "acme", acme)
	o.want(200, "other", other)
	o.want(401, "acme", other)
	o.want(401, "other", acme)
	if secrets := made["secrets"].([]any); len(secrets) != 1 || secrets[0].(object)["expiresAt"] != nil {
		t.Errorf("%v", made)
	}

	o.admin(200, "PATCH", "/tenants/other", `{"settings":{"oauth":null}}`)
	o.want(401, "other", other)
	o.want(200, "acme", acme)
	second := o.admin(200, "POST", "/clients/"+id, "")
	secretID := made["secrets"].([]any)[0].(object)["id"].(string)
	o.admin(204, "DELETE", "/clients/"+id+"/secrets/"+secretID, "")
	o.want(401, "acme", acme)
	fresh := o.granted("acme", form(), id, second["secret"].(string))
	o.want(200, "acme", fresh)
	if list := o.admin(200, "GET", "/clients", "")["clients"].([]any); len(list) != 1 {
		t.Errorf("%v", list)
	}
	o.admin(404, "GET", "/tenants/acme/clients/"+id, "")
	o.admin(404, "DELETE", "/tenants/acme/clients/"+id, "")
	o.admin(204, "DELETE", "/clients/"+id, "")
	o.want(401, "acme", fresh)
	o.refusedAs(401, "invalid_client", "acme", form(), id, second["secret"].(string))
	o.admin(404, "DELETE", "/clients/"+id, "")
	o.admin(400, "PATCH", "/tenants/acme", `{"settings":{"oauth":{"clients":["tc0000000000000000"]}}}`)

	// Keys work for many tenants too; an assertion is for one.
	s := newSigner(t, "1")
	id = o.admin(201, "POST", "/clients", `{"jwks":{"keys":[`+s.jwk+`]}}`)["id"].(string)
	o.admin(200, "PATCH", "/tenants/acme", `{"settings":{"oauth":{"clients":["`+id+`"]}}}`)
	exp := o.now.Load() + 60
	o.want(200, "acme", o.granted("acme", s.assertion(t, id, "acme", "a", exp)))
	o.refusedAs(401, "invalid_client", "other", s.assertion(t, id, "other", "b", exp))
}
