package limit

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Rate bounds the requests of a tenant: PerSecond is the mean, Burst the number that may come at once. A field that is
// 0 is not set.
type Rate struct{ PerSecond, Burst int }

// Bounds are the operator's: the rate of a tenant that sets none, and the highest that a tenant may set. The zero value
// bounds nothing.
type Bounds struct{ Default, Max Rate }

// UnmarshalText reads four whole numbers, "25,100,200,1000": the default rate and burst, the highest rate and burst. An
// empty text bounds nothing.
func (b *Bounds) UnmarshalText(text []byte) error {
	*b = Bounds{}
	if len(text) == 0 {
		return nil
	}
	parts := strings.Split(string(text), ",")
	if len(parts) != 4 {
		return errors.New("must be four numbers: default rate, default burst, highest rate, highest burst")
	}
	var n [4]int
	for i, part := range parts {
		var err error
		if n[i], err = strconv.Atoi(part); err != nil || n[i] < 1 || n[i] > maxRate {
			return fmt.Errorf("%q must be a whole number from 1 to %d", part, maxRate)
		}
	}
	if n[0] > n[2] || n[1] > n[3] {
		return errors.New("must not have a default above the highest")
	}
	*b = Bounds{Default: Rate{n[0], n[1]}, Max: Rate{n[2], n[3]}}
	return nil
}

// maxRate is the highest number of a bound.
const maxRate = 1_000_000

// of returns the rate that applies to a tenant with these settings.
func (b Bounds) of(set Rate) Rate {
	r := Rate{
		PerSecond: min(cmp.Or(set.PerSecond, b.Default.PerSecond), b.Max.PerSecond),
		Burst:     min(cmp.Or(set.Burst, b.Default.Burst), b.Max.Burst),
	}
	r.Burst = max(r.Burst, r.PerSecond) // a window is a second at least
	return r
}

// window returns the length of a window: one Burst in each makes PerSecond the mean rate.
func (r Rate) window() time.Duration {
	return time.Duration(r.Burst) * time.Second / time.Duration(r.PerSecond)
}

// portion returns the number of requests that a process leases at a time.
func (r Rate) portion() int { return max(1, r.Burst/10) }
