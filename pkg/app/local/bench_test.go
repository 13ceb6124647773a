package local_test

import (
	"fmt"
	"testing"
)

// BenchmarkRequest is one request from end to end, API Gateway's conversion included, on the embedded engine.
func BenchmarkRequest(b *testing.B) {
	a := tenantOn(b, metered(b), "acme", "entra")
	id := a.populate(1000)[500]
	n := 0
	for name, send := range map[string]func(){
		"get":    func() { a.must(200, "GET", "/Users/"+id, "") },
		"filter": func() { a.must(200, "GET", "/Users?filter=userName+eq+%22user-000500%22", "") },
		"miss":   func() { a.must(200, "GET", "/Users?filter=userName+eq+%22nobody%22", "") },
		"page":   func() { a.must(200, "GET", "/Users?count=100", "") },
		"patch": func() {
			n++
			a.must(200, "PATCH", "/Users/"+id, patchBody(fmt.Sprintf(`{"op":"replace","path":"title","value":"%d"}`, n)))
		},
		"create": func() {
			n++
			a.user(fmt.Sprintf("new-%d", n))
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				send()
			}
		})
	}
}
