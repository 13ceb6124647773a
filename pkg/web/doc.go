// Package web has the code that all HTTP edges share; an edge is the handler of one protocol. It handles the id of a
// request, its deadline, its body, a panic as an error, one line in the log, the headers that keep browsers and caches
// out, and the base URL. Each edge has its own answers and its own format of errors.
//
//	edge.go     an http.Handler of an edge: id, deadline, panic, log
//	request.go  a request, and its body
//	headers.go  headers of all answers
//	base.go     scheme and host
package web
