package store

import "strconv"

// Window counts the tenant's requests in a window of time.
func (k Keys) Window(n int64) Key { return Key{k.pk("#LM"), Join("W", strconv.FormatInt(n, 10))} }

// Walk is one of the places for walks over all documents of a type.
func (k Keys) Walk(place int64) Key { return Key{k.pk("#LM"), Join("P", strconv.FormatInt(place, 10))} }
