// Package seat has the seats of targets: how many there are, how many are in use, who waits for one, and the shortages
// that are announced. It decides about no member.
package seat
