package history

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/serverless-scim/serverless-scim/pkg/internal/awsfake/dynamolocal"
	"github.com/serverless-scim/serverless-scim/pkg/internal/filled"
	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
)

const (
	clients   = 16
	processes = 4
	// single members have a bit each. All others, the block, have one together: they come and go by one request that
	// does not fit a transaction, so that a reader who saw a part of them would have seen its middle.
	single = 8
	block  = 1 << single
	blocks = 110
)

// size is the number of requests that each client sends in one history, and the number of histories.
type size struct{ each, histories int }

// asked is the size by day, or that of the night.
func asked(day, night size) size {
	if os.Getenv(slow.NightEnv) == "1" {
		return night
	}
	return day
}

// TestHistories: what 16 clients of 4 processes see of one user and of one group has an order in which one client alone
// could have seen it. One engine call in thirty fails, in any way, and each process dies between two engine calls,
// again and again. Only in the night the block comes and goes: a group that changes in each of several rereads is shown
// as it was found.
func TestHistories(t *testing.T) {
	t.Run("bolt", func(t *testing.T) {
		n := asked(size{6, 1}, size{30, 8})
		for seed := range n.histories {
			run(t, filled.Memory(t), n.each, uint64(seed)).judge(t)
		}
	})
	t.Run("dynamodb", func(t *testing.T) {
		engine := dynamolocal.Engine(t)
		n := asked(size{4, 1}, size{20, 3})
		for seed := range n.histories {
			run(t, engine, n.each, uint64(100+seed)).judge(t)
		}
	})
}

// TestHistoriesFindFaults: an engine that forgets conditions, or that reads what was, has a history that is refused.
func TestHistoriesFindFaults(t *testing.T) {
	faults := []string{"forgets conditions"}
	if os.Getenv(slow.NightEnv) == "1" {
		faults = append(faults, "reads what was")
	}
	for _, fault := range faults {
		t.Run(fault, func(t *testing.T) {
			for seed := range 20 {
				engine := &planted{Engine: filled.Memory(t), forgets: fault == "forgets conditions"}
				w := prepare(t, engine, 6, uint64(seed))
				engine.on.Store(true)
				w.all()
				if w.verdict(users, w.user) == porcupine.Illegal || w.verdict(groups, w.group) == porcupine.Illegal {
					return
				}
			}
			t.Error("20 histories with the fault were all found right")
		})
	}
}

// planted is an engine that, once it is on, either forgets the conditions of writes, or reads what was.
type planted struct {
	store.Engine
	forgets bool
	on      atomic.Bool
	old     sync.Map // items by key, as they were read first
}

func (p *planted) Transact(ctx context.Context, token string, ops []store.Op) error {
	if p.forgets && p.on.Load() {
		changed := make([]store.Op, len(ops))
		for i, op := range ops {
			if op.If = nil; op.Kind == store.Check {
				op.If = ops[i].If // has to have one
			}
			changed[i] = op
		}
		ops = changed
	}
	return p.Engine.Transact(ctx, token, ops)
}

// Get answers with what it answered the first time, every other time.
func (p *planted) Get(ctx context.Context, keys []store.Key) ([]store.Item, []int, error) {
	items, unread, err := p.Engine.Get(ctx, keys)
	if p.forgets || !p.on.Load() || err != nil {
		return items, unread, err
	}
	for i, item := range items {
		if item.Attrs == nil {
			continue
		}
		if was, ok := p.old.LoadOrStore(item.Key, item); ok && rand.IntN(2) == 0 {
			items[i] = was.(store.Item)
		}
	}
	return items, unread, nil
}

// world is a tenant with processes that serve it, and the history of its user and its group.
type world struct {
	t       *testing.T
	engine  store.Engine
	tenant  string
	token   string
	seed    uint64
	each    int
	faulty  bool
	members []string // single ones, then the block
	groupID string
	mu      sync.Mutex
	serving [processes]*process
	kills   int
	clock   atomic.Int64
	last    atomic.Pointer[user] // that somebody saw

	records     sync.Mutex
	user, group []porcupine.Operation
	unknown     int
}

type process struct {
	engine  *faultstore.Engine
	handler http.Handler
}

func prepare(t *testing.T, engine store.Engine, each int, seed uint64) *world {
	t.Helper()
	first := filled.New(t, engine, fmt.Sprintf("acme-%d", seed))
	w := &world{t: t, engine: engine, tenant: first.Tenant, token: first.Token, seed: seed, each: each}
	for i := range single {
		w.members = append(w.members, first.User(fmt.Sprintf("member-%d", i), ""))
	}
	for i := range blocks { // a reference that waits for its user is a member as others are
		w.members = append(w.members, fmt.Sprintf("waits-%d", i))
	}
	group := first.SCIM(201, "POST", "/Groups", `{`+filled.GroupURN+`,"displayName":"group"}`)
	w.groupID = group["id"].(string)
	w.last.Store(&user{})
	return w
}

func run(t *testing.T, engine store.Engine, each int, seed uint64) *world {
	t.Helper()
	w := prepare(t, engine, each, seed)
	w.faulty = true
	w.all()
	return w
}

// all lets the clients send their requests.
func (w *world) all() {
	for i := range w.serving {
		w.start(i)
	}
	var wait sync.WaitGroup
	for client := range clients {
		wait.Go(func() {
			r := rand.New(rand.NewPCG(w.seed, uint64(client))) //nolint:gosec // a test wants the same numbers again
			for n := range w.each {
				place := r.IntN(processes)
				w.mu.Lock()
				p := w.serving[place]
				w.mu.Unlock()
				if r.IntN(2) == 0 {
					w.onUser(p, client, n, r)
				} else {
					w.onGroup(p, client, r)
				}
				w.mu.Lock()
				if p.engine.Killed() && p == w.serving[place] {
					w.kills++
					w.start(place)
				}
				w.mu.Unlock()
			}
		})
	}
	wait.Wait()
}

// start puts a new process in a place, which dies after some engine calls. w.mu is held, or nobody serves yet.
func (w *world) start(place int) {
	e := faultstore.New(w.engine, nil)
	if w.faulty {
		seed := w.seed<<16 + uint64(w.kills)<<8 + uint64(place)
		e.SetPlan(faultstore.Random(seed, 1.0/30))
		e.KillAfter(40 + rand.New(rand.NewPCG(seed, 1)).IntN(40*w.each)) //nolint:gosec // as above
	}
	w.serving[place] = &process{engine: e, handler: filled.Open(w.t, e, w.tenant, w.token).Server.Handler()}
}

func (w *world) request(method, path, body string) *http.Request {
	r := httptest.NewRequest(method, "http://scim.example.com/scim/v2/"+w.tenant+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+w.token)
	r.Header.Set("Content-Type", "application/scim+json")
	return r
}

// sent is what became of a request: when it began and ended, its answer, and the answer's body.
type sent struct {
	porcupine.Operation
	answer
	body map[string]any
}

// send sends a request to a process. A 5xx leaves open what was done.
func (w *world) send(p *process, r *http.Request) (o sent) {
	a := httptest.NewRecorder()
	o.Call = w.clock.Add(1)
	p.handler.ServeHTTP(a, r)
	o.Return = w.clock.Add(1)
	o.status = a.Code
	if o.status >= 500 {
		o.unknown, o.Return = true, never
	}
	_ = json.Unmarshal(a.Body.Bytes(), &o.body) // none is fine: the status says enough
	return o
}

func (w *world) onUser(p *process, client, n int, r *rand.Rand) {
	last := *w.last.Load()
	in := request{id: last.id, value: fmt.Sprintf("%d-%d", client, n)}
	if last.id == "" || r.IntN(8) == 0 {
		in.kind, in.id = "create", ""
	} else {
		in.kind = []string{"get", "get", "find", "put", "put", "patch", "patch", "delete"}[r.IntN(8)]
	}
	if r.IntN(2) == 0 && (in.kind == "put" || in.kind == "patch" || in.kind == "delete") {
		in.match = last.tag
	}
	method, path, body := "GET", "/Users/"+in.id, ""
	whole := fmt.Sprintf(`{%s,"userName":"register","title":%q}`, filled.UserURN, in.value)
	switch in.kind {
	case "create":
		method, path, body = "POST", "/Users", whole
	case "find":
		path = "/Users?filter=userName+eq+%22register%22"
	case "put":
		method, body = "PUT", whole
	case "patch":
		method, body = "PATCH", patch(fmt.Sprintf(`{"op":"replace","path":"title","value":%q}`, in.value))
	case "delete":
		method = "DELETE"
	}
	req := w.request(method, path, body)
	if in.match != "" {
		req.Header.Set("If-Match", in.match)
	}
	o := w.send(p, req)
	out, got := &o.answer, o.body
	if in.kind == "find" && out.status == 200 {
		list, _ := got["Resources"].([]any)
		if len(list) == 0 {
			out.status = 404
		} else {
			got = list[0].(map[string]any)
		}
	}
	if out.status == 200 || out.status == 201 {
		meta, _ := got["meta"].(map[string]any)
		out.user.exists = true
		out.user.id, _ = got["id"].(string)
		out.user.value, _ = got["title"].(string)
		out.user.tag, _ = meta["version"].(string)
		seen := out.user
		w.last.Store(&seen)
	}
	if out.status == 204 || out.status == 404 {
		w.last.CompareAndSwap(w.last.Load(), &user{})
	}
	w.record(&w.user, o, client, in)
}

func (w *world) onGroup(p *process, client int, r *rand.Rand) {
	in := request{kind: []string{"read", "read", "add", "remove", "set"}[r.IntN(5)], set: uint32(1) << r.IntN(single)}
	if in.kind == "set" {
		in.set = uint32(r.IntN(asked(size{each: block}, size{each: 2 * block}).each))
	}
	values := w.values(in.set)
	method, body := "PATCH", ""
	switch in.kind {
	case "read":
		method = "GET"
	case "add":
		body = patch(`{"op":"add","path":"members","value":` + values + `}`)
	case "remove":
		body = patch(`{"op":"remove","path":"members","value":` + values + `}`)
	case "set":
		method, body = "PUT", `{`+filled.GroupURN+`,"displayName":"group","members":`+values+`}`
	}
	o := w.send(p, w.request(method, "/Groups/"+w.groupID, body))
	if in.kind == "read" && o.status == 200 {
		o.set = w.set(o.body)
	}
	w.record(&w.group, o, client, in)
}

func patch(op string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + op + `]}`
}

// values is the list of members of a set, as a request has it.
func (w *world) values(set uint32) string {
	var list []string
	for i, id := range w.members {
		if set&(1<<min(i, single)) != 0 {
			list = append(list, fmt.Sprintf(`{"value":%q}`, id))
		}
	}
	return "[" + strings.Join(list, ",") + "]"
}

// set is the set of members of a group's body. A part of the block, or a stranger, is a set that no request makes.
func (w *world) set(body map[string]any) uint32 {
	has := map[string]bool{}
	list, _ := body["members"].([]any)
	for _, m := range list {
		id, _ := m.(map[string]any)["value"].(string)
		has[id] = true
	}
	var set uint32
	seen := 0
	for i, id := range w.members {
		if has[id] && i < single {
			set |= 1 << i
		} else if has[id] {
			seen++
		}
	}
	if seen == blocks {
		set |= block
	} else if seen > 0 {
		set |= uint32(seen) << 16
	}
	return set
}

// record keeps an operation. A read without an answer says nothing.
func (w *world) record(list *[]porcupine.Operation, o sent, client int, in request) {
	w.records.Lock()
	defer w.records.Unlock()
	if o.unknown {
		w.unknown++
		if in.kind == "get" || in.kind == "find" || in.kind == "read" {
			return
		}
	}
	o.ClientId, o.Input, o.Output = client, in, o.answer
	*list = append(*list, o.Operation)
}

func (w *world) verdict(model porcupine.Model, history []porcupine.Operation) porcupine.CheckResult {
	return porcupine.CheckOperationsTimeout(model, history, time.Minute)
}

// judge reports a history that has no order, with a page that draws it.
func (w *world) judge(t *testing.T) {
	t.Helper()
	for name, h := range map[string]struct {
		model   porcupine.Model
		history []porcupine.Operation
	}{"user": {users, w.user}, "group": {groups, w.group}} {
		result := w.verdict(h.model, h.history)
		if result == porcupine.Ok {
			continue
		}
		page := filepath.Join(os.TempDir(), fmt.Sprintf("history-%s-%d.html", name, w.seed))
		_, info := porcupine.CheckOperationsVerbose(h.model, h.history, time.Minute)
		if err := porcupine.VisualizePath(h.model, info, page); err != nil {
			t.Log(err)
		}
		t.Errorf("seed %d: the history of the %s is %s: see %s", w.seed, name, result, page)
	}
	t.Logf("seed %d: %d requests on the user, %d on the group, %d without an answer, %d processes killed",
		w.seed, len(w.user), len(w.group), w.unknown, w.kills)
}
