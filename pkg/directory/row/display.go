package row

import (
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Display is DisplayOf the document in an item. A change of members needs the names of many users and nothing else of
// their documents, so it looks for the name in the text; a document that it can't make out that way is decoded.
func Display(rt *schema.ResourceType, it store.Item) (string, error) {
	doc, _ := it.Attrs[AttrDoc].(string)
	if name, ok := displayIn(doc); ok {
		return name, nil
	}
	r, err := Decode(rt, it)
	return DisplayOf(r.Doc), err
}

// displayIn finds the displayName, else the userName, of a document as EncodeDoc writes it: without blanks, and with
// the attributes in order, displayName before userName. It reports false if there is anything else to it.
func displayIn(doc string) (string, bool) {
	depth := 0
	for i := 0; i < len(doc); i++ {
		switch doc[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case ' ', '\t', '\r', '\n':
			return "", false
		case '"':
			end := stringEnd(doc, i)
			if end < 0 {
				return "", false
			}
			if key := doc[i:end]; depth == 1 && (key == `"displayName"` || key == `"userName"`) &&
				strings.HasPrefix(doc[end:], `:"`) {
				begin := end + 1
				if end = stringEnd(doc, begin); end < 0 {
					return "", false
				}
				value := doc[begin+1 : end-1]
				if strings.IndexByte(value, '\\') >= 0 {
					return "", false
				}
				if value != "" {
					return value, true
				}
			}
			i = end - 1
		}
	}
	return "", false
}

// stringEnd is the place after the end of the JSON string that begins at a place; -1 if it has none.
func stringEnd(text string, begin int) int {
	for i := begin + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}
