// Package message writes the texts of notices and hands them to a mail system. A message gives the steps in the words
// of the tenant's identity provider, in English or German, as text and HTML. It never has a token.
//
// A notice is one message for each language of its recipients, so that in most cases one call reaches all of them or
// nobody. It arrives twice if the mail system accepts a message and its response is lost, or if one language could be
// sent, the other not, and another process tries again. A repeated message has the same identity (Message.ID, and
// Message-ID in a mail).
package message
