package store

import "strconv"

// Webhook is the key of a webhook of the tenant.
func (k Keys) Webhook(id string) Key { return Key{k.pk("#W"), id} }

// Webhooks is the partition of the tenant's webhooks.
func (k Keys) Webhooks() string { return k.pk("#W") }

// OperatorWebhooksPK is the partition of the webhooks that get the events of all tenants.
const OperatorWebhooksPK = "WEBHOOKS"

// OperatorWebhook is the key of a webhook of the operator's. No id is "KEY".
func OperatorWebhook(id string) Key { return Key{OperatorWebhooksPK, id} }

// WebhookKey is the key of the item that holds the key of the webhooks' secrets, which only local runs have.
var WebhookKey = Key{OperatorWebhooksPK, "KEY"}

// Destination is the key of a destination's position in the tenant's log.
func (k Keys) Destination(id string) Key { return Key{k.pk("#D"), id} }

// Destinations is the partition of all Destination keys.
func (k Keys) Destinations() string { return k.pk("#D") }

// SendPK is the partition of deliveries in order of when they are due. One partition is enough: only those that failed
// are in it.
const SendPK = "SEND"

// Send is the key under which a delivery is found when it is due, at a time in Unix seconds. The tenant "*" is all
// tenants.
func Send(at int64, tenant, destination string) Key {
	return Key{SendPK, Join(DueTime(at), tenant, destination)}
}

// SendOf reads a key of Send. ok is false if the key is none.
func SendOf(k Key) (at int64, tenant, destination string, ok bool) {
	parts := Split(k.SK)
	if k.PK != SendPK || len(parts) != 3 {
		return 0, "", "", false
	}
	at, err := strconv.ParseInt(parts[0], 10, 64)
	return at, parts[1], parts[2], err == nil
}
