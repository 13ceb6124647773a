package frame

import (
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"regexp"
	"strings"
)

// Languages are those of the pages; the first is the default.
var Languages = []string{"en", "de"}

// Words are the texts of one language by key.
type Words map[string]string

// readWords reads words/LANG.json of a room into words.
func readWords(words Words, files fs.FS, lang string) error {
	raw, err := fs.ReadFile(files, "words/"+lang+".json")
	if err != nil {
		return fmt.Errorf("frame: texts: %w", err)
	}
	more := Words{}
	if err := json.Unmarshal(raw, &more); err != nil {
		return fmt.Errorf("frame: texts of %s: %w", lang, err)
	}
	for key := range more {
		if _, twice := words[key]; twice {
			return fmt.Errorf("frame: the text %s is there twice", key)
		}
	}
	maps.Copy(words, more)
	return nil
}

// Text returns a text with its arguments filled in, as fmt.Sprintf does. A key that is not there is an error of the
// program: it is shown, so that somebody sees it.
func (w Words) Text(key string, args ...any) string {
	text, ok := w[key]
	if !ok {
		return "[" + key + "]"
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// Count returns the text key.one for 1 and key.other for all other numbers, filled in with n and the arguments.
func (w Words) Count(key string, n int, args ...any) string {
	form := ".other"
	if n == 1 {
		form = ".one"
	}
	return w.Text(key+form, append([]any{n}, args...)...)
}

var (
	bold    = regexp.MustCompile(`\*\*([^*]+)\*\*`)
	slanted = regexp.MustCompile(`\*([^*]+)\*`)
	mono    = regexp.MustCompile("`([^`]+)`")
)

// Rich returns a text whose **bold** and `code` are HTML. Arguments are escaped and can't be marked up.
func (w Words) Rich(key string, args ...any) template.HTML {
	text := Markup(w.Text(key))
	if len(args) == 0 {
		return text
	}
	escaped := make([]any, len(args))
	for i, a := range args {
		escaped[i] = a
		if s, ok := a.(string); ok {
			escaped[i] = template.HTMLEscapeString(inert(s))
		}
	}
	return template.HTML(fmt.Sprintf(string(text), escaped...)) //nolint:gosec // both are escaped
}

// Markup makes HTML of a text of this program, with **bold**, *italic* and `code`. It escapes all else.
func Markup(text string) template.HTML {
	text = template.HTMLEscapeString(text)
	text = bold.ReplaceAllString(text, "<strong>$1</strong>")
	text = slanted.ReplaceAllString(text, "<em>$1</em>")
	return template.HTML(mono.ReplaceAllString(text, "<code>$1</code>")) //nolint:gosec // it is escaped
}

// preferred is the first language of an Accept-Language header (RFC 9110, section 12.5.4) that there is; "" if none is.
func preferred(header string) string {
	for part := range strings.SplitSeq(header, ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		tag, _, _ = strings.Cut(strings.ToLower(tag), "-")
		if known(tag) {
			return tag
		}
	}
	return ""
}

func known(lang string) bool {
	for _, l := range Languages {
		if l == lang {
			return true
		}
	}
	return false
}
