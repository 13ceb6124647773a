package record

import (
	"fmt"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// KeptRemoved is the time for which a removed member is shown.
const KeptRemoved = 90 * 24 * time.Hour

// End is the time at which the item of a removed member ends, in Unix seconds.
func (m Member) End(entry eventlog.Link) int64 {
	return max(m.ChangedAt.Add(KeptRemoved).Unix(), entry.Until)
}

// Forgotten reports whether a member was removed so long ago that nobody is shown it any more. Its item may be there
// for longer.
func (m Member) Forgotten(now time.Time) bool {
	return m.Status == Removed && now.Sub(m.ChangedAt) >= KeptRemoved
}

// Status of a member as the application sees it.
type Status = mapping.Status

// Removed is the status of a member who has left: the user was deleted, or is excluded by the policy.
const Removed Status = "removed"

// Member is a person as last announced to the application. It has the id of its SCIM user.
type Member struct {
	ID     string
	Status Status
	mapping.Person
	// Manager is the member's manager; nil if there is none.
	Manager     *Manager
	Assignments []Assignment
	// InvitedAt is the time at which the event invitation.due was sent; zero: never.
	InvitedAt time.Time
	// Announced are the kinds whose first assignment was announced, in order.
	Announced []string
	// ActiveBefore says that the member has been active at least once.
	ActiveBefore bool
	// Deleted says that the member stays, inactive, though its user was deleted.
	Deleted bool
	// Gone says that the member's user was deleted.
	Gone bool
	// Erased says that nothing is left of the person but this.
	Erased bool
	// AccountID is the application's own id for the person. PreviousID is the member whose place this one took, and
	// ReplacedBy the one who took this one's.
	AccountID, PreviousID, ReplacedBy string
	// Version counts the published versions of the member, from 1.
	Version              int64
	Waiting              []Waiting        // for seats
	Kept                 []mapping.Manual // the manual assignments of one who was removed, for a return
	Earlier              []string         // ids of members whose place it took before PreviousID
	Suspects             []string         // ids of members who are probably the same person
	CreatedAt, ChangedAt time.Time
	// Protected says that the member keeps a target only because nobody else has it.
	Protected bool
	// Pending says that this is the member as it is to be, which could not be published yet.
	Pending bool
	// Marked is the stamp of the marker of a change that is not published; "" if there is none. With Version it names
	// the state on which a caller may make a change conditional. It is not stored.
	Marked string
}

// Manager is the manager of a member. ID is empty while the value names nobody.
type Manager struct{ Value, ID, DisplayName string }

// Assignment is a target that a member has.
type Assignment struct {
	mapping.TargetKey
	Scim, Manual bool
	// Rules are the ids of the rules that give it.
	Rules []string
	Since time.Time
	// Cause is the request that first gave it to the member.
	Cause eventlog.Cause
	// DisplayName is the target's; it is joined on reading and not compared.
	DisplayName string
}

// Object is the member as JSON, for the admin API and for events. An unset text is null.
func (m Member) Object() scim.Object {
	o := scim.Object{
		"id": m.ID, "status": string(m.Status), "userName": OrNull(m.UserName), "externalId": OrNull(m.ExternalID),
		"loginAddress": OrNull(m.LoginAddress), "email": OrNull(m.Email), "displayName": OrNull(m.DisplayName),
		"name": scim.Object{}, "attributes": scim.Object{}, "manager": m.Manager.value(), "accountId": OrNull(
			m.AccountID,
		),
		"previousId": OrNull(m.PreviousID), "version": m.Version,
		"createdAt": scim.FormatTime(m.CreatedAt), "changedAt": scim.FormatTime(m.ChangedAt),
	}
	if m.Pending {
		o["pending"] = true
	}
	if m.Protected {
		o["protected"] = true
	}
	if m.ReplacedBy != "" {
		o["replacedBy"] = m.ReplacedBy
	}
	if m.Erased {
		o["erased"] = true
	}
	if m.Name != nil {
		o["name"] = m.Name
	}
	if m.Attributes != nil {
		o["attributes"] = m.Attributes
	}
	list := make([]any, len(m.Assignments))
	for i, a := range m.Assignments {
		list[i] = a.Object()
	}
	o["assignments"] = list
	invitation := scim.Object{"state": "none", "at": nil}
	if !m.InvitedAt.IsZero() {
		invitation = scim.Object{"state": "due", "at": scim.FormatTime(m.InvitedAt)}
	}
	o["invitation"] = invitation
	return o
}

// InLog is the member as events store it. The name of the manager is joined on reading: it is another person's, who may
// be erased meanwhile.
func (m Member) InLog() scim.Object {
	o := m.Object()
	if manager, ok := o["manager"].(scim.Object); ok {
		delete(manager, "displayName")
	}
	return o
}

// OrNull is a text as JSON: null if it is empty.
func OrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// value is the manager as JSON: null, the member's id and name, or the value that names nobody yet.
func (m *Manager) value() any {
	switch {
	case m == nil:
		return nil
	case m.ID == "":
		return scim.Object{"value": m.Value, "pending": true}
	}
	return scim.Object{"id": m.ID, "displayName": OrNull(m.DisplayName)}
}

// Object is the assignment as JSON.
func (a Assignment) Object() scim.Object {
	o := scim.Object{"kind": a.Kind, "target": a.Name, "origin": "manual", "since": scim.FormatTime(a.Since)}
	if a.Organisation != "" {
		o["organisation"] = a.Organisation
	}
	if a.DisplayName != "" {
		o["displayName"] = a.DisplayName
	}
	if a.Scim {
		rules := make([]any, len(a.Rules))
		for i, r := range a.Rules {
			rules[i] = r
		}
		o["origin"], o["rules"] = "scim", rules
		if a.Manual {
			o["manual"] = true
		}
	}
	return o
}

// bare is the member without the values that are joined on reading: the display names of targets and manager.
func (m Member) bare() Member {
	m.Assignments = slices.Clone(m.Assignments)
	for i := range m.Assignments {
		m.Assignments[i].DisplayName = ""
	}
	if m.Manager != nil {
		m.Manager = &Manager{Value: m.Manager.Value, ID: m.Manager.ID}
	}
	return m
}

// Encode is the stored form of a member.
func (m Member) Encode() string {
	m = m.bare()
	o := m.Object()
	o["announced"], o["activeBefore"] = Texts(m.Announced), m.ActiveBefore
	if m.Deleted {
		o["deleted"] = true
	}
	if m.Gone {
		o["gone"] = true
	}
	if len(m.Kept) > 0 {
		kept := make([]any, len(m.Kept))
		for i, a := range m.Kept {
			kept[i] = timed(a.TargetKey, a.Since)
		}
		o["kept"] = kept
	}
	if len(m.Earlier) > 0 {
		o["earlier"] = Texts(m.Earlier)
	}
	if len(m.Suspects) > 0 {
		o["suspects"] = Texts(m.Suspects)
	}
	if m.Manager != nil {
		o["manager"] = scim.Object{"value": m.Manager.Value, "id": m.Manager.ID}
	}
	for i, a := range o["assignments"].([]any) {
		cause := m.Assignments[i].Cause
		if cause.RequestID != "" {
			a.(scim.Object)["request"] = cause.RequestID
		}
		if cause.TokenID != "" {
			a.(scim.Object)["token"] = cause.TokenID
		}
	}
	if len(m.Waiting) > 0 {
		places := make([]any, len(m.Waiting))
		for i, w := range m.Waiting {
			places[i] = timed(w.TargetKey, w.Since)
		}
		o["waiting"] = places
	}
	return string(scim.AppendJSON(nil, o))
}

// timed is the stored form of a target and a time in Unix milliseconds.
func timed(key mapping.TargetKey, at int64) scim.Object {
	return scim.Object{"kind": key.Kind, "target": key.Name, "organisation": key.Organisation, "at": at}
}

// timedOf reads a list of timed, without the member's id.
func timedOf(v any) []Waiting {
	values, _ := v.([]any)
	var all []Waiting
	for _, v := range values {
		o, _ := v.(scim.Object)
		text := func(name string) string { s, _ := o[name].(string); return s }
		since, _ := o["at"].(int64)
		key := mapping.TargetKey{Kind: text("kind"), Name: text("target"), Organisation: text("organisation")}
		all = append(all, Waiting{TargetKey: key, Since: since})
	}
	return all
}

// Texts is a list of texts as JSON.
func Texts(words []string) []any {
	all := make([]any, len(words))
	for i, w := range words {
		all[i] = w
	}
	return all
}

// decode reads the stored form of a member.
func decode(text string) (Member, error) {
	o, err := scim.ParseObject(text)
	if err != nil {
		return Member{}, fmt.Errorf("member: stored member: %w", err)
	}
	s := func(o scim.Object, name string) string { v, _ := o[name].(string); return v }
	at := func(o scim.Object, name string) time.Time { t, _ := scim.ParseTime(s(o, name)); return t }
	m := Member{
		ID: s(o, "id"), Status: Status(s(o, "status")), AccountID: s(o, "accountId"), PreviousID: s(o, "previousId"),
		CreatedAt: at(o, "createdAt"), ChangedAt: at(o, "changedAt"),
		Person: mapping.Person{
			UserName: s(o, "userName"), ExternalID: s(o, "externalId"), LoginAddress: s(o, "loginAddress"),
			Email: s(o, "email"), DisplayName: s(o, "displayName"),
		},
	}
	m.Version, _ = o["version"].(int64)
	m.ActiveBefore, _ = o["activeBefore"].(bool)
	m.Deleted, _ = o["deleted"].(bool)
	m.Gone, _ = o["gone"].(bool)
	m.ReplacedBy = s(o, "replacedBy")
	m.Erased, _ = o["erased"].(bool)
	if name, _ := o["name"].(scim.Object); len(name) > 0 {
		m.Name = name
	}
	m.Attributes, _ = o["attributes"].(scim.Object)
	if mgr, ok := o["manager"].(scim.Object); ok {
		m.Manager = &Manager{Value: s(mgr, "value"), ID: s(mgr, "id"), DisplayName: s(mgr, "displayName")}
		m.Person.Manager = m.Manager.Value
	}
	if invitation, ok := o["invitation"].(scim.Object); ok {
		m.InvitedAt = at(invitation, "at")
	}
	m.Announced = textsOf(o["announced"])
	m.Earlier, m.Suspects = textsOf(o["earlier"]), textsOf(o["suspects"])
	m.Protected, _ = o["protected"].(bool)
	for _, v := range timedOf(o["waiting"]) {
		v.ID = m.ID
		m.Waiting = append(m.Waiting, v)
	}
	for _, v := range timedOf(o["kept"]) {
		m.Kept = append(m.Kept, mapping.Manual{TargetKey: v.TargetKey, Since: v.Since})
	}
	assignments, _ := o["assignments"].([]any)
	for _, v := range assignments {
		a, _ := v.(scim.Object)
		manual, _ := a["manual"].(bool)
		m.Assignments = append(m.Assignments, Assignment{
			TargetKey: mapping.TargetKey{Kind: s(a, "kind"), Name: s(a, "target"), Organisation: s(a, "organisation")},
			Scim:      s(a, "origin") == "scim", Manual: manual || s(a, "origin") == "manual",
			Rules: textsOf(a["rules"]), Since: at(a, "since"), DisplayName: s(a, "displayName"),
			Cause: eventlog.Cause{RequestID: s(a, "request"), TokenID: s(a, "token")},
		})
	}
	return m, nil
}

// textsOf reads a list of texts from JSON, and leaves out other values.
func textsOf(v any) []string {
	all, _ := v.([]any)
	var words []string
	for _, v := range all {
		if s, ok := v.(string); ok {
			words = append(words, s)
		}
	}
	return words
}

// Inherit gives a member the values that it takes over from the one whose place it takes.
func (m *Member) Inherit(from Member) {
	if m.PreviousID != "" {
		m.Earlier = append(slices.Clone(m.Earlier), m.PreviousID)
	}
	m.PreviousID = from.ID
	if m.InvitedAt.IsZero() {
		m.InvitedAt = from.InvitedAt
	}
	if m.AccountID == "" {
		m.AccountID = from.AccountID
	}
	m.ActiveBefore = m.ActiveBefore || from.ActiveBefore
	m.Announced = slices.Compact(slices.Sorted(slices.Values(slices.Concat(m.Announced, from.Announced))))
}
