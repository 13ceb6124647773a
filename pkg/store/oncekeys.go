package store

// Once is the key of a request to the admin API that was sent with an Idempotency-Key, by a digest of that.
func (k Keys) Once(digest string) Key { return Key{k.pk("#IK"), digest} }

// OperatorOncePK is the partition of the requests with a key that are of no tenant.
const OperatorOncePK = "OPERATORONCE"

// OperatorOnce is the key of such a request.
func OperatorOnce(digest string) Key { return Key{OperatorOncePK, digest} }
