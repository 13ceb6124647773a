package frame

import (
	"maps"
	"net/http"
	"slices"
)

// Question is asked before a form is carried out that takes something away. Its texts are sure.KEY.title, what ends as
// sure.KEY.ends, what stays as sure.KEY.stays, and the button as sure.KEY.go.
type Question struct {
	Key string
	// Back is the path under Root of the page to go back to.
	Back string
	// When says which forms of the route are asked about; nil: all.
	When func(v *Visit) bool
	// About, if not nil, names the thing and says what is known of it, in the visitor's language. Both may be "".
	About func(v *Visit) (name, evidence string, err error)
}

// question is the page that asks.
type question struct {
	Question
	Action, Name, Evidence string
	Fields                 []field
}

type field struct{ Name, Value string }

// ask shows the question of a form that was not answered with yes. asked is false if there is none.
func (v *Visit) ask(q Question) (asked bool, err error) {
	if v.R.Method != http.MethodPost || v.Form("sure") == "yes" || q.When != nil && !q.When(v) {
		return false, nil
	}
	page := question{Question: q, Action: local(v.R.URL)}
	if q.About != nil {
		if page.Name, page.Evidence, err = q.About(v); err != nil {
			return true, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(v.R.PostForm)) {
		for _, value := range v.R.PostForm[name] {
			page.Fields = append(page.Fields, field{name, value})
		}
	}
	return true, v.Show("sure", page)
}
