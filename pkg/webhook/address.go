package webhook

import (
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// maxURL bounds a URL in bytes, maxHost the name of its host: longer names are none in DNS (RFC 1035, section 2.3.4).
const (
	maxURL  = 2048
	maxHost = 253
)

// errAddress says that a name resolves to an address that is not public.
var errAddress = errors.New("webhook: the host has an address that is not public")

// closed are the ranges that no webhook may name, beside those that netip knows: special by IANA's registries, or
// other forms of IPv4 addresses.
var closed = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "240.0.0.0/4",
	"168.63.129.16/32", // the metadata server of Azure
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)

// global is the public range of IPv6. NAT64, IPv4-mapped, unique local and link-local addresses are outside.
var global = netip.MustParsePrefix("2000::/3")

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}

// open reports whether a webhook may be sent to an address; loopback allows this machine as well.
func open(a netip.Addr, loopback bool) bool {
	a = a.Unmap()
	if loopback && a.IsLoopback() {
		return true
	}
	if a.Zone() != "" || !a.IsGlobalUnicast() || a.IsPrivate() || a.Is6() && !global.Contains(a) {
		return false
	}
	for _, p := range closed {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// control refuses to connect to an address that is not open. It is net.Dialer.Control, which gets the address to which
// the name resolves at that moment.
func control(loopback bool) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil || !open(a.Addr(), loopback) {
			return errAddress
		}
		return nil
	}
}

// checkURL returns the fault of a webhook's URL as text; empty if there is none. Names are not resolved: their
// addresses are checked with each delivery.
func checkURL(text string, loopback bool) string {
	u, err := url.Parse(text)
	switch {
	case len(text) > maxURL:
		return "It is longer than 2,048 bytes."
	case err != nil || u.Opaque != "" || u.Host == "" || strings.ContainsFunc(text, func(r rune) bool {
		return r <= ' ' || r > '~' || r == '\\'
	}):
		return "It must be an absolute URL of ASCII characters, such as https://app.example.com/scim-events."
	case u.User != nil:
		return "It must not have a user name or password: deliveries are signed."
	case u.Fragment != "" || strings.HasSuffix(text, "#"):
		return "It must not have a fragment."
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "The port must be a number from 1 to 65535."
		}
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	a, notIP := netip.ParseAddr(host)
	here := host == "localhost" || strings.HasSuffix(host, ".localhost") || notIP == nil && a.Unmap().IsLoopback()
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback || !here) {
		return "It must start with https://."
	}
	switch {
	case notIP == nil && !open(a, loopback), notIP != nil && here && !loopback:
		return "The host must be public: no loopback, private, link-local or other special address."
	case notIP == nil:
		return ""
	}
	return checkName(host, here)
}

// badLabel reports whether a part of a name is none in DNS (RFC 1123, section 2.1).
func badLabel(label string) bool {
	return label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-")
}

// checkName returns the fault of a host that is not an IP address.
func checkName(host string, here bool) string {
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	switch {
	case strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" || slices.ContainsFunc(labels, badLabel):
		return "The host must be a name of letters, digits and hyphens."
	case len(host) > maxHost:
		return "The host is longer than 253 characters."
	case strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x"):
		return "The host is a number. Write an address as four decimal numbers, or use a name."
	case last == "internal" || last == "local" || len(labels) == 1 && !here:
		return "The host must be a name that public DNS resolves, not only your own network."
	}
	return ""
}
