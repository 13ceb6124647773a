package cli_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
)

func TestWebhooks(t *testing.T) {
	url := serve(t, "")
	good(t, url, "tenants", "create", "Acme", "-id", "acme")
	for _, owner := range []string{"acme", "-"} {
		out := good(t, url, "webhooks", "add", owner, "https://app.example.com/e", "-types", "member.*,token.expired")
		made := regexp.MustCompile(`Webhook (wh_\w+)\. .*: (whsec_\S+)`).FindStringSubmatch(out)
		if made == nil {
			t.Fatalf("added %s", out)
		}
		id := made[1]
		list := good(t, url, "webhooks", "list", owner)
		if !strings.Contains(list, id) || strings.Contains(list, "whsec") {
			t.Errorf("list: %s", list)
		}
		out = good(t, url, "webhooks", "change", owner, id, "-active", "off", "-description", "mine")
		if !strings.Contains(out, `"active": false`) {
			t.Errorf("changed: %s", out)
		}
		if out := good(t, url, "webhooks", "show", owner, id); !strings.Contains(out, `"description": "mine"`) {
			t.Errorf("shown: %s", out)
		}
		if out := good(t, url, "webhooks", "rotate-secret", owner, id); strings.Contains(out, made[2]) {
			t.Errorf("the same secret: %s", out)
		}
		replay := []string{"webhooks", "replay", owner, id, "-after", "0"}
		if owner == "-" {
			replay = append(replay, "-for", "acme")
		}
		if out := good(t, url, replay...); !strings.Contains(out, "sent again") {
			t.Errorf("replay: %s", out)
		}
		if code, _, err := run(t, "-url", url, "webhooks", "change", owner, id); code != 2 {
			t.Errorf("a change of nothing: %d %s", code, err)
		}
		good(t, url, "webhooks", "remove", owner, id)
		if code, _, err := run(t, "-url", url, "webhooks", "show", owner, id); code != 1 {
			t.Errorf("removed: %d %s", code, err)
		}
	}
	if code, _, err := run(t, "-url", url, "webhooks", "add", "acme", "https://127.0.0.1/"); code != 1 ||
		!strings.Contains(err, "public") {
		t.Errorf("a private address: %d %s", code, err)
	}
}

// TestStateOfWebhooks lists webhooks of a tenant and of the operator, whose receiver does not exist, in every state.
func TestStateOfWebhooks(t *testing.T) {
	url := serveOn(t, local.Options{WebhookLoopback: true})
	token := acme(t, url)
	ids := map[string]string{}
	for _, owner := range []string{"acme", "-"} {
		out := good(t, url, "webhooks", "add", owner, "http://127.0.0.1:1/", "-types", "member.*")
		ids[owner] = regexp.MustCompile(`wh_\w+`).FindString(out)
	}
	list := map[string][]string{"acme": {"webhooks", "list", "acme"}, "-": {"webhooks", "list", "-", "-for", "acme"}}
	reaches := func(owner, state string) {
		t.Helper()
		out, want := "", regexp.MustCompile(ids[owner]+` +`+state+` `)
		for range 10_000 {
			if out = good(t, url, list[owner]...); want.MatchString(out) {
				return
			}
		}
		t.Fatalf("%v: not %s: %s", list[owner], state, out)
	}
	reaches("acme", "good")
	made(t, url, token, person("ann", ""))
	reaches("acme", "failing")
	reaches("-", "failing")
	good(t, url, "clock", "set", time.Now().AddDate(0, 0, 6).Format(time.DateOnly))
	reaches("acme", "paused")
	reaches("-", "paused")
	list["-"] = []string{"webhooks", "list", "-"} // of no tenant
	reaches("-", "on")
	for _, owner := range []string{"acme", "-"} {
		good(t, url, "webhooks", "change", owner, ids[owner], "-active", "off")
		reaches(owner, "off")
	}
	if code, _, err := run(t, "-url", url, "webhooks", "list", "-", "-for", "nobody"); code != 1 || err == "" {
		t.Errorf("for no tenant: %d %s", code, err)
	}
}
