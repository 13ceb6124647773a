// Package pass handles the markers for many members: it walks over all of them, and marks each member.
//
//	pass.go       the steps of a pass, and the targets that groups adopt
//	review.go     the marker of the seats of a target
//	groupname.go  groups as targets, shown under another name
package pass
