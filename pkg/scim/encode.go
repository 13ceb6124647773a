package scim

import "encoding/json"

// AppendJSON writes a JSON value.
func AppendJSON(dst []byte, v any) []byte {
	b, _ := json.Marshal(v)
	return append(dst, b...)
}
