package cli_test

import (
	"fmt"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/app/cli"
	"github.com/serverless-scim/serverless-scim/pkg/internal/awsfake/dynamolocal"
	"github.com/serverless-scim/serverless-scim/pkg/internal/filled"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/dynamostore/scan"
)

// TestRestoreDrill restores a table: it is copied in the middle of writes, item by item, so that the copy holds parts
// of transactions. The doctor repairs the copy, a server is attached to it, and requests go on.
func TestRestoreDrill(t *testing.T) {
	client := dynamolocal.Client(t)
	engine := scan.New(client, dynamolocal.Table(t, client))
	restored := dynamolocal.Table(t, client)
	w := filled.New(t, engine, "acme")
	w.Fill()
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
	code, out, errOut := run(t, append([]string{"doctor", "-repair"}, flags...)...)
	t.Logf("%d items: %s", len(items), out[max(0, len(out)-200):])
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
	if code, out, errOut := run(t, append([]string{"doctor"}, flags...)...); code != cli.OK {
		t.Errorf("exit code %d: %s%s", code, out, errOut)
	}
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
		for _, key := range keys { // one by one, for the copy to be torn
			items, err := st.Get(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			if items[0].Attrs != nil {
				all = append(all, items[0])
			}
		}
		if after = next; next == (store.Key{}) {
			return all
		}
	}
}
