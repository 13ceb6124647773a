package scim

import (
	"strings"
	"time"
)

// timeLayout is xsd:dateTime with milliseconds and a Z (RFC 7643, section 2.3.5).
const timeLayout = "2006-01-02T15:04:05.000Z"

// FormatTime writes t as xsd:dateTime in UTC with milliseconds, "2026-11-22T08:00:00.000Z" (RFC 7643, section 2.3.5).
func FormatTime(t time.Time) string { return t.UTC().Format(timeLayout) }

// ParseTime reads an xsd:dateTime (RFC 7643, section 2.3.5): date and time with any number of decimals, of which nine
// count, and a zone, which is UTC if none is given. The time is in UTC; false says that s is no dateTime.
func ParseTime(s string) (time.Time, bool) {
	if len(s) > maxTimeLen || strings.Contains(s, ",") {
		return time.Time{}, false
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// maxTimeLen is far above the length of any sensible dateTime.
const maxTimeLen = 64
