package cli_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/app/cli"
)

// TestCost: the command prints the output shown in docs/operations.md, and the same as JSON.
func TestCost(t *testing.T) {
	docs, err := os.ReadFile("../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	code, out, errOut := run(t, "cost", "-tenants", "400", "-users", "500")
	if code != cli.OK || !strings.Contains(string(docs), out) {
		t.Errorf("exit code %d, and docs/operations.md shows another bill than:\n%s%s", code, out, errOut)
	}
	code, out, _ = run(t, "cost", "-tenants", "400", "-users", "500", "-json")
	var bill struct {
		Month, Tenant float64
		Parts         []struct{ Dollars float64 }
	}
	if err := json.Unmarshal([]byte(out), &bill); err != nil || code != cli.OK {
		t.Fatal(code, err)
	}
	sum := 0.0
	for _, p := range bill.Parts {
		sum += p.Dollars
	}
	if len(bill.Parts) < 12 || sum < bill.Month-0.01 || sum > bill.Month+0.01 || bill.Tenant*400 < bill.Month-0.01 {
		t.Errorf("%+v", bill)
	}
	if code, _, _ := run(t, "cost", "-tenants", "-1"); code != cli.Failed {
		t.Errorf("exit code %d", code)
	}
}
