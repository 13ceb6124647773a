package scimhttp

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"sync"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// document is an encoded answer of discovery.
type document struct {
	body     []byte
	etag     string
	location string // empty for a list
	zipped   func() []byte
}

func newDocument(o scim.Object) *document {
	body := scim.AppendJSON(nil, o)
	digest := sha256.Sum256(body)
	d := &document{body: body, etag: `W/"` + hex.EncodeToString(digest[:8]) + `"`}
	if meta, ok := o["meta"].(scim.Object); ok {
		d.location, _ = meta["location"].(string)
	}
	d.zipped = sync.OnceValue(func() []byte { return compress(body) })
	return d
}

// listOf is a list of documents of discovery, always whole (RFC 7644, section 4).
func listOf(all []any) scim.Object {
	return scim.Object{
		"schemas":      []any{scim.ListResponseURN},
		"totalResults": int64(len(all)),
		"startIndex":   int64(1),
		"itemsPerPage": int64(len(all)),
		"Resources":    all,
	}
}

// documentKey holds all values that a document of discovery depends on, for one handler.
type documentKey struct {
	path, base, idp               string
	types                         *schema.Types
	memberships, uniqueGroupNames bool
}

// maxDocuments bounds the documents that a handler keeps: the largest of them has about 50 kB.
const maxDocuments = 200

// documents keeps the documents of discovery: of all tenants with the same address they are the same, and encoding one
// takes far longer than sending it. Its zero value is ready to use.
type documents struct {
	mu   sync.Mutex
	kept map[documentKey]*document
}

// get returns a kept document, or keeps the result of build. If there are too many, all are dropped; those in use
// are built again.
func (d *documents) get(key documentKey, build func() (scim.Object, error)) (*document, error) {
	d.mu.Lock()
	known := d.kept[key]
	d.mu.Unlock()
	if known != nil {
		return known, nil
	}
	o, err := build()
	if err != nil {
		return nil, err
	}
	made := newDocument(o)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.kept == nil || len(d.kept) >= maxDocuments {
		d.kept = map[documentKey]*document{}
	}
	d.kept[key] = made
	return made, nil
}

// document answers with a document of discovery. path is its path below the tenant's base URL; build makes it. If
// the client has it already, the answer has no body. Documents for requests without a token, whose tenants may be
// made up, are kept apart, so that they never drive out the others.
func (h *handler) document(rq *request, path string, build func() (scim.Object, error)) (answer, error) {
	kept := &h.documents
	if rq.account.ID == "" {
		kept = &h.open
	}
	doc, err := kept.get(documentKey{
		path: path, base: rq.base, idp: rq.account.IdP, types: rq.tenant.Types,
		memberships: rq.account.GroupMemberships(), uniqueGroupNames: rq.tenant.UniqueGroupNames,
	}, build)
	if err != nil {
		return answer{}, err
	}
	a := newAnswer(http.StatusOK, doc.body)
	a.keep = true
	a.header.Set("Etag", doc.etag)
	if doc.location != "" {
		a.header.Set("Location", doc.location)
		a.header.Set("Content-Location", doc.location)
	}
	switch {
	case noneMatch(rq.Header.Values("If-None-Match"), doc.etag):
		a.status, a.body = http.StatusNotModified, nil
	case rq.Method != http.MethodHead && takesGzip(rq.Header):
		a.zipped = doc.zipped()
	}
	return a, nil
}
