package frame

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base32"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// Assets are the embedded files. Those of others are compressed and come from npm, unchanged: htmx.org 4.0.1
// (dist/htmx.min.js, 0BSD) and @picocss/pico 2.1.1 (css/pico.min.css, MIT). A test holds their hashes.
//
//go:embed assets
var Assets embed.FS

// assetRoot is the path under which assets are served.
const assetRoot = "/portal/assets/"

// asset is a file that browsers keep for ever, because its name changes with it.
type asset struct {
	name, kind string // name with a hash, content type
	plain      []byte
	gzip       func() []byte // nil: it is not worth compressing
}

// embedded are the embedded files, by name without .gz.
var embedded = sync.OnceValues(func() (map[string]*asset, error) {
	all := map[string]*asset{}
	for _, dir := range []string{"assets", "assets/vendor"} {
		entries, err := fs.ReadDir(Assets, dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.IsDir() {
				continue
			}
			content, err := fs.ReadFile(Assets, path.Join(dir, e.Name()))
			if err != nil {
				return nil, err
			}
			if all[strings.TrimSuffix(e.Name(), ".gz")], err = newAsset(e.Name(), content); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
})

var kinds = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	".png": "image/png",
}

// newAsset creates an asset of a file or, if its name ends with .gz, of a compressed one.
func newAsset(name string, content []byte) (*asset, error) {
	a := &asset{plain: content}
	if plain, compressed := strings.CutSuffix(name, ".gz"); compressed {
		r, err := gzip.NewReader(bytes.NewReader(content))
		if err != nil {
			return nil, fmt.Errorf("frame: asset %s: %w", name, err)
		}
		if a.plain, err = io.ReadAll(r); err != nil {
			return nil, fmt.Errorf("frame: asset %s: %w", name, err)
		}
		name, a.gzip = plain, func() []byte { return content }
	}
	if a.gzip == nil && path.Ext(name) != ".png" {
		a.gzip = sync.OnceValue(func() []byte { return zipped(a.plain, gzip.BestCompression) })
	}
	sum := sha256.Sum256(a.plain)
	hash := strings.ToLower(base32.StdEncoding.EncodeToString(sum[:10]))
	ext := path.Ext(name)
	a.kind, a.name = kinds[ext], strings.TrimSuffix(path.Base(name), ext)+"."+hash+ext
	return a, nil
}

// zipped compresses content at a level of package gzip.
func zipped(content []byte, level int) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, level) // the level is one that there is
	_, _ = w.Write(content)                // a buffer takes all
	_ = w.Close()
	return b.Bytes()
}

// takesZipped reports whether the client takes compressed answers.
func takesZipped(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept-Encoding"), "gzip")
}

// serve answers with the file, compressed if the client takes that.
func (a *asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Type", a.kind)
	h.Set("Vary", "Accept-Encoding")
	body := a.plain
	if a.gzip != nil && takesZipped(r) {
		h.Set("Content-Encoding", "gzip")
		body = a.gzip()
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client is gone
	}
}
