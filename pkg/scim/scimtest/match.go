package scimtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// step is one part of a path into a JSON value: a key, an index, or the first element whose attribute has a value.
type step struct {
	key       string
	index     int
	attribute string // of [?attribute=value]
	value     string
	kind      stepKind
}

type stepKind int

const (
	keyStep stepKind = iota
	indexStep
	whereStep
)

var errPath = errors.New("scimtest: malformed path")

// parsePath reads `a.b`, `a[0]`, `a[?type=work].value` and `['a.key.with.dots'].b`, with or without a leading "$.".
func parsePath(path string) ([]step, error) {
	rest := strings.TrimPrefix(strings.TrimPrefix(path, "$"), ".")
	var steps []step
	for rest != "" {
		if rest[0] != '[' {
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			if end == 0 {
				return nil, fmt.Errorf("%w: %s", errPath, path)
			}
			steps = append(steps, step{kind: keyStep, key: rest[:end]})
			rest = strings.TrimPrefix(rest[end:], ".")
			continue
		}
		s, tail, err := parseBracket(rest)
		if err != nil {
			return nil, fmt.Errorf("%w: %s", err, path)
		}
		steps = append(steps, s)
		rest = strings.TrimPrefix(tail, ".")
	}
	return steps, nil
}

// parseBracket reads one bracket and returns the text after it.
func parseBracket(s string) (step, string, error) {
	if inner, ok := strings.CutPrefix(s, "['"); ok {
		key, tail, ok := strings.Cut(inner, "']")
		if !ok {
			return step{}, "", errPath
		}
		return step{kind: keyStep, key: key}, tail, nil
	}
	inner, tail, ok := strings.Cut(s[1:], "]")
	if !ok {
		return step{}, "", errPath
	}
	if where, ok := strings.CutPrefix(inner, "?"); ok {
		attribute, value, ok := strings.Cut(where, "=")
		if !ok {
			return step{}, "", errPath
		}
		return step{kind: whereStep, attribute: attribute, value: value}, tail, nil
	}
	n, err := strconv.Atoi(inner)
	if err != nil || n < 0 {
		return step{}, "", errPath
	}
	return step{kind: indexStep, index: n}, tail, nil
}

// find walks from v along path. The second result is false if there is no value.
func find(v any, path string) (any, bool, error) {
	steps, err := parsePath(path)
	if err != nil {
		return nil, false, err
	}
	for _, s := range steps {
		var ok bool
		if v, ok = s.into(v); !ok {
			return nil, false, nil
		}
	}
	return v, true, nil
}

func (s step) into(v any) (any, bool) {
	switch s.kind {
	case keyStep:
		object, _ := v.(map[string]any)
		got, ok := object[s.key]
		return got, ok
	case indexStep:
		list, _ := v.([]any)
		if s.index >= len(list) {
			return nil, false
		}
		return list[s.index], true
	default:
		list, _ := v.([]any)
		for _, element := range list {
			object, _ := element.(map[string]any)
			if got, ok := object[s.attribute]; ok && text(got) == s.value {
				return element, true
			}
		}
		return nil, false
	}
}

// text is a JSON value as a path writes it: strings bare, all else as JSON.
func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(raw)
}

// match compares the value at path with want: an equal value, or an object with exactly one key that begins with
// "$". It returns "" or the fault.
func match(body any, path string, want any) string {
	got, found, err := find(body, path)
	if err != nil {
		return err.Error()
	}
	if op, arg, ok := operator(want); ok {
		return applyOperator(path, op, arg, got, found)
	}
	if !found {
		return fmt.Sprintf("%s is absent, want %s", path, text(want))
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Sprintf("%s is %s, want %s", path, text(got), text(want))
	}
	return ""
}

func operator(want any) (string, any, bool) {
	object, ok := want.(map[string]any)
	if !ok || len(object) != 1 {
		return "", nil, false
	}
	for op, arg := range object {
		if strings.HasPrefix(op, "$") && op != "$ref" {
			return op, arg, true
		}
	}
	return "", nil, false
}

func applyOperator(path, op string, arg, got any, found bool) string {
	length, hasLength := lengthOf(got)
	wrong := func() string {
		if !found {
			return fmt.Sprintf("%s is absent, want %s %s", path, op, text(arg))
		}
		return fmt.Sprintf("%s is %s, want %s %s", path, text(got), op, text(arg))
	}
	holds := false
	switch op {
	case "$exists":
		holds = found == (arg == true)
	case "$absent":
		holds = found == (arg != true)
	case "$len":
		holds = found && hasLength && float64(length) == arg
	case "$len_or_absent":
		holds = !found || hasLength && float64(length) == arg
	case "$min_len":
		least, ok := arg.(float64)
		holds = ok && found && hasLength && float64(length) >= least
	case "$type":
		holds = found && isType(got, arg)
	case "$ne":
		holds = !found || !reflect.DeepEqual(got, arg)
	case "$not_contains":
		part, ok := arg.(string)
		holds = ok && !(found && strings.Contains(text(got), part))
	default:
		return fmt.Sprintf("%s: unknown expectation %s", path, op)
	}
	if holds {
		return ""
	}
	return wrong()
}

func lengthOf(v any) (int, bool) {
	switch v := v.(type) {
	case []any:
		return len(v), true
	case map[string]any:
		return len(v), true
	case string:
		return len(v), true
	}
	return 0, false
}

func isType(v, name any) bool {
	switch name {
	case "int":
		n, ok := v.(float64)
		return ok && n == math.Trunc(n)
	case "bool":
		_, ok := v.(bool)
		return ok
	case "string":
		_, ok := v.(string)
		return ok
	}
	return false
}
