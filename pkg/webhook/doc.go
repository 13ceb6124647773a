// Package webhook sends the events of tenants to the URLs of those who want them, signed as Standard Webhooks says
// (https://www.standardwebhooks.com), and keeps these URLs.
//
// A webhook belongs to a tenant, or to the operator: then it gets the events of all tenants. How far it has got a log,
// and when it is tried again, is package delivery's. A URL may name public addresses only, which is checked again when
// the address is dialled: the name may have moved meanwhile.
//
// The secret that signs is stored in the webhook's item, encrypted (AES-256-GCM) with one key of the deployment. A
// secret of its own in Secrets Manager would cost 0.40 USD a month for each webhook, and a call for each delivery. The
// key of the deployment is one secret, read once in the life of a process. Whoever reads the table or a backup of it
// has no secret of a webhook.
package webhook
