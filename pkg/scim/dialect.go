package scim

import "slices"

// Dialect is the set of departures from the RFC that one tenant's identity provider needs, and of the strict readings
// that a profile asks for. Every field is one named, tested option; its zero value is the behaviour of a plain RFC 7644
// server that is lenient where the RFC leaves room. A tenant's `idp` selects a Dialect with DialectOf; nothing else in
// the code asks which identity provider is talking. Profile `generic` is the zero value with GroupPatchBody.
type Dialect struct {
	// UnquotedFilterValues reads a bare word on the right side of a filter comparison as a string: `externalId eq jyoung`.
	// Needed by: entra (documented sample requests).
	UnquotedFilterValues bool
	// EmptyOperations accepts a PATCH with an empty Operations array as one that changes nothing.
	// Needed by: entra (periodic no-op requests).
	EmptyOperations bool
	// CreateOnReplace lets a PATCH replace whose value filter matches nothing create the element from the filter's
	// `eq` pairs, as add always does, where RFC 7644 section 3.5.2.3 asks for noTarget.
	// Needed by: entra, and harmless for every other identity provider.
	CreateOnReplace bool
	// IgnoreUnknownPaths skips a PATCH operation whose path names no attribute of the schema, instead of 400 invalidPath.
	// Needed by: every identity provider with an editable attribute mapping.
	IgnoreUnknownPaths bool
	// BareExtensionNames resolves a path or top-level key such as `manager` or `department` in the extensions where the
	// core schema has no such attribute. Needed by: entra (path "manager").
	BareExtensionNames bool
	// RejectUnknownAttributes answers 400 to a body with an attribute that no schema knows, or with an unknown URN in
	// `schemas`. Asked for by: interop (draft-zollner-scim-interop-profile).
	RejectUnknownAttributes bool
	// RequirePatchPath answers 400 invalidSyntax to a PATCH operation without a path.
	// Asked for by: interop (draft-zollner-scim-interop-profile).
	RequirePatchPath bool
	// ReplaceComplexWhole lets a PATCH replace of a whole single-valued complex attribute, such as `name`, put the new
	// value in the place of the old, where RFC 7644 section 3.5.2.3 keeps the sub-attributes that the new one does not
	// name. Asked for by: interop (draft-zollner-scim-interop-profile).
	ReplaceComplexWhole bool
	// InteropProfile says `interopProfileConformant` in ServiceProviderConfig, and lists canonical values for every `type`
	// in /Schemas. Asked for by: interop (draft-zollner-scim-interop-profile).
	InteropProfile bool
	// RequireDeclaredExtensions answers 400 to a resource without `schemas`, with `schemas` that is no array or leaves out
	// the resource type's own URN, and to extension data whose URN is missing from it. Asked for by: rfc (RFC 7643,
	// section 3).
	RequireDeclaredExtensions bool
	// UniqueGroupNames is the default of the tenant setting of that name: a second group with the same displayName is a
	// 409. Needed by: entra, okta, authentik; on in every profile of an identity provider.
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
	// HideMeta leaves `meta` out of the User and Group schemas of /Schemas, as RFC 7643 section 8.7.1 does, and sends the
	// ETag header with every representation. Elsewhere the answer to a GET from which the client excluded `meta` has no
	// ETag: a client that puts it into `meta.version`, and took `meta` from /Schemas, fails where there is no `meta` to
	// put it into. Asked for by: rfc (RFC 7644, section 3.14: the version is a header, always).
	HideMeta bool
}

// idps is the list of identity providers and profiles in the order in which people are shown them.
var idps = []string{
	"entra", "okta", "google", "onelogin", "pingone", "jumpcloud", "keycloak", "authentik", "rippling", "cyberark",
	"sailpoint",
	"pingfederate", "interop", "generic", "rfc",
}

// IdPs lists the names that DialectOf knows: the identity providers, then the profiles interop, generic and rfc.
func IdPs() []string { return slices.Clone(idps) }

// DialectOf is the dialect that goes with a tenant's `idp`. The name is one of IdPs, in lower case; false says that it
// is not.
func DialectOf(idp string) (Dialect, bool) {
	switch idp {
	case "generic":
		return Dialect{GroupPatchBody: 100}, true
	case "rfc":
		return Dialect{GroupPatchBody: 100, RequireDeclaredExtensions: true, HideMeta: true}, true
	case "interop":
		return Dialect{
			RejectUnknownAttributes: true, RequirePatchPath: true, ReplaceComplexWhole: true, InteropProfile: true,
			UniqueGroupNames: true,
		}, true
	}
	if !slices.Contains(idps, idp) {
		return Dialect{}, false
	}
	d := Dialect{CreateOnReplace: true, IgnoreUnknownPaths: true, BareExtensionNames: true, UniqueGroupNames: true}
	switch idp {
	case "entra":
		d.UnquotedFilterValues, d.EmptyOperations, d.ShortSchemas = true, true, true
	case "onelogin":
		d.JSONAnswers = true
	case "keycloak":
		d.GroupPatchBody = 1000
	}
	return d, true
}
