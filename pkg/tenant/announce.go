package tenant

import (
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/rotation"
)

// situation returns the input of the decision about due work of a tenant. used has the times of last use of its tokens
// and of the secrets of its clients, in Unix seconds by id.
func (s *Service) situation(id string, r *record.Record, now time.Time, used map[string]int64) rotation.Situation {
	p := s.policy(r.Settings.Token)
	return rotation.Situation{
		Now: now, Early: s.early(id), ByHand: p.Vault == VaultNone, Used: used, Secrets: r.SecretEndings(p, now, used),
	}
}

// toCollect reports whether a successor waits for a person to collect it.
func (s *Service) toCollect(r *record.Record, now time.Time) bool {
	return r.State.ToCollect(s.policy(r.Settings.Token).Vault == VaultNone, now)
}

// tellAll adds all due notices to the record, by its settings and clients. It reports whether there were any.
func (s *Service) tellAll(r *record.Record, x rotation.Situation) bool {
	p := s.policy(r.Settings.Token)
	x.ByHand, x.Secrets = p.Vault == VaultNone, r.SecretEndings(p, x.Now, x.Used)
	steps := r.Tells(x)
	r.Apply(x, steps)
	return len(steps) > 0
}
