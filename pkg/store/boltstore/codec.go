package boltstore

import (
	"encoding/binary"
	"errors"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// errDamaged says that a stored item can't be read. It leaves the package as the error of a damaged file.
var errDamaged = errors.New("an item can't be read")

// The type of a stored value.
const (
	typeString byte = iota + 1
	typeNumber
	typeBytes
)

// encodeKey creates the key in the file: the length of the partition key in two bytes, then both parts, so that a
// partition is one range and its items are in order of their sort keys.
func encodeKey(pk, sk string) []byte {
	return appendKey(make([]byte, 0, keySize(pk, sk)), pk, sk)
}

func appendKey(b []byte, pk, sk string) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(pk))) //nolint:gosec // at most MaxPKBytes
	b = append(b, pk...)
	return append(b, sk...)
}

func keySize(pk, sk string) int { return 2 + len(pk) + len(sk) }

// encodeItem makes the value in the file: the item's size in DynamoDB's measure, so that a count need not look further,
// the number of attributes, and each attribute's name, type and value.
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
	return decodeAttrs(string(raw), nil)
}

// decodeAttrs reads the attributes of an encoded item. They share its memory, or that of the item before it, if their
// values are the same: the items of a page often are, except for a few.
func decodeAttrs(raw string, before store.Attrs) (store.Attrs, error) {
	d := decoder[string]{rest: raw}
	n := d.begin()
	attrs := make(store.Attrs, n)
	for range n {
		name, v := d.attribute()
		switch v.kind {
		case typeString:
			old := before[name]
			if text, ok := old.(string); !ok || text != v.text {
				old = v.text
			}
			attrs[name] = old
		case typeNumber:
			old := before[name]
			if number, ok := old.(int64); !ok || number != v.number {
				old = v.number
			}
			attrs[name] = old
		case typeBytes:
			attrs[name] = []byte(v.text)
		}
	}
	if d.bad || d.rest != "" {
		return nil, errDamaged
	}
	return attrs, nil
}

// find reads one attribute of an encoded item, without memory of its own. Its kind is 0 if there is none.
func find(raw []byte, name string) (value[[]byte], error) {
	d := decoder[[]byte]{rest: raw}
	for range d.begin() {
		if at, v := d.attribute(); string(at) == name && !d.bad {
			return v, nil
		}
	}
	if d.bad {
		return value[[]byte]{}, errDamaged
	}
	return value[[]byte]{}, nil
}

// value is a stored value: text for a string or bytes.
type value[T string | []byte] struct {
	kind   byte
	text   T
	number int64
}

// decoder takes values off the front of rest. The values share rest's memory.
type decoder[T string | []byte] struct {
	rest T
	bad  bool
}

// begin reads an item's size, which it drops, and the number of its attributes.
func (d *decoder[T]) begin() (attributes uint64) {
	d.uvarint()
	n := d.uvarint()
	if n > uint64(len(d.rest)) { // each takes more than a byte
		d.bad = true
		return 0
	}
	return n
}

func (d *decoder[T]) attribute() (name T, v value[T]) {
	name = d.text()
	switch v.kind = d.byte(); v.kind {
	case typeString, typeBytes:
		v.text = d.text()
	case typeNumber:
		v.number = d.varint()
	default:
		d.bad = true
	}
	return name, v
}

func (d *decoder[T]) byte() byte {
	if len(d.rest) == 0 {
		d.bad = true
		return 0
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

func (d *decoder[T]) uvarint() uint64 {
	if len(d.rest) > 0 && d.rest[0] < 0x80 { // as most are
		b := d.rest[0]
		d.rest = d.rest[1:]
		return uint64(b)
	}
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

func (d *decoder[T]) varint() int64 {
	u := d.uvarint()
	return int64(u>>1) ^ -int64(u&1) //nolint:gosec // the inverse of binary.AppendVarint
}

func (d *decoder[T]) text() T {
	n := d.uvarint()
	if n > uint64(len(d.rest)) {
		n, d.bad = 0, true
		d.rest = d.rest[:0]
	}
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}
