// Package access is the page of the credentials of an identity provider: tokens, their rotation, and OAuth clients.
package access
