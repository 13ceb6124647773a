//go:build !unix

package boltstore_test

// fillUp is for systems that can bound the size of a file.
func fillUp(string) {}
