package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"
)

// writeJSON prints a document in one line.
func writeJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// table prints rows in columns; the first may be the heading.
func table(w io.Writer, rows [][]any) {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = text(cell)
		}
		fmt.Fprintln(out, strings.Join(cells, "\t"))
	}
	_ = out.Flush() // an output that is gone can't be told
}

// text is a value in one cell, without what a terminal would act on.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = text(e)
		}
		return strings.Join(parts, ",")
	}
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return -1
		}
		return c
	}, fmt.Sprint(v))
}

// orWord is a value, or a word where there is none.
func orWord(v any, word string) any {
	if v == nil {
		return word
	}
	return v
}

// objects are the objects of an array.
func objects(v any) []object {
	list, _ := v.([]any)
	var out []object
	for _, e := range list {
		if o, ok := e.(object); ok {
			out = append(out, o)
		}
	}
	return out
}

// emails are the addresses of recipients, in one line.
func emails(v any) string {
	var all []string
	for _, to := range objects(v) {
		all = append(all, text(to["email"]))
	}
	return strings.Join(all, ",")
}
