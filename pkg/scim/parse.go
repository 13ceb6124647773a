package scim

import "encoding/json"

// ParseObject reads one JSON object.
func ParseObject(data []byte) (Object, error) {
	var o Object
	if err := json.Unmarshal(data, &o); err != nil {
		return nil, BadRequest(InvalidSyntax, "The body is not valid JSON.")
	}
	return o, nil
}
