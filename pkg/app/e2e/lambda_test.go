package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/internal/awsfake/fakelambda"
	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
	"github.com/serverless-scim/serverless-scim/pkg/scim/scimtest"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// TestLambda judges the functions as they are deployed: real binaries on one table, with all that they have to do at
// once.
func TestLambda(t *testing.T) {
	slow.Test(t, "it builds each function and runs it as a process on DynamoDB Local, for a minute")
	w := deploy(t)
	closed := w.deletion(t)
	generic := func(t *testing.T) scimtest.Target { return w.Target(t, "generic") }
	t.Run("at once", func(t *testing.T) {
		for name, run := range map[string]func(t *testing.T){
			"dialogues":         func(t *testing.T) { scimtest.RunDialogues(t, w.Target) },
			"behaviours":        func(t *testing.T) { scimtest.RunBehaviours(t, w.Target) },
			"hostile":           func(t *testing.T) { scimtest.RunHostile(t, w.Target) },
			"isolation":         func(t *testing.T) { scimtest.RunIsolation(t, generic(t), generic(t)) },
			"telling":           w.telling,
			"members":           w.people,
			"races":             func(t *testing.T) { scimtest.RunRaces(t, w.Target) },
			"tokens":            w.tokens,
			"oauth":             w.oauth,
			"large groups":      w.largeGroups,
			"records that fail": w.failures,
			"missing variables": w.missing,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				if name == "behaviours" || name == "races" || name == "hostile" {
					slow.Night(t, "the suite takes minutes here, and runs on the embedded engine as well")
				}
				run(t)
			})
		}
	})
	t.Run("a deleted tenant goes", func(t *testing.T) { w.gone(t, closed) })
	t.Run("logs", w.discreet)
}

// object is decoded JSON.
type object = map[string]any

// scim sends a request to a tenant, which must be answered with the status.
func scim(t testing.TB, target scimtest.Target, want int, method, path, body string) object {
	t.Helper()
	status, answer, err := call(target, method, path, body)
	if err != nil || status != want {
		t.Fatalf("%s %s: status %d, want %d: %v %v", method, path, status, want, answer, err)
	}
	return answer
}

func call(target scimtest.Target, method, path, body string) (status int, answer object, err error) {
	req, err := http.NewRequest(method, target.BaseURL+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+target.Token)
	req.Header.Set("Content-Type", "application/scim+json")
	resp, err := target.Client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err == nil && len(raw) > 0 {
		err = json.Unmarshal(raw, &answer)
	}
	return resp.StatusCode, answer, err
}

// users creates n users and returns their ids.
func users(t *testing.T, target scimtest.Target, n int) []string {
	t.Helper()
	ids := make([]string, n)
	var g errgroup.Group
	g.SetLimit(8)
	for i := range ids {
		g.Go(func() error {
			status, answer, err := call(target, "POST", "/Users",
				fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"u%d"}`, i))
			if err == nil && status != http.StatusCreated {
				err = fmt.Errorf("create a user: %d %v", status, answer)
			}
			ids[i], _ = answer["id"].(string)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	return ids
}

func group(name string, members []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":%q,"members":[`, name)
	for i, m := range members {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"value":%q}`, m)
	}
	return b.String() + `]}`
}

// members returns the sorted member values of a group as answered.
func members(group object) []string {
	var values []string
	list, _ := group["members"].([]any)
	for _, m := range list {
		value, _ := m.(object)["value"].(string)
		values = append(values, value)
	}
	slices.Sort(values)
	return values
}

// tokens shows that a token's value is in the vault only, and that revoking holds at once.
func (w *world) tokens(t *testing.T) {
	const id = "token-tenant"
	target := w.Create(t, id, "okta")
	if got := w.secrets.Show(secretPrefix + id)["AWSCURRENT"]; got != target.Token {
		t.Error("the vault does not hold the tenant's token as AWSCURRENT")
	}
	list := w.Must(t, 200, "GET", "/tenants/"+id+"/tokens", "")["tokens"].([]any)
	first := list[0].(object)["id"].(string)
	if shown := w.Must(t, 200, "POST", "/tenants/"+id+"/tokens/"+first+"/reveal", ""); shown["value"] != target.Token {
		t.Error("reveal shows another value")
	}
	second := w.Must(t, 201, "POST", "/tenants/"+id+"/tokens", `{}`)
	w.Must(t, 409, "POST", "/tenants/"+id+"/tokens", `{}`)
	successor := target
	successor.Token = second["value"].(string)
	for _, good := range []scimtest.Target{target, successor} {
		scim(t, good, 200, "GET", "/Users", "")
	}
	// The note of a token's use is made before the answer: after it the process stands still.
	for _, token := range w.Must(t, 200, "GET", "/tenants/"+id+"/tokens", "")["tokens"].([]any) {
		if used, _ := token.(object)["lastUsedAt"].(string); used == "" {
			t.Errorf("token %v was used, and the list does not say so", token.(object)["id"])
		}
	}
	w.Must(t, 204, "DELETE", "/tenants/"+id+"/tokens/"+first, "")
	scim(t, target, 401, "GET", "/Users", "")
	scim(t, successor, 200, "GET", "/ServiceProviderConfig", "")
	w.Must(t, 200, "PATCH", "/tenants/"+id, `{"active":false}`)
	scim(t, successor, 403, "GET", "/Groups", "")
	scim(t, target, 401, "GET", "/Groups", "")
}

// largeGroups makes groups whose members do not fit a transaction: the request does the first, unless the stream
// function was faster; a part of the second is left to the stream function. No read can tell.
func (w *world) largeGroups(t *testing.T) {
	target := w.Create(t, "large-groups", "generic")
	ids := users(t, target, 300)
	made := scim(t, target, 201, "POST", "/Groups", group("300", ids))
	path := "/Groups/" + made["id"].(string)
	slices.Sort(ids)
	if got := members(scim(t, target, 200, "GET", path, "")); !slices.Equal(got, ids) {
		t.Errorf("%d members of 300 are there", len(got))
	}
	chunks := store.KeysOf("large-groups").ChunkPrefix("").PK
	eventually(t, "the group of 300 is complete", func() bool { return len(w.keys(t, chunks)) == 0 })

	all := slices.Clone(ids)
	for i := range 1000 {
		all = append(all, fmt.Sprintf("not-yet-%04d", i))
	}
	w.poller.Hold()
	made = scim(t, target, 201, "POST", "/Groups", group("1300", all))
	path = "/Groups/" + made["id"].(string)
	if left := w.keys(t, chunks); len(left) == 0 {
		t.Error("the request left nothing of a group of 1,300 to the stream function")
	}
	slices.Sort(all)
	if got := members(scim(t, target, 200, "GET", path, "")); !slices.Equal(got, all) {
		t.Errorf("before the stream function: %d members of 1,300 are there", len(got))
	}
	w.poller.Go(t.Context())
	eventually(t, "the stream function completes the group",
		func() bool { return len(w.keys(t, chunks)) == 0 })
	if got := members(scim(t, target, 200, "GET", path, "")); !slices.Equal(got, all) {
		t.Errorf("after the stream function: %d members of 1,300 are there", len(got))
	}
	for _, id := range []string{ids[0], ids[299]} {
		if list, _ := scim(t, target, 200, "GET", "/Users/"+id, "")["groups"].([]any); len(list) != 2 {
			t.Errorf("user %s is in %d groups, not 2", id, len(list))
		}
	}
	scim(t, target, 204, "DELETE", path, "")
	scim(t, target, 404, "GET", path, "")
	eventually(t, "the members of a deleted group go", func() bool {
		return len(w.keys(t, store.KeysOf("large-groups").MemberPrefix("").PK)) == 300
	})
}

// failures hands the stream function a batch in which one tenant's work can't be done.
func (w *world) failures(t *testing.T) {
	broken := store.KeysOf("broken-tenant").Work("work")
	put := store.Op{
		Kind: store.Put, Key: broken,
		Set: store.Attrs{"kind": "nonsense", "doc": "{}", store.AttrWake: store.WakeWork},
	}
	if err := w.store.Write(t.Context(), put); err != nil {
		t.Fatal(err)
	}
	good := []store.Key{store.KeysOf("good-one").Work("1"), store.KeysOf("good-two").Work("2")}
	for _, key := range good {
		put := store.Op{Kind: store.Put, Key: key, Set: store.Attrs{"kind": "gone", "doc": `{"target":"none"}`}}
		if err := w.store.Write(t.Context(), put); err != nil {
			t.Fatal(err)
		}
	}
	wake := func(sequence string, key store.Key) any {
		return object{"eventID": sequence, "eventName": "INSERT", "eventSource": "aws:dynamodb", "dynamodb": object{
			"Keys": object{"pk": object{"S": key.PK}, "sk": object{"S": key.SK}},
			"NewImage": object{
				"pk": object{"S": key.PK}, "sk": object{"S": key.SK}, "wake": object{"S": store.WakeWork},
			},
			"SequenceNumber": sequence, "StreamViewType": "NEW_AND_OLD_IMAGES",
		}}
	}
	batch := []any{
		wake("100", good[0]), wake("101", broken), wake("102", good[1]),
		wake("103", store.Key{PK: "T#x#U", SK: "not ours"}), wake("104", store.KeysOf("nobody").Listed()),
	}
	answer, err := w.poller.Invoke(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.BatchItemFailures) != 1 || answer.BatchItemFailures[0].ItemIdentifier != "101" {
		t.Errorf("failures %v, want the record of the broken tenant", answer.BatchItemFailures)
	}
	left, err := w.store.Get(t.Context(), good...)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range left {
		if _, closed := item.Attrs["closed"]; item.Attrs != nil && !closed {
			t.Errorf("%s waits for another tenant's work", item.PK)
		}
	}
	eventually(t, "the broken record is given up",
		func() bool { return slices.Contains(w.poller.GivenUp(), broken.PK) })
	if !strings.Contains(w.log.String(), "broken-tenant") {
		t.Error("nothing in the log says which tenant's work fails")
	}
	if err := w.store.Write(t.Context(), store.Op{Kind: store.Delete, Key: broken}); err != nil {
		t.Fatal(err)
	}
	if answer, err = w.poller.Invoke(t.Context(), batch); err != nil || len(answer.BatchItemFailures) != 0 {
		t.Errorf("once repaired: %v, %v", answer.BatchItemFailures, err)
	}
}

// missing takes each variable of each function away: the function does not start, and names the missing variable.
func (w *world) missing(t *testing.T) {
	optional := []string{
		app.EnvBaseURL, app.EnvLogLevel, app.EnvMaxTokenDays, app.EnvEndlessTokens, app.EnvPackedSecrets,
		app.EnvNoticeFrom, app.EnvNoticeTopic, app.EnvNoticeConfigurationSet, app.EnvNoticeProduct,
		app.EnvNoticeContact, app.EnvStack, app.EnvMetrics, app.EnvLimits, app.EnvAdminHost, app.EnvSecretKey,
		app.EnvSecretTags, app.EnvPortalAccent, app.EnvPortalLogo, app.EnvPortalReturnURL, app.EnvPortalHours,
		app.EnvOperatorLogDays,
	}
	for _, f := range app.Functions() {
		for _, name := range f.Env {
			if slices.Contains(optional, name) {
				continue
			}
			whole := w.functions[f.Name]
			printed := &logs{}
			lacking := &fakelambda.Function{
				Name: f.Name, Program: whole.Program, Timeout: whole.Timeout, Concurrency: 1,
				Log: printed,
			}
			for _, variable := range whole.Env {
				if !strings.HasPrefix(variable, name+"=") {
					lacking.Env = append(lacking.Env, variable)
				}
			}
			var failed *fakelambda.FunctionError
			if _, err := lacking.Invoke(t.Context(), []byte(`{}`)); !errors.As(err, &failed) ||
				failed.Type != "Runtime.ExitError" {
				t.Errorf("%s without %s: %v", f.Name, name, err)
			}
			if !strings.Contains(printed.String(), name) {
				t.Errorf("%s without %s prints %q", f.Name, name, printed)
			}
			lacking.Close()
		}
	}
}

const closedID = "closed-customer"

// deletion deletes a tenant that has something of everything.
func (w *world) deletion(t *testing.T) scimtest.Target {
	t.Helper()
	target := w.Create(t, closedID, "entra")
	scim(t, target, 201, "POST", "/Groups", group("some", append(users(t, target, 40), "nobody")))
	w.Must(t, 202, "DELETE", "/tenants/"+closedID, "")
	return target
}

// gone waits until the id of the deleted tenant is free again. That takes longer than any request lives.
func (w *world) gone(t *testing.T, target scimtest.Target) {
	scim(t, target, 401, "GET", "/Users", "")
	w.Must(t, 404, "GET", "/tenants/"+closedID, "")
	var again object
	eventually(t, "the id is free again", func() bool {
		status, answer, err := w.Do("POST", "/tenants", `{"id":"`+closedID+`","name":"again"}`)
		if err != nil || status != http.StatusConflict && status != http.StatusCreated {
			t.Fatalf("status %d: %v %v", status, answer, err)
		}
		again = answer
		return status == http.StatusCreated
	})
	// The new tenant has events, which wait to be numbered or are on the bus, and an entry in its log for its creation.
	announced, own := store.Join("e")+store.Sep, map[string]int{"T#" + closedID + "#PL": 1}
	for _, pk := range store.KeysOf(closedID).Partitions() {
		left := slices.DeleteFunc(w.keys(t, pk), func(sk string) bool {
			return strings.HasPrefix(sk, announced) || sk == "bus"
		})
		if len(left) > own[pk] {
			t.Errorf("%s still has %d items", pk, len(left))
		}
	}
	scim(t, target, 401, "GET", "/Users", "")
	target.Token = again["token"].(object)["value"].(string)
	if list := scim(t, target, 200, "GET", "/Users", ""); list["totalResults"] != 0.0 {
		t.Errorf("the new tenant begins with %v users", list["totalResults"])
	}
	if got := w.secrets.Show(secretPrefix + closedID)["AWSCURRENT"]; got != target.Token {
		t.Error("the vault does not hold the new tenant's token")
	}
}

// discreet checks that the output of the functions is JSON lines without secrets.
func (w *world) discreet(t *testing.T) {
	text := w.log.String()
	if text == "" {
		t.Error("the functions log nothing")
	}
	for _, secret := range []string{"Bearer ", "scim_"} {
		if i := strings.Index(text, secret); i >= 0 {
			t.Errorf("the log holds a token: %.200s", text[i:])
		}
	}
	for line := range bytes.Lines([]byte(text)) {
		if !json.Valid(line) {
			t.Errorf("a line of the log is no JSON: %.300s", line)
			break
		}
	}
}

// TestFilterIsTheTemplates holds the filter that the tests follow against the one that is deployed.
func TestFilterIsTheTemplates(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, wakes := range [][]string{streamWakes, rotateWakes} {
		if filter := fakelambda.Filter(wakes...); !strings.Contains(string(text), filter) {
			t.Errorf("template.yaml does not have the filter %s", filter)
		}
	}
}
