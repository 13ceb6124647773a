package claim

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
)

// challenge is the prefix of a domain in the name of its TXT record.
const challenge = "_scim-challenge."

// RecordName returns the name of the TXT record of a domain.
func RecordName(name string) string { return challenge + name }

// Answer is the answer of the DNS about the TXT record of a domain.
type Answer string

// The answers.
const (
	// Found: there is a record with the value.
	Found Answer = "found"
	// Missing: the DNS says that there is no record of that name (NXDOMAIN, or none of the type).
	Missing Answer = "missing"
	// Different: there are records of that name, and none has the value.
	Different Answer = "different"
	// Silent: there is no usable answer: SERVFAIL, a refusal, or none in time.
	Silent Answer = "silent"
)

// At returns a resolver that asks the server at an address, "127.0.0.1:53", and no other; nil if the address is "".
func At(address string) *net.Resolver {
	if address == "" {
		return nil
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}}
}

// ask asks whether a TXT record of the domain has the value.
func (g *Registry) ask(ctx context.Context, d Domain) Answer {
	ctx, cancel := context.WithTimeout(ctx, g.o.Patience)
	defer cancel()
	// The final dot keeps the search list of the machine out.
	records, err := g.o.Resolver.LookupTXT(ctx, RecordName(d.Name)+".")
	if err != nil {
		if answer := (*net.DNSError)(nil); errors.As(err, &answer) && answer.IsNotFound {
			return Missing
		}
		return Silent
	}
	switch {
	case len(records) == 0:
		return Missing
	case slices.ContainsFunc(records, func(s string) bool { return strings.TrimSpace(s) == d.Value }):
		return Found
	}
	return Different
}
