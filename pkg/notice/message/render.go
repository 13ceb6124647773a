package message

import (
	"embed"
	"fmt"
	html "html/template"
	"strconv"
	"strings"
	"sync"
	text "text/template"

	"github.com/serverless-scim/serverless-scim/pkg/notice"
)

// A text is written once per language, in texts/LANGUAGE.tmpl. It becomes blocks, which texts/mail.html renders as
// HTML and plain as text. Blocks are divided by empty lines. A block is a paragraph, or, by the beginning of its
// lines:
//
//	# a heading
//	* a step; several make a numbered list
//	| name | what it is; several make a table
//
// A value from outside is one line and never begins one, so that it can't make a block. A text makes a link with
// {{link URL}}, which puts marks around it that no value from outside can have: they are control characters.

//go:embed texts
var files embed.FS

// texts and layout are parsed once, when the first message is written.
var (
	texts  = map[string]func() *text.Template{"en": parseTexts("en"), "de": parseTexts("de")}
	layout = parseLayout()
)

const linkBegins, linkEnds = "\x01", "\x02"

// unlinked removes the marks of links.
var unlinked = strings.NewReplacer(linkBegins, "", linkEnds, "")

// span is a part of a line; Href is empty if it is no link.
type span struct{ Text, Href string }

func spans(line string) (all []span) {
	for rest := line; rest != ""; {
		before, after, linked := strings.Cut(rest, linkBegins)
		if before != "" {
			all = append(all, span{Text: before})
		}
		if rest = ""; linked {
			var to string
			to, rest, _ = strings.Cut(after, linkEnds)
			href := to
			if _, mail := plainAddress(to); mail {
				href = "mailto:" + to
			}
			all = append(all, span{to, href})
		}
	}
	return all
}

// Message writes a notice in a language, "en" or "de". It has no recipients yet. An error is a mistake in the texts.
func (n *Notifier) Message(t notice.Tenant, about notice.Notice, lang string) (Message, error) {
	now := n.o.Now()
	l, all := languages[lang], texts[lang]()
	v := n.view(t, about, l, now)
	steps := "steps"
	if about.ClientID != "" {
		steps = "client-steps"
	}
	for what, into := range map[string]*string{steps: &v.Steps, "check": &v.Check, "again": &v.Again} {
		var err error
		if *into, err = perIdP(all, what, t.IdP, v); err != nil {
			return Message{}, err
		}
	}
	if about.Kind != notice.Expired && !v.Ended {
		v.Again = ""
	}
	written, err := execute(all, section(about, now), v)
	if err != nil {
		return Message{}, err
	}
	subject, body, _ := strings.Cut(written, "\n")
	blocks := blocksOf(body)
	var page strings.Builder
	if err := layout().ExecuteTemplate(&page, "mail.html", mailPage{
		Lang: lang, Subject: subject,
		Blocks: blocks,
	}); err != nil {
		return Message{}, fmt.Errorf("message: mail.html: %w", err)
	}
	return Message{
		ID: messageID(t.ID, about.ID, lang), Tenant: t.ID, Notice: about.ID, Kind: about.Kind, Language: lang, At: now,
		ReplyTo: v.Contact.Mail, Subject: subject, Text: unlinked.Replace(plain(blocks)), HTML: page.String(),
	}, nil
}

type mailPage struct {
	Lang, Subject string
	Blocks        []block
}

// perIdP executes the template of an identity provider, or the generic one if it has none.
func perIdP(all *text.Template, what, idp string, v view) (string, error) {
	name := what + ":" + idp
	if all.Lookup(name) == nil {
		name = what + ":generic"
	}
	return execute(all, name, v)
}

func execute(all *text.Template, name string, v view) (string, error) {
	var out strings.Builder
	if err := all.ExecuteTemplate(&out, name, v); err != nil {
		return "", fmt.Errorf("message: %s: %w", name, err)
	}
	return strings.TrimSpace(out.String()), nil
}

// block is a part of a message; one of its fields is set.
type block struct {
	Paragraph, Heading string
	Steps              []string
	Facts              [][2]string
}

func blocksOf(body string) []block {
	var blocks []block
	var b block
	end := func() {
		if b.Paragraph != "" || b.Heading != "" || b.Steps != nil || b.Facts != nil {
			blocks = append(blocks, b)
		}
		b = block{}
	}
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		rest := strings.TrimSpace(strings.TrimLeft(line, "#*|"))
		switch {
		case line == "":
			end()
		case line[0] == '#':
			end()
			b.Heading = rest
			end()
		case line[0] == '*':
			b.Steps = append(b.Steps, rest)
		case line[0] == '|':
			name, value, _ := strings.Cut(rest, "|")
			b.Facts = append(b.Facts, [2]string{strings.TrimSpace(name), strings.TrimSpace(value)})
		default:
			b.Paragraph = strings.TrimSpace(b.Paragraph + " " + line)
		}
	}
	end()
	return blocks
}

// textWidth is the number of columns of the text form.
const textWidth = 76

// plain returns the text form of a message.
func plain(blocks []block) string {
	var out strings.Builder
	for i, b := range blocks {
		if i > 0 {
			out.WriteByte('\n')
		}
		switch {
		case b.Heading != "":
			out.WriteString(b.Heading + "\n" + strings.Repeat("-", len([]rune(b.Heading))) + "\n")
		case b.Paragraph != "":
			wrap(&out, "", b.Paragraph)
		}
		for i, s := range b.Steps {
			wrap(&out, strconv.Itoa(i+1)+". ", s)
		}
		for _, f := range b.Facts {
			wrap(&out, f[0]+": ", f[1])
		}
	}
	return out.String()
}

// wrap writes words in lines of textWidth; a longer word has a line of its own. The first line begins with lead, the
// others are indented by up to three columns.
func wrap(out *strings.Builder, lead, s string) {
	out.WriteString(lead)
	indent := strings.Repeat(" ", min(3, len(lead)))
	column := len([]rune(lead))
	for i, word := range strings.Fields(s) {
		n := len([]rune(unlinked.Replace(word)))
		switch {
		case i > 0 && column+1+n > textWidth:
			out.WriteString("\n" + indent)
			column = len(indent)
		case i > 0:
			out.WriteByte(' ')
			column++
		}
		out.WriteString(word)
		column += n
	}
	out.WriteByte('\n')
}

// fullStop ends a sentence with a name, which may have a full stop of its own.
func fullStop(name string) string {
	if strings.HasSuffix(strings.TrimSuffix(name, "\u2069"), ".") {
		return name
	}
	return name + "."
}

// parseLayout uses html/template, which escapes all that is put into a page.
func parseLayout() func() *html.Template {
	return sync.OnceValue(func() *html.Template {
		return html.Must(html.New("").Funcs(html.FuncMap{"spans": spans}).ParseFS(files, "texts/mail.html"))
	})
}

func parseTexts(lang string) func() *text.Template {
	return sync.OnceValue(func() *text.Template {
		return text.Must(text.New("").Option("missingkey=error").Funcs(text.FuncMap{
			"link": func(to string) string { return linkBegins + to + linkEnds },
			"stop": fullStop,
		}).ParseFS(files, "texts/"+lang+".tmpl"))
	})
}
