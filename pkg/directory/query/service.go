package query

import (
	"log/slog"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory/membership"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// MaxAnswerBytes bounds the JSON of a page, so that it fits a Lambda response of 6 MB after escaping.
const MaxAnswerBytes = 4_500_000

// Service answers the queries of all tenants. It is safe for concurrent use. All fields but the last two are required.
type Service struct {
	Members *membership.Service
	Store   *store.Store
	Now     func() time.Time
	Log     *slog.Logger
	// MaxRows is how many resources one query looks at if nothing narrows it, MaxScan how long that may take. Beyond
	// either it is answered by 400 tooMany. Zero means 500,000 and 25 seconds, which leaves a gateway's 30 seconds some
	// room.
	MaxRows int
	MaxScan time.Duration
}

// New returns the Service with the defaults filled in.
func New(s Service) *Service {
	if s.MaxRows == 0 {
		s.MaxRows = 500_000
	}
	if s.MaxScan == 0 {
		s.MaxScan = 25 * time.Second
	}
	return &s
}

// Query asks for a page of a list.
type Query struct {
	Filter filter.Expr // nil: all
	// StartIndex is the 1-based index of the first result; Count the most to return, 0 for the total only.
	StartIndex, Count int
	Selection         *schema.Projection
	// Selections are the projections by the id of the resource type, if a Search has several; they go before
	// Selection.
	Selections map[string]*schema.Projection
	// SortBy names the attribute to sort by (RFC 7644, section 3.4.2.3); "" is the order of ids.
	SortBy     string
	Descending bool
	// HasCursor asks for cursor paging (RFC 9865) instead of StartIndex. Cursor is the cursor sent; "" asks for the
	// first page.
	HasCursor bool
	Cursor    string
	// MaxBytes ends a page early, after at least one resource, before the documents on it pass this size: their
	// selected parts if Take is set, else the stored documents.
	MaxBytes int
	// MaxFirst, if larger, bounds the bytes of the members of the page's first group alone.
	MaxFirst int
	// Take, if set, is given the resources of the page one by one; false ends the page before that resource. Parts
	// of a large document that are not selected may be missing. If a previousCursor asked for the page, the last
	// resource comes first.
	Take func(row.Resource) bool
}

// Page is a page of a list.
type Page struct {
	// Total is the number of results; -1 if a page of a cursor walk leaves it out (RFC 9865, section 2).
	Total      int
	StartIndex int
	Resources  []row.Resource
	// NextCursor and PreviousCursor are set if cursor paging was asked for and there is such a page.
	NextCursor, PreviousCursor string
}
