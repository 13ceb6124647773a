package statements_test

import (
	"fmt"
	"slices"
	"testing"
)

func TestP26ReturnByExternalIDThenUserName(t *testing.T) {
	w := newWorld(t, "generic", "leapsome")
	old := w.person("ann@example.com", `"externalId": "e1"`)
	w.member(old)
	w.scim(204, "DELETE", "/Users/"+old, "")
	id := w.person("ann.new@example.com", `"externalId": "e1"`)
	if m := w.member(id); m["previousId"] != old {
		t.Errorf("the member did not return: %v", m)
	}
	// One who matches by externalId goes before one who matches by userName.
	bob, cem := w.person("bob@example.com", `"externalId": "e2"`), w.person("cem@example.com", `"externalId": "e3"`)
	w.found("")
	for _, id := range []string{bob, cem} {
		w.scim(204, "DELETE", "/Users/"+id, "")
	}
	w.found("")
	if m := w.member(w.person("bob@example.com", `"externalId": "e3"`)); m["previousId"] != cem {
		t.Errorf("returned as %v, want %s", m["previousId"], cem)
	}
}

// suspects lists the pairs of userNames that are probably one person.
func (w *world) suspects() []string {
	w.t.Helper()
	var all []string
	for _, v := range w.admin(200, "GET", "/members/duplicates", "")["duplicates"].([]any) {
		two := v.(object)["members"].([]any)
		all = append(all, fmt.Sprint(two[0].(object)["userName"], " ", two[1].(object)["userName"]))
	}
	return all
}

func TestP26AddressChangeWithoutExternalID(t *testing.T) {
	for name, second := range map[string][]string{
		"another domain":        {"ann@new.example", address("ann@new.example")},
		"another userName":      {"a.example@old.example", address("ann@old.example")},
		"the old address stays": {"ann@new.example", address("ann@old.example")},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "entra", "leapsome")
			old := w.person("ann@old.example", address("ann@old.example"))
			w.group("Red", old)
			w.admin(204, "PUT", "/members/"+old+"/assignments/team/Own", "")
			w.admin(200, "PUT", "/members/"+old+"/account", `{"accountId": "7"}`)
			// The identity provider has lost the link, and makes the person anew.
			id := w.person(second[0], second[1])
			if got := w.suspects(); !slices.Equal(got, []string{"ann@old.example " + second[0]}) {
				t.Fatalf("suspected: %v", got)
			}
			w.scim(204, "DELETE", "/Users/"+old, "")
			w.member(old)
			if n := w.count("duplicate.suspected"); n != 1 {
				t.Errorf("told %d times", n)
			}
			m := w.admin(200, "POST", "/members/"+old+"/merge", fmt.Sprintf(`{"into": %q}`, id))
			if m["accountId"] != "7" || m["previousId"] != old {
				t.Errorf("merged: %v", m)
			}
			w.wants(id, "active: team Own")
			if got := w.suspects(); len(got) != 0 {
				t.Errorf("suspected still: %v", got)
			}
			if n := w.count("invitation.due"); n != 2 {
				t.Errorf("%d invitations", n)
			}
		})
	}
}

func TestP26AddressChangeWithExternalID(t *testing.T) {
	w := newWorld(t, "entra", "leapsome")
	id := w.person("ann@old.example", address("ann@old.example"), `"externalId": "e1"`)
	w.replace("/Users/"+id, "externalId", `"e2"`)
	w.replace("/Users/"+id, "userName", `"ann@new.example"`)
	if m := w.member(id); m["externalId"] != "e2" || m["userName"] != "ann@new.example" || m["previousId"] != nil {
		t.Errorf("the member is %v", m)
	}
	w.person("ann@old.example", address("ann@old.example"), `"externalId": "e3"`) // somebody else has the address now
	if got := w.suspects(); len(got) != 0 {
		t.Errorf("suspected: %v", got)
	}
}

func TestP4ReactivationBehindADeletion(t *testing.T) {
	// A deletion only deactivates; whoever comes back is the same person, and is told of nothing twice.
	w := newWorld(t, "entra", "leapsome")
	id := w.person("ann@example.com", `"externalId": "e1"`)
	group := w.group("Red", id)
	w.admin(204, "PUT", "/members/"+id+"/assignments/team/Own", "")
	w.admin(200, "PUT", "/members/"+id+"/account", `{"accountId": "7"}`)
	w.replace("/Users/"+id, "active", `"False"`)
	w.wants(id, "inactive: team Own, team Red")
	w.scim(204, "DELETE", "/Users/"+id, "")
	w.wants(id, "inactive: team Own")
	again := w.person("ann@example.com", `"externalId": "e1"`)
	w.join(group, again)
	w.wants(again, "active: team Own, team Red")
	if m := w.member(again); m["accountId"] != "7" || m["previousId"] != id {
		t.Errorf("back as %v", m)
	}
	if n := w.count("invitation.due"); n != 1 {
		t.Errorf("%d invitations of one person", n)
	}
}

func TestP25DeletedNamesAreFree(t *testing.T) {
	for _, preset := range []string{"leapsome", ""} { // deletion deactivates, and removes
		w := newWorld(t, "entra", preset)
		for n := range 3 { // no 409 from one who left
			id := w.person("ann@example.com", `"externalId": "e1"`)
			w.wants(id, "active: ")
			if m := w.member(id); n > 0 && m["previousId"] == nil {
				t.Errorf("%q: nobody's place was taken the %d. time", preset, n)
			}
			w.scim(204, "DELETE", "/Users/"+id, "")
			w.scim(404, "GET", "/Users/"+id, "")
			w.scim(404, "PATCH", "/Users/"+id, patchBody(`{"op": "Replace", "path": "active", "value": true}`))
			w.member(id)
		}
	}
}

func TestF13CredentialsOnceBehindAReturnAndAMerge(t *testing.T) {
	w := fe2(t)
	w.admin(200, "PUT", "/targets/role/Leitung?organisation=AZ1NC9", "")
	jim := w.user("jim@example.com", `"externalId": "e1"`)
	org, group := w.group("AZ1NC9", jim), w.group("AZ1NC9_Rolle_Leitung", jim)
	w.member(jim)
	w.scim(204, "DELETE", "/Users/"+jim, "")
	w.member(jim)
	again := w.user("jim@example.com", `"externalId": "e1"`)
	w.join(org, again)
	w.join(group, again)
	w.wants(again, "active: organisation AZ1NC9, role AZ1NC9/Leitung")
	other := w.user("james@example.com", `"externalId": "e2"`)
	w.member(other)
	w.admin(200, "POST", "/members/"+again+"/merge", fmt.Sprintf(`{"into": %q}`, other))
	w.join(org, other)
	w.join(group, other)
	w.wants(other, "active: organisation AZ1NC9, role AZ1NC9/Leitung")
	if n := w.count("credentials.required"); n != 1 {
		t.Errorf("credentials.required came %d times", n)
	}
}
