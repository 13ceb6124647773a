// Package portal is the pages on which a customer's administrator sets the connection up: the rooms, joined to the
// frame, and the door, where a set-up link is redeemed.
package portal
