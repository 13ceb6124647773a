package webhook_test

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/webhook"
)

// refusedURLs are those that an attacker, or a person in a hurry, gives.
var refusedURLs = []string{
	"", "x", "/events", "//app.example.com/e", "http://app.example.com/e", "ftp://app.example.com",
	"javascript:alert(1)", "https://", "https:///e", "https:app.example.com",
	"https://user:pw@app.example.com/", "https://user@app.example.com/",
	"https://app.example.com/#x", "https://app.example.com/\r\nX-Evil: 1", "https://app.example.com/a b",
	"https://app.example.com\\@127.0.0.1/", "https://localhost/", "https://LOCALHOST./", "https://a.localhost/",
	"https://app/", "https://db.internal/", "https://printer.local/", "https://metadata.google.internal/",
	"https://127.0.0.1/", "https://127.1/", "https://127.0.0.1./", "https://2130706433/", "https://0x7f000001/",
	"https://0x7f.0.0.1/", "https://0177.0.0.1/", "https://017700000001/", "https://0/", "https://0.0.0.0/",
	"https://[::1]/", "https://[::]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/",
	"https://[::127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[64:ff9b:1::a00:1]/",
	"https://[2002:7f00:1::]/", "https://[fe80::1%25eth0]/",
	"https://[fe80::1]/", "https://[fc00::1]/", "https://[fd00:ec2::254]/", "https://[ff02::1]/", "https://[2001::1]/",
	"https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.1.1/", "https://169.254.169.254/latest/meta-data/",
	"https://100.64.0.1/", "https://100.100.100.200/", "https://192.0.0.192/", "https://168.63.129.16/",
	"https://224.0.0.1/", "https://255.255.255.255/", "https://198.18.0.1/", "https://240.0.0.1/",
	"https://１２７.０.０.１/", "https://127。0。0。1/", "https://münchen.example/", "https://a..example.com/",
	"https://127%2e0.0.1/", "https://app.example.com:99999999/x\x00",
	"https://app.example.com/" + strings.Repeat("x", 2048),
	"https://app.example.com:0/", "https://app.example.com:65536/", "https://app.example.com:99999999999999999999/",
	"https://.example.com/", "https://app.example.com../", "https://-app.example.com/", "https://app-.example.com/",
	"https://" + strings.Repeat("a", 64) + ".example.com/", "https://" + strings.Repeat("a.", 126) + "example.com/",
}

func TestRefusedURLs(t *testing.T) {
	w := newWorld(t, false)
	for _, u := range refusedURLs {
		_, _, _, err := w.Create(t.Context(), "acme", webhook.Fields{URL: &u, Types: []string{"*"}})
		if invalid := (*webhook.InvalidError)(nil); !errors.As(err, &invalid) || invalid.Field != "url" {
			t.Errorf("%q: %v", u, err)
		}
	}
	for _, u := range []string{
		"https://app.example.com/scim?a=b", "https://app.example.com:8443", "https://8.8.8.8/x",
		"https://xn--mnchen-3ya.example/",
		"https://[2606:4700::1]/", "https://127.0.0.1.nip.example/",
	} {
		if _, _, _, err := w.Create(t.Context(), "acme", webhook.Fields{URL: &u, Types: []string{"*"}}); err != nil {
			t.Errorf("%q: %v", u, err)
		}
	}
}

func TestLoopbackIsForThisMachineOnly(t *testing.T) {
	w := newWorld(t, true)
	for u, good := range map[string]bool{
		"http://127.0.0.1:9000/": true, "http://localhost:9000/": true,
		"http://[::1]/": true, "https://127.0.0.1/": true,
		"http://app.example.com/": false, "http://8.8.8.8/": false,
		"http://10.0.0.1/": false, "https://10.0.0.1/": false,
	} {
		_, _, _, err := w.Create(t.Context(), "acme", webhook.Fields{URL: &u, Types: []string{"*"}})
		if (err == nil) != good {
			t.Errorf("%q: %v", u, err)
		}
	}
}

// TestNamesAreCheckedWhenTheyAreDialled: a name that was public when the webhook was created stands for this machine
// now.
func TestNamesAreCheckedWhenTheyAreDialled(t *testing.T) {
	for name, address := range map[string][4]byte{
		"loopback": {127, 0, 0, 1}, "metadata": {169, 254, 169, 254}, "private": {10, 0, 0, 1},
		"shared": {100, 64, 0, 1},
	} {
		servedBy(t, address)
		w := newWorld(t, false)
		id, _ := w.create("https://rebind.example.com/e", "*")
		a, err := w.Test(t.Context(), "acme", id)
		if err != nil || a.Status != 0 || a.Error != "The host has an address that is not public." {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

// servedBy lets this process ask a name server that answers every question with one address.
func servedBy(t *testing.T, address [4]byte) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		buf := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			end := 12
			for buf[end] != 0 {
				end += int(buf[end]) + 1
			}
			isA := buf[end+2] == 1
			out := append([]byte{}, buf[:end+5]...)
			out[2], out[3] = 0x81, 0x80
			out[6], out[7], out[8], out[9], out[10], out[11] = 0, 0, 0, 0, 0, 0
			if isA {
				out[7] = 1
				out = append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4)
				out = append(out, address[:]...)
			}
			_ = n
			_, _ = conn.WriteTo(out, from)
		}
	}()
	was := net.DefaultResolver
	net.DefaultResolver = resolver(conn.LocalAddr().String())
	t.Cleanup(func() {
		net.DefaultResolver = was
		_ = conn.Close()
	})
}
