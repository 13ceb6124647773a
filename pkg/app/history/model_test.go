package history

import (
	"fmt"
	"math"

	"github.com/anishathalye/porcupine"
)

// request is an operation of a client, on the user or on the group.
type request struct {
	kind  string // of the user: create, get, find, put, patch, delete; of the group: add, remove, set, read
	id    string // of the user that it addresses; create has none
	value string // of the user's title; no two requests have the same
	match string // If-Match; "" is none
	set   uint32 // of members, a bit each
}

// answer is the answer to a request. A request whose process died, or that ended with a 5xx, has none.
type answer struct {
	unknown bool
	status  int
	user    user
	set     uint32
}

// user is the state of the user: the zero value does not exist. After a request of unknown outcome id and tag are "",
// which stands for any, until an answer tells them.
type user struct {
	exists         bool
	id, tag, value string
}

// never is the time at which a request of unknown outcome ends: it may take effect at any time, or not at all.
const never = math.MaxInt64

// users is a user as a versioned register.
var users = porcupine.Model{
	Init: func() any { return user{} },
	Step: func(state, in, out any) (bool, any) {
		return stepUser(state.(user), in.(request), out.(answer))
	},
	DescribeOperation: describe,
}

// stepUser is whether a user in state s can give the answer to the request, and the state afterwards. A request of
// unknown outcome that can do nothing in state s has done nothing.
func stepUser(s user, in request, out answer) (bool, user) {
	if in.kind == "create" {
		return stepCreate(s, in, out)
	}
	there := s.exists && (in.kind == "find" || s.id == "" || s.id == in.id)
	mayMatch := in.match == "" || s.tag == "" || s.tag == in.match
	if out.unknown {
		if !there || !mayMatch {
			return true, s
		}
		if in.kind == "delete" {
			return true, user{}
		}
		return true, user{exists: true, id: in.id, value: in.value}
	}
	switch {
	case out.status == 404:
		return !there || s.id == "", s
	case out.status == 412:
		return there && (s.tag == "" || s.tag != in.match), s
	case !there || !mayMatch:
		return false, s
	case in.kind == "delete":
		return out.status == 204, user{}
	case in.kind == "get" || in.kind == "find":
		same := s.value == out.user.value && (s.id == "" || s.id == out.user.id) &&
			(s.tag == "" || s.tag == out.user.tag)
		return out.status == 200 && same, out.user
	}
	return out.status == 200 && out.user.value == in.value && out.user.tag != s.tag, out.user
}

func stepCreate(s user, in request, out answer) (bool, user) {
	switch {
	case out.unknown && s.exists:
		return true, s
	case out.unknown:
		return true, user{exists: true, value: in.value}
	case out.status == 409:
		return s.exists, s
	}
	return out.status == 201 && !s.exists && out.user.value == in.value, out.user
}

// groups is a group as a set of members.
var groups = porcupine.Model{
	Init: func() any { return uint32(0) },
	Step: func(state, in, out any) (bool, any) {
		s, request, answer := state.(uint32), in.(request), out.(answer)
		switch request.kind {
		case "add":
			s |= request.set
		case "remove":
			s &^= request.set
		case "set":
			s = request.set
		default:
			return answer.status == 200 && answer.set == s, s
		}
		return answer.unknown || answer.status/100 == 2, s
	},
	DescribeOperation: describe,
}

func describe(in, out any) string { return fmt.Sprintf("%+v -> %+v", in, out) }
