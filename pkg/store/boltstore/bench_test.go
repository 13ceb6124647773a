package boltstore_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

// The benchmarks run on a file, on the disk of the temporary folder, and in memory.

func each(b *testing.B, run func(b *testing.B, e *boltstore.Engine)) {
	b.Run("file", func(b *testing.B) { run(b, open(b, filepath.Join(b.TempDir(), "scim.db"))) })
	b.Run("memory", func(b *testing.B) { run(b, open(b, boltstore.Memory)) })
}

// create is the transaction that makes a user: its item and three lookups.
func create(id string) []store.Op {
	absent := []store.Cond{{Test: store.Absent}}
	return []store.Op{
		{
			Kind: store.Put, Key: store.Key{PK: "T#t#U", SK: id},
			Set: store.Attrs{"v": int64(1), "ver": int64(1), "doc": strings.Repeat("d", 800)}, If: absent,
		},
		{Kind: store.Put, Key: store.Key{PK: "T#t#N", SK: id}, Set: store.Attrs{"v": int64(1), "id": id}, If: absent},
		{Kind: store.Put, Key: store.Key{PK: "T#t#X", SK: "externalId\x01" + id}, Set: store.Attrs{"v": int64(1)}},
		{Kind: store.Put, Key: store.Key{PK: "T#t#X", SK: "email\x01" + id}, Set: store.Attrs{"v": int64(1)}},
	}
}

func BenchmarkTransact(b *testing.B) {
	each(b, func(b *testing.B, e *boltstore.Engine) {
		b.ReportAllocs()
		for b.Loop() {
			id := uuid.NewString()
			if err := e.Transact(b.Context(), id, create(id)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkTransactParallel has 16 writers per core, who share writes to disk.
func BenchmarkTransactParallel(b *testing.B) {
	each(b, func(b *testing.B, e *boltstore.Engine) {
		b.ReportAllocs()
		b.SetParallelism(16)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				id := uuid.NewString()
				if err := e.Transact(b.Context(), id, create(id)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

// fill creates n users and returns their ids in order.
func fill(b *testing.B, e *boltstore.Engine, n int) []string {
	b.Helper()
	ids := make([]string, n)
	for i := 0; i < n; i += 20 {
		var ops []store.Op
		for j := i; j < i+20; j++ {
			ids[j] = fmt.Sprintf("%08d", j)
			ops = append(ops, create(ids[j])...)
		}
		if err := e.Transact(b.Context(), "", ops); err != nil {
			b.Fatal(err)
		}
	}
	return ids
}

func BenchmarkGet(b *testing.B) {
	each(b, func(b *testing.B, e *boltstore.Engine) {
		ids := fill(b, e, 2000)
		var i atomic.Int64
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				id := ids[int(i.Add(1))%len(ids)]
				if _, _, err := e.Get(b.Context(), []store.Key{{PK: "T#t#U", SK: id}}); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

func BenchmarkQuery(b *testing.B) {
	each(b, func(b *testing.B, e *boltstore.Engine) {
		ids := fill(b, e, 2000)
		for _, c := range []struct {
			name string
			q    store.Query
		}{
			{"100 items", store.Query{PK: "T#t#U", After: ids[1000], Limit: 100}},
			{"100 keys", store.Query{PK: "T#t#U", After: ids[1000], Limit: 100, Select: store.KeysOnly}},
			{"count a page", store.Query{PK: "T#t#U", Select: store.CountOnly}},
			{"one of a prefix", store.Query{PK: "T#t#X", Prefix: "email\x01" + ids[7]}},
		} {
			b.Run(c.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := e.Query(b.Context(), c.q); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	})
}

func BenchmarkOpenMemory(b *testing.B) {
	for b.Loop() {
		e, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := e.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
