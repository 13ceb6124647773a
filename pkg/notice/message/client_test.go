package message_test

import (
	"io"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

func TestNoticesOfClientSecrets(t *testing.T) {
	for _, idp := range scim.IdPs() {
		for _, lang := range notice.Languages {
			for _, ended := range []bool{false, true} {
				n := due(notice.ReminderKind(14))
				if ended {
					n = due(notice.Expired)
				}
				n.ClientID, n.ClientSecretEnds = "tc0123456789abcdef", ends
				n.Token = notice.Token{ID: n.TokenID, ExpiresAt: ends}
				if ended {
					n.Token.ExpiresAt = now
				}
				m, err := notifier(nil, io.Discard).Message(acme(idp), n, lang)
				if err != nil {
					t.Fatal(err)
				}
				checkText(t, idp+" "+lang, m)
				text := flat(m.Text)
				for _, want := range []string{
					"tc0123456789abcdef", "scim_oldoldoldoldold1_", "Acme Ltd",
					"https://app.example.com/scim",
				} {
					if !strings.Contains(text, want) {
						t.Errorf("%s, %s, ended %v: %q is missing:\n%s", idp, lang, ended, want, m.Text)
					}
				}
				if strings.Contains(m.Subject, "SCIM") {
					t.Errorf("subject %q", m.Subject)
				}
			}
		}
	}
}
