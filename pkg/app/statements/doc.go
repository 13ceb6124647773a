// Package statements tests the requirements of products on the endpoint, from outside: SCIM in, the admin API out.
// Each sentence of statements.tsv has tests that carry its number, and docs/statements.md is generated from both.
package statements
