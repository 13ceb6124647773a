package adminhttp_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// types are the types of the events after a place, after all that waits was published.
func (p *product) types(after string) (types []string, last string) {
	p.t.Helper()
	p.admin(200, "GET", "/members?count=1", "")
	for _, v := range p.admin(200, "GET", "/events?count=1000&after="+after, "")["events"].([]any) {
		e := v.(map[string]any)
		types, last = append(types, e["type"].(string)), e["id"].(string)
	}
	return types, last
}

// TestEventsOfTokensAreInTheLog makes changes with events to tokens, clients and notices, between changes of people:
// all are in the one log, in the order in which they were done, and numbered without a gap. A tenant that publishes
// no members has them as well.
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
				"token.created", "token.created", "tenant.connected", "token.first-used", "member.created",
				"member.activated", "token.revealed", "token.revoked", "notice.failed", "client.created",
				"client.deleted",
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

// TestEventsOfATenantAndItsPolicy: switches, policies and targets have an event for each change, and none if nothing
// has changed.
func TestEventsOfATenantAndItsPolicy(t *testing.T) {
	p := newProduct(t)
	_, last := p.types("")
	for range 2 {
		p.admin(200, "PATCH", "", `{"active": false}`)
	}
	p.admin(200, "PATCH", "", `{"active": true}`)
	p.admin(200, "PUT", "/policy", `{"kinds": {"role": {"create": false}, "team": {"create": true}}}`)
	for _, name := range []string{"Admin", "Admin", "Boss"} {
		p.admin(200, "PUT", "/targets/role/admin", `{"displayName": "`+name+`"}`)
	}
	id := p.user("ada")
	p.admin(200, "GET", "/members/"+id, "")
	p.admin(204, "PUT", "/members/"+id+"/assignments/team/red", "")
	got, _ := p.types(last)
	want := []string{
		"tenant.switched-off", "tenant.switched-on", "policy.changed", "target.created", "target.renamed",
		"tenant.connected", "token.first-used", "target.created",
	}
	if got = slices.DeleteFunc(got, func(s string) bool {
		return strings.HasPrefix(s, "member.") || strings.HasPrefix(s, "assignment.")
	}); !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// TestEventRetention sets how long events are kept, and asks for the events after an id of another epoch.
func TestEventRetention(t *testing.T) {
	p := newProduct(t)
	for _, days := range []string{"0", "401", `"90"`, "1.5"} {
		p.admin(400, "PATCH", "", `{"settings": {"events": {"retentionDays": `+days+`}}}`)
	}
	p.admin(400, "PATCH", "", `{"settings": {"events": {"days": 1}}}`)
	p.admin(200, "PATCH", "", `{"settings": {"events": {"retentionDays": 30}}}`)
	settings := p.admin(200, "GET", "", "")["settings"].(map[string]any)
	if got := fmt.Sprint(settings["events"]); got != "map[retentionDays:30]" {
		t.Errorf("settings.events is %s", got)
	}
	_, last := p.types("")
	p.admin(410, "GET", "/events?wait=1&after=acme-another1-1", "")
	p.admin(200, "GET", "/events?after="+last, "")
}
