package store

// Once is the key of a request to the admin API that was sent with an Idempotency-Key, by a digest of that.
func (k Keys) Once(digest string) Key { return Key{k.pk("#IK"), digest} }
