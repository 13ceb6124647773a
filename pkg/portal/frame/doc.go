// Package frame has the parts that all pages of the portal share: sessions, languages, layout, assets and headers. A
// room is a group of pages with their templates and texts; package portal connects the rooms.
//
//	frame.go   the edge: routes, session, role, errors
//	visit.go   one request to a page, and how it is answered
//	words.go   texts by language
//	render.go  templates, and the functions that they can call
//	inert.go   names that others chose, shown so that they can do no harm
//	assets.go  style sheets and scripts, under names that change with them
//	brand.go   the operator's name, logo and colour
//	headers.go security headers, cookies
package frame
