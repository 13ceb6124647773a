// Package claim keeps the domains that tenants claim. One item of a tenant has all of them. The tenant's own item has
// the set of the verified ones, so that a SCIM request needs no further read. Both are written in one transaction, on
// the versions that were read.
//
// Each tenant has its own value for a domain. Two tenants can have the same domain, as for the test and the production
// of one company: the DNS then has both values.
//
//	name.go     the names that can be claimed, and their spellings
//	dns.go      the TXT record that proves that a domain is the tenant's
//	registry.go add, verify, remove
//	check.go    the daily check
package claim

import (
	"errors"
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/serverless-scim/serverless-scim/pkg/domain"
)

// maxName is the length in bytes of the longest name whose TXT record still has a valid name in the DNS.
const maxName = domain.MaxName - len(challenge)

// profile returns the conversion to A-labels for the lookup of names (RFC 5891, section 5), after mapping case and
// width (UTS 46). It is not a variable, so that a program that does not call it links no Unicode tables.
func profile() *idna.Profile {
	return idna.New(idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false), idna.StrictDomainName(true),
		idna.VerifyDNSLength(true))
}

// Parse returns the A-label form, in lower case, of a domain that a tenant may claim. The error completes a sentence
// that the name begins.
func Parse(text string) (string, error) {
	if _, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return "", errors.New("must be a domain, not an address")
	}
	name, err := profile().ToASCII(strings.TrimSuffix(text, "."))
	last := name[strings.LastIndexByte(name, '.')+1:]
	switch {
	case len(name) > maxName:
		return "", errors.New("is too long: the name of its TXT record would not fit into the DNS")
	case err != nil || last == name || !utf8.ValidString(text):
		return "", errors.New("must be a domain, such as example.com")
	case strings.Trim(last, "0123456789") == "":
		return "", errors.New("must be a domain, not an address")
	}
	return name, nil
}

// spellings returns the forms in which addresses have a name in A-label form: as it is, and in U-labels if those
// differ.
func spellings(name string) []string {
	if unicode, err := profile().ToUnicode(name); err == nil && unicode != name {
		return []string{name, unicode}
	}
	return []string{name}
}
