package cli_test

import (
	"regexp"
	"strings"
	"testing"
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
