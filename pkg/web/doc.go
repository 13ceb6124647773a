// Package web is what all HTTP edges share: the id of a request, its deadline, its body, a panic as an error, one
// line in the log, the headers that keep browsers and caches out, and the base URL. What an answer says, and in which
// format errors are told, is each edge's own.
//
//	edge.go     an http.Handler of an edge: id, deadline, panic, log
//	request.go  a request, and its body
//	headers.go  headers of all answers
//	base.go     scheme and host
package web
