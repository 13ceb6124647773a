package mapping

import (
	"embed"
	"slices"
	"strings"
)

//go:embed presets/*.json
var presets embed.FS

// Presets lists the names of the policies for known products, in order.
func Presets() []string {
	entries, err := presets.ReadDir("presets")
	if err != nil {
		panic("mapping: the presets are part of the program: " + err.Error())
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(e.Name(), ".json")
	}
	slices.Sort(names)
	return names
}

// Preset returns a policy document that can be saved as it is; false if there is none of that name.
func Preset(name string) ([]byte, bool) {
	if !slices.Contains(Presets(), name) {
		return nil, false
	}
	document, err := presets.ReadFile("presets/" + name + ".json")
	return document, err == nil
}
