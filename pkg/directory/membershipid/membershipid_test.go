package membershipid_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/directory/membershipid"
)

func ids(t *testing.T, key, tenant string) membershipid.IDs {
	t.Helper()
	ids, err := membershipid.New([]byte(key), tenant)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestIDsNameOneMembership(t *testing.T) {
	const group = "6c5bb468-14b2-4183-baf2-06d523e03bd3"
	a, seen := ids(t, "key", "a"), map[string]bool{}
	for _, value := range []string{
		"", "ann", "ann@example.com", "7d5bb468-14b2-4183-baf2-06d523e03bd3",
		"7D5BB468-14B2-4183-BAF2-06D523E03BD3", "\x00", strings.Repeat("é", 200),
	} {
		id := a.Of(group, value)
		if id != a.Of(group, value) || seen[id] || id != url.PathEscape(id) {
			t.Errorf("%q: id %q", value, id)
		}
		seen[id] = true
		if value != "" && strings.Contains(id, value) {
			t.Errorf("%q stands in %q", value, id)
		}
		if g, v, ok := a.Read(id); !ok || g != group || v != value {
			t.Errorf("%q: read %q, %q, %t", value, g, v, ok)
		}
		for name, other := range map[string]membershipid.IDs{
			"tenant": ids(t, "key", "b"), "key": ids(t, "other", "a"),
		} {
			if _, _, ok := other.Read(id); ok {
				t.Errorf("%q: read by another %s", value, name)
			}
		}
	}
}

func TestNoIDsWithoutAKey(t *testing.T) {
	if _, err := membershipid.New(nil, "a"); err == nil {
		t.Error("ids are sealed with no key")
	}
}
