package record

import (
	"fmt"
	"maps"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// LimitSettings bounds the SCIM requests of the tenant, within the operator's bounds. 0 is not set.
type LimitSettings struct {
	// PerSecond is the mean number of requests a second, Burst the number that may come at once.
	PerSecond int `json:"perSecond,omitempty"`
	Burst     int `json:"burst,omitempty"`
}

// maxLimit is the highest number that a limit may be set to. The operator's bounds are lower.
const maxLimit = 1_000_000

func parseLimitSettings(o scim.Object) (s LimitSettings, err error) {
	for _, key := range slices.Sorted(maps.Keys(o)) {
		name, v := "settings.limits."+key, o[key]
		var field *int
		switch key {
		case "perSecond":
			field = &s.PerSecond
		case "burst":
			field = &s.Burst
		default:
			return s, Invalid(name, "is not a setting; known: burst, perSecond")
		}
		if v == nil {
			continue
		}
		n, ok := v.(int64)
		if !ok || n < 1 || n > maxLimit {
			return s, Invalid(name, fmt.Sprintf("must be a whole number from 1 to %d", maxLimit))
		}
		*field = int(n)
	}
	return s, nil
}

func (s LimitSettings) object() scim.Object {
	o := scim.Object{}
	if s.PerSecond != 0 {
		o["perSecond"] = int64(s.PerSecond)
	}
	if s.Burst != 0 {
		o["burst"] = int64(s.Burst)
	}
	return o
}
