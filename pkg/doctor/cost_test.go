package doctor_test

import (
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/doctor"
	"github.com/serverless-scim/serverless-scim/pkg/internal/filled"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// TestCost bounds the reads of a check, as docs/operations.md says.
func TestCost(t *testing.T) {
	engine := filled.Memory(t)
	filled.New(t, engine, "acme").Fill()
	ctx, meter := store.WithMeter(t.Context())
	d := doctor.New(store.New(engine, store.Options{}), doctor.Options{
		Finding: func(f doctor.Finding) { t.Errorf("%+v", f) },
	})
	if err := d.All(ctx, engine); err != nil {
		t.Fatal(err)
	}
	cost := meter.Total()
	if units := cost.ReadUnits / float64(d.Sum().Items); units > 3.5 || cost.WriteUnits != 0 {
		t.Errorf("%.2f read units an item: %+v", units, cost)
	} else {
		t.Logf("%.2f read units an item: %+v", units, cost)
	}
}
