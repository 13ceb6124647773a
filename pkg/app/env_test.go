package app_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/app"
)

// TestSecretTags: the tags of secrets come as name=value pairs, and a function with others does not start.
func TestSecretTags(t *testing.T) {
	t.Setenv(app.EnvTable, "table")
	for text, want := range map[string]map[string]string{
		"":                              {},
		"team=identity":                 {"team": "identity"},
		"team=identity, cost-centre=42": {"team": "identity", "cost-centre": "42"},
		"a=b=c,empty=":                  {"a": "b=c", "empty": ""},
	} {
		t.Setenv(app.EnvSecretTags, text)
		if env, err := app.ReadEnv(); err != nil || !maps.Equal(env.SecretTags, want) {
			t.Errorf("%q: %v, %v", text, env.SecretTags, err)
		}
	}
	for _, text := range []string{"team", "=x", "a=b,", "a=b,,c=d"} {
		t.Setenv(app.EnvSecretTags, text)
		if _, err := app.ReadEnv(); err == nil || !strings.HasPrefix(err.Error(), app.EnvSecretTags+" must be") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
