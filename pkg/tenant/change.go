package tenant

import (
	"context"
	"maps"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
)

// Change applies a JSON merge patch (RFC 7396) with any of name, idp, active and settings. null resets a value to its
// default; name and active have none. An unknown key or invalid value is an *InvalidError; nothing changes.
func (s *Service) Change(ctx context.Context, id string, patch scim.Object) (Tenant, error) {
	for _, key := range slices.Sorted(maps.Keys(patch)) {
		switch key {
		case "name", "idp", "active", "settings":
		default:
			return Tenant{}, record.Invalid(key, "can't be changed; only name, idp, active and settings can")
		}
	}
	// The merge drops null values, even those of unknown keys. So the patch is parsed on its own first.
	inner, err := record.Object(patch["settings"], "settings")
	if err != nil {
		return Tenant{}, err
	}
	if _, err := ParseSettings(inner); err != nil {
		return Tenant{}, err
	}
	return s.Amend(ctx, id, func(Settings) scim.Object { return patch })
}

// Amend is Change with a patch that of makes from the settings as they are at the moment of the change.
func (s *Service) Amend(ctx context.Context, id string, of func(Settings) scim.Object) (Tenant, error) {
	ctx, cancel := detach(ctx)
	defer cancel()
	now, changed := s.o.Now(), false
	var patch scim.Object
	r, err := s.update(ctx, id, func(r *record.Record) error {
		before := r.Object()
		patch = of(r.Settings)
		after, _ := record.MergePatch(r.Object(), patch).(scim.Object)
		if changed = !scim.Equal(before, after); !changed {
			return errUnchanged
		}
		off := r.Off
		tokens, published := r.Settings.Token.Object(), r.Settings.PublishesMembers()
		if err := r.Set(after); err != nil {
			return err
		}
		if !scim.Equal(tokens, r.Settings.Token.Object()) { // unchanged ones may date from a time with other bounds
			if err := s.checkSettings(r.Settings); err != nil {
				return err
			}
		}
		switch {
		case r.Off && !off:
			r.Tell(now, event.TenantSwitchedOff, "", nil)
		case off && !r.Off:
			r.Tell(now, event.TenantSwitchedOn, "", nil)
		}
		r.Everybody = !published && r.Settings.PublishesMembers()
		r.Modified = now.UnixMilli()
		return nil
	})
	if err != nil {
		return Tenant{}, err
	}
	if changed {
		s.o.Log.InfoContext(ctx, "tenant changed", "tenant", id, "fields", slices.Sorted(maps.Keys(patch)))
	}
	return r.Tenant(id, now), nil
}
