// Package awssecret is the vault of package tenant on AWS Secrets Manager: one secret per tenant, whose versions are
// its tokens.
//
// AWSCURRENT labels the token that the identity provider uses, AWSPENDING its successor; Secrets Manager itself moves
// AWSPREVIOUS to the version that AWSCURRENT leaves. A version without a label may be removed by Secrets Manager at any
// time, so a value is always asked for by label. The id of a version is made of the token's id, which makes every write
// idempotent. The secret string is the token, as the identity provider sends it.
//
// No request of an identity provider calls it: only creating, revealing and revoking tokens does.
package awssecret
