package boltstore

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

var errDamaged = errors.New("boltstore: damaged item")

// The type of a stored value.
const (
	typeString byte = iota + 1
	typeNumber
	typeBytes
)

// encodeKey makes the key in the file: the length of the partition key in two bytes, then both parts, so that a partition is one
// range and its items are in order of their sort keys.
func encodeKey(pk, sk string) []byte {
	b := make([]byte, 0, 2+len(pk)+len(sk))
	b = binary.BigEndian.AppendUint16(b, uint16(len(pk))) //nolint:gosec // at most MaxPKBytes
	b = append(b, pk...)
	return append(b, sk...)
}

// encodeItem makes the value in the file: the item's size in DynamoDB's measure, so that a count need not look further, the
// number of attributes, and each attribute's name, type and value.
func encodeItem(k store.Key, a store.Attrs) []byte {
	size := store.ItemBytes(k, a)
	b := make([]byte, 0, size+8+4*len(a))
	b = binary.AppendUvarint(b, uint64(size))
	b = binary.AppendUvarint(b, uint64(len(a)))
	for name, v := range a {
		b = appendString(b, name)
		switch v := v.(type) {
		case string:
			b = appendString(append(b, typeString), v)
		case int64:
			b = binary.AppendVarint(append(b, typeNumber), v)
		case []byte:
			b = binary.AppendUvarint(append(b, typeBytes), uint64(len(v)))
			b = append(b, v...)
		}
	}
	return b
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// itemSize reads the size of an encoded item; 0 if there is none.
func itemSize(raw []byte) int {
	size, _ := binary.Uvarint(raw)
	return int(size)
}

// decodeItem reads the attributes of an encoded item into memory of their own; nil if there is none.
func decodeItem(raw []byte) (store.Attrs, error) {
	if raw == nil {
		return nil, nil
	}
	d := decoder{rest: string(raw)}
	d.uvarint() // the size
	n := d.uvarint()
	if n > uint64(len(raw)) {
		return nil, errDamaged
	}
	attrs := make(store.Attrs, n)
	for range n {
		name := d.string()
		switch t := d.byte(); t {
		case typeString:
			attrs[name] = d.string()
		case typeNumber:
			attrs[name] = d.varint()
		case typeBytes:
			attrs[name] = []byte(d.string())
		default:
			return nil, fmt.Errorf("%w: type %d", errDamaged, t)
		}
	}
	if d.bad || d.rest != "" {
		return nil, errDamaged
	}
	return attrs, nil
}

// decoder takes values off the front of rest. Its strings share rest's memory.
type decoder struct {
	rest string
	bad  bool
}

func (d *decoder) byte() byte {
	if d.rest == "" {
		d.bad = true
		return 0
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

func (d *decoder) uvarint() uint64 {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		b := d.byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
	d.bad = true
	return 0
}

func (d *decoder) varint() int64 {
	u := d.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (d *decoder) string() string {
	n := d.uvarint()
	if n > uint64(len(d.rest)) {
		d.bad, d.rest = true, ""
		return ""
	}
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}
