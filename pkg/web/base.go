package web

import (
	"errors"
	"net"
	"net/http"
	"strings"
)

// ErrHost says that the Host header of a request names no host.
var ErrHost = errors.New("web: the Host header names no host")

// Base returns scheme and host of the deployment, "https://scim.example.com": as configured, else as the request
// came. The error is ErrHost.
func Base(configured string, r *http.Request) (string, error) {
	if configured != "" {
		return strings.TrimRight(configured, "/"), nil
	}
	if !plainHost(r.Host) {
		return "", ErrHost
	}
	return scheme(r) + "://" + r.Host, nil
}

// Bound is Base for uses that must not trust the client. If nothing is configured, the Host header is used only if
// it names the local address of the connection; otherwise that address is used. Behind API Gateway, which routes by
// the Host header, there is no such address, and the Host header is used.
func Bound(configured string, r *http.Request) (string, error) {
	address, known := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if configured != "" || !known || names(r.Host, address.String()) {
		return Base(configured, r)
	}
	return scheme(r) + "://" + address.String(), nil
}

// names reports whether a Host header names an address: literally, or as localhost if it is a loopback address. A
// port that is left out is 80.
func names(host, address string) bool {
	if strings.EqualFold(host, address) {
		return true
	}
	ip, port, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	name, given, err := net.SplitHostPort(host)
	if err != nil {
		name, given = strings.Trim(host, "[]"), "80"
	}
	parsed := net.ParseIP(ip)
	same := parsed != nil && parsed.Equal(net.ParseIP(name))
	local := parsed != nil && parsed.IsLoopback() && strings.EqualFold(name, "localhost")
	return given == port && (same || local)
}

// scheme is https if the request, or the first proxy that it met, says so.
func scheme(r *http.Request) string {
	first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	if r.TLS != nil || strings.EqualFold(strings.TrimSpace(first), "https") {
		return "https"
	}
	return "http"
}

// plainHost reports whether s is a host, maybe with a port, that can stand in a URL as it is.
func plainHost(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
			strings.IndexByte("-._:[]", c) >= 0) {
			return false
		}
	}
	return s != "" && len(s) <= 255
}
