// Package history checks that what many clients saw at the same time could have been seen one after the other, while
// processes die and engines fail: histories of one user and of one group, judged by porcupine.
package history
