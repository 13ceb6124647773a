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
	for _, bad := range [][]string{
		{"-tenants", "-1"},
		{"-users", "-1"},
		{"-changes", "-0.5"},
		{"-changes", "NaN"},
		{"-changes", "Inf"},
		{"-changes", "1e300"},
		{"-tenants", "999999999999"},
		{"-retention", "-1"},
	} {
		code, out, errOut := run(t, append([]string{"cost"}, bad...)...)
		if code == cli.OK || out != "" || errOut == "" {
			t.Errorf("%v: exit code %d: %s%s", bad, code, out, errOut)
		}
	}
	code, out, _ = run(t, "cost", "-tenants", "0", "-users", "0")
	if code != cli.OK || !strings.Contains(out, "0.0000") {
		t.Errorf("exit code %d: %s", code, out)
	}
}
