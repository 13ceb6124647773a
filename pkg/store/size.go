package store

import "math"

// Names of the key attributes in the table. They count towards the size of an item, so they are part of the contract.
const (
	AttrPK = "pk"
	AttrSK = "sk"
)

const (
	readUnitBytes  = 4 << 10
	writeUnitBytes = 1 << 10
)

// ItemBytes is the size of an item as DynamoDB measures it: names and values of the attributes, the key's included.
func ItemBytes(k Key, a Attrs) int {
	n := len(AttrPK) + len(k.PK) + len(AttrSK) + len(k.SK)
	for name, v := range a {
		n += len(name) + valueBytes(v)
	}
	return n
}

func valueBytes(v any) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case []byte:
		return len(v)
	case int64:
		return numberBytes(v)
	}
	return 0
}

// numberBytes counts the digits to base 100 without trailing zeros, one byte for the exponent and one for a minus.
func numberBytes(n int64) int {
	if n == 0 {
		return 1
	}
	size, m := 1, uint64(n)
	if n < 0 {
		size, m = 2, -m
	}
	for m%100 == 0 {
		m /= 100
	}
	for ; m > 0; m /= 100 {
		size++
	}
	return size
}

// ReadUnits is the cost of a strongly consistent read of so many bytes: a unit for every 4 KiB begun, and one if
// nothing was found. Get rounds up per item, Query once per page.
func ReadUnits(bytes int) float64 { return units(bytes, readUnitBytes) }

// WriteUnits is the cost of a write outside a transaction: a unit for every KiB begun of the item before or after
// it, whichever is larger; one if neither exists. A transaction costs twice that, also for Check and also if a
// condition does not hold.
func WriteUnits(bytes int) float64 { return units(bytes, writeUnitBytes) }

func units(bytes, unit int) float64 {
	return math.Max(1, float64((bytes+unit-1)/unit))
}
