package message_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/notice/message"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

var update = flag.Bool("update", false, "write the golden mails anew")

var (
	now  = time.Date(2027, 5, 14, 8, 30, 0, 0, time.UTC)
	ends = time.Date(2027, 5, 21, 9, 20, 33, 0, time.UTC)
)

// box keeps the messages sent to it. fail, if set, returns the result for a message.
type box struct {
	sent []message.Message
	fail func(m message.Message) error
}

func (b *box) Send(_ context.Context, m message.Message) error {
	if b.fail != nil {
		if err := b.fail(m); err != nil {
			return err
		}
	}
	b.sent = append(b.sent, m)
	return nil
}

func notifier(sender message.Sender, log io.Writer) *message.Notifier {
	return message.New(message.Options{
		Sender: sender, Product: "Example App", Contact: "https://app.example.com/scim",
		BaseURL: "https://scim.example.com", Now: func() time.Time { return now },
		Log: slog.New(slog.NewTextHandler(log, nil)),
	})
}

func acme(idp string) notice.Tenant {
	return notice.Tenant{ID: "acme", Name: "Acme Ltd", IdP: idp}
}

func oldToken() notice.Token {
	return notice.Token{
		ID: "oldoldoldoldold1", CreatedAt: ends.AddDate(0, 0, -180), ExpiresAt: ends,
		FirstUsedAt: ends.AddDate(0, 0, -179), LastUsedAt: now.Add(-3 * time.Hour),
	}
}

func newToken() notice.Token {
	return notice.Token{ID: "newnewnewnewnew1", CreatedAt: ends.AddDate(0, 0, -28), ExpiresAt: ends.AddDate(0, 0, 152)}
}

func used(t notice.Token, first, last time.Duration) notice.Token {
	t.FirstUsedAt, t.LastUsedAt = now.Add(-first), now.Add(-last)
	return t
}

func due(kind notice.Kind, to ...notice.Recipient) notice.Notice {
	n := notice.Notice{
		ID: "oldoldoldoldold1." + string(kind) + ".0", Kind: kind, TokenID: "oldoldoldoldold1", At: now,
		Recipients: to, State: notice.Pending,
	}
	n.Token, n.Successor = oldToken(), newToken()
	if kind == notice.Test {
		n.ID, n.TokenID, n.Token = ".test.1", "", notice.Token{}
	}
	if kind == notice.Expired {
		n.Token.ExpiresAt = now.Add(-time.Minute)
	}
	return n
}

// aboutDomains is a notice about n domains.
func aboutDomains(kind notice.Kind, n int) notice.Notice {
	about := due(kind)
	about.ID, about.TokenID, about.Token, about.Successor = "."+string(kind)+".1", "", notice.Token{}, notice.Token{}
	for i, answer := range []string{"missing", "different", "silent"}[:n] {
		name := []string{"acme.example", "mail.acme.example", "xn--acm-dma.example"}[i]
		about.Domains = append(about.Domains, notice.Domain{
			Name: name, Record: "_scim-challenge." + name, Value: "JMCDVBTMDIWCIAIGI5GXBHMNLG", Answer: answer,
			Ends: ends.Unix(),
		})
	}
	return about
}

func ada(language string) notice.Recipient {
	return notice.Recipient{Email: "ada@acme.example", Language: language}
}

func TestGoldenMails(t *testing.T) {
	collect := due(notice.SuccessorReady)
	collect.Successor, collect.ToCollect = notice.Token{}, true
	switched := due(notice.Expired)
	switched.Token.LastUsedAt, switched.Successor = now.AddDate(0, 0, -9), used(newToken(), 216*time.Hour, time.Minute)
	still := due(notice.ReminderKind(7))
	still.Successor = used(newToken(), 50*time.Hour, time.Minute)
	missing := due(notice.ReminderKind(1))
	missing.Successor = notice.Token{}
	for _, tc := range []struct {
		name, idp, language string
		n                   notice.Notice
	}{
		{"ready-entra", "entra", "en", due(notice.SuccessorReady)},
		{"ready-entra", "entra", "de", due(notice.SuccessorReady)},
		{"collect-pingone", "pingone", "de", collect},
		{"reminder-okta", "okta", "en", due(notice.ReminderKind(14))},
		{"reminder-still-used-onelogin", "onelogin", "de", still},
		{"reminder-without-successor", "keycloak", "en", missing},
		{"expired-google", "google", "en", due(notice.Expired)},
		{"expired-google", "google", "de", due(notice.Expired)},
		{"expired-switched", "generic", "en", switched},
		{"test-okta", "okta", "de", due(notice.Test)},
		{"domain-failing-entra", "entra", "en", aboutDomains(notice.DomainFailing, 1)},
		{"domain-failing-entra", "entra", "de", aboutDomains(notice.DomainFailing, 1)},
		{"domain-lost-okta", "okta", "en", aboutDomains(notice.DomainLost, 1)},
		{"domain-lost-okta", "okta", "de", aboutDomains(notice.DomainLost, 3)},
	} {
		t.Run(tc.name+"-"+tc.language, func(t *testing.T) {
			m, err := notifier(nil, io.Discard).Message(acme(tc.idp), tc.n, tc.language)
			if err != nil {
				t.Fatal(err)
			}
			m.To = []string{"ada@acme.example", "bob@acme.example"}
			raw, err := m.Mail("scim@example.com", "Example App")
			if err != nil {
				t.Fatal(err)
			}
			text, html := parts(t, raw)
			golden(t, tc.name+"-"+tc.language+".txt", head(raw)+"\n\n"+text)
			golden(t, tc.name+"-"+tc.language+".html", html)
		})
	}
}

func head(raw []byte) string {
	header, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	return strings.ReplaceAll(string(header), "\r\n", "\n")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-golden +now), see -update:\n%s", name, diff)
	}
}

// parts reads a mail as its receiver does.
func parts(t *testing.T, raw []byte) (text, html string) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%s, %v", kind, err)
	}
	var bodies []string
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := r.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, strings.ReplaceAll(string(body), "\r\n", "\n"))
	}
	if len(bodies) != 2 {
		t.Fatalf("%d parts", len(bodies))
	}
	return bodies[0], bodies[1]
}

// value is the shape of a whole token.
var value = regexp.MustCompile(`scim_[0-9a-z]+_[0-9A-Za-z]+`)

func TestEveryNoticeInEveryStateSaysWhatToDo(t *testing.T) {
	slow.NoRace(t)
	tokens := map[string]notice.Token{
		"none": {}, "unused": newToken(), "used": used(newToken(), 20*time.Hour, time.Hour),
		"just used": used(newToken(), 0, 0),
	}
	endless := newToken()
	endless.ExpiresAt = time.Time{}
	tokens["endless"] = endless
	field := map[string]string{
		"entra": "Secret Token", "okta": "HTTP Header", "google": "Autoprovisioning", "onelogin": "SCIM Bearer Token",
		"pingone": "OAuth Access Token",
	}
	for _, idp := range scim.IdPs() {
		for _, kind := range []notice.Kind{
			notice.SuccessorReady, notice.ReminderKind(14), notice.ReminderKind(7), notice.ReminderKind(1),
			notice.ReminderKind(3), notice.Expired, notice.Test,
		} {
			for state, successor := range tokens {
				for _, lang := range notice.Languages {
					for _, known := range []bool{true, false} {
						n := due(kind)
						n.Successor = successor
						if !known {
							n.Token = notice.Token{}
						}
						m, err := notifier(nil, io.Discard).Message(acme(idp), n, lang)
						if err != nil {
							t.Fatal(err)
						}
						name := fmt.Sprintf("%s, %s, successor %s, %s, known %v", idp, kind, state, lang, known)
						checkText(t, name, m)
						if want := field[idp]; want != "" && kind != notice.Test && kind != notice.Expired &&
							!strings.Contains(flat(m.Text), want) {
							t.Errorf("%s: %q is not named:\n%s", name, want, m.Text)
						}
					}
				}
			}
		}
	}
}

func flat(s string) string { return strings.Join(strings.Fields(s), " ") }

func checkText(t *testing.T, name string, m message.Message) {
	t.Helper()
	if m.Subject == "" || strings.Contains(m.Subject, "\n") || !strings.HasPrefix(m.Subject, "Example App: ") {
		t.Errorf("%s: subject %q", name, m.Subject)
	}
	for _, body := range []string{m.Subject, m.Text, m.HTML} {
		if strings.Contains(body, "no value") || strings.Contains(body, "{{") || strings.Contains(body, " .") ||
			value.MatchString(body) {
			t.Errorf("%s: leftovers, or a token:\n%s", name, body)
		}
	}
	for line := range strings.Lines(m.Text) {
		if len([]rune(strings.TrimSuffix(line, "\n"))) > 76 && strings.Contains(strings.TrimSpace(line), " ") {
			t.Errorf("%s: a long line: %s", name, line)
		}
		if strings.ContainsAny(line[:1], "*#|") {
			t.Errorf("%s: markup is left: %s", name, line)
		}
	}
	if !strings.Contains(m.HTML, `<html lang="`+m.Language+`">`) {
		t.Errorf("%s: the HTML does not say its language", name)
	}
}

func TestNamesMakeNoMarkupAndNoHeader(t *testing.T) {
	for _, name := range []string{
		"<script>alert(1)</script>", "Acme\r\nBcc: eve@evil.example\r\n\r\nHello", "Acme\n\n# Heading\n\n* step",
		"| a | b |",
		"\u202egnihton\x00\u200b",
		strings.Repeat("long ", 200), "{{.Old}}", `"><img src=x>`, "\xff\xfe", "Ümläut & Söhne", "\u2028# line\u2029* para",
	} {
		tn := acme("entra")
		tn.Name = name
		n := message.New(message.Options{
			Product: name, Contact: name, BaseURL: "https://scim.example.com",
			Now: func() time.Time { return now },
		})
		for _, lang := range notice.Languages {
			m, err := n.Message(tn, due(notice.SuccessorReady), lang)
			if err != nil {
				t.Fatal(err)
			}
			m.To = []string{"ada@acme.example"}
			raw, err := m.Mail("scim@example.com", name)
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := mail.ReadMessage(bytes.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			if len(parsed.Header) != 11 || parsed.Header.Get("Bcc") != "" {
				t.Errorf("%q: headers %v", name, parsed.Header)
			}
			for i, b := range raw {
				if b >= 0x80 || b < ' ' && b != '\r' && b != '\n' && b != '\t' || b == '\n' && raw[i-1] != '\r' {
					t.Fatalf("%q: byte %d is %#x", name, i, b)
				}
			}
			text, html := parts(t, raw)
			if strings.Contains(html, "<script") || strings.Contains(html, "<img") || strings.Count(html, "<h2") != 3 ||
				strings.Count(html, "<li") != 8 {
				t.Errorf("%q makes HTML of its own:\n%s", name, html)
			}
			if strings.ContainsAny(text+html, "\u202e\u200b\u2028\u2029\x00") {
				t.Errorf("%q: formatting characters came through", name)
			}
		}
	}
}

func TestAddressesMakeNoHeader(t *testing.T) {
	m, err := notifier(nil, io.Discard).Message(acme("okta"), due(notice.Test), "en")
	if err != nil {
		t.Fatal(err)
	}
	refused := (*message.RefusedError)(nil)
	for _, address := range []string{
		"", "ada", "ada@acme.example\r\nBcc: eve@evil.example", "ada@acme.example, eve@evil.example",
		"Ada <ada@acme.example>", "ada@acme.example\x00",
		"ada@[\r\nBcc: x@evil.example]", "ädä@acme.example", strings.Repeat("a", 250) + "@acme.example",
		"ada@acme.example ",
	} {
		m.To = []string{"bob@acme.example", address}
		if raw, err := m.Mail("scim@example.com", ""); !errors.As(err, &refused) || raw != nil {
			t.Errorf("to %q: %v", address, err)
		} else if address != "" && strings.Contains(refused.Reason, address) {
			t.Errorf("the reason holds the address: %s", refused.Reason)
		}
		m.To = []string{"bob@acme.example"}
		if _, err := m.Mail(address, ""); !errors.As(err, &refused) {
			t.Errorf("from %q: %v", address, err)
		}
	}
	m.To = nil
	if _, err := m.Mail("scim@example.com", ""); !errors.As(err, &refused) {
		t.Errorf("to nobody: %v", err)
	}
}

func TestReminderAfterTheEndSaysThatItEnded(t *testing.T) {
	n := due(notice.ReminderKind(1))
	n.Token.ExpiresAt = now.Add(-time.Second)
	m, err := notifier(nil, io.Discard).Message(acme("okta"), n, "en")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(m.Subject, "has expired") {
		t.Error(m.Subject)
	}
}
