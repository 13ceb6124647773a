package record

import (
	"fmt"
	"maps"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/rotation"
)

// The values of TokenSettings.Vault, the vault that keeps the value of a token for people to look it up.
const (
	// VaultSecret keeps it in a secret of the tenant's own.
	VaultSecret = rotation.VaultSecret
	// VaultPacked keeps it in a secret that some hundred tenants share.
	VaultPacked = rotation.VaultPacked
	// VaultNone keeps no value: it is shown once, and a successor is created only when a person collects it.
	VaultNone = rotation.VaultNone
)

// Day is 24 hours: settings count in days.
const Day = 24 * time.Hour

// Defaults and bounds of a tenant's settings.
const (
	MaxNoticeDays   = 90
	MinLifetimeDays = 2
	maxReminders    = 5
)

// TokenSettings has the lifetime, notices and vault of a tenant's tokens. A change applies to tokens created after it.
type TokenSettings struct {
	// LifetimeDays is how long a token lives, 0 if it is not set: Options.Lifetime.
	LifetimeDays int `json:"lifetimeDays,omitempty"`
	// NoticeDays is how long before its expiry a token gets a successor, 0 if it is not set: 28, or half a shorter
	// lifetime. It is at most two thirds of the lifetime, so that three tokens at most are live at a time.
	NoticeDays int `json:"noticeDays,omitempty"`
	// Reminders are the days before the end at which people are reminded, most first; nil if they are not set: 14, 7
	// and 1.
	Reminders []int `json:"reminders,omitzero"`
	// Vault is VaultSecret, VaultPacked, VaultNone or, if it is not set, "": VaultSecret.
	Vault string `json:"vault,omitempty"`
}

// tokenSettingNames are the keys that parseTokenSettings knows.
var tokenSettingNames = []string{"lifetimeDays", "noticeDays", "reminders", "vault"}

func parseTokenSettings(o scim.Object) (s TokenSettings, err error) {
	for _, key := range slices.Sorted(maps.Keys(o)) {
		name, v := "settings.token."+key, o[key]
		if !slices.Contains(tokenSettingNames, key) {
			return s, Invalid(name, "is not a setting; known: "+strings.Join(tokenSettingNames, ", "))
		}
		if v == nil {
			continue
		}
		switch key {
		case "lifetimeDays":
			s.LifetimeDays, err = days(name, v)
		case "noticeDays":
			s.NoticeDays, err = days(name, v)
		case "reminders":
			s.Reminders, err = reminders(name, v)
		case "vault":
			text, _ := v.(string)
			if !slices.Contains([]string{VaultSecret, VaultPacked, VaultNone}, text) {
				err = Invalid(name, `must be "secret", "packed" or "none"`)
			}
			s.Vault = text
		}
		if err != nil {
			return s, err
		}
	}
	return s, nil
}

func days(name string, v any) (int, error) {
	n, ok := v.(int64)
	if !ok || n < 1 || n > 36500 {
		return 0, Invalid(name, "must be a whole number of days, at least 1")
	}
	return int(n), nil
}

func reminders(name string, v any) ([]int, error) {
	list, ok := v.([]any)
	if !ok || len(list) > maxReminders {
		return nil, Invalid(name, fmt.Sprintf("must be an array of %d days at most", maxReminders))
	}
	out := make([]int, 0, len(list))
	for _, e := range list {
		n, err := days(name, e)
		if err != nil || slices.Contains(out, n) {
			return nil, Invalid(name, "must be whole numbers of days, at least 1, without duplicates")
		}
		out = append(out, n)
	}
	slices.Sort(out)
	slices.Reverse(out)
	return out, nil
}

// Object is the settings as the admin API shows them.
func (s TokenSettings) Object() scim.Object {
	o := scim.Object{}
	if s.LifetimeDays != 0 {
		o["lifetimeDays"] = int64(s.LifetimeDays)
	}
	if s.NoticeDays != 0 {
		o["noticeDays"] = int64(s.NoticeDays)
	}
	if s.Reminders != nil {
		list := make([]any, len(s.Reminders))
		for i, n := range s.Reminders {
			list[i] = int64(n)
		}
		o["reminders"] = list
	}
	if s.Vault != "" {
		o["vault"] = s.Vault
	}
	return o
}

// Policy has the values that apply to a token made now: the tenant's settings, within the operator's bounds.
type Policy struct {
	Lifetime   time.Duration
	NoticeDays int
	Reminders  []int
	Vault      string
}

// NoticeSettings names the recipients of notices.
type NoticeSettings struct {
	Recipients []notice.Recipient `json:"recipients,omitempty"`
}

// Bounds of the recipients: the tenant's item must stay small.
const (
	maxRecipients     = 10
	maxEmailBytes     = 254
	maxRecipientBytes = 1000 // all addresses together
)

func parseNoticeSettings(o scim.Object) (s NoticeSettings, err error) {
	for _, key := range slices.Sorted(maps.Keys(o)) {
		if key != "recipients" {
			return s, Invalid("settings.notices."+key, "is not a setting; known: recipients")
		}
		if o[key] == nil {
			continue
		}
		list, ok := o[key].([]any)
		if !ok || len(list) > maxRecipients {
			return s, Invalid("settings.notices.recipients",
				fmt.Sprintf("must be an array of %d at most", maxRecipients))
		}
		if s.Recipients, err = recipients(list); err != nil {
			return s, err
		}
	}
	return s, nil
}

func recipients(list []any) ([]notice.Recipient, error) {
	out, total := make([]notice.Recipient, 0, len(list)), 0
	for i, e := range list {
		name := fmt.Sprintf("settings.notices.recipients[%d]", i)
		r, err := recipient(name, e)
		if err != nil {
			return nil, err
		}
		if total += len(r.Email); total > maxRecipientBytes {
			return nil, Invalid("settings.notices.recipients",
				fmt.Sprintf("are too long: all addresses together may have %d bytes", maxRecipientBytes))
		}
		if slices.ContainsFunc(out, func(o notice.Recipient) bool { return strings.EqualFold(o.Email, r.Email) }) {
			return nil, Invalid(name, "is there twice")
		}
		out = append(out, r)
	}
	return out, nil
}

func recipient(name string, v any) (notice.Recipient, error) {
	o, ok := v.(scim.Object)
	if !ok {
		return notice.Recipient{}, Invalid(name, "must be an object with email and language")
	}
	r := notice.Recipient{Language: notice.Languages[0]}
	for _, key := range slices.Sorted(maps.Keys(o)) {
		text, ok := o[key].(string)
		switch {
		case key == "email" && ok && plainAddress(text):
			r.Email = text
		case key == "email":
			return r, Invalid(name+".email", "must be an e-mail address, such as ada@example.com")
		case key == "language" && ok && slices.Contains(notice.Languages, text):
			r.Language = text
		case key == "language":
			return r, Invalid(name+".language", "must be one of "+strings.Join(notice.Languages, ", "))
		default:
			return r, Invalid(name+"."+key, "is not known; known: email, language")
		}
	}
	if r.Email == "" {
		return r, Invalid(name+".email", "must be given")
	}
	return r, nil
}

// plainAddress reports whether s is an address alone, without a name, that fits into one header line. It must not have
// invisible characters, such as those that change the direction of text: an administrator would see another address.
func plainAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && len(s) <= maxEmailBytes && a.Name == "" && a.Address == s &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

func (s NoticeSettings) object() scim.Object {
	if len(s.Recipients) == 0 {
		return nil
	}
	list := make([]any, len(s.Recipients))
	for i, r := range s.Recipients {
		list[i] = scim.Object{"email": r.Email, "language": r.Language}
	}
	return scim.Object{"recipients": list}
}
