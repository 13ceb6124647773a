package delivery_test

import (
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// TestHeadWithoutEpoch follows a log whose stored head has no epoch: all readers see one and the same, so that nobody
// looks for its place again and again, and the log goes on.
func TestHeadWithoutEpoch(t *testing.T) {
	d := &dest{id: "wh_1"}
	w := newWorld(t, d)
	w.write(2)
	w.work()
	ts := w.st.Tenant("acme")
	if err := ts.Write(t.Context(), store.PutItem(ts.LogHead(), store.Attrs{"seq": int64(2)})); err != nil {
		t.Fatal(err)
	}
	w.work()
	read := w.read.Load()
	if left := w.work(); left.More || w.read.Load() != read {
		t.Errorf("left %+v, %d events are read again", left, w.read.Load()-read)
	}
	d.reset()
	w.write(1)
	w.work()
	if d.text() != "[3]" {
		t.Errorf("got %s", d.text())
	}
}
