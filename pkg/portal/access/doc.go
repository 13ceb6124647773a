// Package access is the page of what an identity provider signs in with: tokens, their rotation, and OAuth clients.
package access
