// Package call sends requests to the admin API: with its key, or signed with the credentials of the AWS configuration.
package call

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
)

const (
	// timeout of one request; API Gateway gives up after 30 seconds.
	timeout = 35 * time.Second
	// maxAnswer is the most bytes that are read of an answer.
	maxAnswer = 16 << 20
	root      = "/admin/v1"
)

// Client sends requests to the admin API.
type Client struct {
	// URL is the server, Key its key if it has one, Region the AWS Region to sign for; empty: that of the URL, or of
	// the configuration.
	URL, Key, Region string
	Now              func() time.Time
}

// UsageError says that the command line is wrong.
type UsageError string

func (e UsageError) Error() string { return string(e) }

// Do sends a request and returns the body of the answer, or an error with the API's description of the problem.
func (c *Client) Do(ctx context.Context, method, path string, body any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	base, err := url.Parse(c.URL)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, UsageError("-url must be a URL such as https://scim.example.com")
	}
	payload := []byte(nil)
	if body != nil {
		if payload, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	target := strings.TrimSuffix(strings.TrimRight(c.URL, "/"), root) + root + path
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(payload))
	if err != nil {
		return nil, UsageError("-url must be a URL such as https://scim.example.com")
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if err := c.authorize(ctx, req, payload); err != nil {
		return nil, err
	}
	// A redirect is not followed: neither key nor signature are for another place.
	hc := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := hc.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the admin API can't be reached: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("the response ended early: %w", err)
	}
	if answer.StatusCode/100 != 2 {
		return nil, refusal(answer, raw)
	}
	return raw, nil
}

// RefusalError is an answer of the API that is no success.
type RefusalError struct {
	Status int
	Detail string
}

func (e *RefusalError) Error() string { return e.Detail }

// refusal reads an error from an answer: the detail of problem details (RFC 9457), or API Gateway's message.
func refusal(answer *http.Response, raw []byte) error {
	var problem struct{ Detail, Message string }
	_ = json.Unmarshal(raw, &problem) // without either, the status has to do
	switch {
	case problem.Detail != "":
		return &RefusalError{answer.StatusCode, problem.Detail}
	case problem.Message != "":
		return &RefusalError{answer.StatusCode, answer.Status + ": " + problem.Message}
	}
	return &RefusalError{answer.StatusCode, answer.Status}
}

// authorize adds the credentials to the request: the key, or a signature, or nothing for a server on this machine.
func (c *Client) authorize(ctx context.Context, req *http.Request, payload []byte) error {
	switch {
	case c.Key != "":
		req.Header.Set("Authorization", "Bearer "+c.Key)
		return nil
	case c.Region == "" && here(req.URL.Hostname()):
		return nil
	}
	return c.sign(ctx, req, payload)
}

// sign signs the request for API Gateway.
func (c *Client) sign(ctx context.Context, req *http.Request, payload []byte) error {
	region := c.Region
	if region == "" {
		region = regionOf(req.URL.Hostname())
	}
	var options []func(*config.LoadOptions) error
	if region != "" {
		options = append(options, config.WithRegion(region))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return fmt.Errorf("AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return UsageError("the region to sign for is not known: set -region")
	}
	credentials, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("AWS credentials (or set -admin-key): %w", err)
	}
	sum := sha256.Sum256(payload)
	return v4.NewSigner().SignHTTP(ctx, credentials, req, hex.EncodeToString(sum[:]), "execute-api",
		cfg.Region, c.Now())
}

// regionOf reads the region from API Gateway's own host names, ID.execute-api.REGION.amazonaws.com.
func regionOf(host string) string {
	labels := strings.Split(host, ".")
	if len(labels) > 3 && labels[1] == "execute-api" {
		return labels[2]
	}
	return ""
}

// here reports whether a host is this machine.
func here(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
