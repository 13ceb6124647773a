package guide

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"time"
)

//go:embed idp/*.json
var idpFiles embed.FS

// words are a text in each language, by its code.
type words map[string]string

// guideOf is the guide to one identity provider's screens, from idp/NAME.json.
type guideOf struct {
	// ID is the profile, the name of the file.
	ID string `json:"-"`
	// Name is for people; NameDe, if set, in German.
	Name   string `json:"name"`
	NameDe string `json:"nameDe"`
	// Checked is the day on which the steps were compared with the vendor's documentation.
	Checked string `json:"checked"`
	// Flag says that the URL has Entra's flag, FlagWhy why. OAuth: client credentials work. Attributes: URNs are of use
	// there. Other: it is listed with the others. First: the limits are to be read before the steps.
	Flag, OAuth, Attributes, Other, First bool
	FlagWhy                               words
	Steps                                 []step
	Limits                                []words
}

// step is one step: its text in each language, and the values that are pasted there as KIND:LABEL. The kinds are url,
// token, oauth and template. try, alone, leads to the page for one person.
type step struct {
	En, De string
	Values []string
}

// readGuides reads all files. The five best known come first.
func readGuides() (all []guideOf, err error) {
	order := []string{
		"entra", "okta", "google", "onelogin", "pingone", "authentik", "cyberark", "jumpcloud", "keycloak",
		"pingfederate", "rippling", "sailpoint", "generic",
	}
	for _, id := range order {
		raw, err := idpFiles.ReadFile(path.Join("idp", id+".json"))
		if err != nil {
			return nil, err
		}
		g := guideOf{ID: id}
		if err := json.Unmarshal(raw, &g); err != nil {
			return nil, fmt.Errorf("guide: idp/%s.json: %w", id, err)
		}
		if _, err := time.Parse(time.DateOnly, g.Checked); err != nil {
			return nil, fmt.Errorf("guide: idp/%s.json: %w", id, err)
		}
		all = append(all, g)
	}
	return all, nil
}

// text is the step in a language.
func (s step) text(lang string) string {
	if lang == "de" {
		return s.De
	}
	return s.En
}

// called is the name in a language.
func (g guideOf) called(lang string) string {
	if lang == "de" && g.NameDe != "" {
		return g.NameDe
	}
	return g.Name
}

// kindOf takes a value of a step apart.
func kindOf(value string) (kind, label string) {
	kind, label, _ = strings.Cut(value, ":")
	return kind, label
}
