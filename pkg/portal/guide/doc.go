// Package guide has the pages that guide through the set-up: the start page with its steps, the connection of each
// identity provider, and a trial with one person.
package guide
