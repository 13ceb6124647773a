package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/doctor"
	"github.com/serverless-scim/serverless-scim/pkg/internal/filled"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
	"github.com/serverless-scim/serverless-scim/pkg/transfer"
)

func export(t testing.TB, engine store.Engine, e transfer.Export) []byte {
	t.Helper()
	var file bytes.Buffer
	e.Tenant, e.Now = "acme", time.Now
	if _, err := e.Write(t.Context(), store.New(engine, store.Options{}), &file); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func read(ctx context.Context, engine store.Engine, file []byte, i transfer.Import) (transfer.Result, error) {
	i.Now = time.Now
	st := store.New(engine, store.Options{MaxWait: time.Millisecond})
	return i.Read(ctx, st, bytes.NewReader(file))
}

// sound checks that the doctor finds nothing.
func sound(t testing.TB, engine store.Engine) {
	t.Helper()
	d := doctor.New(store.New(engine, store.Options{}), doctor.Options{
		Finding: func(f doctor.Finding) { t.Errorf("%+v", f) },
	})
	if err := d.All(context.Background(), engine); err != nil {
		t.Fatal(err)
	}
}

// seen are the answers of requests to a tenant.
func seen(w *filled.World) map[string]any {
	w.T.Helper()
	all := map[string]any{}
	for _, path := range []string{"/Users?count=100&sortBy=id", "/Groups?count=100&sortBy=id", "/Devices?count=100"} {
		all[path] = w.SCIM(200, "GET", path, "")["Resources"]
	}
	for _, path := range []string{"/members?count=100", "/policy", "/targets", "/pending"} {
		page := w.Admin(200, "GET", path, "")
		delete(page, "after") // a place in the log, which has another epoch elsewhere
		all[path] = page
	}
	return all
}

// mask removes the tenant from the answers of requests.
func mask(v any, tenant string) string {
	return strings.ReplaceAll(fmt.Sprint(v), "/v2/"+tenant+"/", "/v2/TENANT/")
}

// TestAnotherDeploymentEquals moves a tenant into an empty table, under the same and under another id.
func TestAnotherDeploymentEquals(t *testing.T) {
	from := filled.Memory(t)
	w := filled.New(t, from, "acme")
	w.Fill()
	want := mask(seen(w), "acme")
	file := export(t, from, transfer.Export{})
	for _, secret := range []string{w.Token, "SECRET"} {
		if bytes.Contains(file, []byte(secret)) {
			t.Errorf("the file holds %s", secret)
		}
	}
	for _, id := range []string{"acme", "other"} {
		to := filled.Memory(t)
		result, err := read(t.Context(), to, file, transfer.Import{Tenant: id})
		if err != nil || result.Repaired != 0 || result.Items < 100 {
			t.Fatalf("%s: %+v, %v", id, result, err)
		}
		sound(t, to)
		there := filled.Open(t, to, id, w.Token)
		if status, _ := there.Try("GET", "/Users", ""); status != map[string]int{"acme": 403, "other": 401}[id] {
			t.Errorf("%s: status %d before it is switched on", id, status)
		}
		there.Admin(200, "PATCH", "", `{"active":true}`)
		if id == "other" { // which accepts no token of the first
			there.Token = there.Admin(201, "POST", "/tokens", "")["value"].(string)
		}
		if got := mask(seen(there), id); got != want {
			t.Errorf("%s: %s\nwant %s", id, got, want)
		}
		mine, theirs := events(w), events(there)
		if !reflect.DeepEqual(mine[0], theirs[0]) || mine[1] == theirs[1] || theirs[2].(float64) < mine[2].(float64) {
			t.Errorf("%s: events %v, want %v in another epoch", id, theirs, mine)
		}
		there.User("newcomer", "")
		there.Admin(200, "GET", "/members?count=100", "")
		sound(t, to)
	}
}

// events are the type of the first event, the epoch of the log, and its last number.
func events(w *filled.World) [3]any {
	w.T.Helper()
	page := w.Admin(200, "GET", "/events?count=1000", "")
	first := page["events"].([]any)[0].(map[string]any)
	parts := strings.Split(first["id"].(string), "-")
	return [3]any{first["type"], parts[len(parts)-2], page["last"]}
}

// TestSecrets: secrets move only on request, and only to the holder of the key.
func TestSecrets(t *testing.T) {
	from := filled.Memory(t)
	w := filled.New(t, from, "acme")
	turn := func(text []byte) ([]byte, error) { // a cipher for tests
		out := make([]byte, len(text))
		for i, b := range text {
			out[i] = b ^ 0x5a
		}
		return out, nil
	}
	file := export(t, from, transfer.Export{Seal: turn})
	if bytes.Contains(file, []byte(w.Token)) {
		t.Error("the file holds the token")
	}
	to := filled.Memory(t)
	if _, err := read(t.Context(), to, file, transfer.Import{Unseal: turn, PlainTokens: true}); err != nil {
		t.Fatal(err)
	}
	there := filled.Open(t, to, "acme", w.Token)
	list := there.Admin(200, "GET", "/tokens", "")["tokens"].([]any)
	id := list[0].(map[string]any)["id"].(string)
	if got := there.Admin(200, "POST", "/tokens/"+id+"/reveal", "")["value"]; got != w.Token {
		t.Errorf("revealed %v, want %s", got, w.Token)
	}
	_, err := read(t.Context(), filled.Memory(t), file, transfer.Import{
		Unseal: func([]byte) ([]byte, error) { return nil, errors.New("another key") },
	})
	if bad := (*transfer.FileError)(nil); !errors.As(err, &bad) {
		t.Errorf("with another key: %v", err)
	}
}

// TestBadFiles: a file that is cut off or altered anywhere is refused, and nothing is written.
func TestBadFiles(t *testing.T) {
	from := filled.Memory(t)
	filled.New(t, from, "acme").Fill()
	file := export(t, from, transfer.Export{})
	lines := bytes.SplitAfter(file, []byte("\n"))
	lines = lines[:len(lines)-1]
	join := func(lines ...[]byte) []byte { return bytes.Join(lines, nil) }
	bad := map[string][]byte{
		"empty":            nil,
		"cut in a line":    file[:len(file)/2],
		"cut at a line":    join(lines[:len(lines)/2]...),
		"without trailer":  join(lines[:len(lines)-1]...),
		"without an end":   file[:len(file)-1],
		"an item less":     append(join(lines[:9]...), join(lines[10:]...)...),
		"an item twice":    append(join(lines[:9]...), join(lines[8:]...)...),
		"a byte altered":   bytes.Replace(file, []byte("user-3"), []byte("user-4"), 1),
		"more behind":      append(bytes.Clone(file), '{', '}', '\n'),
		"another format":   bytes.Replace(file, []byte("serverless-scim-tenant"), []byte("other"), 1),
		"a later version":  bytes.Replace(file, []byte(`"version":1`), []byte(`"version":2`), 1),
		"an unknown field": bytes.Replace(file, []byte(`{"p":`), []byte(`{"x":1,"p":`), 1),
	}
	to := filled.Memory(t)
	for name, text := range bad {
		_, err := read(t.Context(), to, text, transfer.Import{})
		if wrong := (*transfer.FileError)(nil); !errors.As(err, &wrong) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if left := filled.Items(t, to); len(left) != 0 {
		t.Errorf("written: %v", left)
	}
	if _, err := read(t.Context(), to, file, transfer.Import{Tenant: "../x"}); err == nil {
		t.Error("a wrong id was taken")
	}
	if _, err := read(t.Context(), from, file, transfer.Import{}); !errors.Is(err, transfer.ErrTaken) {
		t.Errorf("over a tenant that is there: %v", err)
	}
}

// TestKilledAnywhere kills an import before every second one of its writes, and repeats it: the result is the same.
func TestKilledAnywhere(t *testing.T) {
	from := filled.Memory(t)
	w := filled.New(t, from, "acme")
	w.Fill()
	want := mask(seen(w), "acme")
	file := export(t, from, transfer.Export{})
	kills, items := 0, int64(bytes.Count(file, []byte("\n"))-2) // without header and trailer
	for n := 0; ; n += 2 {
		to := filled.Memory(t)
		dying := faultstore.New(to, nil)
		dying.KillAfterWrites(n)
		_, err := read(t.Context(), dying, file, transfer.Import{})
		killed := dying.Killed()
		if killed == (err == nil) {
			t.Fatalf("kill %d: %v", n, err)
		}
		if !killed {
			break
		}
		kills++
		if r, err := read(t.Context(), to, file, transfer.Import{}); err != nil || r.Items != items {
			t.Fatalf("after kill %d: %+v, %v; want %d items", n, r, err, items)
		}
		sound(t, to)
		there := filled.Open(t, to, "acme", w.Token)
		there.Admin(200, "PATCH", "", `{"active":true}`)
		if got := mask(seen(there), "acme"); got != want {
			t.Errorf("after kill %d: %s\nwant %s", n, got, want)
		}
	}
	if kills < 3 {
		t.Errorf("killed %d times only", kills)
	}
	t.Logf("killed %d times", kills)
}

// TestExportBesideWriters exports a tenant while 16 clients write to it. The imported tenant is sound, and has all
// data that nobody changed meanwhile as it was.
func TestExportBesideWriters(t *testing.T) {
	from := filled.Memory(t)
	w := filled.New(t, from, "acme")
	w.Fill()
	const old = "/Users?count=100&sortBy=id&filter=userName%20sw%20%22user-%22"
	before := mask(w.SCIM(200, "GET", old, "")["Resources"], "acme")
	shared := w.Group("shared")
	ahead, stop := filled.Clients(16, func(c, i int) {
		_, u := w.Try("POST", "/Users", fmt.Sprintf(`{%s,"userName":"c%d-%d","active":true}`, filled.UserURN, c, i))
		id, _ := u["id"].(string)
		_, _ = w.Try("PATCH", "/Groups/"+shared, fmt.Sprintf(`{"schemas":[
			"urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[
			{"op":"add","path":"members","value":[{"value":%q}]}]}`, id))
		if i%2 == 1 {
			_, _ = w.Try("DELETE", "/Users/"+id, "")
		}
	})
	var files [][]byte
	for range 2 {
		ahead(40)
		files = append(files, export(t, from, transfer.Export{}))
	}
	stop()
	for _, file := range files {
		to := filled.Memory(t)
		result, err := read(t.Context(), to, file, transfer.Import{})
		if err != nil {
			t.Fatalf("%+v, %v", result, err)
		}
		t.Logf("%+v", result)
		there := filled.Open(t, to, "acme", w.Token)
		there.Admin(200, "PATCH", "", `{"active":true}`)
		there.Settle()
		sound(t, to)
		got := there.SCIM(200, "GET", old, "")["Resources"]
		if after := mask(got, "acme"); after != before {
			t.Errorf("%s\nwant %s", after, before)
		}
	}
}

// TestPartitionsTakeTurns: DynamoDB takes 1,000 write units a second for one partition, so an import is only quick if
// the items of different partitions are mixed in the file.
func TestPartitionsTakeTurns(t *testing.T) {
	from := filled.Memory(t)
	w := filled.New(t, from, "acme")
	for i := range 200 {
		w.User(fmt.Sprintf("user-%d", i), fmt.Sprintf(`,"emails":[{"value":"u%d@example.com"}]`, i))
	}
	w.Settle()
	const part = 500
	lines := bytes.SplitAfter(export(t, from, transfer.Export{}), []byte("\n"))
	counts := map[string]int{}
	for _, line := range lines[:part] {
		name, _, _ := bytes.Cut(line, []byte(`","k":`))
		counts[string(name)]++
	}
	for name, n := range counts {
		if n > part/4 {
			t.Errorf("%d of the first %d lines are of one partition: %s", n, part, name)
		}
	}
}
