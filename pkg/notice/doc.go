// Package notice tells the people of a tenant what becomes of its tokens: that the next one is ready, that the old one
// ends soon, that it has ended. A message says what to do in the words of the tenant's identity provider, in English or
// German, as text and HTML, and never holds a token.
//
// When something is told, and that it is told once, is package tenant's: it keeps a notice for each kind and token,
// gives it to one process at a time, and tries again what could not be sent. Here is what the message says, to whom it
// goes, and what a mail looks like on the wire.
//
// A notice is one message for each language of its recipients, so that in most cases one call either tells all of them
// or nobody. Mail can't be sent and marked as sent in one step. So a notice arrives twice where a process dies between
// the two (it comes again after 16 minutes), where the mail system takes a message and its answer is lost, or where one
// language could be sent, the other not, and another process tries again. A repeated message has the same identity
// (Message.ID, and Message-ID in a mail).
package notice
