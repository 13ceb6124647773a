package frame

import (
	"maps"
	"net/http"
	"slices"
)

// Question is asked before a form that takes something away is carried out. Its texts are sure.KEY.title, sure.KEY.ends
// for the things that end, sure.KEY.stays for those that stay, and sure.KEY.go for the button.
type Question struct {
	Key string
	// Back is the path under Root of the page to go back to.
	Back string
	// When reports whether the question is asked for a form of the route; nil: for all.
	When func(v *Visit) bool
	// About, if not nil, returns the name of the thing and the known facts about it, in the visitor's language. Both
	// may be "".
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
