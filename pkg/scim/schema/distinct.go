package schema

import "github.com/serverless-scim/serverless-scim/pkg/scim"

// fewElements is the number of elements up to which comparing each with each is cheaper than encoding each.
const fewElements = 8

// distinct leaves out elements that are equal to an earlier one in all but primary (RFC 7643, section 2.4: no type
// and value twice). The one that stays is primary if one of them was. It reuses the slice; time is linear in its
// size.
func distinct(elements []any) []any {
	if len(elements) < 2 {
		return elements
	}
	kept := elements[:0]
	var at map[string]int
	var buf []byte
	if len(elements) > fewElements {
		at = make(map[string]int, len(elements))
	}
	for _, e := range elements {
		same := -1
		if at == nil {
			same = indexEqual(kept, e)
		} else {
			buf = scim.AppendJSON(buf[:0], withoutPrimary(e))
			if i, ok := at[string(buf)]; ok {
				same = i
			} else {
				at[string(buf)] = len(kept)
			}
		}
		if same < 0 {
			kept = append(kept, e)
		} else if isPrimary(e) {
			kept[same] = e
		}
	}
	clear(elements[len(kept):])
	return kept
}

func indexEqual(list []any, e any) int {
	for i, k := range list {
		if equalButPrimary(k, e) {
			return i
		}
	}
	return -1
}

func equalButPrimary(a, b any) bool {
	x, ok := a.(scim.Object)
	y, both := b.(scim.Object)
	if !ok || !both {
		return scim.Equal(a, b)
	}
	n := 0
	for k, v := range x {
		if k == "primary" {
			continue
		}
		w, ok := y[k]
		if !ok || !scim.Equal(v, w) {
			return false
		}
		n++
	}
	if _, ok := y["primary"]; ok {
		n++
	}
	return n == len(y)
}

func withoutPrimary(e any) any {
	o, ok := e.(scim.Object)
	if !ok {
		return e
	}
	if _, ok := o["primary"]; !ok {
		return e
	}
	c := make(scim.Object, len(o))
	for k, v := range o {
		if k != "primary" {
			c[k] = v
		}
	}
	return c
}

func isPrimary(e any) bool {
	o, ok := e.(scim.Object)
	return ok && o["primary"] == true
}

// checkPrimary refuses a second primary value (RFC 7643, section 2.4). Only the client can tell which one is meant.
func (a *Attribute) checkPrimary(elements []any) error {
	n := 0
	for _, e := range elements {
		if isPrimary(e) {
			n++
		}
	}
	if n > 1 {
		return scim.BadRequest(scim.InvalidValue, "%d values of %s are marked as primary; at most one may be.", n,
			a.FullName())
	}
	return nil
}
