package record

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// The values of SCIMSettings.PatchBody.
const (
	PatchBodyFull = "full"
	PatchBodyNone = "none"
)

// Settings are the settings of a tenant. The tenant's identity provider profile has the values of those that are not
// set.
type Settings struct {
	SCIM    SCIMSettings   `json:"scim,omitzero"`
	Token   TokenSettings  `json:"token,omitzero"`
	Notices NoticeSettings `json:"notices,omitzero"`
	OAuth   OAuthSettings  `json:"oauth,omitzero"`
	Members MemberSettings `json:"members,omitzero"`
	Events  EventSettings  `json:"events,omitzero"`
	Limits  LimitSettings  `json:"limits,omitzero"`
	Log     LogSettings    `json:"log,omitzero"`
}

// LogSettings are those of the tenant's provisioning log.
type LogSettings struct {
	// RetentionDays is the number of days for which an entry is kept; 0 if it is not set.
	RetentionDays int `json:"retentionDays,omitempty"`
	// PersonalData says that request bodies are kept with personal data in them. Secrets never are.
	PersonalData bool `json:"personalData,omitempty"`
}

// LogRetention is how long an entry of the provisioning log is kept.
func (s Settings) LogRetention() time.Duration {
	return time.Duration(cmp.Or(s.Log.RetentionDays, defaultRetentionDays)) * Day
}

// EventSettings are those of the tenant's log of events.
type EventSettings struct {
	// RetentionDays is the number of days for which an event is kept; 0 if it is not set.
	RetentionDays int `json:"retentionDays,omitempty"`
}

// The days for which events and entries of the provisioning log are kept: defaults and maximum.
const (
	defaultRetentionDays = 90
	maxRetentionDays     = 400
)

// EventRetention is how long an event is kept.
func (s Settings) EventRetention() time.Duration {
	return time.Duration(cmp.Or(s.Events.RetentionDays, defaultRetentionDays)) * Day
}

// MemberSettings are those of the publishing of members to the application.
type MemberSettings struct {
	// Publish is nil if it is not set: true.
	Publish *bool `json:"publish,omitempty"`
}

// PublishesMembers reports whether members are published to the application.
func (s Settings) PublishesMembers() bool { return s.Members.Publish == nil || *s.Members.Publish }

// SCIMSettings are those of the SCIM endpoint.
type SCIMSettings struct {
	// PatchBody is "full", "none" or, if it is not set, "".
	PatchBody string `json:"patchBody,omitempty"`
	// UniqueGroupNames is nil if it is not set.
	UniqueGroupNames *bool `json:"uniqueGroupNames,omitempty"`
	// GroupMemberships is nil if it is not set.
	GroupMemberships *bool `json:"groupMemberships,omitempty"`
}

// settingNames are the keys that ParseSettings knows.
var settingNames = []string{"events", "limits", "log", "members", "notices", "oauth", "scim", "token"}

// ParseSettings reads settings in the form of the admin API. An unknown key or a value of the wrong kind is an
// *InvalidError that names it; null means not set.
func ParseSettings(o scim.Object) (Settings, error) {
	var s Settings
	for _, key := range slices.Sorted(maps.Keys(o)) {
		if !slices.Contains(settingNames, key) {
			return Settings{}, Invalid("settings."+key, "is not a setting; known: "+strings.Join(settingNames, ", "))
		}
		inner, err := Object(o[key], "settings."+key)
		if err != nil {
			return Settings{}, err
		}
		switch key {
		case "scim":
			s.SCIM, err = parseSCIMSettings(inner)
		case "token":
			s.Token, err = parseTokenSettings(inner)
		case "notices":
			s.Notices, err = parseNoticeSettings(inner)
		case "oauth":
			s.OAuth, err = parseOAuthSettings(inner)
		case "events":
			s.Events, err = parseEventSettings(inner)
		case "log":
			s.Log, err = parseLogSettings(inner)
		case "limits":
			s.Limits, err = parseLimitSettings(inner)
		case "members":
			s.Members, err = parseMemberSettings(inner)
		}
		if err != nil {
			return Settings{}, err
		}
	}
	return s, nil
}

func parseEventSettings(o scim.Object) (s EventSettings, err error) {
	for _, key := range slices.Sorted(maps.Keys(o)) {
		name, v := "settings.events."+key, o[key]
		if key != "retentionDays" {
			return s, Invalid(name, "is not a setting; known: retentionDays")
		}
		if v == nil {
			continue
		}
		if s.RetentionDays, err = retentionDays(name, v); err != nil {
			return s, err
		}
	}
	return s, nil
}

func retentionDays(name string, v any) (int, error) {
	days, ok := v.(int64)
	if !ok || days < 1 || days > maxRetentionDays {
		return 0, Invalid(name, fmt.Sprintf("must be a number of days from 1 to %d", maxRetentionDays))
	}
	return int(days), nil
}

func parseLogSettings(o scim.Object) (s LogSettings, err error) {
	for _, key := range slices.Sorted(maps.Keys(o)) {
		name, v := "settings.log."+key, o[key]
		switch {
		case key != "retentionDays" && key != "personalData":
			return s, Invalid(name, "is not a setting; known: personalData, retentionDays")
		case v == nil:
		case key == "retentionDays":
			if s.RetentionDays, err = retentionDays(name, v); err != nil {
				return s, err
			}
		default:
			var ok bool
			if s.PersonalData, ok = v.(bool); !ok {
				return s, Invalid(name, "must be true or false")
			}
		}
	}
	return s, nil
}

func parseMemberSettings(o scim.Object) (s MemberSettings, err error) {
	for _, key := range slices.Sorted(maps.Keys(o)) {
		name, v := "settings.members."+key, o[key]
		if key != "publish" {
			return s, Invalid(name, "is not a setting; known: publish")
		}
		if v == nil {
			continue
		}
		on, ok := v.(bool)
		if !ok {
			return s, Invalid(name, "must be true or false")
		}
		s.Publish = &on
	}
	return s, nil
}

func parseSCIMSettings(o scim.Object) (SCIMSettings, error) {
	var s SCIMSettings
	for _, key := range slices.Sorted(maps.Keys(o)) {
		name, v := "settings.scim."+key, o[key]
		switch key {
		case "patchBody":
			text, ok := v.(string)
			if v != nil && (!ok || text != PatchBodyFull && text != PatchBodyNone) {
				return s, Invalid(name, `must be "full" or "none"`)
			}
			s.PatchBody = text
		case "uniqueGroupNames", "groupMemberships":
			on, ok := v.(bool)
			switch {
			case v != nil && !ok:
				return s, Invalid(name, "must be true or false")
			case !ok:
			case key == "groupMemberships":
				s.GroupMemberships = &on
			default:
				s.UniqueGroupNames = &on
			}
		default:
			return s, Invalid(name, "is not a setting; known: groupMemberships, patchBody, uniqueGroupNames")
		}
	}
	return s, nil
}

// Object returns the settings that are set, in the form of the admin API.
func (s Settings) Object() scim.Object {
	all := scim.Object{}
	for key, inner := range map[string]scim.Object{
		"scim": s.SCIM.object(), "token": s.Token.Object(), "notices": s.Notices.object(), "oauth": s.OAuth.object(),
		"members": s.Members.object(), "events": s.Events.object(), "log": s.Log.object(),
		"limits": s.Limits.object(),
	} {
		if len(inner) > 0 {
			all[key] = inner
		}
	}
	return all
}

func (s EventSettings) object() scim.Object {
	o := scim.Object{}
	if s.RetentionDays != 0 {
		o["retentionDays"] = int64(s.RetentionDays)
	}
	return o
}

func (s LogSettings) object() scim.Object {
	o := scim.Object{}
	if s.RetentionDays != 0 {
		o["retentionDays"] = int64(s.RetentionDays)
	}
	if s.PersonalData {
		o["personalData"] = true
	}
	return o
}

func (s MemberSettings) object() scim.Object {
	o := scim.Object{}
	if s.Publish != nil {
		o["publish"] = *s.Publish
	}
	return o
}

func (s SCIMSettings) object() scim.Object {
	o := scim.Object{}
	if s.PatchBody != "" {
		o["patchBody"] = s.PatchBody
	}
	if s.UniqueGroupNames != nil {
		o["uniqueGroupNames"] = *s.UniqueGroupNames
	}
	if s.GroupMemberships != nil {
		o["groupMemberships"] = *s.GroupMemberships
	}
	return o
}

// Object reads v as an object; null is an empty one.
func Object(v any, name string) (scim.Object, error) {
	switch v := v.(type) {
	case nil:
		return scim.Object{}, nil
	case scim.Object:
		return v, nil
	}
	return nil, Invalid(name, "must be an object")
}
