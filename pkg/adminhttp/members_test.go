package adminhttp_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp"
	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/event/schemas"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scimhttp"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// product is a SCIM endpoint with the admin API beside it, and one tenant.
type product struct {
	*server
	scim, token string
}

func newProduct(t *testing.T) *product {
	t.Helper()
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	st := store.New(engine, store.Options{})
	tenants := tenant.New(st, tenant.NewTableSecrets(st), tenant.Options{Now: time.Now})
	dir := directory.New(st, directory.Options{Now: time.Now, Carry: marker.Carry(time.Now)})
	members := member.New(st, member.Options{Now: time.Now, Log: slog.New(slog.DiscardHandler), Directory: dir})
	admin := adminhttp.New(adminhttp.Config{Tenants: tenants, CheckTypes: dir.CheckTypes, Members: members})
	endpoint := scimhttp.New(scimhttp.Config{
		Tenants: tenants, Directory: dir, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	web := httptest.NewServer(described(t).Handler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// a ServeMux would redirect from paths that are not clean
		if strings.HasPrefix(r.URL.Path, adminhttp.Root+"/") {
			admin.ServeHTTP(w, r)
			return
		}
		endpoint.ServeHTTP(w, r)
	})))
	t.Cleanup(web.Close)
	p := &product{server: &server{t: t, url: web.URL}, scim: web.URL + "/scim/v2/acme"}
	made := p.do("POST", "/admin/v1/tenants", `{"id": "acme", "name": "Acme"}`)
	p.token = made.body["token"].(map[string]any)["value"].(string)
	return p
}

// provision sends a SCIM request and returns the id in its answer.
func (p *product) provision(method, path, body string) string {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.scim+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.token)
	r.Header.Set("Content-Type", "application/scim+json")
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer w.Body.Close()
	data, err := io.ReadAll(w.Body)
	if err != nil || w.StatusCode >= 300 {
		p.t.Fatalf("%s %s: %d %s, error %v", method, path, w.StatusCode, data, err)
	}
	_, id, _ := strings.Cut(string(data), `"id":"`)
	id, _, _ = strings.Cut(id, `"`)
	return id
}

func (p *product) user(name string) string {
	return p.provision("POST", "/Users",
		fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q}`, name))
}

func (p *product) group(name string, ids ...string) string {
	var members []string
	for _, id := range ids {
		members = append(members, fmt.Sprintf(`{"value":%q}`, id))
	}
	return p.provision("POST", "/Groups",
		fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":%s,"members":[%s]}`,
			scim.AppendJSON(nil, name), strings.Join(members, ",")))
}

// admin sends a request under the tenant and wants a status.
func (p *product) admin(want int, method, path, body string) map[string]any {
	p.t.Helper()
	got := p.do(method, "/admin/v1/tenants/acme"+path, body)
	if got.status != want {
		p.t.Fatalf("%s %s: status %d, want %d: %s", method, path, got.status, want, got.text)
	}
	if err := schemas.CheckAll(got.body); err != nil {
		p.t.Errorf("%s %s: %v", method, path, err)
	}
	return got.body
}

// has lists a member's assignments as "kind organisation/target".
func (p *product) has(id string) string {
	p.t.Helper()
	m := p.admin(200, "GET", "/members/"+id, "")
	var all []string
	for _, v := range m["assignments"].([]any) {
		a := v.(map[string]any)
		org, _ := a["organisation"].(string)
		all = append(all, fmt.Sprint(a["kind"], " ", org, "/", a["target"]))
	}
	return fmt.Sprint(m["status"], ": ", strings.Join(all, ", "))
}

// TestOrganisationsRolesAndFunctions tells the story of a product that takes everything from the names of groups.
func TestOrganisationsRolesAndFunctions(t *testing.T) {
	p := newProduct(t)
	preset, _ := mapping.Preset("fe2")
	p.admin(200, "PUT", "/policy", string(preset))
	jim := p.user("jim@example.com")
	if got := p.has(jim); got != "staged: " {
		t.Errorf("without a group: %s", got)
	}
	p.group("AZ1NC9", jim)
	p.group("AZ1NC9_Funktion_Maschinist", jim)
	p.group("AZ1NC9_Rolle_Leitung", jim)
	if got := p.has(jim); got != "staged: " {
		t.Errorf("without the organisation in the application: %s", got)
	}
	p.admin(200, "PUT", "/targets/organisation/AZ1NC9", `{"displayName": "Fire station", "features": ["availability"]}`)
	if got := p.has(jim); got != "active: function AZ1NC9/Maschinist, organisation /AZ1NC9" {
		t.Errorf("with the organisation: %s", got)
	}
	why := p.admin(200, "GET", "/members/"+jim+"/why", "")
	missing := why["missing"].([]any)[0].(map[string]any)
	if missing["reason"] != "target-unknown" ||
		missing["detail"] != "Role Leitung does not exist in AZ1NC9 yet; it will be given once it does." {
		t.Errorf("why: %v", missing)
	}
	p.admin(200, "PUT", "/targets/role/Leitung?organisation=AZ1NC9", "")
	if got := p.has(jim); got != "active: function AZ1NC9/Maschinist, organisation /AZ1NC9, role AZ1NC9/Leitung" {
		t.Errorf("with the role: %s", got)
	}
	events := p.admin(200, "GET", "/events?count=1000", "")["events"].([]any)
	once := 0
	for i, v := range events {
		e := v.(map[string]any)
		if e["sequence"] != float64(i+1) {
			t.Fatalf("event %d has the number %v", i+1, e["sequence"])
		}
		if e["type"] == "credentials.required" {
			once++
		}
	}
	if once != 1 {
		t.Errorf("credentials.required came %d times", once)
	}
}

func TestPolicyOverHTTP(t *testing.T) {
	p := newProduct(t)
	if gone := p.admin(410, "GET", "/events?after=7", ""); gone["after"] != "0" {
		t.Errorf("an empty log is to be followed from %v", gone["after"])
	}
	if got := p.do("GET", "/admin/v1/policy-presets", ""); fmt.Sprint(
		got.body["presets"]) != "[fe2 langdock leapsome sally]" {
		t.Errorf("presets: %s", got.text)
	}
	p.admin(400, "PUT", "/policy", `{"description": "`+strings.Repeat("x", 300<<10)+`"}`)
	bad := p.admin(400, "PUT", "/policy", `{"rules": [{"id": "r"}], "colour": 1}`)
	if errs := bad["errors"].([]any); len(errs) < 3 || errs[0].(map[string]any)["pointer"] != "/colour" {
		t.Errorf("errors: %v", bad)
	}
	if p.admin(200, "GET", "/policy", ""); p.admin(200, "GET", "/policy/status", "")["version"] != float64(0) {
		t.Error("a policy with faults was saved")
	}
	policy := `{"kinds": {"team": {"create": true}}, "rules": [{"id": "t", "group": {"pattern": "^(?P<n>.+)$"},
		"assign": {"kind": "team", "target": "${n}"}}]}`
	ada := p.user("ada")
	p.group("Red", ada)
	r := p.admin(200, "POST", "/policy/rehearse", policy)
	if gains := r["gains"].([]any); len(gains) != 1 || gains[0].(map[string]any)["target"] != "Red" {
		t.Errorf("rehearsal: %v", r)
	}
	p.admin(200, "PUT", "/policy", policy)
	if got := p.has(ada); got != "active: team /Red" {
		t.Errorf("after the save: %s", got)
	}
	list := p.admin(200, "GET", "/members?filter="+url.QueryEscape(`assignments[kind eq "team" and target eq "Red"]`), "")
	if len(list["members"].([]any)) != 1 {
		t.Errorf("list: %v", list)
	}
	p.admin(400, "GET", "/members?fliter=x", "")
	p.admin(400, "GET", "/members?filter=x", "")
	p.admin(404, "GET", "/members/nobody", "")
	gone := p.admin(410, "GET", "/events?after=100000", "")
	if page := p.admin(200, "GET", fmt.Sprint("/events?after=", gone["after"]), ""); len(page["events"].([]any)) != 0 {
		t.Errorf("behind the place that the answer 410 names, %v, are events: %v", gone["after"], page)
	}
	p.admin(404, "PUT", "/members/"+ada+"/assignments/desk/1", "")
	p.admin(204, "PUT", "/members/"+ada+"/assignments/team/a%2Fb/c", "")
	if got := p.has(ada); got != "active: team /Red, team /a/b/c" {
		t.Errorf("with a manual team: %s", got)
	}
	p.admin(409, "DELETE", "/members/"+ada+"/assignments/team/Red", "")
}
