package local_test

import (
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

// TestOperatorLogDays: an entry of the operator's log is kept for the days that the operator has set, 90 by default.
func TestOperatorLogDays(t *testing.T) {
	const day = 24 * time.Hour
	for set, kept := range map[int]time.Duration{0: 90 * day, 3: 3 * day, 400: 400 * day} {
		var machine atomic.Int64 // in Unix seconds: the server looks at it meanwhile
		machine.Store(someDay.Unix())
		s, err := local.Open(t.Context(), local.Options{
			Engine: "bolt", Data: boltstore.Memory, Log: io.Discard, Out: io.Discard, OperatorLogDays: set,
			Now: func() time.Time { return time.Unix(machine.Load(), 0).UTC() },
		})
		if err != nil {
			t.Fatal(err)
		}
		o := operator{t, s}
		o.must(201, "POST", "/tenants", withAda)
		machine.Store(someDay.Add(kept - time.Hour).Unix())
		entries := o.must(200, "GET", "/log", "")["entries"].([]any)
		if len(entries) != 1 {
			t.Fatalf("%d days, before the end: %v", set, entries)
		}
		entry := "/log/" + entries[0].(map[string]any)["id"].(string)
		o.must(200, "GET", entry, "")
		machine.Store(someDay.Add(kept + time.Hour).Unix())
		if entries = o.must(200, "GET", "/log", "")["entries"].([]any); len(entries) != 0 {
			t.Errorf("%d days, after the end: %v", set, entries)
		}
		o.must(404, "GET", entry, "")
		_ = s.Close()
	}
}
