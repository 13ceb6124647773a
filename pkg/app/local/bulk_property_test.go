package local_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
)

// bulkWorld is a tenant in which bulk requests are compared: once as they are, once one operation after the other.
type bulkWorld struct {
	*api
	ids map[string]string // of the resources that exist before, by name
}

func newBulkWorld(t *testing.T) bulkWorld {
	w := bulkWorld{api: on(t, memory(t), "generic"), ids: map[string]string{}}
	for _, name := range []string{"u0", "u1", "u2"} {
		w.ids[name] = w.user(name)
	}
	w.ids["g0"] = w.group("g0", []string{w.ids["u0"], w.ids["u1"]})
	return w
}

// randomOps makes operations on few names, so that they get in each other's way. The ids of resources that exist
// before stand as "@name".
func randomOps(r *rand.Rand) []bulkOp {
	n := 2 + r.IntN(9)
	ops := make([]bulkOp, n)
	kinds := make([]int, n)
	var users, groups []string
	for i := range ops {
		switch kinds[i] = r.IntN(10); {
		case kinds[i] < 3:
			users = append(users, fmt.Sprint("bulkId:b", i))
		case kinds[i] < 5:
			groups = append(groups, fmt.Sprint("bulkId:b", i))
		}
	}
	pick := func(of []string, more ...string) string {
		all := append(slices.Clone(of), more...)
		return all[r.IntN(len(all))]
	}
	name := func() string { return fmt.Sprint("u", r.IntN(6)) }
	for i := range ops {
		id := fmt.Sprint("b", i)
		anyUser, anyGroup := pick(users, "@u0", "@u1", "@u2"), pick(groups, "@g0")
		switch kinds[i] {
		case 0, 1, 2:
			manager := ""
			if r.IntN(2) == 0 {
				manager = pick(users, "@u0")
			}
			ops[i] = postUser(id, name(), manager)
		case 3, 4:
			var list []string
			for range r.IntN(3) {
				list = append(list, pick(append(users, groups...), "@u1", "@u2", "@g0"))
			}
			ops[i] = postGroup(id, fmt.Sprint("new-", i), list...)
		case 5:
			ops[i] = bulkOp{Method: "PATCH", Path: "/Users/" + anyUser, Data: patchData("replace", "userName", name())}
		case 6:
			ops[i] = bulkOp{
				Method: "PUT", Path: "/Users/" + anyUser,
				Data: object{"schemas": []string{userURN}, "userName": name(), "title": id},
			}
		case 7:
			ops[i] = bulkOp{Method: "DELETE", Path: "/Users/" + anyUser}
			if r.IntN(3) == 0 {
				ops[i].Path = "/Groups/" + anyGroup
			}
		case 8:
			op := []string{"add", "remove"}[r.IntN(2)]
			if op == "remove" {
				ops[i] = bulkOp{
					Method: "PATCH", Path: "/Groups/" + anyGroup,
					Data: patchData(op, fmt.Sprintf("members[value eq %q]", anyUser), nil),
				}
				break
			}
			ops[i] = bulkOp{
				Method: "PATCH", Path: "/Groups/" + anyGroup,
				Data: patchData(op, "members", []object{{"value": anyUser}}),
			}
		case 9:
			ops[i] = bulkOp{
				Method: "PATCH", Path: "/Users/" + pick(users, "@u1", "bulkId:none"),
				Data: patchData("replace", "title", id),
			}
		}
	}
	return ops
}

func patchData(op, path string, value any) object {
	o := object{"op": op, "path": path}
	if value != nil {
		o["value"] = value
	}
	return object{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": []object{o}}
}

// TestBulkLikeOneByOne compares random bulk requests with the same operations sent one by one.
func TestBulkLikeOneByOne(t *testing.T) {
	rounds := 25
	if slow.Part(t, "75 of 100 random requests") {
		rounds = 100
	}
	for seed := range uint64(rounds) {
		r := rand.New(rand.NewPCG(seed, 1))
		ops := randomOps(r)
		limit := 0
		if r.IntN(3) == 0 {
			limit = 1 + r.IntN(3)
		}
		bulk, single := newBulkWorld(t), newBulkWorld(t)
		out := bulk.must(200, "POST", "/Bulk", bulk.known(bulkBody(t, limit, ops...)))
		got := map[int]string{}
		next := 0
		for _, res := range results(out) {
			// Results have the order of the request; those not carried out are left out.
			for next < len(ops) && (ops[next].Method != res["method"] ||
				ops[next].BulkID != fmt.Sprint(orEmpty(res["bulkId"]))) {
				next++
			}
			got[next] = fmt.Sprint(res["status"])
			if id, _ := res["location"].(string); ops[min(next, len(ops)-1)].Method == "POST" && id != "" {
				bulk.ids["bulkId:"+ops[next].BulkID] = id[strings.LastIndex(id, "/")+1:]
			}
			next++
		}
		want := single.oneByOne(t, ops, limit)
		if limit == 0 {
			if a, b := fmt.Sprint(got), fmt.Sprint(want); a != b {
				t.Errorf("seed %d: statuses %s, want %s\n%s", seed, a, b, bulkBody(t, limit, ops...))
			}
		}
		if a, b := bulk.state(), single.state(); a != b {
			t.Errorf("seed %d: state\n%s, want\n%s\nstatuses %v, one by one %v\n%s", seed, a, b, got, want,
				bulkBody(t, limit, ops...))
		}
		if t.Failed() {
			return
		}
	}
}

func orEmpty(v any) any {
	if v == nil {
		return ""
	}
	return v
}

// known puts ids in the place of names.
func (w bulkWorld) known(body string) string {
	for name, id := range w.ids {
		if strings.HasPrefix(name, "bulkId:") {
			body = strings.ReplaceAll(body, `"`+name+`"`, `"`+id+`"`)
			body = strings.ReplaceAll(body, `"`+name+`\"`, `"`+id+`\"`)
			body = strings.ReplaceAll(body, name+`\"`, id+`\"`)
			continue
		}
		body = strings.ReplaceAll(body, "@"+name, id)
	}
	return body
}

// state is the content of the tenant, with names in the place of ids.
func (w bulkWorld) state() string {
	out := named(w.api, w.agree(), w.ids)
	for _, u := range w.all("/Users") {
		extension, _ := u[enterpriseURN].(object)
		manager, _ := extension["manager"].(object)
		out += fmt.Sprintf("\n%v %v %v %v", u["userName"], u["title"], manager["value"], manager["$ref"] != nil)
	}
	for name, id := range w.ids {
		out = strings.ReplaceAll(out, id, name)
	}
	lines := strings.Split(out, "\n")
	slices.Sort(lines[1:])
	return strings.Join(lines, "\n")
}

// oneByOne sends the operations one by one: always the first that refers to nothing still to be created, a circle when
// its last operation's turn has come.
func (w bulkWorld) oneByOne(t *testing.T, ops []bulkOp, limit int) map[int]string {
	n := len(ops)
	reach := make([][]bool, n)
	refs := make([][]int, n)
	for i, op := range ops {
		reach[i] = make([]bool, n)
		body := bulkBody(t, 0, op)
		for k, other := range ops {
			if other.Method == "POST" && (strings.Contains(body, `bulkId:`+other.BulkID+`"`) ||
				strings.Contains(body, `bulkId:`+other.BulkID+`\"`)) {
				reach[i][k] = true
				refs[i] = append(refs[i], k)
			}
		}
	}
	for k := range n {
		for i := range n {
			for j := range n {
				reach[i][j] = reach[i][j] || reach[i][k] && reach[k][j]
			}
		}
	}
	status := map[int]string{}
	failed := 0
	for {
		begun := false
		for i := 0; i < n && !begun; i++ {
			unit := []int{}
			for k := range n {
				if k == i || reach[i][k] && reach[k][i] {
					unit = append(unit, k)
				}
			}
			if status[i] != "" || unit[len(unit)-1] != i || !w.turn(unit, refs, status) {
				continue
			}
			begun = true
			if limit > 0 && failed >= limit {
				return status
			}
			w.send(t, ops, unit, reach[i][i], refs, status)
			for _, k := range unit {
				if status[k] >= "400" {
					failed++
				}
			}
		}
		if !begun {
			return status
		}
	}
}

func (w bulkWorld) turn(unit []int, refs [][]int, status map[int]string) bool {
	for _, i := range unit {
		for _, k := range refs[i] {
			if status[k] == "" && !slices.Contains(unit, k) {
				return false
			}
		}
	}
	return true
}

// send carries out one operation, or those of a circle, by requests of their own.
func (w bulkWorld) send(t *testing.T, ops []bulkOp, unit []int, circle bool, refs [][]int, status map[int]string) {
	for _, i := range unit {
		for _, k := range refs[i] {
			if status[k] >= "400" {
				for _, other := range unit {
					status[other] = "409"
				}
				return
			}
		}
	}
	if !circle {
		i := unit[0]
		if strings.Contains(ops[i].Path, "bulkId:none") {
			status[i] = "400"
			return
		}
		code, id := w.one(t, ops[i], ops[i].Data)
		if status[i] = fmt.Sprint(code); id != "" && ops[i].Method == "POST" {
			w.ids["bulkId:"+ops[i].BulkID] = id
		}
		return
	}
	// First without manager and members, then with them.
	worst := 0
	for _, i := range unit {
		data := object{}
		for key, v := range ops[i].Data {
			if key != "members" && key != enterpriseURN {
				data[key] = v
			}
		}
		code, id := w.one(t, ops[i], data)
		status[i] = fmt.Sprint(code)
		if w.ids["bulkId:"+ops[i].BulkID] = id; code >= 400 {
			worst = code
			delete(w.ids, "bulkId:"+ops[i].BulkID)
		}
	}
	for _, i := range unit {
		name := "bulkId:" + ops[i].BulkID
		if worst > 0 {
			if w.ids[name] != "" {
				w.do("DELETE", ops[i].Path+"/"+w.ids[name], "")
			}
			status[i] = "409"
			continue
		}
		value := object{}
		for _, key := range []string{"members", enterpriseURN} {
			if ops[i].Data[key] != nil {
				value[key] = ops[i].Data[key]
			}
		}
		w.one(t, bulkOp{Method: "PATCH", Path: ops[i].Path + "/" + name}, object{
			"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
			"Operations": []object{{"op": "add", "value": value}},
		})
	}
}

// one sends an operation as a request and returns its status, a success of PATCH always as 200, and the id in its
// answer.
func (w bulkWorld) one(t *testing.T, op bulkOp, data object) (code int, id string) {
	body := ""
	if data != nil {
		whole := bulkBody(t, 0, bulkOp{Data: data})
		whole = w.known(whole)
		from, to := strings.Index(whole, `"data":`)+len(`"data":`), strings.LastIndex(whole, `}],"schemas"`)
		body = whole[from:to]
	}
	path := op.Path
	for name, id := range w.ids {
		path = strings.Replace(strings.Replace(path+"\n", "/@"+name+"\n", "/"+id, 1), "/"+name+"\n", "/"+id, 1)
		path = strings.TrimSuffix(path, "\n")
	}
	code, out := w.do(op.Method, path, body)
	if id, _ = out["id"].(string); code == 204 && op.Method == "PATCH" {
		code = 200
	}
	return code, id
}
