package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event/delivery"
	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

const (
	// patience is the time that a receiver has for one event, from the resolution of its name to the end of its
	// response.
	patience = 15 * time.Second
	// sendFor is the time after which a call of Send begins no other event.
	sendFor = delivery.SendFor - patience - 5*time.Second
	// maxAnswer is the number of bytes of a response that are read. Its content is ignored, but a connection whose
	// response was read can be used again.
	maxAnswer = 4 << 10
)

// newClient creates the client of all deliveries. It has no proxy, and follows no redirect: both would go to addresses
// that were not checked.
func newClient(loopback bool) *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: control(loopback)}
	return &http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, ForceAttemptHTTP2: true,
			DisableCompression: true, MaxResponseHeaderBytes: 16 << 10,
			MaxIdleConns: 100, MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
		},
	}
}

// endpoint is a webhook as a destination.
type endpoint struct {
	*Webhook
	service *Service
}

var _ delivery.Destination = endpoint{}

func (e endpoint) ID() string                  { return e.Webhook.ID }
func (e endpoint) Active() bool                { return e.Webhook.Active }
func (e endpoint) Wants(eventType string) bool { return e.wants(eventType) }
func (e endpoint) Since() time.Time            { return e.CreatedAt }
func (e endpoint) Resumed() time.Time          { return e.ResumedAt }
func (e endpoint) Lasting() bool               { return false }

// Send posts one event after the other, up to the first that is not accepted.
func (e endpoint) Send(ctx context.Context, events []eventlog.Numbered) (o delivery.Outcome) {
	enough, cancel := context.WithTimeout(ctx, sendFor)
	defer cancel()
	for _, event := range events {
		id, _ := event.Object["id"].(string)
		a := e.service.post(ctx, e.Webhook, message{id, event.Object})
		a.Sequence = event.Sequence
		o.Attempts = append(o.Attempts, a.Attempt)
		if o.Failed, o.Gone, o.RetryAfter = a.Error != "", a.Status == http.StatusGone, a.retryAfter; o.Failed {
			return o
		}
		o.Accepted = event.Sequence
		if enough.Err() != nil {
			return o
		}
	}
	return o
}

// message is the body of a delivery, and its id.
type message struct {
	id   string
	body scim.Object
}

// answer is the result of a delivery.
type answer struct {
	delivery.Attempt
	retryAfter time.Duration
}

// post sends one message.
func (s *Service) post(ctx context.Context, w *Webhook, m message) (a answer) {
	now, began := s.o.Now(), s.o.Machine()
	a.At = now.UnixMilli()
	defer func() { a.Took = s.o.Machine().Sub(began).Milliseconds() }()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := s.request(ctx, w, m)
	if err != nil {
		s.o.Log.ErrorContext(ctx, "webhook can't be signed", "webhook", w.ID, "error", err)
		a.Error = "The delivery could not be signed."
		return a
	}
	res, err := s.client.Do(r)
	if err != nil {
		a.Error = reason(err)
		return a
	}
	defer func() { _ = res.Body.Close() }()
	a.Status = res.StatusCode
	if a.Status < 200 || a.Status > 299 {
		a.Error = "The status of the response was not 2xx."
		if a.Status >= 300 && a.Status <= 399 {
			a.Error = "The response was a redirect, which is not followed."
		}
		a.retryAfter = retryAfter(res.Header.Get("Retry-After"), now)
		return a
	}
	// The response is complete only with its body: a receiver that ends late has not accepted.
	if _, err := io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer)); err != nil {
		a.Error = reason(err)
	}
	return a
}

// request creates a signed request.
func (s *Service) request(ctx context.Context, w *Webhook, m message) (*http.Request, error) {
	now, body := s.o.Machine(), scim.AppendJSON(nil, m.body)
	secrets, err := s.secrets(ctx, w, s.o.Now())
	if err != nil {
		return nil, err
	}
	var signatures []string
	for _, secret := range secrets {
		signature, err := sign(secret, m.id, now, body)
		if err != nil {
			return nil, err
		}
		signatures = append(signatures, signature)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "serverless-scim")
	r.Header.Set("Webhook-Id", m.id)
	r.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	r.Header.Set("Webhook-Signature", strings.Join(signatures, " "))
	return r, nil
}

// reason returns the reason why there was no response, in words. The error itself may contain text of the receiver.
func reason(err error) string {
	var (
		dns   *net.DNSError
		cert  *tls.CertificateVerificationError
		alert tls.AlertError
		fault tls.RecordHeaderError
		late  net.Error
	)
	switch {
	case errors.Is(err, errAddress):
		return "The host has an address that is not public."
	case errors.As(err, &dns):
		return "The name of the host was not found."
	case errors.As(err, &cert):
		return "The certificate is not valid for the host."
	case errors.As(err, &alert), errors.As(err, &fault):
		return "The host does not support TLS."
	case errors.As(err, &late) && late.Timeout():
		return "There was no response within 15 seconds."
	}
	return "The connection failed."
}

// retryAfter reads a header Retry-After: seconds or a date (RFC 9110, section 10.2.3).
func retryAfter(text string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(text); err == nil && n >= 0 {
		return time.Duration(min(n, 7*24*3600)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
