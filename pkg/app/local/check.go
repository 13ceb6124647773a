package local

import (
	"errors"
	"fmt"
	"net"
	"net/url"
)

// ErrNotMeant says that the options would cost money, and do not say that this is meant.
var ErrNotMeant = errors.New("-yes-aws is missing")

// Check returns an error if an option that a person gives is invalid, in the words of the command line.
func (o Options) Check() error {
	if !hostPort(o.Addr) {
		return fmt.Errorf("-addr must be HOST:PORT, not %q", o.Addr)
	}
	if o.DNS != "" && !hostPort(o.DNS) {
		return fmt.Errorf("-dns must be HOST:PORT, not %q", o.DNS)
	}
	if o.AdminKey == "" && !loopback(o.Addr) {
		return fmt.Errorf("-addr %s can be reached from other machines: set -admin-key to protect the admin API",
			o.Addr)
	}
	if o.MaxTokenDays != 0 && o.MaxTokenDays < 2 {
		return errors.New("-max-token-days must be at least 2")
	}
	if o.OperatorLogDays < 0 || o.OperatorLogDays > 3650 {
		return errors.New("-operator-log-days must be 1 to 3650")
	}
	if o.SessionHours < 0 || o.SessionHours > 8 {
		return errors.New("-portal-hours must be 1 to 8")
	}
	if err := o.Brand.Check(); err != nil {
		return err
	}
	if o.Engine == "dynamodb" && o.Table == "" {
		return errors.New("-engine dynamodb needs -table")
	}
	if o.BaseURL == "" {
		return nil
	}
	u, err := url.Parse(o.BaseURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("-base-url must be a URL such as https://scim.example.com")
	}
	return nil
}

// hostPort reports whether an address is HOST:PORT, with a port in numbers or by its name.
func hostPort(address string) bool {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	_, err = net.LookupPort("tcp", port)
	return err == nil
}
