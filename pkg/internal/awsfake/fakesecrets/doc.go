// Package fakesecrets is a Secrets Manager for tests: it follows the rules that AWS documents for staging labels, which
// other stand-ins get wrong, and can fail at any change.
package fakesecrets
