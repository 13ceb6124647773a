// Package directory is what a tenant's users and groups can do: the use cases behind the SCIM operations of RFC 7644 section 3.
// It turns documents into items of the table and back, keeps names unique, memberships in agreement and versions right, and
// plans filters and pages.
//
// Every write is one transaction, or one transaction that leaves open work behind (work.go): from the moment it is acknowledged
// it has happened, and whoever comes next completes it.
package directory
