package local_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// TestCreatedGroupIsShownAsRead: the answer to the creation of a group, for which no member is read, is that of a GET:
// with members in one transaction and as open work, of all kinds, and with any selection.
func TestCreatedGroupIsShownAsRead(t *testing.T) {
	a := on(t, memory(t), "okta")
	ids := a.users(260)
	team := a.group("team", nil)
	odd := []string{
		`{"value":"` + team + `"}`, `{"value":"` + strings.ToUpper(ids[0]) + `"}`, `{"value":"user-0001"}`,
		`{"value":"` + ids[2] + `","display":"An \"other\" name"}`, `{"value":"` + ids[2] + `"}`,
		`{"value":"nobody","display":"Nobody"}`, `{"value":"no\u0001body"}`, `{"value":"é"}`,
	}
	for n, members := range map[int][]string{0: nil, 8: odd, 9: odd, 260: odd} {
		for _, id := range ids[:n] {
			members = append(members[:len(members):len(members)], `{"value":"`+id+`"}`)
		}
		for i, selection := range []string{
			"", "?attributes=members.value", "?attributes=members.type,displayName", "?excludedAttributes=members",
			"?excludedAttributes=members.$ref", "?attributes=displayName",
		} {
			created := a.must(201, "POST", "/Groups"+selection, fmt.Sprintf(
				`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"g%d-%d","members":[%s]}`, n, i,
				strings.Join(members, ",")))
			read := a.must(200, "GET", "/Groups/"+created["id"].(string)+selection, "")
			if !reflect.DeepEqual(created, read) {
				t.Errorf("%d members, %q: created as %.300v, read as %.300v", len(members), selection, created, read)
			}
		}
	}
}
