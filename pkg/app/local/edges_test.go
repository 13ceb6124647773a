package local_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestAssertionForAForgedHost: an assertion that a client made for another server is refused, also if the request
// names that server as its Host. One for the server's own address is accepted with any Host.
func TestAssertionForAForgedHost(t *testing.T) {
	o := newOAuth(t)
	server := httptest.NewServer(o.h)
	t.Cleanup(server.Close) // after the connections, which it would wait for
	key := newSigner(t, "1")
	id := o.admin(201, "POST", "/tenants/acme/clients", `{"jwks":{"keys":[`+key.jwk+`]}}`)["id"].(string)
	const path = "/oauth2/acme/token"
	exp := o.now.Load() + 60
	for i, c := range []struct {
		audience, host string
		want           int
	}{
		{"http://evil.example", "evil.example", 401},
		{"http://evil.example", "", 401},
		{server.URL, "evil.example", 200},
		{server.URL, "", 200},
	} {
		body := key.assertionTo(t, c.audience+path, id, fmt.Sprint(i), exp).Encode()
		r, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Host = c.host
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != c.want || c.want == 401 && !strings.Contains(string(text), `"invalid_client"`) {
			t.Errorf("for %s to Host %q: %d %s, %v; want %d", c.audience, c.host, resp.StatusCode, text, err, c.want)
		}
	}
}

// TestTokenBeforeBody: a request with a wrong token is answered while the client still has all of its body, and the
// connection ends; with a good token the server waits for the body.
func TestTokenBeforeBody(t *testing.T) {
	o := newOAuth(t)
	server := httptest.NewServer(o.h)
	t.Cleanup(server.Close) // after the connections, which it would wait for
	made := o.admin(201, "POST", "/tenants/other/tokens", "")
	good, _ := made["value"].(string)
	if good == "" {
		t.Fatalf("no token in %v", made)
	}
	const body = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada"}`
	// begin sends a request up to its body.
	begin := func(tenant, token string) (net.Conn, *bufio.Reader) {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST /scim/v2/%s/Users HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"+
			"Content-Type: application/scim+json\r\nContent-Length: %d\r\n\r\n", tenant, token, len(body))
		return conn, bufio.NewReader(conn)
	}
	for _, c := range [][2]string{{"other", "x"}, {"acme", good}, {"missing", good}} {
		_, in := begin(c[0], c[1])
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatalf("%s: no answer before the body: %v", c[0], err)
		}
		if resp.StatusCode != 401 || !resp.Close || resp.Header.Get("Content-Type") != "application/scim+json" {
			t.Errorf("%s: %d, close %v, %v", c[0], resp.StatusCode, resp.Close, resp.Header)
		}
		_ = resp.Body.Close()
	}
	conn, in := begin("other", good)
	_, _ = io.WriteString(conn, body)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 201 {
		t.Errorf("with a good token: %d", resp.StatusCode)
	}
}
