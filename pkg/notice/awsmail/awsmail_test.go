package awsmail_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/notice/awsmail"
	"github.com/serverless-scim/serverless-scim/pkg/notice/message"
)

// server keeps the calls it gets. answer, if set, answers one in place of success.
type server struct {
	t      *testing.T
	answer func(w http.ResponseWriter) bool
	good   string

	mu    sync.Mutex
	paths []string
	calls [][]byte
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil || !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ") {
		s.t.Errorf("a call that is not signed, or broken: %v", err)
	}
	s.paths, s.calls = append(s.paths, r.Method+" "+r.URL.Path), append(s.calls, body)
	if s.answer != nil && s.answer(w) {
		return
	}
	fmt.Fprint(w, s.good)
}

func start(t *testing.T, good string) (*server, string) {
	t.Helper()
	s := &server{t: t, good: good}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	return s, web.URL
}

var credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
})

func ses(t *testing.T) (*server, *awsmail.Mail) {
	t.Helper()
	s, url := start(t, `{"MessageId":"m1"}`)
	client := sesv2.New(sesv2.Options{
		Region: "eu-west-1", BaseEndpoint: &url, Credentials: credentials,
		RetryMaxAttempts: 1,
	})
	return s, awsmail.NewMail(client,
		awsmail.Options{From: "scim@example.com", Name: "Example App", ConfigurationSet: "notices"})
}

func sample() message.Message {
	return message.Message{
		ID: "0123456789abcdef", Tenant: "acme", Notice: "oldoldoldoldold1.reminder-14.0", Kind: notice.ReminderKind(14),
		Language: "de",
		To:       []string{"ada@acme.example", "bob@acme.example"}, At: time.Unix(1_800_000_000, 0),
		Subject: "Example App: für Äcme", Text: "text ü\n", HTML: "<p>ü</p>\n",
	}
}

func TestMail(t *testing.T) {
	s, sender := ses(t)
	if err := sender.Send(t.Context(), sample()); err != nil {
		t.Fatal(err)
	}
	var in struct {
		FromEmailAddress, ConfigurationSetName string
		Destination                            struct{ ToAddresses, CcAddresses, BccAddresses []string }
		Content                                struct{ Raw struct{ Data []byte } }
		EmailTags                              []struct{ Name, Value string }
	}
	if err := json.Unmarshal(s.calls[0], &in); err != nil || len(s.calls) != 1 ||
		s.paths[0] != "POST /v2/email/outbound-emails" {
		t.Fatalf("%v, calls %v", err, s.paths)
	}
	if in.FromEmailAddress != "scim@example.com" || in.ConfigurationSetName != "notices" ||
		fmt.Sprint(in.Destination) != "{[ada@acme.example bob@acme.example] [] []}" {
		t.Errorf("sent %+v", in)
	}
	if got := fmt.Sprint(in.EmailTags); got != "[{tenant acme} {notice oldoldoldoldold1_reminder-14_0}]" {
		t.Errorf("tags %s", got)
	}
	raw := string(in.Content.Raw.Data)
	for _, want := range []string{
		"From: \"Example App\" <scim@example.com>\r\n", "\r\nAuto-Submitted: auto-generated\r\n",
		"\r\nList-Id: <scim-notices.acme.example.com>\r\n",
		"\r\nMessage-ID: <0123456789abcdef@example.com>\r\n", "multipart/alternative", "text =C3=BC", "<p>=C3=BC</p>",
	} {
		if !strings.Contains(raw, want) {
			t.Errorf("%q is not in the mail:\n%s", want, raw)
		}
	}
}

func failing(code string, status int) func(http.ResponseWriter) bool {
	return func(w http.ResponseWriter) bool {
		w.Header().Set("X-Amzn-ErrorType", code)
		w.WriteHeader(status)
		fmt.Fprint(w, `{"message":"about ada@acme.example"}`)
		return true
	}
}

func TestMailFailures(t *testing.T) {
	for _, tc := range []struct {
		code    string
		status  int
		refused bool
	}{
		{"BadRequestException", 400, true},
		{"MessageRejected", 400, false},
		{"TooManyRequestsException", 429, false},
		{"SendingPausedException", 400, false},
		{"InternalServiceErrorException", 500, false},
		{"AccessDeniedException", 403, false},
	} {
		s, sender := ses(t)
		s.answer = failing(tc.code, tc.status)
		err := sender.Send(t.Context(), sample())
		refused := (*message.RefusedError)(nil)
		if err == nil || errors.As(err, &refused) != tc.refused || strings.Contains(err.Error(), "@") ||
			!strings.Contains(err.Error(), tc.code) {
			t.Errorf("%s: %v", tc.code, err)
		}
	}
}

func TestMailHeedsTheContext(t *testing.T) {
	_, sender := ses(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sender.Send(ctx, sample()); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestMailToABadAddressIsNoCall(t *testing.T) {
	s, sender := ses(t)
	m := sample()
	m.To = append(m.To, "eve@evil.example\r\nBcc: x@evil.example")
	refused := (*message.RefusedError)(nil)
	if err := sender.Send(t.Context(), m); !errors.As(err, &refused) || len(s.calls) != 0 {
		t.Errorf("%v after %d calls", err, len(s.calls))
	}
}

func topic(t *testing.T, arn string) (*server, *awsmail.Topic) {
	t.Helper()
	s, url := start(t, `<PublishResponse `+
		`xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>m1</MessageId></PublishResult></Publi`+
		`shResponse>`)
	client := sns.New(sns.Options{
		Region: "eu-west-1", BaseEndpoint: &url, Credentials: credentials, RetryMaxAttempts: 1,
	})
	return s, awsmail.NewTopic(client, arn)
}

func TestTopic(t *testing.T) {
	for _, arn := range []string{
		"arn:aws:sns:eu-west-1:123456789012:notices",
		"arn:aws:sns:eu-west-1:123456789012:notices.fifo",
	} {
		s, sender := topic(t, arn)
		if err := sender.Send(t.Context(), sample()); err != nil {
			t.Fatal(err)
		}
		form, err := url.ParseQuery(string(s.calls[0]))
		if err != nil || len(s.calls) != 1 || form.Get("Action") != "Publish" || form.Get("TopicArn") != arn {
			t.Fatalf("%v, %v", err, form)
		}
		if form.Get("Subject") != "SCIM token notice reminder-14, tenant acme" ||
			form.Get("Message") != "Example App: für Äcme\n\ntext ü\n" {
			t.Errorf("published %v", form)
		}
		if strings.Contains(string(s.calls[0]), "%40") {
			t.Errorf("an address was published: %s", s.calls[0])
		}
		fifo := strings.HasSuffix(arn, ".fifo")
		if fifo != (form.Get("MessageDeduplicationId") == "0123456789abcdef") ||
			fifo != (form.Get("MessageGroupId") == "acme") {
			t.Errorf("%s: %v", arn, form)
		}
	}
}

func TestTopicFails(t *testing.T) {
	s, sender := topic(t, "arn:aws:sns:eu-west-1:123456789012:notices")
	s.answer = func(w http.ResponseWriter) bool {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `<ErrorResponse `+
			`xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Code>AuthorizationError</Code><Message>no</Message></E`+
			`rror></ErrorResponse>`)
		return true
	}
	refused := (*message.RefusedError)(nil)
	if err := sender.Send(t.Context(), sample()); err == nil || errors.As(err, &refused) ||
		!strings.Contains(err.Error(), "AuthorizationError") {
		t.Errorf("%v", err)
	}
}

func TestReports(t *testing.T) {
	const mail = `"mail":{"messageId":"m1","destination":["ada@acme.example"],"tags":{"tenant":["acme"],` +
		`"notice":["oldoldoldoldold1_reminder-14_0"],"ses:from-domain":["example.com"]}}`
	good := awsmail.Report{Tenant: "acme", Notice: "oldoldoldoldold1.reminder-14.0"}
	rejected := good
	rejected.Rejected = true
	for _, tc := range []struct {
		event string
		want  awsmail.Report
		ok    bool
	}{
		{`{"eventType":"Bounce","bounce":{"bounceType":"Permanent",` +
			`"bouncedRecipients":[{"emailAddress":"ada@acme.example"}]},` + mail + `}`, good, true},
		{`{"eventType":"Bounce","bounce":{"bounceType":"Undetermined"},` + mail + `}`, good, true},
		{`{"eventType":"Bounce","bounce":{"bounceType":"Transient"},` + mail + `}`, good, false},
		{`{"eventType":"Reject","reject":{"reason":"Bad content"},` + mail + `}`, rejected, true},
		{`{"eventType":"Delivery",` + mail + `}`, good, false},
		{
			`{"eventType":"Bounce","bounce":{"bounceType":"Permanent"},"mail":{"tags":{"tenant":["acme"]}}}`,
			awsmail.Report{Tenant: "acme"},
			false,
		},
		{`{"eventType":"Bounce","bounce":{"bounceType":"Permanent"}}`, awsmail.Report{}, false},
		{`[]`, awsmail.Report{}, false},
		{``, awsmail.Report{}, false},
	} {
		if got, ok := awsmail.ReadReport([]byte(tc.event)); ok != tc.ok || got != tc.want {
			t.Errorf("%s: %+v, %v", tc.event, got, ok)
		}
	}
}

// The id of every kind of notice comes back from the tags as it was.
func TestReportsNameTheNotice(t *testing.T) {
	s, sender := ses(t)
	for i, id := range []string{
		"oldoldoldoldold1.successor-ready.0", ".test.1800000000000-abcdefghij",
		"a1.reminder-1.12",
	} {
		m := sample()
		m.Notice = id
		if err := sender.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		var in struct {
			EmailTags []struct{ Name, Value string }
		}
		if err := json.Unmarshal(s.calls[i], &in); err != nil {
			t.Fatal(err)
		}
		tags, err := json.Marshal(map[string][]string{
			in.EmailTags[0].Name: {in.EmailTags[0].Value},
			in.EmailTags[1].Name: {in.EmailTags[1].Value},
		})
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsFunc(in.EmailTags[1].Value, func(r rune) bool {
			return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789_-", r)
		}) {
			t.Errorf("SES takes no tag %q", in.EmailTags[1].Value)
		}
		got, ok := awsmail.ReadReport([]byte(`{"eventType":"Bounce","bounce":{"bounceType":"Permanent"},"mail":{"tags":` +
			string(tags) + `}}`))
		if !ok || got.Notice != id || got.Tenant != "acme" {
			t.Errorf("%s came back as %+v", id, got)
		}
	}
}
