package scim

import "slices"

// Dialect is the set of departures from the RFC that one tenant's identity provider needs, and of the strict
// readings that a profile asks for. Every field is one named, tested option; its zero value is the behaviour of a
// plain RFC 7644 server that is lenient if the RFC leaves room. A tenant's `idp` selects a Dialect with DialectOf;
// no other code depends on the identity provider.
type Dialect struct {
	// ConvertTypes reads an integer as a string if the attribute is not immutable, "1", "0", 1 and 0 as a boolean,
	// and a number in quotes as a number. Needed by: scripts and spreadsheets in front of any identity provider;
	// off in rfc and interop.
	ConvertTypes bool
	// ValueObjects reads {"value": x} as x in the place of a simple value, as a single value and in each element of
	// several. Needed by: entra (extension attributes); off in rfc and interop.
	ValueObjects bool
	// DottedKeys reads a key such as `name.givenName` in the body of a POST or PUT as the sub-attribute that it
	// names, as a PATCH without a path does. Needed by: clients that send one body to POST and PATCH; off in rfc and
	// interop.
	DottedKeys bool
	// SlashPaths reads a PATCH path in the form of a JSON pointer (RFC 6902): `/name/givenName`.
	// Needed by: clients on a JSON Patch library; off in rfc and interop.
	SlashPaths bool
	// RawBackslashes reads a backslash in a filter's string literally if it begins no escape, and also in
	// `"DOMAIN\user"`, for any first letter of the name. Needed by: clients that put a Windows name into a filter
	// without escapes; off in rfc and interop.
	RawBackslashes bool
	// SecurePhotos answers 400 invalidValue to a value of photos that is no absolute https URL. Asked for by:
	// applications that show the picture; off in rfc and interop.
	SecurePhotos bool
	// RequireObjects answers 400 invalidValue to a string in the place of a complex value: `"emails": "a@example.com"`.
	// Asked for by: rfc (RFC 7643, section 2.3.8).
	RequireObjects bool
	// UnquotedFilterValues reads a bare word on the right side of a filter comparison as a string, in a PATCH path too:
	// `externalId eq jyoung`. Needed by: entra (documented sample requests), authentik (clients up to 2025.8).
	UnquotedFilterValues bool
	// EmptyOperations accepts a PATCH with an empty Operations array as one that changes nothing.
	// Needed by: entra (periodic no-op requests).
	EmptyOperations bool
	// CreateOnReplace lets a PATCH replace whose value filter matches nothing create the element from the filter's
	// `eq` pairs, as add always does; RFC 7644 section 3.5.2.3 asks for noTarget. Needed by: entra, and harmless
	// for every other identity provider.
	CreateOnReplace bool
	// IgnoreUnknownPaths skips a PATCH operation whose path names no attribute of the schema, instead of 400
	// invalidPath. Needed by: every identity provider with an editable attribute mapping.
	IgnoreUnknownPaths bool
	// BareExtensionNames resolves a path or top-level key such as `manager` or `department` in the extensions if
	// the core schema has no such attribute. Needed by: entra (path "manager").
	BareExtensionNames bool
	// RejectUnknownAttributes answers 400 to a body with an attribute that no schema knows, or with an unknown URN in
	// `schemas`. Asked for by: interop (draft-zollner-scim-interop-profile).
	RejectUnknownAttributes bool
	// RequirePatchPath answers 400 invalidSyntax to a PATCH operation without a path.
	// Asked for by: interop (draft-zollner-scim-interop-profile).
	RequirePatchPath bool
	// ReplaceComplexWhole lets a PATCH replace of a whole single-valued complex attribute, such as `name`, put the
	// new value in the place of the old. RFC 7644 section 3.5.2.3 keeps the sub-attributes that the new value does
	// not name. Asked for by: interop (draft-zollner-scim-interop-profile).
	ReplaceComplexWhole bool
	// InteropProfile sets `interopProfileConformant` in ServiceProviderConfig, and lists canonical values for every
	// `type` in /Schemas. Asked for by: interop (draft-zollner-scim-interop-profile).
	InteropProfile bool
	// RequireDeclaredExtensions answers 400 to a resource without `schemas`, with `schemas` that is no array or
	// leaves out the resource type's own URN, and to extension data whose URN is missing from it. Asked for by: rfc
	// (RFC 7643, section 3).
	RequireDeclaredExtensions bool
	// UniqueGroupNames is the default of the tenant setting of that name: a second group with the same displayName is
	// a 409. Needed by: entra, okta, authentik; on in every profile of an identity provider.
	UniqueGroupNames bool
	// GroupPatchBody is the number of members up to which a PATCH of a group is answered with 200 and the whole group
	// instead of 204; 0 answers 204 always.
	// Asked for by: generic and rfc (100), whose clients are mostly test suites and hand-written scripts; SCIM-SDK, by
	// Keycloak (1,000), which counts a 204 as a failure.
	GroupPatchBody int
	// JSONAnswers sends application/json instead of application/scim+json.
	// Needed by: onelogin (its documentation asks for it).
	JSONAnswers bool
	// ShortSchemas leaves `password`, `emails.display`, `members.$ref` and `members.type` out of /Schemas.
	// Needed by: entra (its validator wants every listed attribute to come back as it was sent, and stops at these).
	ShortSchemas bool
	// HideMeta leaves `meta` out of the User and Group schemas of /Schemas, as RFC 7643 section 8.7.1 does, and sends
	// the ETag header with every representation. Elsewhere the answer to a GET from which the client excluded `meta`
	// has no ETag: a client that puts it into `meta.version`, and took `meta` from /Schemas, fails if there is no
	// `meta` to put it into. Asked for by: rfc (RFC 7644, section 3.14: the version is a header, always).
	HideMeta bool
}

// idps is the list of identity providers and profiles in the order of their display.
var idps = []string{
	"entra", "okta", "google", "onelogin", "pingone", "jumpcloud", "keycloak", "authentik", "rippling", "cyberark",
	"sailpoint",
	"pingfederate", "interop", "generic", "rfc",
}

// IdPs lists the names that DialectOf knows: the identity providers, then the profiles interop, generic and rfc.
func IdPs() []string { return slices.Clone(idps) }

// DialectOf returns the dialect of a tenant's `idp`, a name of IdPs in lower case; false if it is none of them.
func DialectOf(idp string) (Dialect, bool) {
	d := Dialect{
		ConvertTypes: true, ValueObjects: true, DottedKeys: true, SlashPaths: true, RawBackslashes: true,
		SecurePhotos: true,
	}
	switch idp {
	case "generic":
		d.GroupPatchBody = 100
		return d, true
	case "rfc":
		return Dialect{GroupPatchBody: 100, RequireDeclaredExtensions: true, RequireObjects: true, HideMeta: true}, true
	case "interop":
		return Dialect{
			RejectUnknownAttributes: true, RequirePatchPath: true, ReplaceComplexWhole: true, InteropProfile: true,
			UniqueGroupNames: true,
		}, true
	}
	if !slices.Contains(idps, idp) {
		return Dialect{}, false
	}
	d.CreateOnReplace, d.IgnoreUnknownPaths, d.BareExtensionNames, d.UniqueGroupNames = true, true, true, true
	switch idp {
	case "entra":
		d.UnquotedFilterValues, d.EmptyOperations, d.ShortSchemas = true, true, true
	case "authentik":
		d.UnquotedFilterValues = true
	case "onelogin":
		d.JSONAnswers = true
	case "keycloak":
		d.GroupPatchBody = 1000
	}
	return d, true
}
