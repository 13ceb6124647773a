package query

import (
	"fmt"

	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

const (
	// trimBytes is the size from which a document is trimmed: a page of smaller ones fits an answer.
	trimBytes = 1 << 10
	// maxPageRead bounds the stored documents that are read for one page, in bytes: reading takes time, even if
	// little of them is shown.
	maxPageRead = 32 << 20
)

// trim leaves of a row's document only the parts that its answer shows, so that the others take neither memory nor
// room on the page. Groups and members may come later.
func (l *lister) trim(r *found) error {
	if l.q.Take == nil || r.kind.sel == nil || r.trimmed || r.late() || r.res.Doc == nil || r.bytes < trimBytes {
		return nil
	}
	text := scim.AppendJSON(nil, r.kind.rt.Project(r.res.Doc, r.kind.sel))
	// The strings of a document share its text: read anew, it lets go of the rest.
	doc, err := scim.ParseObject(text)
	if err != nil {
		return fmt.Errorf("directory: a projection that can't be read: %w", row.ErrInternal(err))
	}
	r.res.Doc, r.bytes, r.trimmed = doc, len(text), true
	return nil
}
