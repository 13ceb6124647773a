package tenant

import (
	"context"
	"maps"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Change applies a JSON merge patch (RFC 7396) with any of name, idp, active and settings. null takes a value back to
// its default; name and active have none. A key or value that can't be taken is an *InvalidError, and then nothing
// changes.
func (s *Service) Change(ctx context.Context, id string, patch scim.Object) (Tenant, error) {
	for _, key := range slices.Sorted(maps.Keys(patch)) {
		switch key {
		case "name", "idp", "active", "settings":
		default:
			return Tenant{}, invalid(key, "can't be changed; only name, idp, active and settings can")
		}
	}
	// The merge drops what is null, also under a key that is no setting: so the patch is read on its own first.
	inner, err := object(patch["settings"], "settings")
	if err != nil {
		return Tenant{}, err
	}
	if _, err := ParseSettings(inner); err != nil {
		return Tenant{}, err
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	now, changed := s.o.Now(), false
	r, err := s.update(ctx, id, func(r *record) error {
		before := r.object()
		after, _ := mergePatch(r.object(), patch).(scim.Object)
		if changed = !scim.Equal(before, after); !changed {
			return errUnchanged
		}
		tokens := r.Settings.Token.object()
		if err := r.set(after); err != nil {
			return err
		}
		if !scim.Equal(tokens, r.Settings.Token.object()) { // else they may be of a time with other bounds
			if err := s.checkSettings(r.Settings); err != nil {
				return err
			}
		}
		r.Modified = now.UnixMilli()
		return nil
	})
	if err != nil {
		return Tenant{}, err
	}
	if changed {
		s.o.Log.InfoContext(ctx, "tenant changed", "tenant", id, "fields", slices.Sorted(maps.Keys(patch)))
	}
	return r.tenant(id, now), nil
}

// object is what of the record a merge patch can change.
func (r *record) object() scim.Object {
	return scim.Object{"name": r.Name, "idp": r.IdP, "active": !r.Off, "settings": r.Settings.Object()}
}

// set is the inverse of object; it checks every value.
func (r *record) set(o scim.Object) error {
	name, ok := o["name"].(string)
	if !ok {
		return invalid("name", "must be a string")
	}
	if err := checkName(name); err != nil {
		return err
	}
	idp := DefaultIdP
	if v, given := o["idp"]; given {
		if idp, ok = v.(string); !ok {
			return invalid("idp", "must be a string")
		}
	}
	if err := checkIdP(idp); err != nil {
		return err
	}
	on, ok := o["active"].(bool)
	if !ok {
		return invalid("active", "must be true or false")
	}
	inner, err := object(o["settings"], "settings")
	if err != nil {
		return err
	}
	settings, err := ParseSettings(inner)
	if err != nil {
		return err
	}
	r.Name, r.IdP, r.Off, r.Settings = name, idp, !on, settings
	return nil
}

// mergePatch is the algorithm of RFC 7396, section 2. It changes target.
func mergePatch(target, patch any) any {
	changes, ok := patch.(scim.Object)
	if !ok {
		return patch
	}
	result, ok := target.(scim.Object)
	if !ok {
		result = scim.Object{}
	}
	for key, v := range changes {
		if v == nil {
			delete(result, key)
			continue
		}
		result[key] = mergePatch(result[key], v)
	}
	return result
}
