package filter_test

import (
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

var benchmarks = map[string]string{
	"simple": `userName eq "bjensen@example.com"`,
	"path":   `emails[type eq "work"].value eq "bjensen@example.com"`,
	"long": `userType eq "Employee" and (emails co "example.com" or emails.value co "example.org") and ` +
		`meta.lastModified gt "2011-05-13T04:42:34Z"`,
}

func BenchmarkParse(b *testing.B) {
	for name, s := range benchmarks {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := filter.Parse(s, scim.Dialect{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBind(b *testing.B) {
	for name, s := range benchmarks {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			e, err := filter.Parse(s, scim.Dialect{})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := filter.Bind(e, schema.UserType(), scim.Dialect{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMatch(b *testing.B) {
	doc := barbara()
	for name, s := range benchmarks {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			e, err := filter.Parse(s, scim.Dialect{})
			if err != nil {
				b.Fatal(err)
			}
			m, err := filter.Bind(e, schema.UserType(), scim.Dialect{})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				m.Match(doc)
			}
		})
	}
}
