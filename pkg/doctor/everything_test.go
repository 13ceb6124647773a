package doctor_test

import (
	"bytes"
	"context"
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
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/internal/filled"
	"github.com/serverless-scim/serverless-scim/pkg/limit"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
	"github.com/serverless-scim/serverless-scim/pkg/transfer"
)

// written is an engine that notes the layout of all items that are written to it. It dies after the first write of an
// item of the kind fatal.
type written struct {
	store.Engine

	mu     sync.Mutex
	layout layout
	fatal  string
	dead   bool
}

// mortal lets the engine live until an item of a kind is written, or for good, and reports whether it was dead.
func (w *written) mortal(fatal string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	dead := w.dead
	w.fatal, w.dead = fatal, false
	return dead
}

func (w *written) killed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead {
		return faultstore.ErrKilled
	}
	return nil
}

func (w *written) Get(ctx context.Context, keys []store.Key) ([]store.Item, []int, error) {
	if err := w.killed(); err != nil {
		return nil, nil, err
	}
	return w.Engine.Get(ctx, keys)
}

func (w *written) Query(ctx context.Context, q store.Query) (store.Page, error) {
	if err := w.killed(); err != nil {
		return store.Page{}, err
	}
	return w.Engine.Query(ctx, q)
}

func (w *written) Transact(ctx context.Context, token string, ops []store.Op) error {
	if err := w.killed(); err != nil {
		return err
	}
	err := w.Engine.Transact(ctx, token, ops)
	if err == nil {
		w.note(ops)
	}
	return err
}

func (w *written) Batch(ctx context.Context, ops []store.Op) ([]int, error) {
	if err := w.killed(); err != nil {
		return nil, err
	}
	undone, err := w.Engine.Batch(ctx, ops)
	if err == nil {
		w.note(ops)
	}
	return undone, err
}

func (w *written) note(ops []store.Op) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, op := range ops {
		if op.Kind != store.Put && op.Kind != store.Update {
			continue
		}
		w.layout.note(op.Key, op.Set)
		for name := range op.Add {
			w.layout.note(op.Key, store.Attrs{name: int64(0)})
		}
		w.dead = w.dead || w.fatal != "" && kindOf(op.Key) == w.fatal
	}
}

// everything gives a table everything that it can have, through the endpoints of a server as far as they go.
type everything struct {
	*filled.World
	engine *written
	now    time.Time
	moved  sync.Mutex
	client signer
	data   string // a folder, for mails and events
}

func (e *everything) clock() time.Time {
	e.moved.Lock()
	defer e.moved.Unlock()
	return e.now
}

// serve starts a server on the table.
func (e *everything) serve() {
	rate := limit.Rate{PerSecond: 100, Burst: 1000}
	e.World.Server = local.New(local.Options{
		Now: e.clock, Engine: "bolt", Data: e.data, BaseURL: "http://localhost", Log: io.Discard, Out: io.Discard,
		WebhookLoopback: true,
		Limits:          local.Limits{Default: rate, Max: rate},
		MaxScan:         time.Minute, MaxWait: time.Minute,
	}, e.engine, io.NopCloser(nil))
}

// quiet ends the work in the background. Requests go on.
func (e *everything) quiet() {
	e.T.Helper()
	if err := e.Server.Close(); err != nil {
		e.T.Fatal(err)
	}
}

// rotate moves the clock by days and does the work that is due then.
func (e *everything) rotate(days int) {
	e.T.Helper()
	e.moved.Lock()
	e.now = e.now.AddDate(0, 0, days)
	e.moved.Unlock()
	if err := e.Server.Rotate(e.T.Context()); err != nil {
		e.T.Fatal(err)
	}
}

// dies kills the process in the middle of a step, after it has written an item of a kind.
func (e *everything) dies(kind string, step func()) {
	e.T.Helper()
	e.engine.mortal(kind)
	step()
	if !e.engine.mortal("") {
		e.T.Errorf("nothing has written %s", kind)
	}
}

// send sends a request with headers, each before its value. Its status is of the class of status.
func (e *everything) send(status int, method, path, body string, headers ...string) filled.Object {
	e.T.Helper()
	r := httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:4711"
	r.Header.Set("Content-Type", "application/json")
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	answer := httptest.NewRecorder()
	e.Server.Handler().ServeHTTP(answer, r)
	if answer.Code/100 != status/100 {
		e.T.Fatalf("%s %s: status %d, want %d: %s", method, path, answer.Code, status, answer.Body)
	}
	var out filled.Object
	_ = json.Unmarshal(answer.Body.Bytes(), &out) // pages and empty answers are fine, too
	return out
}

const allSettings = `"settings":{"scim":{"patchBody":"full","groupMemberships":true},
	"token":{"lifetimeDays":180,"noticeDays":28,"reminders":[14,7,1],"vault":"packed"},
	"notices":{"recipients":[{"email":"it@example.com","language":"de"},{"email":"admin@example.com"}]},
	"events":{"retentionDays":400},"log":{"retentionDays":400,"personalData":true},
	"limits":{"perSecond":90,"burst":900},"members":{"publish":true},"oauth":{"clients":[%q]}}`

// fillAll fills the table of an engine.
func fillAll(t *testing.T, engine store.Engine) *everything {
	t.Helper()
	e := &everything{
		World: &filled.World{T: t, Tenant: "acme"}, engine: &written{Engine: engine, layout: layout{}},
		now: time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC), client: newSigner(t),
		data: t.TempDir(),
	}
	e.serve()
	t.Cleanup(func() { _ = e.Server.Close() })
	e.operators()
	e.tokens()
	e.Fill()
	e.people()
	e.requests()
	e.portal()
	e.webhooks()
	e.guard()
	e.leave()
	return e
}

// operators are the tenant and all that belongs to the operator.
func (e *everything) operators() {
	const root = "/admin/v1"
	of := e.send(201, "POST", root+"/clients", `{"name":"Provisioner","jwks":{"keys":[`+e.client.jwk+`]}}`)
	e.send(201, "POST", root+"/webhooks", `{"url":"https://app.example.com/hook","types":["token.*"],"active":false}`,
		"Idempotency-Key", "first")
	created := e.send(201, "POST", root+"/tenants", fmt.Sprintf(`{"id":"acme","name":"Acme","idp":"generic",%s}`,
		fmt.Sprintf(allSettings, of["id"])), "Idempotency-Key", "second")
	e.Token = created["token"].(filled.Object)["value"].(string)
	form := url.Values{"grant_type": {"client_credentials"}}
	e.client.assert(form, of["id"].(string), e.now.Add(5*time.Minute))
	e.send(200, "POST", "/oauth2/acme/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

// tokens have every state at the end: the first has expired, its successor is used, another one is revoked, one ends.
func (e *everything) tokens() {
	revoked := e.Admin(201, "POST", "/tokens", `{"scopes":["read"]}`)
	e.Admin(200, "DELETE", "/tokens/"+revoked["id"].(string), "")
	e.Settle()
	e.rotate(155) // the successor
	e.Settle()
	e.rotate(15) // reminders
	e.Settle()
	e.rotate(13) // the end
	e.Settle()
	tokens := e.Admin(200, "GET", "/tokens", "")["tokens"].([]any)
	for _, token := range tokens {
		if o := token.(filled.Object); o["state"] == "active" {
			e.Token = e.Admin(200, "POST", "/tokens/"+o["id"].(string)+"/reveal", "")["value"].(string)
		}
	}
	e.SCIM(200, "GET", "/Users", "")
	e.Admin(201, "POST", "/rotation", `{"action":"start"}`)
	agent := e.Admin(201, "POST", "/clients", `{"name":"Agent","scopes":["read"]}`)["id"].(string)
	e.Admin(200, "POST", "/clients/"+agent, "")
	e.Admin(201, "POST", "/clients", `{"name":"Signer","jwks":{"keys":[`+e.client.jwk+`]}}`)
	e.Admin(202, "POST", "/notices", `{"kind":"test"}`)
}

const wholeUser = `,"nickName":"W","profileUrl":"https://example.com/w","title":"Dr","userType":"Staff",
	"preferredLanguage":"de-DE","locale":"de-DE","timezone":"Europe/Berlin","displayName":"Whole","password":"s3cret!aB",
	"name":{"formatted":"W U","familyName":"U","givenName":"W","middleName":"X","honorificPrefix":"P","honorificSuffix":"S"},
	"phoneNumbers":[{"value":"+49 30 1","type":"work","primary":true}],"ims":[{"value":"w","type":"xmpp"}],
	"photos":[{"value":"https://example.com/w.png","type":"photo"}],"entitlements":[{"value":"e","display":"E"}],
	"addresses":[{"formatted":"A","streetAddress":"S 1","locality":"B","region":"R","postalCode":"1","country":"DE"}],
	"roles":[{"value":"r","display":"R","type":"app","primary":true}],"x509Certificates":[{"value":"MA=="}],
	"emails":[{"value":"whole@example.com","type":"work","primary":true,"display":"W"}],
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"1","costCenter":"2","organization":"3",
	"division":"4","department":"5","manager":{"value":"boss","displayName":"Boss"}}`

// people have left, came back, were merged, invited and found; targets are of every kind.
func (e *everything) people() {
	e.Admin(200, "PUT", "/policy", `{"members":{"onDelete":"deactivate","loginAddress":"emails.value",
		"attributes":{"department":{"from":"title"}},"match":["externalId","userName","email"],
			"onReturn":"restore","invite":"automatic","clearWhenAbsentInPut":["nickName"],
			"exclude":{"users":"userType eq \"Robot\"","groups":{"pattern":"^hidden","filter":"displayName pr"}}},
		"requests":{"domains":["emails"],"forbid":["Groups.delete"],"guard":{"people":2,"percent":1,"minutes":60}},
		"protect":[{"kind":"function","target":"admin"}],
		"kinds":{"licence":{"seats":"purchase"},"team":{"create":true,"manual":"remove"},
			"organisation":{"create":true},"function":{"create":true},
			"level":{"create":true,"choose":"lowest","order":["a","b"],"description":"Levels"},"role":{"create":true,"per":"organisation","announceFirst":"credentials.required"}},
		"rules":[{"id":"l","group":{"pattern":"^Writers$"},"assign":{"kind":"licence","target":"pro"}},
			{"id":"o","description":"Where","group":{"filter":"displayName eq \"Team Red\""},"assign":{"kind":"organisation","target":"Berlin"},
				"user":{"filter":"active eq true"}},
			{"id":"t","group":{"pattern":"^Team (?P<n>.+)$"},"assign":{"kind":"team","target":"${n}"}},
			{"id":"u","user":{"value":"title"},"assign":{"kind":"role","target":"${value}","organisation":"Berlin"}},
			{"id":"f","user":{"value":"userType"},"assign":{"kind":"level","target":"${value}"},
				"needs":{"feature":"availability"}}]}`)
	e.Settle()
	e.Admin(200, "PUT", "/targets/licence/pro",
		`{"displayName":"Professional","features":["availability"],"seats":{"size":1}}`)
	whole := e.User("whole", wholeUser)
	twin := e.User("twin", `,"displayName":"Whole","emails":[{"value":"whole@example.com"}]`)
	e.Group("Team Red", whole, twin)
	e.Settle()
	e.Admin(200, "PUT", "/members/"+whole+"/assignments/role/guest?organisation=Berlin", "")
	e.Admin(200, "PUT", "/members/"+whole+"/account", `{"accountId":"a-1"}`)
	e.Admin(200, "POST", "/members/"+whole+"/invite", "")
	e.Admin(200, "POST", "/members/"+whole+"/merge", fmt.Sprintf(`{"into":%q}`, twin))
	e.Settle()
	gone := e.User("gone", `,"externalId":"x-gone"`)
	e.Settle()
	e.SCIM(204, "DELETE", "/Users/"+gone, "")
	e.Settle()
	e.User("gone", `,"externalId":"x-gone"`)
	e.Settle()
}

// requests leave what is remembered of them.
func (e *everything) requests() {
	for _, id := range []string{"leaver", "stays"} {
		e.send(201, "POST", "/admin/v1/tenants", `{"id":"`+id+`","name":"Another"}`)
	}
	e.send(200, "DELETE", "/admin/v1/tenants/leaver", "")
	e.Admin(200, "POST", "/policy/rehearse", `{}`)
	e.send(201, "POST", "/admin/v1/tenants/acme/domains", `{"name":"example.org"}`, "Idempotency-Key", "third")
	e.SCIM(200, "POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
		{"method":"POST","path":"/Users","bulkId":"b","data":{`+filled.UserURN+`,"userName":"bulky"}},
		{"method":"POST","path":"/Groups","bulkId":"g","data":{`+filled.GroupURN+`,"displayName":"Bulk",
			"members":[{"value":"bulkId:b"}]}}]}`)
	e.SCIM(400, "POST", "/Users", `{}`)
	for range 200 { // beyond the first portion of a window
		e.SCIM(200, "GET", "/Users?count=0", "")
	}
	// The walk of a process that died.
	st := store.New(e.engine, store.Options{})
	rate := limit.Rate{PerSecond: 1, Burst: 1}
	ctx, _ := limit.New(st, local.Limits{Default: rate, Max: rate}, e.clock).Walks(e.T.Context(), "acme")
	for range 10 {
		release, err := st.Tenant("acme").Reserve(ctx, 1)
		if err != nil {
			e.T.Fatal(err)
		}
		release()
	}
}

// portal has a link that is mailed, and one that is used.
func (e *everything) portal() {
	e.Admin(201, "POST", "/setup-links", `{"role":"reader","email":"it@example.com","language":"de"}`)
	revoked := e.Admin(201, "POST", "/setup-links", `{"role":"reader"}`)
	e.Admin(200, "DELETE", "/setup-links/"+revoked["id"].(string), "")
	link := e.Admin(201, "POST", "/setup-links", `{"role":"admin","returnUrl":"https://app.example.com/"}`)
	form := url.Values{"code": {link["code"].(string)}}.Encode()
	e.send(303, "POST", "/setup/"+link["id"].(string), form,
		"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
	e.send(200, "POST", "/setup/renew/"+e.renewal(), "",
		"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
	e.Settle()
}

// renewal is the id of a page to ask for a link, from a mail.
func (e *everything) renewal() string {
	e.T.Helper()
	mails, err := filepath.Glob(e.data + "/*/*.eml")
	if err != nil {
		e.T.Fatal(err)
	}
	for _, mail := range mails {
		text, err := os.ReadFile(mail)
		if err != nil {
			e.T.Fatal(err)
		}
		text = bytes.ReplaceAll(text, []byte("=\r\n"), nil)
		if found := regexp.MustCompile(`/setup/renew/([a-zA-Z0-9._-]+)`).FindSubmatch(text); found != nil {
			return string(found[1])
		}
	}
	e.T.Fatalf("none of %d mails has a page to ask for a link", len(mails))
	return ""
}

// webhooks take everything, or refuse everything.
func (e *everything) webhooks() {
	refused := make(chan struct{}, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refuses" {
			w.WriteHeader(http.StatusTeapot)
			refused <- struct{}{}
		}
	}))
	defer receiver.Close()
	for _, path := range []string{"/takes", "/refuses"} {
		e.Admin(201, "POST", "/webhooks",
			fmt.Sprintf(`{"url":%q,"types":["*"],"description":"Application"}`, receiver.URL+path))
	}
	paused := e.Admin(201, "POST", "/webhooks", `{"url":"https://app.example.com/","types":["member.*"]}`)["id"].(string)
	e.Admin(200, "POST", "/webhooks/"+paused+"/rotate-secret", "")
	e.Admin(200, "PATCH", "/webhooks/"+paused, `{"active":false}`)
	e.User("heard", "")
	e.Settle()
	<-refused
	for e.waits() == 0 {
		e.Settle()
	}
}

// waits is the number of deliveries that wait for another attempt.
func (e *everything) waits() int {
	page, err := e.engine.Query(e.T.Context(), store.Query{PK: store.SendPK, Limit: 10})
	if err != nil {
		e.T.Fatal(err)
	}
	return len(page.Items)
}

// guard holds a request.
func (e *everything) guard() {
	for i := range 4 {
		id := e.User(fmt.Sprint("held-", i), "")
		status, _ := e.Try("DELETE", "/Users/"+id, "")
		if (status == 204) != (i == 0) {
			e.T.Errorf("deletion %d: status %d", i, status)
		}
	}
	e.Settle()
}

// leave ends the process with work left of every kind.
func (e *everything) leave() {
	id, group, other := e.User("left", ""), e.Group("Left"), e.Group("Team Left")
	var file bytes.Buffer
	st := store.New(e.engine, store.Options{})
	if _, err := (transfer.Export{Tenant: "stays", Now: e.clock}).Write(e.T.Context(), st, &file); err != nil {
		e.T.Fatal(err)
	}
	e.Settle()
	e.quiet()
	soon, cancel := context.WithTimeout(e.T.Context(), time.Second)
	defer cancel()
	e.moved.Lock()
	e.now = e.now.AddDate(0, 0, 1)
	e.moved.Unlock()
	if run, err := e.Server.Tenants().Rotate(soon, e.Server.Delivery()); err != nil || !run.More {
		e.T.Errorf("rotation left nothing: %+v, %v", run, err)
	}
	e.SCIM(200, "PATCH", "/Users/"+id, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
		"Operations":[{"op":"add","path":"title","value":"Chief"}]}`)
	e.SCIM(200, "PATCH", "/Groups/"+group, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
		"Operations":[{"op":"replace","path":"displayName","value":"Renamed"},
			{"op":"add","path":"members","value":[{"value":"`+id+`"}]}]}`)
	e.SCIM(200, "PATCH", "/Groups/"+other, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
		"Operations":[{"op":"add","path":"members","value":[{"value":"`+id+`"}]}]}`)
	e.Admin(200, "PUT", "/targets/role/lead?organisation=Berlin", `{"displayName":"Lead"}`)
	e.Admin(200, "PUT", "/targets/licence/pro", `{"seats":{"size":5}}`)
	e.Admin(200, "POST", "/setup-links", `{"role":"reader"}`)
	e.dies("T#t#P *", func() {
		values := make([]string, 130)
		for i := range values {
			values[i] = fmt.Sprintf(`{"value":"stranger-%d"}`, i)
		}
		e.Try("POST", "/Groups", fmt.Sprintf(`{%s,"displayName":"Large","members":[%s]}`, filled.GroupURN,
			strings.Join(values, ",")))
	})
	e.dies("T#t IMPORT", func() {
		_, err := transfer.Import{Tenant: "moved", Now: e.clock}.Read(e.T.Context(), st, bytes.NewReader(file.Bytes()))
		if err == nil {
			e.T.Error("the import did not die")
		}
	})
	e.rotate(1)
}

// signer signs the assertions of an OAuth client with ES256.
type signer struct {
	key *ecdsa.PrivateKey
	jwk string
}

func newSigner(t *testing.T) signer {
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
	return signer{key, fmt.Sprintf(`{"kty":"EC","crv":"P-256","kid":"k","x":%q,"y":%q}`, b(point[1:33]), b(point[33:]))}
}

// assert adds an assertion to a form.
func (s signer) assert(form url.Values, client string, expires time.Time) {
	b := base64.RawURLEncoding.EncodeToString
	text := b([]byte(`{"alg":"ES256"}`)) + "." + b(fmt.Appendf(nil,
		`{"iss":%q,"sub":%q,"aud":"http://localhost/oauth2/acme/token","jti":"once","exp":%d}`, client, client,
		expires.Unix()))
	sum := sha256.Sum256([]byte(text))
	x, y, err := ecdsa.Sign(rand.Reader, s.key, sum[:])
	if err != nil {
		panic(err)
	}
	signature := append(x.FillBytes(make([]byte, 32)), y.FillBytes(make([]byte, 32))...)
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", text+"."+b(signature))
}
