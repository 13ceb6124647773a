package message

import (
	"bytes"
	"fmt"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Mail returns the message as it goes over the wire (RFC 5322): multipart/alternative, text before HTML, seven bits.
// from is the address of the sender, name the name shown beside it, "" for none. It returns a *RefusedError if an
// address is invalid, or if there is no recipient: only valid addresses get into a header.
func (m Message) Mail(from, name string) ([]byte, error) {
	sender, ok := plainAddress(from)
	if !ok {
		return nil, &RefusedError{Reason: "the address to send from is none"}
	}
	if len(m.To) == 0 {
		return nil, &RefusedError{Reason: "there is no recipient"}
	}
	to := make([]string, len(m.To))
	for i, address := range m.To {
		a, ok := plainAddress(address)
		if !ok {
			return nil, &RefusedError{Reason: fmt.Sprintf("the address of recipient %d is none", i)}
		}
		to[i] = a.String()
	}
	sender.Name = clean(name, maxName)
	_, domain, _ := strings.Cut(sender.Address, "@")
	var out bytes.Buffer
	if reply, ok := plainAddress(m.ReplyTo); ok {
		out.WriteString("Reply-To: " + reply.String() + "\r\n")
	}
	for _, h := range [][2]string{
		{"From", folded(sender.String())},
		{"To", strings.Join(to, ",\r\n ")},
		{"Subject", folded(mime.QEncoding.Encode("utf-8", m.Subject))},
		{"Date", m.At.UTC().Format(time.RFC1123Z)},
		{"Message-ID", "<" + m.ID + "@" + domain + ">"},
		{"List-Id", "<scim-notices." + clean(m.Tenant, maxName) + "." + domain + ">"},
		// No machine shall answer a machine (RFC 3834); Exchange needs the second header.
		{"Auto-Submitted", "auto-generated"},
		{"X-Auto-Response-Suppress", "All"},
		{"Content-Language", m.Language},
		{"MIME-Version", "1.0"},
		{"Content-Type", `multipart/alternative; boundary="` + m.ID + `"`},
	} {
		out.WriteString(h[0] + ": " + h[1] + "\r\n")
	}
	out.WriteString("\r\n")
	if err := m.parts(&out); err != nil {
		return nil, fmt.Errorf("message: mail: %w", err)
	}
	return out.Bytes(), nil
}

// folded has a line for each encoded word (RFC 2047, section 2).
func folded(header string) string { return strings.ReplaceAll(header, "?= ", "?=\r\n ") }

// parts writes the two forms of the message.
func (m Message) parts(out *bytes.Buffer) error {
	w := multipart.NewWriter(out)
	if err := w.SetBoundary(m.ID); err != nil {
		return err
	}
	for _, p := range [][2]string{{"text/plain; charset=utf-8", m.Text}, {"text/html; charset=utf-8", m.HTML}} {
		part, err := w.CreatePart(textproto.MIMEHeader{
			"Content-Type": {p[0]}, "Content-Transfer-Encoding": {"quoted-printable"},
		})
		if err != nil {
			return err
		}
		body := quotedprintable.NewWriter(part)
		if _, err := body.Write([]byte(p[1])); err != nil {
			return err
		}
		if err := body.Close(); err != nil {
			return err
		}
	}
	return w.Close()
}

// plainAddress reads an address that stands alone, without a name, and fits into a header: in ASCII, which is all that
// SES sends to.
func plainAddress(s string) (*mail.Address, bool) {
	a, err := mail.ParseAddress(s)
	ok := err == nil && a.Name == "" && a.Address == s && len(s) <= 254 &&
		!strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf || unicode.IsControl(r) || r == ' ' })
	return a, ok
}
