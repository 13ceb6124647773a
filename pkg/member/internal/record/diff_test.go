package record

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

func drawMember(t *rapid.T) Member {
	word := rapid.SampledFrom([]string{"", "a", "b"})
	m := Member{
		ID: "m", Status: rapid.SampledFrom(
			[]Status{mapping.Staged, mapping.Active, mapping.Inactive},
		).Draw(t, "status"),
		Person: mapping.Person{
			UserName: word.Draw(t, "userName"), ExternalID: word.Draw(t, "externalId"), Email: word.Draw(t, "email"),
			LoginAddress: word.Draw(t, "login"), DisplayName: word.Draw(t, "displayName"), Attributes: scim.Object{},
		},
		AccountID: word.Draw(
			t,
			"account",
		), PreviousID: word.Draw(t, "previous"), ActiveBefore: rapid.Bool().Draw(t, "before"),
	}
	if v := word.Draw(t, "name"); v != "" {
		m.Name = scim.Object{"givenName": v}
	}
	if v := word.Draw(t, "attribute"); v != "" {
		m.Attributes["position"] = v
	}
	if v := word.Draw(t, "manager"); v != "" {
		m.Manager = &Manager{Value: v, ID: word.Draw(t, "manager id")}
		m.Person.Manager = v
	}
	if rapid.Bool().Draw(t, "invited") {
		m.InvitedAt = time.Unix(1000, 0).UTC()
	}
	for _, name := range []string{"x", "y", "z"} {
		if rapid.Bool().Draw(t, "has") {
			a := Assignment{
				TargetKey: mapping.TargetKey{Kind: "role", Name: name, Organisation: word.Draw(t, "organisation")},
				Scim: rapid.Bool().
					Draw(t, "scim"),
				Since: time.Unix(int64(rapid.IntRange(1, 2).Draw(t, "since")), 0).UTC(),
			}
			a.Manual = !a.Scim || rapid.Bool().Draw(t, "manual")
			if a.Scim {
				a.Rules = []string{"r" + word.Draw(t, "rule")}
			}
			m.Assignments = append(m.Assignments, a)
		}
	}
	return m
}

// TestStoredMember checks that a member is read as it was stored.
func TestStoredMember(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMember(t)
		again, err := decode(m.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if again.Encode() != m.Encode() {
			t.Fatalf("stored\n%s\nread\n%s", m.Encode(), again.Encode())
		}
	})
}

// apply is an application that follows events by their own data alone, and not by the member that each holds.
func apply(o scim.Object, e Told, next scim.Object) scim.Object {
	if e.Kind == eventCreated {
		o = scim.Clone(next).(scim.Object)
		o["assignments"] = []any{}
	}
	list, _ := o["assignments"].([]any)
	at := func(a scim.Object) int {
		return slices.IndexFunc(list, func(v any) bool {
			b := v.(scim.Object)
			return b["kind"] == a["kind"] && b["target"] == a["target"] && b["organisation"] == a["organisation"]
		})
	}
	switch e.Kind {
	case eventActivated:
		o["status"] = "active"
	case eventDeactivated:
		o["status"] = next["status"]
	case eventAssignmentAdded:
		o["assignments"] = append(list, e.Data["assignment"])
	case eventAssignmentRemoved:
		i := at(e.Data["assignment"].(scim.Object))
		o["assignments"] = slices.Delete(slices.Clone(list), i, i+1)
	case EventUpdated:
		for _, v := range e.Data["changes"].([]any) {
			c := v.(scim.Object)
			path := c["path"].(string)
			switch name, attribute := strings.CutPrefix(path, "attributes."); {
			case attribute && c["new"] == nil:
				delete(o["attributes"].(scim.Object), name)
			case attribute:
				o["attributes"].(scim.Object)[name] = c["new"]
			case strings.HasPrefix(path, "assignments["):
				list[at(c["new"].(scim.Object))] = c["new"]
			default:
				o[path] = c["new"]
			}
		}
	}
	return o
}

// TestEventsLeadFromOneMemberToTheNext checks that the data of the events are enough to follow, and that they come in
// order.
func TestEventsLeadFromOneMemberToTheNext(t *testing.T) {
	order := []string{
		eventCreated,
		EventUpdated,
		eventActivated,
		eventDeactivated,
		eventAssignmentRemoved,
		eventAssignmentAdded,
	}
	rapid.Check(t, func(t *rapid.T) {
		old, next := drawMember(t), drawMember(t)
		var before *Member
		var o scim.Object
		if rapid.Bool().Draw(t, "known") {
			before, o = &old, scim.Clone(old.Object()).(scim.Object)
		}
		last := 0
		events := Tell(before, next)
		for _, e := range events {
			place := slices.Index(order, e.Kind)
			if place < last {
				t.Fatalf("%s comes too late in %v", e.Kind, events)
			}
			last = place
			o = apply(o, e, next.Object())
		}
		if before != nil && Same(old, next) && len(events) > 0 {
			t.Fatalf("nothing differs, and there are events %v", events)
		}
		if got, want := comparable(o), comparable(next.Object()); got != want {
			t.Fatalf("followed by %v\ngot  %s\nwant %s", events, got, want)
		}
	})
}

// comparable is a member without the values that no event tells, its assignments in order.
func comparable(o scim.Object) string {
	o = scim.Clone(o).(scim.Object)
	for _, name := range []string{"version", "createdAt", "changedAt"} {
		delete(o, name)
	}
	list := o["assignments"].([]any)
	slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return string(scim.AppendJSON(nil, o))
}
