package member

import "github.com/serverless-scim/serverless-scim/pkg/member/internal/record"

// The types of package record that callers see; they are described there.
type (
	Member    = record.Member
	Status    = record.Status
	List      = record.List
	Target    = record.Target
	Account   = record.Account
	Duplicate = record.Duplicate
	Refused   = record.Refused
)

// The constants of these types.
const (
	Removed         = record.Removed
	Unbounded       = record.Unbounded
	MaxAccountBytes = record.MaxAccountBytes
)

// LogSubject is the subject of a member's entries in the log.
func LogSubject(id string) string { return record.LogSubject(id) }
