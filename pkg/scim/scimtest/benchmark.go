package scimtest

import (
	"fmt"
	"net/http"
	"testing"
)

// BenchmarkLists measures the simple reads that an identity provider makes most: a first page and a look-up by
// userName. An identity provider wants far less than 600 ms, and 25 a second for one tenant. The tenant must be empty.
func BenchmarkLists(b *testing.B, target Target) {
	c := &client{t: b, target: target, idp: "generic"}
	c.many(200)
	b.Run("first page", func(b *testing.B) {
		for b.Loop() {
			(&client{t: b, target: target, idp: "generic"}).get("/Users").want(http.StatusOK)
		}
	})
	b.Run("userName eq", func(b *testing.B) {
		i := 0
		for b.Loop() {
			(&client{t: b, target: target, idp: "generic"}).filter("/Users", fmt.Sprintf(`userName eq "u%03d"`, i%200)).
				want(http.StatusOK)
			i++
		}
	})
}
