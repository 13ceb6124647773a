package statements_test

import "testing"

func TestP26ReturnByExternalIDThenUserName(t *testing.T) {
	w := newWorld(t, "generic", "leapsome")
	old := w.person("ann@example.com", `"externalId": "e1"`)
	w.member(old)
	w.scim(204, "DELETE", "/Users/"+old, "")
	id := w.person("ann.new@example.com", `"externalId": "e1"`)
	if m := w.member(id); m["previousId"] != old {
		t.Errorf("the member did not return: %v", m)
	}
}

func TestP23InviteThoseWhoWereNot(t *testing.T) {
	w := newWorld(t, "generic", "")
	w.member(w.person("ann@example.com"))
	w.member(w.person("bob@example.com"))
	for _, want := range []float64{2, 0} {
		if got := w.admin(2, "POST", "/members/invite", "")["invited"]; got != want {
			t.Errorf("invited %v, want %v", got, want)
		}
	}
}
