package cli_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/cli"
	"github.com/serverless-scim/serverless-scim/pkg/internal/awsfake/dynamolocal"
	"github.com/serverless-scim/serverless-scim/pkg/internal/filled"
	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/dynamostore/scan"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// TestRestoreDrill restores a table: it is copied in the middle of writes, item by item, so that the copy holds parts
// of transactions. The doctor repairs the copy, a server is attached to it, and requests go on.
func TestRestoreDrill(t *testing.T) {
	slow.Test(t, "DynamoDB Local takes some seconds for it")
	client := dynamolocal.Client(t)
	engine := scan.New(client, dynamolocal.Table(t, client))
	restored := dynamolocal.Table(t, client)
	memory := filled.Memory(t) // in which many users are made sooner
	w := filled.New(t, memory, "acme")
	w.Fill()
	drillUsers(t, w)
	filled.Load(t, engine, filled.Items(t, memory))
	w = filled.Open(t, engine, "acme", w.Token)
	shared := w.Group("shared")
	ahead, stop := filled.Clients(4, func(c, i int) { writeSome(w, shared, fmt.Sprintf("c%d-%d", c, i), i%2 == 1) })
	ahead(8)
	items := torn(t, engine)
	stop()

	copied := scan.New(client, restored)
	filled.Load(t, copied, items)
	flags := []string{"-engine", "dynamodb", "-dynamodb-endpoint", dynamolocal.Start(t), "-table", restored}
	t.Setenv("AWS_REGION", dynamolocal.Region)
	t.Setenv("AWS_ACCESS_KEY_ID", dynamolocal.AccessKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", dynamolocal.SecretAccessKey)
	began := time.Now()
	code, out, errOut := run(t, append([]string{"doctor", "-repair"}, flags...)...)
	t.Logf("%d items, doctor -repair in %v: %s", len(items), time.Since(began), out[max(0, len(out)-200):])
	if code != cli.OK {
		t.Fatalf("exit code %d: %s%s", code, out, errOut)
	}
	attached := filled.Open(t, copied, "acme", w.Token)
	attached.Settle()
	writeSome(attached, shared, "after", false)
	if got := attached.SCIM(200, "GET", "/Users?filter=userName%20eq%20%22after%22", "")["totalResults"]; got != 1.0 {
		t.Errorf("a user made after the restore is found %v times", got)
	}
	attached.Admin(200, "GET", "/members?count=1000", "")
	attached.Settle()
	file := filepath.Join(t.TempDir(), "acme.jsonl")
	for _, command := range [][]string{
		{"doctor"},
		{"doctor", "-repair", "-tenant", "acme"},
		{"tenants", "export", "acme", "-out", file},
		{"tenants", "import", file, "-id", "acme-restored"},
	} {
		began := time.Now()
		if code, out, errOut := run(t, append(command, flags...)...); code != cli.OK {
			t.Errorf("%v: exit code %d: %s%s", command, code, out, errOut)
		}
		t.Logf("%s in %v", command[:min(2, len(command))], time.Since(began))
	}
}

// TestNoSuchTable names a table that is not there to each command that opens one.
func TestNoSuchTable(t *testing.T) {
	slow.Test(t, "DynamoDB Local takes some seconds for it")
	t.Setenv("AWS_REGION", dynamolocal.Region)
	endpoint, file := dynamolocal.Start(t), filepath.Join(t.TempDir(), "acme.jsonl")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	want := "there is no table nowhere at " + endpoint + "; -table and -dynamodb-endpoint name it\n"
	for _, command := range [][]string{
		{"doctor"},
		{"doctor", "-tenant", "acme"},
		{"tenants", "export", "acme", "-out", file},
		{"tenants", "import", file},
	} {
		code, out, errOut := run(t, append(command,
			"-engine", "dynamodb", "-dynamodb-endpoint", endpoint, "-table", "nowhere")...)
		if code == cli.OK || !strings.HasSuffix(errOut, want) || strings.Contains(errOut, "Exception") {
			t.Errorf("%v: exit code %d, %q and %q, want %q", command, code, out, errOut, want)
		}
	}
}

// drillUsers makes as many users as TEST_DRILL_USERS says, so that the steps of the drill can be timed.
func drillUsers(t *testing.T, w *filled.World) {
	t.Helper()
	n, _ := strconv.Atoi(os.Getenv("TEST_DRILL_USERS"))
	var clients task.Group
	for c := range 8 {
		clients.Go(func() error {
			for i := c; i < n; i += 8 {
				name := fmt.Sprintf("drill-%d@example.com", i)
				status, out := w.Try("POST", "/Users", fmt.Sprintf(`{%s,"userName":%q,"externalId":"%d","active":true,
					"emails":[{"value":%[2]q,"type":"work"}]}`, filled.UserURN, name, i))
				if status != http.StatusCreated {
					return fmt.Errorf("user %d: %d %v", i, status, out)
				}
			}
			return nil
		})
	}
	if err := clients.Wait(); err != nil {
		t.Fatal(err)
	}
	w.Settle()
}

// writeSome makes a user and adds it to a group; some are deleted again.
func writeSome(w *filled.World, group, name string, drop bool) {
	_, u := w.Try("POST", "/Users", fmt.Sprintf(`{%s,"userName":%q,"externalId":%q,"active":true}`, filled.UserURN, name,
		name))
	id, _ := u["id"].(string)
	_, _ = w.Try("PATCH", "/Groups/"+group, fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
		"Operations":[{"op":"add","path":"members","value":[{"value":%q}]}]}`, id))
	if drop {
		_, _ = w.Try("DELETE", "/Users/"+id, "")
	}
}

// torn copies the items of a table one page after the other, as they are at that moment.
func torn(t *testing.T, engine *scan.Engine) []store.Item {
	t.Helper()
	st := store.New(engine, store.Options{})
	var all []store.Item
	for after := (store.Key{}); ; {
		keys, next, err := engine.Scan(t.Context(), after)
		if err != nil {
			t.Fatal(err)
		}
		some := 1 // one by one, for the copy to be torn
		if os.Getenv("TEST_DRILL_USERS") != "" {
			some = 1000
		}
		for keys := range slices.Chunk(keys, some) {
			items, err := st.Get(t.Context(), keys...)
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range items {
				if item.Attrs != nil {
					all = append(all, item)
				}
			}
		}
		if after = next; next == (store.Key{}) {
			return all
		}
	}
}
