package tenant

import (
	"fmt"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/rotation"
)

// policy returns the policy of a tenant. Bounds that the operator has lowered since the settings were saved win.
func (s *Service) policy(set TokenSettings) record.Policy {
	p := s.asked(set)
	p.Lifetime = min(p.Lifetime, s.o.MaxLifetime)
	p.NoticeDays = min(p.NoticeDays, int(2*p.Lifetime/(3*record.Day)))
	p.Reminders = slices.DeleteFunc(slices.Clone(p.Reminders), func(n int) bool { return n >= p.NoticeDays })
	if p.Vault == VaultPacked && s.o.Packed == nil {
		p.Vault = VaultSecret
	}
	return p
}

// asked returns the policy of a tenant's settings, with defaults and without the operator's bounds.
func (s *Service) asked(set TokenSettings) record.Policy {
	p := record.Policy{
		Lifetime:   s.o.Lifetime,
		NoticeDays: rotation.DefaultNoticeDays,
		Reminders:  set.Reminders,
		Vault:      set.Vault,
	}
	if set.LifetimeDays != 0 {
		p.Lifetime = time.Duration(set.LifetimeDays) * record.Day
	}
	p.NoticeDays = max(1, min(p.NoticeDays, int(p.Lifetime/(2*record.Day))))
	if set.NoticeDays != 0 {
		p.NoticeDays = set.NoticeDays
	}
	if p.Reminders == nil {
		for _, n := range rotation.DefaultReminders {
			if n < p.NoticeDays {
				p.Reminders = append(p.Reminders, n)
			}
		}
	}
	if p.Vault == "" {
		p.Vault = VaultSecret
	}
	return p
}

// checkSettings checks settings against the operator's bounds and against each other, as ParseSettings can't.
func (s *Service) checkSettings(set Settings) error {
	p := s.asked(set.Token)
	longest := int(s.o.MaxLifetime / record.Day)
	switch {
	case set.Token.LifetimeDays != 0 &&
		(set.Token.LifetimeDays < record.MinLifetimeDays || set.Token.LifetimeDays > longest):
		return record.Invalid("settings.token.lifetimeDays",
			fmt.Sprintf("must be %d to %d", record.MinLifetimeDays, longest))
	case set.Token.NoticeDays > record.MaxNoticeDays || 3*time.Duration(set.Token.NoticeDays)*record.Day > 2*p.Lifetime:
		return record.Invalid("settings.token.noticeDays",
			fmt.Sprintf("must be at most two thirds of lifetimeDays, and at most %d", record.MaxNoticeDays))
	case len(p.Reminders) > 0 && p.Reminders[0] >= p.NoticeDays:
		return record.Invalid("settings.token.reminders",
			fmt.Sprintf("must be less than noticeDays, which is %d", p.NoticeDays))
	case p.Vault == VaultPacked && s.o.Packed == nil:
		return record.Invalid("settings.token.vault", "can't be packed: this deployment has no packed secrets")
	}
	return nil
}
