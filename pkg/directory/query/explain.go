package query

import (
	"context"
	"log/slog"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// Explain says how a query would be answered: the lookups that narrow it, the test of each resource, and the
// source of the order. It names attributes and kinds of access, never a value. It reads nothing. Errors are those
// of Search before it reads.
func (d *Service) Explain(t row.Tenant, types []*schema.ResourceType, q Query) (string, error) {
	l, err := d.lister(t, types, q)
	if err != nil {
		return "", err
	}
	return l.explain(), nil
}

// log writes the explanation to the debug log.
func (l *lister) log(ctx context.Context) {
	if l.d.Log.Enabled(ctx, slog.LevelDebug) {
		l.d.Log.DebugContext(ctx, "query", "tenant", l.t.ID, "plan", l.explain())
	}
}

// explain describes how the query is answered, by names of attributes and kinds of access, never by values.
func (l *lister) explain() string {
	var b strings.Builder
	for i, k := range l.kinds {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(k.rt.ID + ": ")
		switch {
		case k.filter == nil && (l.order.byID() || l.order.named):
			b.WriteString("all")
		case k.filter == nil:
			b.WriteString("read all")
		case k.narrow == nil:
			b.WriteString("read all, test each")
		case !k.exact:
			b.WriteString("look up " + k.narrow.Text + ", test each")
		default:
			b.WriteString("look up " + k.narrow.Text)
		}
	}
	if len(l.kinds) == 0 {
		b.WriteString("nothing can match")
	}
	switch {
	case l.order.byID():
		b.WriteString("; order of ids")
	case l.order.named:
		b.WriteString("; order of names")
	default:
		b.WriteString("; sort by " + l.order.by)
	}
	if l.down {
		b.WriteString(", descending")
	}
	return b.String()
}
