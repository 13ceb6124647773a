package cli

import (
	"net/url"
	"strings"
)

type object = map[string]any

// path joins parts of a path, each as it is.
func path(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(p))
	}
	return b.String()
}
