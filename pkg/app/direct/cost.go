package direct

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/serverless-scim/serverless-scim/pkg/cost"
)

// most is the highest number that is taken.
const most = 1_000_000_000

// PrintCost prints the monthly cost of a stack, as a table or as a JSON document.
func PrintCost(l cost.Load, asJSON bool, out io.Writer) error {
	for _, n := range []float64{
		float64(l.Tenants), float64(l.Users), float64(l.Groups), l.Changes, float64(l.Reads), float64(l.Polls),
		float64(l.Retention),
	} {
		if !(n >= 0 && n <= most) { // no number at all is neither
			return fmt.Errorf("each number must be between 0 and %d", most)
		}
	}
	prices, err := cost.Listed()
	if err != nil {
		return err
	}
	bill, each := cost.Of(l, prices), 0.0
	if l.Tenants > 0 {
		each = bill.Dollars() / float64(l.Tenants)
	}
	if asJSON {
		parts := []map[string]any{}
		for _, p := range bill {
			parts = append(parts, map[string]any{
				"part": p.Name, "quantity": p.Quantity, "unit": p.Unit, "price": p.Price, "dollars": p.Dollars(),
			})
		}
		return json.NewEncoder(out).Encode(map[string]any{
			"parts": parts, "month": bill.Dollars(), "tenant": each, "region": prices.Region, "date": prices.Date,
		})
	}
	rows := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(rows, "PART\tA MONTH\tUNIT\tUS DOLLARS\n")
	for _, p := range bill {
		fmt.Fprintf(rows, "%s\t%.2f\t%s\t%.2f\n", p.Name, p.Quantity, p.Unit, p.Dollars())
	}
	fmt.Fprintf(rows, "all\t\t\t%.2f\nper tenant\t\t\t%.4f\n", bill.Dollars(), each)
	if err := rows.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s, %s: %s\n", prices.Region, prices.Date, prices.Source)
	return err
}
