package message_test

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"mime"
	"net/mail"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/notice/message"
)

// contacts are the ways in which an operator may say where a token is to be had; "" is none.
var contacts = []string{
	"", "https://app.example.com/scim?a=1&b=2", "help@example.com", "Example Support, +49 30 1234",
	"<b>IT</b> of Example",
}

// every calls with each notice that can be written.
func every(t *testing.T, f func(name string, n notice.Notice, m message.Message)) {
	t.Helper()
	successors := map[string]notice.Token{"none": {}, "unused": newToken(), "used": used(newToken(), 20*time.Hour,
		time.Hour), "just used": used(newToken(), 0, 0)}
	kinds := map[string]notice.Notice{
		"ready": due(notice.SuccessorReady), "14": due(notice.ReminderKind(14)), "1": due(notice.ReminderKind(1)),
		"expired": due(notice.Expired), "test": due(notice.Test), "client": aboutClient(false),
		"client ended": aboutClient(true), "domain failing": aboutDomains(notice.DomainFailing, 3),
		"domain lost": aboutDomains(notice.DomainLost, 1),
	}
	for _, idp := range []string{
		"entra", "okta", "google", "onelogin", "pingone", "jumpcloud", "authentik", "generic",
	} {
		for kind, n := range kinds {
			for state, successor := range successors {
				for i, contact := range contacts {
					if i > 0 && idp != "okta" {
						break // it is the same with each
					}
					for _, notKept := range []bool{false, true} {
						for _, lang := range notice.Languages {
							n.Successor, n.ToCollect = successor, notKept && successor.ID == ""
							tn := acme(idp)
							tn.NotKept = notKept
							o := message.Options{
								Product: "Example App", Contact: contact, BaseURL: "https://scim.example.com",
								Now: func() time.Time { return now },
							}
							if i%2 == 0 {
								o.Product = ""
							}
							m, err := message.New(o).Message(tn, n, lang)
							if err != nil {
								t.Fatal(err)
							}
							name := fmt.Sprintf("%s, %s, successor %s, contact %q, not kept %v, %s",
								idp, kind, state, contact, notKept, lang)
							f(name, n, m)
						}
					}
				}
			}
		}
	}
}

// aboutClient is a notice about the secret of an OAuth client.
func aboutClient(ended bool) notice.Notice {
	n := due(notice.ReminderKind(14))
	end := ends
	if ended {
		n, end = due(notice.Expired), now.Add(-time.Minute)
	}
	n.ClientID, n.ClientSecretEnds, n.Token = "tc0123456789abcdef", end, notice.Token{ID: n.TokenID, ExpiresAt: end}
	return n
}

var (
	urlThenMark = regexp.MustCompile(`https?://\S*[.,;:)\]“”"'!](\s|$)`)
	tag         = regexp.MustCompile(`<[^>]*>`)
	number      = regexp.MustCompile(`\d+\. `) // of a step, or of a day
	underline   = regexp.MustCompile(`(?m)^-+$`)
	head1       = regexp.MustCompile(`(?s)<head>.*</head>`)
	english     = regexp.MustCompile(`\b(the|of|is|and|operator|your)\b`)
	half        = regexp.MustCompile(`\s[.,;:]|\.\.|, ?\.|\( ?\)|: *\n\n|  +\S+ {3,}|[a-zäöü]\.[A-Z]`)
)

func TestWordsOfEveryNotice(t *testing.T) {
	slow.NoRace(t)
	seen := 0
	every(t, func(name string, _ notice.Notice, m message.Message) {
		if seen++; t.Failed() {
			return
		}
		if found := urlThenMark.FindString(m.Text); found != "" {
			t.Errorf("%s: a mark at the end of %s\n%s", name, found, m.Text)
		}
		if found := half.FindString(m.Text); found != "" {
			t.Errorf("%s: broken off at %q\n%s", name, found, m.Text)
		}
		plain := number.ReplaceAllString(flat(underline.ReplaceAllString(m.Text, "")), "")
		page := strings.ReplaceAll(head1.ReplaceAllString(m.HTML, ""), "</th>", ": ")
		page = flat(html.UnescapeString(tag.ReplaceAllString(page, "")))
		page = number.ReplaceAllString(page, "")
		if strings.ReplaceAll(plain, " ", "") != strings.ReplaceAll(page, " ", "") {
			t.Errorf("%s: text and HTML differ:\n%s\n%s", name, plain, page)
		}
		if m.Language == "de" && english.MatchString(strings.ReplaceAll(plain, "<b>IT</b> of Example", "")) {
			t.Errorf("%s: English in a German mail:\n%s", name, m.Text)
		}
		if strings.Contains(m.Text, "/admin/v1") || strings.Contains(m.Text, "SCIM provisioning: ") {
			t.Errorf("%s: not for the people of a tenant:\n%s", name, m.Text)
		}
	})
	if seen == 0 {
		t.Error("no notice was written")
	}
}

func TestNoticesNameWhoHasTheToken(t *testing.T) {
	for _, tc := range []struct{ product, contact, en, de, href string }{
		{"", "", "Ask the operator of scim.example.com", "den Betreiber von scim.example.com", ""},
		{"Example App", "", "Ask your contact at Example App", "Ihre Ansprechperson bei Example App", ""},
		{
			"Example App", "https://app.example.com/scim", "here: https://app.example.com/scim",
			"hier: https://app.example.com/scim", `<a href="https://app.example.com/scim"`,
		},
		{
			"Example App", "help@example.com", "mail to help@example.com", "E-Mail an help@example.com",
			`<a href="mailto:help@example.com"`,
		},
		{"Example App", "Support, +49 30 1234", "Support, +49 30 1234", "Support, +49 30 1234", ""},
		{"Example App", "javascript:alert(1)", "javascript:alert(1)", "javascript:alert(1)", ""},
		{
			"Example App", `https://x.example/"onclick="alert(1)`, `https://x.example/"onclick="alert(1)`, "https://x.example/",
			"",
		},
	} {
		for lang, want := range map[string]string{"en": tc.en, "de": tc.de} {
			n := message.New(message.Options{
				Product: tc.product, Contact: tc.contact, BaseURL: "https://scim.example.com",
				Now: func() time.Time { return now },
			})
			for _, what := range []notice.Notice{
				due(notice.SuccessorReady), due(notice.Expired), aboutClient(false),
				aboutClient(true),
			} {
				m, err := n.Message(acme("okta"), what, lang)
				if err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(flat(m.Text), want) || tc.href != "" && !strings.Contains(m.HTML, tc.href) {
					t.Errorf("%s, %s: %q or %q is missing:\n%s\n%s", tc.contact, lang, want, tc.href, m.Text, m.HTML)
				}
				if strings.Contains(m.HTML, `href="javascript`) || strings.Contains(m.HTML, `"onclick`) {
					t.Errorf("%s: %s", tc.contact, m.HTML)
				}
				m.To = []string{"ada@acme.example"}
				raw, err := m.Mail("scim@example.com", "")
				if err != nil {
					t.Fatal(err)
				}
				reply := strings.Contains(head(raw), "Reply-To: <help@example.com>")
				if reply != (tc.contact == "help@example.com") {
					t.Errorf("%s: %s", tc.contact, head(raw))
				}
			}
		}
	}
}

func TestTensesFollowTheDay(t *testing.T) {
	for _, tc := range []struct {
		left   time.Duration
		en, de string
	}{
		{14 * 24 * time.Hour, "expires in 14 days", "endet in 14 Tagen"},
		{7 * 24 * time.Hour, "expires in 7 days", "endet in 7 Tagen"},
		{2 * 24 * time.Hour, "expires in 2 days", "endet in 2 Tagen"},
		{24 * time.Hour, "expires tomorrow", "endet morgen"},
		{16 * time.Hour, "expires tomorrow", "endet morgen"},
		{15 * time.Hour, "expires today", "endet heute"},
		{time.Second, "expires today", "endet heute"},
		{0, "has expired", "ist abgelaufen"},
		{-time.Hour, "has expired", "ist abgelaufen"},
	} {
		for _, client := range []bool{false, true} {
			n := due(notice.ReminderKind(1))
			if client {
				n = aboutClient(false)
			}
			n.Token.ExpiresAt = now.Add(tc.left)
			for lang, want := range map[string]string{"en": tc.en, "de": tc.de} {
				m, err := notifier(nil, io.Discard).Message(acme("okta"), n, lang)
				if err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(m.Subject, want) {
					t.Errorf("%v left, client %v: %s", tc.left, client, m.Subject)
				}
				for _, wrong := range []string{"has expired on", "is in use since", "expires on", "endet am"} {
					told, _, _ := strings.Cut(m.Text, "\n---") // "What to do" or later
					if tc.left <= 0 && strings.Contains(flat(told), wrong) {
						t.Errorf("%v left, client %v: %q in\n%s", tc.left, client, wrong, m.Text)
					}
				}
				if tc.left > 0 && !strings.Contains(flat(m.Text), want) {
					t.Errorf("%v left, client %v: %q is missing in\n%s", tc.left, client, want, m.Text)
				}
			}
		}
	}
}

func TestStepsNameTheFieldsOfClientSecrets(t *testing.T) {
	field := map[string]string{
		"entra": "Client Secret", "okta": "Client Secret", "pingone": "OAuth Client Secret",
		"onelogin": "Configuration",
		"generic":  "https://scim.example.com/oauth2/acme/token",
		"google":   "https://scim.example.com/oauth2/acme/token",
	}
	for idp, want := range field {
		for _, lang := range notice.Languages {
			for _, ended := range []bool{false, true} {
				m, err := notifier(nil, io.Discard).Message(acme(idp), aboutClient(ended), lang)
				if err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(flat(m.Text), want) {
					t.Errorf("%s, %s, ended %v: %q is missing:\n%s", idp, lang, ended, want, m.Text)
				}
			}
		}
	}
}

func TestATokenThatWasCollectedIsNotPromised(t *testing.T) {
	tn := acme("okta")
	tn.NotKept = true
	for lang, want := range map[string]string{
		"en": "shown only once, on 23 April 2027", "de": "nur einmal gezeigt, am 23. April 2027",
	} {
		m, err := notifier(nil, io.Discard).Message(tn, due(notice.ReminderKind(7)), lang)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(flat(m.Text), want) {
			t.Errorf("%q is missing:\n%s", want, m.Text)
		}
	}
}

func TestLongNamesLeaveRoomForTheDay(t *testing.T) {
	tn := acme("okta")
	tn.Name = strings.Repeat("Rindfleischetikettierungs-", 10)
	n := message.New(message.Options{
		Product: strings.Repeat("Überwachungs", 10), BaseURL: "https://scim.example.com",
		Now: func() time.Time { return now },
	})
	for lang, want := range map[string]string{"en": "21 May 2027", "de": "21. Mai 2027"} {
		m, err := n.Message(tn, due(notice.SuccessorReady), lang)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(m.Subject, want) || len([]rune(m.Subject)) > 200 {
			t.Errorf("subject %q", m.Subject)
		}
	}
}

func TestHeadersOfForeignNames(t *testing.T) {
	for _, name := range []string{
		"Ümläut & Söhne GmbH", "株式会社例", "שלום בע״מ", "شركة المثال", "😀 Ltd", "Zoë, Inc.", `"Quoted" \ Ltd`,
		strings.Repeat("ö", 100),
	} {
		tn := acme("okta")
		tn.Name = name
		n := message.New(message.Options{Product: "Prodükt", Now: func() time.Time { return now }})
		m, err := n.Message(tn, due(notice.SuccessorReady), "en")
		if err != nil {
			t.Fatal(err)
		}
		m.To = []string{"ada@acme.example"}
		raw, err := m.Mail("scim@example.com", name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(head(raw)) {
			if strings.Contains(line, "=?") && len(strings.TrimSpace(line)) > 90 {
				t.Errorf("%s: a line of %d: %s", name, len(line), line)
			}
		}
		parsed, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject"))
		if err != nil || subject != m.Subject {
			t.Errorf("%s: subject %q, %v", name, subject, err)
		}
		from, err := parsed.Header.AddressList("From")
		if err != nil || len(from) != 1 || from[0].Address != "scim@example.com" || from[0].Name != name {
			t.Errorf("%s: from %v, %v", name, from, err)
		}
	}
}

// A name in a script from right to left must not change the direction of the text beside it.
func TestNamesFromRightToLeftAreIsolated(t *testing.T) {
	for _, name := range []string{"שלום בע״מ", "شركة المثال 24"} {
		tn := acme("okta")
		tn.Name = name
		m, err := notifier(nil, io.Discard).Message(tn, due(notice.SuccessorReady), "en")
		if err != nil {
			t.Fatal(err)
		}
		for _, where := range []string{m.Subject, flat(m.Text), m.HTML} {
			if !strings.Contains(where, "\u2068"+name+"\u2069") ||
				strings.Count(where, "\u2068") != strings.Count(where, "\u2069") {
				t.Errorf("%q in %s", name, where)
			}
		}
	}
}

func TestNamesThatEndWithAFullStop(t *testing.T) {
	tn := acme("")
	tn.Name = "Verein e. V."
	n := message.New(message.Options{
		Product: "Example Inc.", BaseURL: "https://scim.example.com", Now: func() time.Time { return now },
	})
	for _, lang := range notice.Languages {
		for _, idp := range []string{
			"entra", "okta", "google", "onelogin", "pingone", "jumpcloud", "authentik", "generic",
		} {
			for _, what := range []notice.Notice{
				due(notice.SuccessorReady), due(notice.Expired), due(notice.Test), aboutClient(false),
				aboutClient(true),
			} {
				tn.IdP = idp
				m, err := n.Message(tn, what, lang)
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(m.Text, "..") {
					t.Errorf("%s, %s:\n%s", idp, lang, m.Text)
				}
			}
		}
	}
}
