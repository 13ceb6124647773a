// Package webhook keeps the URLs of receivers, and sends the events of tenants to them, signed as in Standard Webhooks
// (https://www.standardwebhooks.com).
//
// A webhook belongs to a tenant, or to the operator: then it gets the events of all tenants. Package delivery keeps
// its position in a log and the time of its next attempt. A URL may name public addresses only. This is checked again
// when the address is dialled, because the name may have moved.
//
// The secret that signs is stored in the webhook's item, encrypted (AES-256-GCM) with one key of the deployment. A
// secret of its own in Secrets Manager would cost 0.40 USD a month for each webhook, and a call for each delivery. The
// key of the deployment is one secret, read once in the life of a process. A reader of the table or of a backup gets no
// secret of a webhook.
package webhook
