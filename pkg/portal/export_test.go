package portal

import (
	"maps"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
)

// Routes are the method and path of every page: those that need a session, and those that anybody sees.
func Routes() (inSession, open []string, err error) {
	all, err := rooms(Config{Overview: true})
	for _, room := range all {
		inSession = append(inSession, slices.Sorted(maps.Keys(room.Routes))...)
		open = append(open, slices.Sorted(maps.Keys(room.Open))...)
	}
	return inSession, append(open, "POST "+frame.Root+"sign-out", "GET /portal"), err
}

// Parse parses every page.
func Parse() error {
	all, err := rooms(Config{Overview: true})
	if err != nil {
		return err
	}
	f, err := frame.New(frame.Options{}, all...)
	if err != nil {
		return err
	}
	return f.Parse()
}
