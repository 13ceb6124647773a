package tenant

import (
	"fmt"
	"maps"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/rotation"

	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// The values of TokenSettings.Vault: where the plain value of a token is kept for people to look it up.
const (
	// VaultSecret keeps it in a secret of the tenant's own.
	VaultSecret = rotation.VaultSecret
	// VaultPacked keeps it in a secret that some hundred tenants share.
	VaultPacked = rotation.VaultPacked
	// VaultNone keeps it nowhere: it is shown once, and a successor is made when a person collects it.
	VaultNone = rotation.VaultNone
)

const day = 24 * time.Hour

// What holds where a tenant sets nothing, and bounds of what it can set.
const (
	maxNoticeDays   = 90
	minLifetimeDays = 2
	maxReminders    = 5
)

// TokenSettings is how the tokens of a tenant live. A change concerns tokens that are made after it.
type TokenSettings struct {
	// LifetimeDays is how long a token lives, 0 where it is not set: Options.Lifetime.
	LifetimeDays int `json:"lifetimeDays,omitempty"`
	// NoticeDays is how long before its end a token gets a successor, 0 where it is not set: 28, or half a shorter
	// lifetime. It is at most two thirds of the lifetime, so that three tokens at most are live at a time.
	NoticeDays int `json:"noticeDays,omitempty"`
	// Reminders are the days before the end at which people are reminded, most first; nil where they are not set: 14, 7
	// and 1.
	Reminders []int `json:"reminders,omitzero"`
	// Vault is VaultSecret, VaultPacked, VaultNone or, where it is not set, "": VaultSecret.
	Vault string `json:"vault,omitempty"`
}

// tokenSettingNames are the keys that parseTokenSettings knows.
var tokenSettingNames = []string{"lifetimeDays", "noticeDays", "reminders", "vault"}

func parseTokenSettings(o scim.Object) (s TokenSettings, err error) {
	for _, key := range slices.Sorted(maps.Keys(o)) {
		name, v := "settings.token."+key, o[key]
		if !slices.Contains(tokenSettingNames, key) {
			return s, invalid(name, "is not a setting; known: "+strings.Join(tokenSettingNames, ", "))
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
				err = invalid(name, `must be "secret", "packed" or "none"`)
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
		return 0, invalid(name, "must be a whole number of days, at least 1")
	}
	return int(n), nil
}

func reminders(name string, v any) ([]int, error) {
	list, ok := v.([]any)
	if !ok || len(list) > maxReminders {
		return nil, invalid(name, fmt.Sprintf("must be an array of %d days at most", maxReminders))
	}
	out := make([]int, 0, len(list))
	for _, e := range list {
		n, err := days(name, e)
		if err != nil || slices.Contains(out, n) {
			return nil, invalid(name, "must hold whole numbers of days, at least 1, each once")
		}
		out = append(out, n)
	}
	slices.Sort(out)
	slices.Reverse(out)
	return out, nil
}

func (s TokenSettings) object() scim.Object {
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

// policy is what holds for a token that is made now: the tenant's settings, within the operator's bounds.
type policy struct {
	lifetime   time.Duration
	noticeDays int
	reminders  []int
	vault      string
}

// policy returns the policy of a tenant. Where the operator has lowered the bounds since the settings were made, they
// give way.
func (s *Service) policy(set TokenSettings) policy {
	p := s.asked(set)
	p.lifetime = min(p.lifetime, s.o.MaxLifetime)
	p.noticeDays = min(p.noticeDays, int(2*p.lifetime/(3*day)))
	p.reminders = slices.DeleteFunc(slices.Clone(p.reminders), func(n int) bool { return n >= p.noticeDays })
	if p.vault == VaultPacked && s.o.Packed == nil {
		p.vault = VaultSecret
	}
	return p
}

// asked is what a tenant's settings ask for.
func (s *Service) asked(set TokenSettings) policy {
	p := policy{lifetime: s.o.Lifetime, noticeDays: rotation.DefaultNoticeDays, reminders: set.Reminders, vault: set.Vault}
	if set.LifetimeDays != 0 {
		p.lifetime = time.Duration(set.LifetimeDays) * day
	}
	p.noticeDays = max(1, min(p.noticeDays, int(p.lifetime/(2*day))))
	if set.NoticeDays != 0 {
		p.noticeDays = set.NoticeDays
	}
	if p.reminders == nil {
		for _, n := range rotation.DefaultReminders {
			if n < p.noticeDays {
				p.reminders = append(p.reminders, n)
			}
		}
	}
	if p.vault == "" {
		p.vault = VaultSecret
	}
	return p
}

// checkSettings checks what ParseSettings can't know: the operator's bounds, and settings against each other.
func (s *Service) checkSettings(set Settings) error {
	p := s.asked(set.Token)
	longest := int(s.o.MaxLifetime / day)
	switch {
	case set.Token.LifetimeDays != 0 && (set.Token.LifetimeDays < minLifetimeDays || set.Token.LifetimeDays > longest):
		return invalid("settings.token.lifetimeDays", fmt.Sprintf("must be %d to %d", minLifetimeDays, longest))
	case set.Token.NoticeDays > maxNoticeDays || 3*time.Duration(set.Token.NoticeDays)*day > 2*p.lifetime:
		return invalid("settings.token.noticeDays",
			fmt.Sprintf("must be at most two thirds of lifetimeDays, and at most %d", maxNoticeDays))
	case len(p.reminders) > 0 && p.reminders[0] >= p.noticeDays:
		return invalid("settings.token.reminders", fmt.Sprintf("must be less than noticeDays, which is %d", p.noticeDays))
	case p.vault == VaultPacked && s.o.Packed == nil:
		return invalid("settings.token.vault", "can't be packed: this deployment has no packed secrets")
	}
	return nil
}

// NoticeSettings is who is told.
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
			return s, invalid("settings.notices."+key, "is not a setting; known: recipients")
		}
		if o[key] == nil {
			continue
		}
		list, ok := o[key].([]any)
		if !ok || len(list) > maxRecipients {
			return s, invalid("settings.notices.recipients", fmt.Sprintf("must be an array of %d at most", maxRecipients))
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
			return nil, invalid("settings.notices.recipients",
				fmt.Sprintf("are too long: all addresses together may have %d bytes", maxRecipientBytes))
		}
		if slices.ContainsFunc(out, func(o notice.Recipient) bool { return strings.EqualFold(o.Email, r.Email) }) {
			return nil, invalid(name, "is there twice")
		}
		out = append(out, r)
	}
	return out, nil
}

func recipient(name string, v any) (notice.Recipient, error) {
	o, ok := v.(scim.Object)
	if !ok {
		return notice.Recipient{}, invalid(name, "must be an object with email and language")
	}
	r := notice.Recipient{Language: notice.Languages[0]}
	for _, key := range slices.Sorted(maps.Keys(o)) {
		text, ok := o[key].(string)
		switch {
		case key == "email" && ok && plainAddress(text):
			r.Email = text
		case key == "email":
			return r, invalid(name+".email", "must be an e-mail address, such as ada@example.com")
		case key == "language" && ok && slices.Contains(notice.Languages, text):
			r.Language = text
		case key == "language":
			return r, invalid(name+".language", "must be one of "+strings.Join(notice.Languages, ", "))
		default:
			return r, invalid(name+"."+key, "is not known; known: email, language")
		}
	}
	if r.Email == "" {
		return r, invalid(name+".email", "must be given")
	}
	return r, nil
}

// plainAddress reports whether s is an address alone, without a name, that fits into one header line. It must not hold
// characters that nobody sees, such as those that turn the direction of writing: an administrator would read another
// address.
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
