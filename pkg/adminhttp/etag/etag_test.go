package etag_test

import (
	"net/http"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/etag"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

func TestConditions(t *testing.T) {
	tag := etag.Of(scim.Object{"a": int64(1), "b": "x"})
	if tag != etag.Of(scim.Object{"b": "x", "a": int64(1)}) || tag == etag.Of(scim.Object{"a": int64(2), "b": "x"}) {
		t.Errorf("tag %s", tag)
	}
	for _, c := range []struct {
		match, none, tag string
		allows, known    bool
	}{
		{"", "", tag, true, false},
		{tag, "", tag, true, false},
		{"W/" + tag, "", tag, true, false},
		{`"x", ` + tag, "", tag, true, false},
		{`"x"`, "", tag, false, false},
		{"x", "", tag, false, false},
		{tag, "", "", false, false},
		{"*", "", tag, true, false},
		{"*", "", "", false, false},
		{"", "*", tag, false, true},
		{"", "*", "", true, false},
		{"", tag, tag, false, true},
		{"", `"x"`, tag, true, false},
	} {
		h := http.Header{}
		if c.match != "" {
			h.Set("If-Match", c.match)
		}
		if c.none != "" {
			h.Set("If-None-Match", c.none)
		}
		got := etag.Read(h)
		if got.Allows(c.tag) != c.allows || got.Known(c.tag) != c.known || got.Given() != (c.match+c.none != "") {
			t.Errorf("%v: allows %v, known %v", c, got.Allows(c.tag), got.Known(c.tag))
		}
	}
}

// TestConditionWithoutTag: a header without a tag, such as one from a script whose variable is empty, allows no change.
func TestConditionWithoutTag(t *testing.T) {
	for _, value := range []string{"", " ", ",", " , ", "W/", "W/,"} {
		got := etag.Read(http.Header{"If-Match": {value}})
		if got.Allows(etag.Of(scim.Object{})) || got.Allows("") || !got.Given() {
			t.Errorf("If-Match: %q allows a change", value)
		}
		none := etag.Read(http.Header{"If-None-Match": {value}})
		if !none.Allows(etag.Of(scim.Object{})) || none.Known("") {
			t.Errorf("If-None-Match: %q names a state", value)
		}
	}
}
