// Package cli is the command line to the admin API, local or deployed: `functions/local token ...`. It lists, issues, revokes, shows
// and rotates tokens, and tells who is notified.
package cli
