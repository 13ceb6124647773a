package scimtest

import (
	"testing"
)

// behaviour is one observable behaviour. Its function makes the tenants that it needs, by profile.
type behaviour struct {
	name string
	run  func(tenant func(idp string) *client)
}

// RunBehaviours runs one subtest for each observable behaviour of a SCIM server: RFC 7643, RFC 7644, and the
// choices that clients rely on if these leave one. newTarget makes a fresh, empty tenant of a profile: one of the
// identity providers' names, generic or rfc. Required extensions are not part of it: see RunExtensions.
func RunBehaviours(t *testing.T, newTarget func(t *testing.T, idp string) Target) {
	t.Helper()
	run(t, behaviourChapters(), newTarget)
}

func behaviourChapters() []chapter {
	return []chapter{
		{"transport", transportBehaviours},
		{"discovery", discoveryBehaviours},
		{"create", createBehaviours},
		{"read", readBehaviours},
		{"sort", sortBehaviours},
		{"cursor", cursorBehaviours},
		{"filter", filterBehaviours},
		{"put", putBehaviours},
		{"patch", patchBehaviours},
		{"groups", groupBehaviours},
		{"delete", deleteBehaviours},
		{"decisions", decisionBehaviours},
		{"decisions on patch", patchDecisionBehaviours},
		{"forms of values", valueBehaviours},
		{"bulk", bulkBehaviours},
		{"search", searchBehaviours},
		{"prefer", preferBehaviours},
		{"memberships", membershipBehaviours},
	}
}

func newClient(t *testing.T, newTarget func(t *testing.T, idp string) Target, idp string) *client {
	t.Helper()
	return &client{t: t, target: newTarget(t, idp), idp: idp}
}
