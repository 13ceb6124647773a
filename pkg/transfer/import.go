package transfer

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/doctor"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/stored"
)

// Import are the options of an import.
type Import struct {
	// Tenant is the id that the tenant gets; "" is the one in the file.
	Tenant string
	// Unseal decrypts the secrets; nil goes without them.
	Unseal func([]byte) ([]byte, error)
	// PlainTokens says that the table may hold tokens in plain text, as that of a local run does.
	PlainTokens bool
	Now         func() time.Time
}

// Result is the result of an import.
type Result struct {
	Tenant string
	Items  int64
	// Repaired counts the findings that the doctor has repaired, Left those that it could not.
	Repaired, Left int64
}

// ErrTaken says that the tenant is there already, or is being imported from another file.
var ErrTaken = errors.New("transfer: the id is in use by a tenant, or by one that is still being deleted: " +
	"delete it and wait a minute, or import under another id")

const (
	attrDigest = "digest"
	attrDone   = "done"
	// atOnce is how many items one step writes.
	atOnce = 500
)

// importing is one import.
type importing struct {
	Import
	st     *store.Store
	k      store.Keys
	digest string
	done   int64 // items that are written
	same   bool  // under the same id
	tenant store.Item
	hidden secrets
	batch  []store.Op
	n      int64
}

// Read imports a tenant from a file, which it reads twice. A file that is cut off or was altered is a *FileError, and
// nothing is written.
func (i Import) Read(ctx context.Context, st *store.Store, file io.ReadSeeker) (Result, error) {
	m := &importing{Import: i, st: st}
	h, digest, err := read(file, m.check)
	if err != nil {
		return Result{}, err
	}
	if m.tenant.Attrs == nil {
		return Result{}, &FileError{2, "the file has no tenant"}
	}
	if m.Tenant == "" {
		m.Tenant = h.Tenant
	}
	m.k, m.digest, m.same = store.KeysOf(m.Tenant), digest, m.Tenant == h.Tenant
	result := Result{Tenant: m.Tenant}
	if !stored.ValidID(m.Tenant) {
		return result, fmt.Errorf("transfer: %q is not a tenant id: use 3 to 40 of a-z, 0-9 and -", m.Tenant)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return result, err
	}
	written, err := m.begin(ctx)
	if err != nil {
		return result, err
	}
	if !written {
		if err := m.write(ctx, file); err != nil {
			return result, err
		}
	}
	result.Items = max(m.n, m.done) // n is 0 if an earlier call has written all
	return result, m.examine(ctx, &result)
}

// check looks at each line before anything is written.
func (m *importing) check(_ Header, l line) error {
	switch {
	case l.Sealed != nil && m.Unseal != nil:
		text, err := m.Unseal(l.Sealed)
		if err != nil {
			return &FileError{Reason: "the secrets can't be decrypted: " + err.Error()}
		}
		return json.Unmarshal(text, &m.hidden)
	case l.Partition == nil:
		return nil
	}
	attrs, err := decodeAttrs(l.Attrs)
	if err != nil {
		return &FileError{Reason: err.Error()}
	}
	k := store.KeysOf("t")
	key := keyOf(k, *l.Partition, l.Key)
	if err := store.ValidateBatch([]store.Op{{Kind: store.Put, Key: key, Set: attrs}}); err != nil {
		return &FileError{Reason: err.Error()}
	}
	if !doctor.Knows(key) {
		return &FileError{Reason: "the item has a kind that this version does not know"}
	}
	if key == k.Tenant() {
		m.tenant = store.Item{Key: key, Attrs: attrs}
		if _, err := stored.Decode(m.tenant, m.Now()); err != nil {
			return &FileError{Reason: err.Error()}
		}
	}
	return nil
}

func keyOf(k store.Keys, partition, sk string) store.Key {
	pk := k.Tenant().PK
	if partition != "" {
		pk += "#" + partition
	}
	return store.Key{PK: pk, SK: sk}
}

// begin creates the tenant, in the state "creating", or finds how far an earlier call was. written says that all items
// are there.
func (m *importing) begin(ctx context.Context) (written bool, err error) {
	items, err := m.st.Get(ctx, m.k.Tenant(), m.k.Import())
	if err != nil {
		return false, err
	}
	if items[1].Attrs != nil {
		if items[1].Attrs[attrDigest] != m.digest {
			return false, ErrTaken
		}
		m.done, _ = items[1].Attrs[attrDone].(int64)
		t, err := stored.Decode(items[0], m.Now())
		return err == nil && t.State == stored.Active, err
	}
	attrs, _, err := stored.Moved(m.tenant, stored.Move{Now: m.Now(), State: stored.Creating})
	if err != nil {
		return false, err
	}
	err = m.st.Transact(ctx,
		store.PutItem(m.k.Tenant(), attrs).When(store.IsAbsent()),
		store.PutItem(m.k.Listed(), stored.Listed(stored.Creating, m.Now())),
		store.PutItem(m.k.Import(), store.Attrs{attrDigest: m.digest, attrDone: int64(0)}).When(store.IsAbsent()))
	if failed := (*store.ConditionError)(nil); errors.As(err, &failed) {
		return false, ErrTaken
	}
	return false, err
}

// write writes the items that are not written yet, and makes the tenant active.
func (m *importing) write(ctx context.Context, file io.Reader) error {
	_, digest, err := read(file, func(h Header, l line) error { return m.item(ctx, h, l) })
	if err != nil {
		return err
	}
	if digest != m.digest {
		return errors.New("transfer: the file changed while it was read")
	}
	if err := m.flush(ctx); err != nil {
		return err
	}
	return m.activate(ctx)
}

// item takes one item of the file.
func (m *importing) item(ctx context.Context, h Header, l line) error {
	if l.Partition == nil {
		return nil
	}
	if m.n++; m.n <= m.done {
		return nil
	}
	attrs, err := decodeAttrs(l.Attrs)
	if err != nil {
		return err
	}
	key := keyOf(m.k, *l.Partition, l.Key)
	kind := store.Split(key.SK)[0]
	switch {
	case key == m.k.Tenant(), *l.Partition == "" && (leftOwn[kind] || kind == "CLIENT" && !m.same), left[*l.Partition]:
		return nil
	case key == m.k.LogHead():
		attrs["epoch"] = strings.ToLower(rand.Text()[:8])
	}
	if text, ok := attrs["doc"].(string); ok && !m.same {
		from, to := `"subject":"tenants/`+h.Tenant+`"`, `"subject":"tenants/`+m.Tenant+`"`
		attrs["doc"] = strings.Replace(text, from, to, 1)
	}
	m.batch = append(m.batch, store.Op{Kind: store.Put, Key: key, Set: attrs})
	if len(m.batch) < atOnce {
		return nil
	}
	return m.flush(ctx)
}

// flush writes the items that were taken, and notes how far the import is. The entry in the list of tenants gets the
// present time, so that the import is not taken for abandoned.
func (m *importing) flush(ctx context.Context) error {
	if err := m.st.Batch(ctx, m.batch...); err != nil {
		return err
	}
	m.batch = m.batch[:0]
	return m.st.Transact(ctx,
		store.PutItem(m.k.Import(), store.Attrs{attrDigest: m.digest, attrDone: m.n}).
			When(store.Is(attrDigest, m.digest)),
		store.PutItem(m.k.Listed(), stored.Listed(stored.Creating, m.Now())),
		store.CheckItem(m.k.Tenant(), store.Is(stored.AttrState, stored.Creating)))
}

// activate makes the tenant active, switched off.
func (m *importing) activate(ctx context.Context) error {
	values := m.PlainTokens && m.same && len(m.hidden.Tokens) > 0
	attrs, due, err := stored.Moved(m.tenant, stored.Move{
		Now: m.Now(), State: stored.Active, Key: m.hidden.Key, Access: m.same, Values: values,
	})
	if err != nil {
		return err
	}
	if values {
		var ops []store.Op
		for id, value := range m.hidden.Tokens {
			ops = append(ops, store.PutItem(m.k.Secret(id), store.Attrs{"value": value}))
		}
		if err := m.st.Batch(ctx, ops...); err != nil {
			return err
		}
	}
	ops := []store.Op{
		store.PutItem(m.k.Tenant(), attrs).When(store.Is(stored.AttrState, stored.Creating)),
		store.PutItem(m.k.Listed(), stored.Listed(stored.Active, m.Now())),
		store.CheckItem(m.k.Import(), store.Is(attrDigest, m.digest)),
	}
	if due != 0 {
		ops = append(ops, store.PutItem(m.k.Due(due), nil))
	}
	return m.st.Transact(ctx, ops...)
}

// examine brings all in line with the documents, and ends the import.
func (m *importing) examine(ctx context.Context, r *Result) error {
	var last string
	d := doctor.New(m.st, doctor.Options{Repair: true, Now: m.Now, Finding: func(f doctor.Finding) {
		if f.State != doctor.Repaired {
			last = f.Problem
		}
	}})
	if err := d.Tenant(ctx, m.Tenant); err != nil {
		return err
	}
	sum := d.Sum()
	r.Repaired, r.Left = sum.Findings-sum.Left, sum.Left
	if err := m.st.Write(ctx, store.RemoveItem(m.k.Import())); err != nil {
		return err
	}
	if sum.Left > 0 {
		return fmt.Errorf("transfer: the tenant is imported and has faults: run doctor -tenant %s; "+
			"number: %d, the last: %s", m.Tenant, sum.Left, last)
	}
	return nil
}
