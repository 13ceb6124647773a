package scimhttp_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/scimhttp"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// BenchmarkDiscovery reads the documents of discovery as the handler gives them, without API Gateway's conversions.
func BenchmarkDiscovery(b *testing.B) {
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = engine.Close() })
	st := store.New(engine, store.Options{})
	tenants := tenant.New(st, tenant.NewTableSecrets(st), tenant.Options{Now: time.Now})
	_, token, err := tenants.Create(b.Context(), tenant.NewTenant{ID: "acme", Name: "acme", IdP: "generic"})
	if err != nil {
		b.Fatal(err)
	}
	h := scimhttp.New(scimhttp.Config{
		Tenants: tenants, Directory: directory.New(st, directory.Options{Now: time.Now}),
		Log: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	for _, c := range []struct{ name, path, encoding string }{
		{"Schemas", "/Schemas", ""},
		{"Schemas/gzip", "/Schemas", "gzip"},
		{"Schema", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User", ""},
		{"ResourceTypes", "/ResourceTypes", ""},
		{"ServiceProviderConfig", "/ServiceProviderConfig", ""},
		{"nothing", "/Users/none", ""},
		{"open", "/ServiceProviderConfig", ""},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodGet, "http://"+host+"/scim/v2/acme"+c.path, nil)
				if c.name != "open" {
					r.Header.Set("Authorization", "Bearer "+token.Value)
				}
				r.Header.Set("Accept-Encoding", c.encoding)
				h.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
}
