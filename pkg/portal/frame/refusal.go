package frame

import (
	"net/http"
	"strconv"
)

// Refusal says why a request of an identity provider was refused. Answers are in English, with more detail, so that
// readers of English get the detail itself. All others get a sentence about the scimType (RFC 7644, section 3.12) or
// the status. "" if the request was not refused.
func (v *Visit) Refusal(status int, scimType, detail string) string {
	words := v.frame.words[v.Lang]
	if v.Lang == Languages[0] || status < http.StatusBadRequest && detail == "" {
		return detail
	}
	rest := "400"
	switch {
	case status < http.StatusBadRequest:
		return ""
	case status >= http.StatusInternalServerError:
		rest = "500"
	}
	for _, code := range []string{scimType, strconv.Itoa(status), rest} {
		if text, ok := words["refusal."+code]; ok && code != "" {
			return text
		}
	}
	return ""
}
