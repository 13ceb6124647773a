package portal_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestNoRecipientIsLost has several administrators add somebody at once.
func TestNoRecipientIsLost(t *testing.T) {
	w := newWorld(t)
	var admins []browser
	for range 4 {
		admins = append(admins, w.signIn("acme", "admin"))
	}
	var wg sync.WaitGroup
	for i, b := range admins {
		wg.Go(func() {
			rec := b.post("/portal/settings/recipients", url.Values{"email": {fmt.Sprintf("it%d@acme.example", i)}})
			if rec.Code != http.StatusSeeOther {
				t.Errorf("%d %s", rec.Code, rec.Body)
			}
		})
	}
	wg.Wait()
	page := admins[0].get("/portal/settings").Body.String()
	for i := range admins {
		if !strings.Contains(page, fmt.Sprintf("<bdi>it%d@acme.example</bdi>", i)) {
			t.Errorf("it%d is lost", i)
		}
	}
}

// TestTestsAreBounded sends tests from the settings page, ten at once.
func TestTestsAreBounded(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	b.sends(400, "/portal/settings/test", nil)
	w.notify("ada@acme.example")
	tests := func() (sent int) {
		t.Helper()
		var wg sync.WaitGroup
		codes := make([]int, 10)
		for i := range codes {
			wg.Go(func() { codes[i] = b.post("/portal/settings/test", nil).Code })
		}
		wg.Wait()
		for _, code := range codes {
			switch code {
			case http.StatusSeeOther:
				sent++
			case http.StatusBadRequest:
			default:
				t.Errorf("status %d", code)
			}
		}
		return sent
	}
	if n := tests(); n != 1 {
		t.Errorf("%d tests at once", n)
	}
	w.now(5 * time.Minute)
	if n := tests(); n != 1 {
		t.Errorf("%d tests five minutes later", n)
	}
}
