package adminhttp_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// unresolved lists the values of the references that name nobody, each with its reason.
func (p *product) unresolved() (all []string) {
	p.t.Helper()
	for _, v := range p.admin(200, "GET", "/pending", "")["pending"].([]any) {
		o := v.(map[string]any)
		all = append(all, fmt.Sprint(o["value"], " ", o["reason"]))
	}
	slices.Sort(all)
	return all
}

// TestDeletedAndNotPublished asks for references to a user whose deletion nothing has published. With publish false
// nothing ever does.
func TestDeletedAndNotPublished(t *testing.T) {
	for _, silent := range []bool{false, true} {
		p := newProduct(t)
		p.admin(200, "PUT", "/policy", `{"members": {"onReturn": "restore"}}`)
		gone := p.provision("POST", "/Users", `{"userName": "bob@example.com", "externalId": "b-1"}`)
		p.admin(200, "GET", "/members/"+gone, "")
		if silent {
			p.admin(200, "PATCH", "", `{"settings": {"members": {"publish": false}}}`)
		}
		p.provision("DELETE", "/Users/"+gone, "")
		values := []string{gone, "b-1", "bob@example.com", "nobody"}
		for _, value := range values {
			p.provision("POST", "/Users", fmt.Sprintf(`{"userName": "boss is %[1]s",
				"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": %[1]q}}}`, value))
		}
		p.group("Red", values...)
		var want []string
		for _, value := range values {
			reason := " user-deleted"
			if value == "nobody" || silent && value != gone { // a name is known by the publication only
				reason = " user-unknown"
			}
			want = append(want, value+reason, value+reason)
		}
		slices.Sort(want)
		if got := p.unresolved(); !slices.Equal(got, want) {
			t.Errorf("publish %t:\n%s\nwant\n%s", !silent, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}
