package bulk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/directory/bulkid"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// facts are the parts of an operation's data that are needed before it is carried out. The data of a request as
// objects would take fifty times the memory of its text.
type facts struct {
	// bulkIDs are the bulkIds that it refers to, each once.
	bulkIDs []string
	// values are its references to resources that may exist.
	values []string
	// names are the new values of the unique name, as far as the operation may set it.
	names []string
	// data is the decoded form, if that of all operations together is small.
	data scim.Object
	// group is the group of a membership to be created, an id or a bulkId with its prefix.
	group string
}

// read finds the facts of all operations, and returns a digest of the request. A repetition of the request has the
// same digest. It is "" if the request is not to be remembered. If data is no JSON object, its operation is invalid.
func (b *request) read(rest []byte) (digest string) {
	b.facts = make([]facts, len(b.ops))
	hash := sha256.New()
	hash.Write(rest)
	var canonical []byte
	size := 0
	for _, op := range b.ops {
		size += len(op.Data)
	}
	for i := range b.ops {
		op := &b.ops[i]
		if op.Invalid != nil || op.Data == "" {
			continue
		}
		data, err := scim.ParseObject(op.Data)
		if err != nil {
			op.Invalid = err
			continue
		}
		f := &b.facts[i]
		if size <= maxDecoded {
			f.data = data
		}
		f.bulkIDs = bulkid.List(data)
		f.addValues(data, "")
		f.names = claimedNames(op.Method, data, uniqueName(b.t, op.Type))
		if isMembership(op.Type) && op.Method == http.MethodPost {
			group, _ := field(data, "group").(scim.Object)
			f.group, _ = field(group, "value").(string)
		}
		if rest != nil {
			canonical = append(scim.AppendJSON(canonical[:0], data), '\n')
			hash.Write(canonical)
		}
	}
	if rest == nil {
		return ""
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// addValues adds the strings in a document under `value`, `manager` or $ref. Most are not references; those that match
// nothing are of no consequence.
func (f *facts) addValues(v any, key string) {
	switch v := v.(type) {
	case scim.Object:
		for k, e := range v {
			f.addValues(e, k)
		}
	case []any:
		for _, e := range v {
			f.addValues(e, key)
		}
	case string:
		switch {
		case strings.EqualFold(key, "value"), strings.EqualFold(key, "manager"):
			f.values = append(f.values, v)
		case strings.EqualFold(key, "$ref"):
			f.values = append(f.values, v[strings.LastIndex(v, "/")+1:])
		}
	}
}

// maxNameBytes bounds the names that are looked up; a longer one can't be given.
const maxNameBytes = 512

// claimedNames are the values that the data of an operation may give the attribute. Too many do no harm.
func claimedNames(method string, data scim.Object, attribute string) []string {
	if attribute == "" {
		return nil
	}
	var names []string
	claim := func(v any) {
		if s, ok := v.(string); ok && s != "" && len(s) <= maxNameBytes {
			names = append(names, s)
		}
	}
	if method != http.MethodPatch {
		claim(field(data, attribute))
		return names
	}
	operations, _ := field(data, "Operations").([]any)
	for _, e := range operations {
		o, _ := e.(scim.Object)
		value := field(o, "value")
		path, _ := field(o, "path").(string)
		if of, ok := value.(scim.Object); ok {
			for key, v := range of {
				if strings.HasSuffix(strings.ToLower(key), strings.ToLower(attribute)) {
					claim(v)
				}
			}
		} else if strings.HasSuffix(strings.ToLower(path), strings.ToLower(attribute)) {
			claim(value)
		}
	}
	return names
}

// field is scim.Field, without the report whether the field exists.
func field(o scim.Object, name string) any {
	v, _ := scim.Field(o, name)
	return v
}

// decode returns the data of an operation as an object, which may be changed, once there is memory for it; the error
// says that the time ran out before. done gives the memory back.
func (b *request) decode(ctx context.Context, i int) (data scim.Object, done func(), err error) {
	text := b.ops[i].Data
	if data, b.facts[i].data = b.facts[i].data, nil; data != nil || text == "" {
		return data, func() {}, nil
	}
	size := min(int64(len(text)), maxDecoded)
	if b.decoding.Acquire(ctx, size) != nil {
		return nil, nil, notBegun()
	}
	done = func() { b.decoding.Release(size) }
	if data, err = scim.ParseObject(text); err != nil {
		done()
		return nil, nil, err
	}
	return data, done, nil
}
