package local_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/internal/contract"
)

// TestChosenIDs: a caller may choose the id of what it creates. Of many who choose the same one, one gets it, and the
// others a 409. An id of another form is a 400.
func TestChosenIDs(t *testing.T) {
	a := on(t, memory(t), "generic")
	described, err := contract.New()
	if err != nil {
		t.Fatal(err)
	}
	o := &caller{t: t, h: described.Handler(t, a.h), known: map[string]string{}}
	plain := &caller{t: t, h: a.h, known: map[string]string{}} // the document forbids what is wrong here
	const suffix = "0123456789abcxyz"
	for _, c := range []struct{ name, path, id, body string }{
		{"token", "/tokens", suffix, ""},
		{"client", "/clients", "tc" + suffix, `"name":"Console"`},
		{"operator's client", "/../clients", "oc" + suffix, `"name":"Catalogue"`},
		{"webhook", "/webhooks", "wh_" + suffix, `"url":"https://app.example.com/","types":["*"]`},
		{"operator's webhook", "/../webhooks", "wh_9" + suffix[1:], `"url":"https://app.example.com/","types":["*"]`},
		{"set-up link", "/setup-links", "acme." + suffix, `"role":"reader"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := func(id string) string {
				return strings.Replace(fmt.Sprintf(`{"id":%q,%s}`, id, c.body), ",}", "}", 1)
			}
			short := c.id[:len(c.id)-1]
			for _, wrong := range []string{"", c.id[1:], c.id + "a", short + "A", short + "/"} {
				if w := plain.ask("POST", c.path, body(wrong), "", ""); w.Code != 400 {
					t.Errorf("%q is taken: %d %s", wrong, w.Code, w.Body)
				}
			}
			answers := make([]*httptest.ResponseRecorder, 4)
			var all sync.WaitGroup
			for i := range answers {
				all.Go(func() { answers[i] = o.ask("POST", c.path, body(c.id), "", "") })
			}
			all.Wait()
			made := 0
			for _, w := range answers {
				switch w.Code {
				case 201:
					made++
					at := w.Header().Get("Location")
					if id := decoded(t, w)["id"]; id != c.id || !strings.HasSuffix(at, "/"+c.id) {
						t.Errorf("%s at %s", w.Body, at)
					}
				case 409:
				default:
					t.Errorf("%d %s", w.Code, w.Body)
				}
			}
			if made != 1 {
				t.Errorf("%d were created", made)
			}
			if w := o.ask("POST", c.path, body(c.id), "", ""); w.Code != 409 {
				t.Errorf("created again: %d %s", w.Code, w.Body)
			}
			if w := o.ask("GET", c.path+"/"+c.id, "", "", ""); w.Code != 200 || decoded(t, w)["id"] != c.id {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	// An operator's webhook has its position in the log of each tenant, by its id.
	body := `{"id":"wh_9` + suffix[1:] + `","url":"https://app.example.com/","types":["*"]}`
	w := o.ask("POST", "/webhooks", body, "", "")
	if w.Code != 409 {
		t.Errorf("a tenant's webhook has the id of an operator's: %d %s", w.Code, w.Body)
	}
}
