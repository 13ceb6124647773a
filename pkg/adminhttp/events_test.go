package adminhttp_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// types are the types of the events behind a place, after all that waits was published.
func (p *product) types(after string) (types []string, last string) {
	p.t.Helper()
	p.admin(200, "GET", "/members?count=1", "")
	for _, v := range p.admin(200, "GET", "/events?count=1000&after="+after, "")["events"].([]any) {
		e := v.(map[string]any)
		types, last = append(types, e["type"].(string)), e["id"].(string)
	}
	return types, last
}

// TestEventsOfTokensAreInTheLog does what has events to tokens, clients and notices, between changes of people: all are
// in the one log, in the order in which they were done, and numbered without a gap. A tenant that publishes no members
// has them as well.
func TestEventsOfTokensAreInTheLog(t *testing.T) {
	for _, publish := range []bool{true, false} {
		t.Run(fmt.Sprint("publish ", publish), func(t *testing.T) {
			p := newProduct(t)
			p.admin(200, "PATCH", "", fmt.Sprintf(`{"settings": {"members": {"publish": %t}}}`, publish))
			made := p.admin(201, "POST", "/tokens", `{}`)
			token := "/tokens/" + made["id"].(string)
			p.user("ada")
			got, last := p.types("")
			p.admin(200, "POST", token+"/reveal", "")
			p.admin(204, "DELETE", token, "")
			p.admin(202, "POST", "/notices", `{"kind": "test"}`)
			client := p.admin(201, "POST", "/clients", `{"name": "Entra"}`)
			p.admin(204, "DELETE", "/clients/"+client["id"].(string), "")
			more, _ := p.types(last)
			want := []string{
				"token.created", "token.created", "token.first-used", "member.created", "member.activated", "token.revealed",
				"token.revoked", "notice.failed", "client.created", "client.deleted",
			}
			if !publish {
				want = slices.DeleteFunc(want, func(s string) bool { return strings.HasPrefix(s, "member.") })
			}
			if got = append(got, more...); !slices.Equal(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
			for i, v := range p.admin(200, "GET", "/events", "")["events"].([]any) {
				if n := v.(map[string]any)["sequence"]; n != float64(i+1) {
					t.Errorf("event %d has the number %v", i+1, n)
				}
			}
		})
	}
}
