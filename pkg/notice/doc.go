// Package notice keeps the notices to the administrators of tenants: that the next token is ready, that the old one
// expires soon, that it has expired, and some about other subjects. It knows only the id of a tenant.
//
// A caller makes the write of a notice with Add, and puts it into the transaction of the step that causes the notice.
// Queue.Send then sends it: it claims the notice, so that only one process works on it, gets the facts that its text
// needs (as they are at that moment, which may be a day later), has it sent, and records the result. A notice that
// could not be sent is tried again for a day. Queue.Mark records that a notice bounced. The texts are in package
// message.
//
// Mail can't be sent and marked as sent in one step. So a notice arrives twice if a process dies between the two: it
// comes again after 16 minutes.
package notice
