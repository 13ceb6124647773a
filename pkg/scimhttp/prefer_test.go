package scimhttp_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

const patchTitle = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace",` +
	`"path":"title","value":"%s"}]}`

func TestPrefer(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	const user = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"%s"}`

	created := s.as(a, "POST", "/Users", fmt.Sprintf(user, "ann"), "Prefer", "return=minimal").want(201).
		wantHeader("Preference-Applied", "return=minimal")
	location := created.header.Get("Location")
	if created.raw != "" || !strings.Contains(location, "/scim/v2/acme/Users/") || created.header.Get("Etag") != `W/"1"` {
		t.Errorf("created: %q at %q, %v", created.raw, location, created.header)
	}
	path := strings.TrimPrefix(location, "http://"+host+"/scim/v2/acme")
	put := s.as(a, "PUT", path, fmt.Sprintf(user, "anna"), "Prefer", "respond-async, Return = \"minimal\";x=y").
		want(204)
	put.wantHeader("Preference-Applied", "return=minimal").wantHeader("Etag", `W/"2"`).wantHeader("Content-Type", "")
	s.as(a, "PATCH", path, fmt.Sprintf(patchTitle, "a"), "Prefer", "return=minimal").want(204).
		wantHeader("Preference-Applied", "return=minimal").wantHeader("Etag", `W/"3"`)
	whole := s.as(a, "PATCH", path, fmt.Sprintf(patchTitle, "b"), "Prefer", "return=representation").want(200)
	if whole.wantHeader("Preference-Applied", "return=representation").at("title") != "b" {
		t.Errorf("patched: %s", whole.raw)
	}
	// Only the first counts; selected attributes are shown; unknown preferences are ignored.
	s.as(a, "PATCH", path, fmt.Sprintf(patchTitle, "c"), "Prefer", "return=representation, return=minimal").want(200)
	s.as(a, "PATCH", path+"?attributes=title", fmt.Sprintf(patchTitle, "d"), "Prefer", "return=minimal").want(200).
		wantHeader("Preference-Applied", "")
	s.as(a, "PATCH", path, fmt.Sprintf(patchTitle, "e"), "Prefer", "return=nothing").want(200).
		wantHeader("Preference-Applied", "")
	if got := s.as(a, "GET", path, "", "Prefer", "return=minimal").want(200).at("title"); got != "e" {
		t.Errorf("title %v", got)
	}
}

func TestPreferWholeGroup(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "okta", tenant.Settings{})
	group := s.as(a, "POST", "/Groups",
		`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"g","members":[{"value":"x"}]}`).want(201)
	path := "/Groups/" + group.text("id")
	const rename = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace",` +
		`"path":"displayName","value":"h"}]}`
	s.as(a, "PATCH", path, rename).want(204)
	if r := s.as(a, "PATCH", path, rename, "Prefer", "return=representation").
		want(200); r.text("members", 0, "value") != "x" {
		t.Errorf("group %s", r.raw)
	}
}

func TestPreconditions(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	path := "/Users/" + s.as(a, "POST", "/Users",
		`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann"}`).want(201).text("id")
	s.as(a, "GET", path, "", "If-Match", `W/"2"`).wantError(412, scim.NoType)
	s.as(a, "GET", path, "", "If-Match", `W/"1"`).want(200)
	s.as(a, "GET", path, "", "If-None-Match", `W/"2", W/"1"`).want(304).wantHeader("Etag", `W/"1"`)
	for _, tag := range []string{`W/"1"`, "*"} {
		s.as(a, "PATCH", path, fmt.Sprintf(patchTitle, "a"), "If-None-Match", tag).wantError(412, scim.NoType)
		s.as(a, "PUT", path, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"bob"}`, "If-None-Match",
			tag).wantError(412, scim.NoType)
		s.as(a, "DELETE", path, "", "If-None-Match", tag).wantError(412, scim.NoType)
	}
	s.as(a, "PATCH", path, fmt.Sprintf(patchTitle, "a"), "If-None-Match", `W/"7"`).want(200).wantHeader("Etag", `W/"2"`)
	s.as(a, "PATCH", path, fmt.Sprintf(patchTitle, "b"), "If-None-Match", `W/"7"`, "If-Match", `W/"1"`).
		wantError(412, scim.NoType)
	s.as(a, "PATCH", path, fmt.Sprintf(patchTitle, "b"), "If-None-Match", `W/"7"`, "If-Match", `W/"2"`).want(200)
	s.as(a, "PUT", "/Users/none", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"bob"}`,
		"If-None-Match", "*").wantError(404, scim.NoType)
	s.as(a, "DELETE", path, "", "If-None-Match", `W/"7"`).want(204)
}

func TestDiscoveryIsKept(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	for _, path := range []string{
		"/ServiceProviderConfig", "/Schemas", "/ResourceTypes", "/ResourceTypes/User",
		"/Schemas/urn:ietf:params:scim:schemas:core:2.0:User",
	} {
		first := s.as(a, "GET", path, "").want(200).wantHeader("Cache-Control", "private, no-cache").
			wantHeader("Vary", "Accept, Accept-Encoding")
		tag := first.header.Get("Etag")
		again := s.as(a, "GET", path, "", "If-None-Match", tag).want(304).wantHeader("Etag", tag).
			wantHeader("Content-Type", "")
		if tag == "" || again.raw != "" {
			t.Errorf("%s: tag %q, body %q", path, tag, again.raw)
		}
		s.as(a, "GET", path, "", "If-None-Match", `W/"other"`).want(200)
	}
}

// TestGzip reads a list with and without compression, through API Gateway's conversions.
func TestGzip(t *testing.T) {
	s := newServer(t, nil)
	a := crowd(s, 20)
	plain := s.as(a, "GET", "/Users", "").want(200).wantHeader("Content-Encoding", "").raw
	for encoding, packed := range map[string]bool{
		"gzip": true, "GZIP;q=0.5, deflate": true, "*": true, "x-gzip": true, "br, gzip;q=1.0": true,
		"identity;q=0.1, gzip": true,
		"gzip;q=0":             false, "gzip;q=0, *": false, "identity": false, "br": false,
		"identity;q=1, gzip;q=0.5": false, "gzip;q=x": false, ";;,": false,
	} {
		r := httptest.NewRequest("GET", "http://"+host+"/scim/v2/"+a.id+"/Users", nil)
		r.Header.Set("Authorization", "Bearer "+a.token)
		r.Header.Set("Accept-Encoding", encoding)
		w := httptest.NewRecorder()
		s.http.ServeHTTP(w, r)
		got := w.Header().Get("Content-Encoding") == "gzip"
		if got != packed || w.Header().Get("Vary") != "Accept, Accept-Encoding" || w.Header().
			Get("Content-Type") != scim.MediaType {
			t.Errorf("%q: headers %v, want gzip %v", encoding, w.Header(), packed)
			continue
		}
		body := w.Body.Bytes()
		if packed {
			zip, err := gzip.NewReader(bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if body, err = io.ReadAll(zip); err != nil {
				t.Fatal(err)
			}
		}
		if string(body) != plain {
			t.Errorf("%q: another body of %d bytes, want %d", encoding, len(body), len(plain))
		}
	}
	// A small answer is not compressed.
	r := httptest.NewRequest("GET", "http://"+host+"/scim/v2/"+a.id+"/Users/none", nil)
	r.Header.Set("Authorization", "Bearer "+a.token)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	s.http.ServeHTTP(w, r)
	if w.Header().Get("Content-Encoding") != "" || w.Code != 404 {
		t.Errorf("small answer: %d %v", w.Code, w.Header())
	}
}
