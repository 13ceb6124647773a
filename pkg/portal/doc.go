// Package portal joins the pages for a customer's administrator, of package frame and of the rooms. Its own pages are
// those without a session: the one that redeems a set-up link, and the one that mails a new link.
package portal
