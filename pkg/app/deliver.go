package app

import (
	"context"
	"log/slog"

	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// Logged is a Delivery that writes events to the log, and has no way to tell people.
func Logged(log *slog.Logger) tenant.Delivery {
	return tenant.Delivery{
		Event: func(ctx context.Context, e tenant.Event) error {
			log.InfoContext(ctx, "event", "kind", e.Kind, "tenant", e.TenantID, "token", e.TokenID, "id", e.ID)
			return nil
		},
		Notice: func(ctx context.Context, t tenant.Tenant, n tenant.Notice) (tenant.NoticeState, error) {
			log.WarnContext(ctx, "there is no way to send notices", "kind", n.Kind, "tenant", t.ID, "token", n.TokenID)
			return tenant.NoticeFailed, nil
		},
	}
}
