package message_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/notice/message"
)

var errDown = errors.New("mail is down")

func people() []notice.Recipient {
	return []notice.Recipient{
		{Email: "ada@acme.example", Language: "en"},
		{Email: "bea@acme.example", Language: "de"},
		{Email: "cid@acme.example", Language: "en"},
		{Email: "dan@acme.example", Language: "xx"},
	}
}

func deliver(t *testing.T, n *message.Notifier) (notice.State, error) {
	t.Helper()
	return n.Deliver(t.Context(), acme("entra"), due(notice.SuccessorReady, people()...))
}

func TestOneMessageForEachLanguage(t *testing.T) {
	b := &box{}
	state, err := deliver(t, notifier(b, &bytes.Buffer{}))
	if err != nil || state != notice.Sent || len(b.sent) != 2 {
		t.Fatalf("%s, %v, %d messages", state, err, len(b.sent))
	}
	en, de := b.sent[0], b.sent[1]
	english := []string{"ada@acme.example", "cid@acme.example", "dan@acme.example"}
	if en.Language != "en" || !slices.Equal(en.To, english) {
		t.Errorf("%s to %v", en.Language, en.To)
	}
	if de.Language != "de" || !slices.Equal(de.To, []string{"bea@acme.example"}) ||
		!strings.Contains(de.Text, "Mandant") {
		t.Errorf("%s to %v", de.Language, de.To)
	}
	if en.ID == de.ID || en.ID == "" {
		t.Errorf("ids %q, %q", en.ID, de.ID)
	}
}

func TestMessageIDIsTheSameEachTime(t *testing.T) {
	seen := map[string]string{}
	for range 2 {
		b := &box{}
		for _, kind := range []notice.Kind{notice.SuccessorReady, notice.ReminderKind(14), notice.Expired} {
			for _, id := range []string{"acme", "other"} {
				tn := acme("okta")
				tn.ID = id
				n := due(kind, ada("en"))
				if _, err := notifier(b, &bytes.Buffer{}).Deliver(t.Context(), tn, n); err != nil {
					t.Fatal(err)
				}
				m := b.sent[len(b.sent)-1]
				key := m.Tenant + " " + m.Notice
				if was, ok := seen[m.ID]; ok && was != key {
					t.Errorf("%s is also the id of %s", m.ID, was)
				}
				seen[m.ID] = key
			}
		}
	}
	if len(seen) != 6 {
		t.Errorf("%d ids of 6 notices that were sent twice", len(seen))
	}
}

func TestWhatWasSentInPartIsNotRepeatedInWhole(t *testing.T) {
	b := &box{fail: func(m message.Message) error {
		if m.Language == "de" {
			return errDown
		}
		return nil
	}}
	n := notifier(b, &bytes.Buffer{})
	for range 3 {
		if state, err := deliver(t, n); !errors.Is(err, errDown) || state != "" {
			t.Fatalf("%s, %v", state, err)
		}
	}
	b.fail = nil
	if state, err := deliver(t, n); err != nil || state != notice.Sent {
		t.Fatalf("%s, %v", state, err)
	}
	if len(b.sent) != 2 || b.sent[0].Language != "en" || b.sent[1].Language != "de" {
		t.Errorf("%d messages", len(b.sent))
	}
}

func TestOneBadAddressKeepsNobodyElseUninformed(t *testing.T) {
	b := &box{fail: func(m message.Message) error {
		if slices.Contains(m.To, "cid@acme.example") {
			return &message.RefusedError{Reason: "bad address"}
		}
		return nil
	}}
	var log bytes.Buffer
	state, err := deliver(t, notifier(b, &log))
	if err != nil || state != notice.Sent {
		t.Fatalf("%s, %v", state, err)
	}
	var told []string
	for _, m := range b.sent {
		told = append(told, m.To...)
	}
	if !slices.Equal(told, []string{"ada@acme.example", "dan@acme.example", "bea@acme.example"}) {
		t.Errorf("told %v", told)
	}
	if text := log.String(); !strings.Contains(text, "notice refused") || strings.Contains(text, "@") ||
		strings.Contains(text, "Acme") {
		t.Errorf("log: %s", text)
	}
}

func TestWhatNobodyGetsHasFailed(t *testing.T) {
	var log bytes.Buffer
	b := &box{fail: func(message.Message) error { return &message.RefusedError{Reason: "no"} }}
	if state, err := deliver(t, notifier(b, &log)); err != nil || state != notice.Failed {
		t.Errorf("refused: %s, %v", state, err)
	}
	log.Reset()
	if state, err := deliver(t, notifier(nil, &log)); err != nil || state != notice.Failed ||
		!strings.Contains(log.String(), "notice refused") {
		t.Errorf("without a sender: %s, %v, %s", state, err, log.String())
	}
}
