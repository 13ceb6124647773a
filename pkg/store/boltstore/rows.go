package boltstore

import (
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// rows collects the rows of a page. Many of them share one piece of memory, so that a row has none of its own.
type rows struct {
	names []string
	all   []store.Row
	texts []string        // the rest of the memory for texts
	text  strings.Builder // keys and texts, one after the other
}

// Sizes of the pieces of memory that rows share.
const (
	rowsAtOnce  = 512
	bytesAtOnce = 32 << 10
)

// add adds the texts of an encoded item. A text that is also that of the row before shares its memory.
func (r *rows) add(sk, raw []byte) error {
	width := len(r.names)
	if len(r.texts) < width {
		r.texts = make([]string, rowsAtOnce*width)
	}
	row := store.Row{SK: r.keep(sk), Texts: r.texts[:width:width]}
	r.texts = r.texts[width:]
	d := decoder[[]byte]{rest: raw}
	for range d.begin() {
		name, v := d.attribute()
		i := slices.Index(r.names, string(name))
		if i < 0 || v.kind != typeString {
			continue
		}
		if n := len(r.all); n > 0 && r.all[n-1].Texts[i] == string(v.text) {
			row.Texts[i] = r.all[n-1].Texts[i]
		} else {
			row.Texts[i] = r.keep(v.text)
		}
	}
	if d.bad || len(d.rest) > 0 {
		return errDamaged
	}
	if len(r.all) == cap(r.all) {
		r.all = slices.Grow(r.all, max(len(r.all), 16)) // twice as much: append alone grows by a quarter
	}
	r.all = append(r.all, row)
	return nil
}

// keep copies a text to the shared memory.
func (r *rows) keep(text []byte) string {
	if r.text.Cap()-r.text.Len() < len(text) {
		r.text = strings.Builder{} // the texts in the full one keep it
		r.text.Grow(max(bytesAtOnce, len(text)))
	}
	at := r.text.Len()
	_, _ = r.text.Write(text)
	return r.text.String()[at:]
}
