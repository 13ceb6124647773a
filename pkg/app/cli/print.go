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
	_ = out.Flush() // the output is gone
}

// text is a value in one cell, without control characters for the terminal. Characters that change how others are
// shown, such as marks of direction, are written as escapes.
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
	var b strings.Builder
	for _, c := range fmt.Sprint(v) {
		switch {
		case unicode.IsControl(c):
		case unicode.In(c, unicode.Cf, unicode.Zl, unicode.Zp):
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// orWord is a value, or a word if there is none.
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
