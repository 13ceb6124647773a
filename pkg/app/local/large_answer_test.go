package local_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

// crowd writes n members of a group straight into the table, which is quicker than to ask for them.
func crowd(t testing.TB, engine store.Engine, group string, n int, display string) {
	t.Helper()
	keys := store.KeysOf("acme")
	var ops []store.Op
	for i := range n {
		ops = append(ops, store.Op{
			Kind: store.Put, Key: keys.Member(group, uuid.NewString()),
			Set: store.Attrs{"v": int64(1), "type": "User", "display": fmt.Sprintf(display, i)},
		})
		if len(ops) == store.MaxTransactOps || i == n-1 {
			if err := engine.Transact(context.Background(), "", ops); err != nil {
				t.Fatal(err)
			}
			ops = ops[:0]
		}
	}
}

// group is as much of a group, or of a list with one, as these tests read.
type answeredGroup struct {
	Detail, ScimType string
	Members          []struct{ Value, Display, Type string }
	Resources        []answeredGroup
}

// fetch gets a path and decodes the answer, which is packed with encoding, or not at all.
func (a *api) fetch(path, encoding string) (int, answeredGroup) {
	a.t.Helper()
	r := httptest.NewRequest("GET", a.base+path, nil)
	r.Header.Set("Authorization", "Bearer "+a.token)
	r.Header.Set("Accept-Encoding", encoding)
	w := httptest.NewRecorder()
	a.h.ServeHTTP(w, r)
	var body io.Reader = w.Body
	if w.Header().Get("Content-Encoding") == "gzip" {
		zip, err := gzip.NewReader(w.Body)
		if err != nil {
			a.t.Fatal(err)
		}
		body = zip
	}
	var g answeredGroup
	if err := json.NewDecoder(body).Decode(&g); err != nil {
		a.t.Fatalf("%s: %v", path, err)
	}
	return w.Code, g
}

// TestLargestGroups: a group is answered whole as long as it fits the 6 MiB that a Lambda function may answer, which
// local.Server holds against each answer as AWS does: 32,000 members as text, 140,000 compressed, with UUIDs and short
// names; and so is a list of one. Beyond that the answer names the ways out.
func TestLargestGroups(t *testing.T) {
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	a := on(t, engine, "entra")
	id, members := a.group("large", nil), 0
	one := "/Groups/" + id
	list := "/Groups?filter=" + url.QueryEscape(`displayName eq "large"`)
	grow := func(to int) {
		crowd(t, engine, id, to-members, "user-%06d")
		members = to
	}
	grow(32_000)
	a.fits(one, "identity", members)
	a.fits(list, "identity", members)
	a.fits(one+"?excludedAttributes=members", "identity", 0)
	if !slow.Volume(t, "groups of 140,000 members and more") {
		return
	}
	grow(140_000)
	a.doesNotFit(one, "identity")
	a.doesNotFit(list, "identity")
	a.fits(one, "gzip", members)
	a.fits(list, "gzip", members)
	grow(170_000)
	a.doesNotFit(one, "gzip")
	a.fits(one+"?excludedAttributes=members", "gzip", 0)
	a.fits(list+"&excludedAttributes=members", "identity", 0)
}

// fits checks that the one group of an answer has as many members.
func (a *api) fits(path, encoding string, members int) {
	a.t.Helper()
	status, got := a.fetch(path, encoding)
	if len(got.Resources) == 1 {
		got = got.Resources[0]
	}
	if status != 200 || len(got.Members) != members {
		a.t.Errorf("%s %s: status %d, %d members, want %d: %s", encoding, path, status, len(got.Members),
			members, got.Detail)
	}
}

// doesNotFit checks that an answer would be too large, and that the error names the ways out.
func (a *api) doesNotFit(path, encoding string) {
	a.t.Helper()
	status, got := a.fetch(path, encoding)
	if status != 400 || got.ScimType != "tooMany" {
		a.t.Errorf("%s %s: status %d %s", encoding, path, status, got.ScimType)
	}
	for _, way := range []string{
		"excludedAttributes=members", "gzip", "members.value eq", "/GroupMemberships",
		"attributes=members.value",
	} {
		if !strings.Contains(got.Detail, way) {
			a.t.Errorf("%s is no way out of %q", way, got.Detail)
		}
	}
}
