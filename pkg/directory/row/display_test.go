package row_test

import (
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// FuzzDisplay compares the name that is found in the text of a document with that of the decoded document.
func FuzzDisplay(f *testing.F) {
	for _, doc := range []string{
		`{"userName":"ann"}`,
		`{"displayName":"Ann \u00e4 \"x\"","userName":"ann"}`,
		`{"emails":[{"display":"x","displayName":"not this"}],"userName":"ann"}`,
		`{"displayName":"","userName":"ann"}`,
		`{"displayName":{"displayName":"x"},"userName":"ann"}`,
		`{"name":{"formatted":"\"userName\":\"x\""},"nickName":"\\","userName":"a\\"}`,
		`{"title":"displayName","userName":"ann"}`,
		`{ "displayName" : "Ann" , "userName":"ann"}`,
		`{"userName":7}`, `{"userName":"`, `[]`, ``,
	} {
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		o, err := scim.ParseObject(doc)
		if err != nil {
			return // nothing like it is stored
		}
		item := func(doc string) store.Item {
			return store.Item{Key: store.Key{PK: "p", SK: "id"}, Attrs: store.Attrs{row.AttrDoc: doc}}
		}
		// Documents are stored as EncodeDoc writes them.
		got, err := row.Display(schema.UserType(), item(row.EncodeDoc(o)))
		if want := row.DisplayOf(o); err != nil || got != want {
			t.Errorf("%s: %q, %v, not %q", doc, got, err, want)
		}
	})
}
