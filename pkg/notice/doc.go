// Package notice keeps the messages to the people of tenants about their tokens: that the next one is ready, that the
// old one ends soon, that it has ended. Of a tenant it knows the id only.
//
// Whoever causes a notice makes its write with Add, and puts it into the transaction of the step that causes it.
// Queue.Send then has it sent: it claims the notice, so that only one process is at it, asks for the facts that its
// text needs (as they are at that moment, which may be a day later), has it sent, and notes what came of it. What could
// not be sent is tried again for a day. Queue.Mark records that a notice came back. The texts are package message.
//
// Mail can't be sent and marked as sent in one step. So a notice arrives twice if a process dies between the two: it
// comes again after 16 minutes.
package notice
