package people

import (
	"embed"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
	"github.com/serverless-scim/serverless-scim/pkg/provlog"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

//go:embed pages words
var files embed.FS

// Config has the services of the pages. All of it is required.
type Config struct {
	Tenants   *tenant.Service
	Directory *directory.Directory
	Members   *member.Service
	Journal   *provlog.Journal
}

type room struct{ c Config }

// Room returns the pages.
func Room(c Config) frame.Room {
	r := room{c}
	return frame.Room{Files: files, Ask: map[string]frame.Question{
		"POST members/merge":  {Key: "merge", Back: "members/duplicates", About: r.both},
		"POST members/invite": {Key: "invite", Back: "members"},
	}, Routes: map[string]frame.Handler{
		"GET groups": r.groups, "GET groups/rule": r.ruleForm, "GET groups/grammar": r.grammarForm,
		"GET groups/attribute": r.attributeForm,
		"POST groups/rehearse": r.rehearse, "POST groups/save": r.save,
		"GET members": r.members, "GET members/pending": r.pending, "GET members/duplicates": r.duplicates,
		"GET members/{id}": r.person, "GET members/{id}/history": r.past,
		"POST members/{id}/invite": r.invite, "POST members/invite": r.inviteAll, "POST members/merge": r.merge,
		"GET activity": r.activity, "GET activity/{id}": r.entry,
	}}
}

// of reads the visit's tenant as publishing needs it.
func (r room) of(v *frame.Visit) (member.Tenant, error) {
	return member.TenantFrom(v.R.Context(), r.c.Tenants, v.Tenant)
}

// kinds are those that have a word in each language; others are shown as they are.
var kinds = []string{"role", "licence", "organisation", "team", "function", "alarm-group", "level", "group"}

// kindOf is the word for a kind.
func kindOf(v *frame.Visit, kind string) string {
	if slices.Contains(kinds, kind) {
		return v.Text("kind." + kind)
	}
	return kind
}

// told is the text of a key that may have parts nobody foresaw: known ones have a text, others are shown as they are.
func told(v *frame.Visit, prefix, what string, known []string) string {
	if slices.Contains(known, what) {
		return v.Text(prefix + what)
	}
	return what
}
