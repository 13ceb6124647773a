// Package openapi is the description of the admin API as an OpenAPI 3.1 document, written by hand. It is separate
// from package adminhttp so that tests can check requests and answers against it (package contract), and so that
// only programs that serve the admin API contain it.
package openapi

import _ "embed"

//go:embed openapi.json
var document []byte

// Document returns the document, which the caller must not change.
func Document() []byte { return document }
