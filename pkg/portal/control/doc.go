// Package control is the pages by which an administrator controls the connection: the settings and the domains.
//
//	control.go   the room
//	settings.go  the page of settings, and the reads for it
//	change.go    the forms of the settings
//	domains.go   domains with their TXT records
package control
