// Package portal is the pages on which a customer's administrator sets the connection up: the rooms, joined to the
// frame, and the door: the page that redeems a set-up link.
package portal
