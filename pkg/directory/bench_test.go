package directory_test

import (
	"fmt"
	"sync/atomic"
	"testing"
)

// BenchmarkSameGroup has 16 clients add and remove members of one group.
func BenchmarkSameGroup(b *testing.B) {
	for _, idp := range []string{"entra", "generic"} {
		b.Run(idp, func(b *testing.B) {
			w := on(b, memory(b), idp)
			ids := w.users(256)
			g := w.group("g")
			var next atomic.Int64
			b.ResetTimer()
			together(16, func(i int) {
				for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
					id := ids[i*16+int(n)%16]
					ops := add(id)
					if n%2 == 0 {
						ops = drop(id)
					}
					if _, err := w.patch(group, g, ops); err != nil {
						b.Error(err)
					}
				}
			})
			b.StopTimer()
		})
	}
}

// BenchmarkUsers has 16 clients create and change users of their own.
func BenchmarkUsers(b *testing.B) {
	w := on(b, memory(b), "entra")
	var next atomic.Int64
	together(16, func(int) {
		for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
			id := w.user(fmt.Sprintf("user-%d", n), fmt.Sprintf(`"externalId":"x%d"`, n))
			if _, err := w.patch(user, id, `{"op":"replace","path":"active","value":false}`); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkReplaceLarge replaces the list of 5,000 members by nearly the same.
func BenchmarkReplaceLarge(b *testing.B) {
	w := on(b, memory(b), "entra")
	g := w.group("g")
	ids := w.plant(g, 5000)
	bodies := []string{groupBody("g", ids[1:]...), groupBody("g", ids[:len(ids)-1]...)}
	b.ResetTimer()
	for i := range b.N {
		w.ok(w.put(group, g, bodies[i%2]))
	}
}
