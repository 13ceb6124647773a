package local_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/internal/contract"
)

// witness carries out steps, and remembers those of which a log has to tell.
type witness struct {
	*caller
	described *contract.Contract
	told      []told
	secrets   []string
}

// secret are the values that only one answer may have.
var secret = regexp.MustCompile(`"(?:value|secret|code)":"([^"]{16,})"`)

// listen is next; the witness remembers the secrets in its answers.
func (w *witness) listen(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		got := httptest.NewRecorder()
		next.ServeHTTP(got, r)
		for _, found := range secret.FindAllStringSubmatch(got.Body.String(), -1) {
			w.secrets = append(w.secrets, found[1])
		}
		maps.Copy(out.Header(), got.Header())
		out.WriteHeader(got.Code)
		_, _ = out.Write(got.Body.Bytes())
	})
}

// secretless fails if a log has one of the secrets.
func (w *witness) secretless(log string) {
	w.t.Helper()
	for _, s := range w.secrets {
		if strings.Contains(log, s) {
			w.t.Errorf("a log has the secret %s", s)
		}
	}
}

// told is a request that has to be in a log. path begins after /admin/v1. created says that it made the tenant acme,
// which is in both logs.
type told struct {
	id, method, path string
	status           int
	created          bool
}

// do is caller.do.
func (w *witness) do(s step) string {
	w.t.Helper()
	path := w.fill(s.path)
	id := w.caller.do(s)
	w.tell(told{id, s.method, path, s.status, path == "/tenants" && strings.Contains(s.body, `"acme"`)})
	return id
}

func (w *witness) tell(r told) {
	if r.method != http.MethodGet {
		r.path, _, _ = strings.Cut(r.path, "?")
		w.told = append(w.told, r)
	}
}

// refuse sends a step so that it is refused: with a parameter that is unknown, and with a condition that fails.
func (w *witness) refuse(s step) {
	w.t.Helper()
	if s.method == http.MethodGet {
		return
	}
	path, body := w.fill(s.path), w.fill(s.body)
	send := func(status int, query, header, value string) {
		got := w.ask(s.method, "/.."+path+query, body, header, value)
		if got.Code != status {
			w.t.Errorf("%s %s%s: %d %s, want %d", s.method, path, query, got.Code, got.Body, status)
		}
		w.tell(told{got.Header().Get("X-Request-Id"), s.method, path, status, false})
	}
	send(http.StatusBadRequest, "?unknown=1", "", "")
	if w.described.Answers(s.method, "/admin/v1"+path, http.StatusPreconditionFailed) {
		send(http.StatusPreconditionFailed, "", "If-Match", `"old"`)
	}
}

// changes reads the requests to the admin API from a log, by their ids: that of a tenant, or the operator's if under
// is "".
func (w *witness) changes(under string) map[string][]object {
	w.t.Helper()
	all, query := map[string][]object{}, url.Values{"count": {"1000"}, "filter": {`operation eq "admin"`}}
	for {
		page := decoded(w.t, w.ask("GET", "/.."+under+"/log?"+query.Encode(), "", "", ""))
		for _, v := range page["entries"].([]any) {
			id, _ := v.(object)["requestId"].(string)
			all[id] = append(all[id], v.(object))
		}
		next, more := page["nextCursor"].(string)
		if !more {
			return all
		}
		query.Set("cursor", next)
	}
}

// check compares the log of the tenant at a path, or the operator's if it is "", with the requests: it has one entry of
// each that belongs there, and no other.
func (w *witness) check(under string) {
	w.t.Helper()
	log := w.changes(under)
	w.secretless(fmt.Sprint(log))
	for _, r := range w.told {
		found := log[r.id]
		delete(log, r.id)
		path, belongs := strings.CutPrefix(r.path, "/tenants/acme")
		switch {
		case under == "":
			path, belongs = r.path, !belongs
		case r.created:
			path, belongs = "", true
		}
		if want := map[bool]int{true: 1}[belongs]; len(found) != want {
			w.t.Errorf("%s/log has %d entries of %v: %v", under, len(found), r, found)
			continue
		}
		outcome := map[bool]string{true: "done", false: "refused"}[r.status < http.StatusBadRequest]
		for _, e := range found {
			if err := is(e, "caller=local", "method="+r.method, "path="+path, "status="+strconv.Itoa(r.status),
				"outcome="+outcome); err != nil {
				w.t.Errorf("%s/log: %v", under, err)
			}
			creates := r.status == http.StatusCreated && r.method == "POST"
			if made, _ := e["resourceId"].(string); (made != "") != creates {
				w.t.Errorf("%s/log: resourceId %q in %v", under, made, e)
			}
		}
	}
	for _, found := range log {
		w.t.Errorf("%s/log has entries of no request: %v", under, found)
	}
}

// ofRequests are the kinds of events that follow from requests to the admin API, by the first part of the type.
var ofRequests = regexp.MustCompile(`^(token|client|tenant|domain|setup-link|target|policy|account)\.`)

// caused fails if an event of the tenant acme does not name the request that led to it, or if the entry of a reveal
// does not name its event.
func (w *witness) caused() {
	w.t.Helper()
	requests, kinds := map[string]told{}, map[string]bool{}
	for _, r := range w.told {
		requests[r.id] = r
	}
	page := decoded(w.t, w.ask("GET", "/events?after=0&count=1000", "", "", ""))
	for _, v := range page["events"].([]any) {
		e := v.(object)
		kind, _ := e["type"].(string)
		by, _ := e["cause"].(object)["requestId"].(string)
		if r, known := requests[by]; ofRequests.MatchString(kind) && kind != "tenant.connected" &&
			kind != "token.first-used" && (!known || r.status >= http.StatusBadRequest) {
			w.t.Errorf("%v has another cause than the requests", e)
		}
		kinds[kind] = true
	}
	if !kinds["token.revealed"] || !kinds["tenant.disconnected"] || len(kinds) < 15 {
		w.t.Errorf("only these kinds of events: %v", kinds)
	}
	for _, found := range w.changes("/tenants/acme") {
		if path, _ := found[0]["path"].(string); strings.HasSuffix(path, "/reveal") && found[0]["outcome"] == "done" {
			e := decoded(w.t, w.ask("GET", "/log/"+found[0]["id"].(string), "", "", ""))
			if events, _ := e["eventSequences"].([]any); len(events) != 1 {
				w.t.Errorf("eventSequences of a reveal: %v", e)
			}
		}
	}
}
