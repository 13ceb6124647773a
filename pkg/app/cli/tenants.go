package cli

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

func (r *run) notices(words []string) error {
	return r.call(http.MethodGet, path("tenants", words[0], "notices"), nil, r.showNotices)
}

func (r *run) showNotices(answer object) {
	rows := [][]any{{"AT", "KIND", "TOKEN", "STATE", "RECIPIENTS"}}
	for _, n := range objects(answer["notices"]) {
		rows = append(rows, []any{n["at"], n["kind"], orWord(n["tokenId"], "-"), n["state"], emails(n["recipients"])})
	}
	table(r.out, rows)
}

func (r *run) testNotice(words []string) error {
	return r.call(http.MethodPost, path("tenants", words[0], "notices"), object{"kind": "test"}, func(n object) {
		to := emails(n["recipients"])
		if to == "" {
			to = "nobody: set recipients first"
		}
		fmt.Fprintf(r.out, "A notice to try is on its way to %s.\n", to)
	})
}

func (r *run) recipients(words []string) error {
	show := func(t object) {
		settings, _ := t["settings"].(object)
		notices, _ := settings["notices"].(object)
		rows := [][]any{{"EMAIL", "LANGUAGE"}}
		for _, to := range objects(notices["recipients"]) {
			rows = append(rows, []any{to["email"], to["language"]})
		}
		table(r.out, rows)
	}
	tenant := path("tenants", words[0])
	if len(words) == 1 {
		return r.call(http.MethodGet, tenant, nil, show)
	}
	list := []any{}
	for _, word := range words[1:] {
		if word == "none" && len(words) == 2 {
			break
		}
		email, language, given := strings.Cut(word, ":")
		to := object{"email": email}
		if given {
			to["language"] = language
		}
		list = append(list, to)
	}
	return r.call(http.MethodPatch, tenant, object{"settings": object{"notices": object{"recipients": list}}}, show)
}

func (r *run) tenants(words []string) error {
	switch {
	case len(words) == 0, len(words) == 1 && words[0] == "list":
		return r.listTenants()
	case len(words) != 2 || words[0] != "create":
		return usageError("tenants takes nothing, or create NAME")
	}
	body := object{"name": words[1]}
	if r.id != "" {
		body["id"] = r.id
	}
	if r.idp != "" {
		body["idp"] = r.idp
	}
	return r.call(http.MethodPost, "/tenants", body, func(t object) {
		fmt.Fprintf(r.out, "tenant   %v\nurl      %v\n", t["id"], t["scimBaseUrl"])
		if token, ok := t["token"].(object); ok {
			r.showValue(token)
		}
	})
}

// listTenants prints all pages as one table, or with -json each as it is, a line a page.
func (r *run) listTenants() error {
	rows := [][]any{{"TENANT", "IDP", "ACTIVE", "NAME"}}
	for query := "?count=1000"; query != ""; {
		raw, err := r.api.do(r.ctx, http.MethodGet, "/tenants"+query, nil)
		if err != nil {
			return err
		}
		page, err := r.read(raw)
		if err != nil {
			return err
		}
		if r.json {
			fmt.Fprintf(r.out, "%s\n", raw)
		}
		for _, t := range objects(page["tenants"]) {
			rows = append(rows, []any{t["id"], t["idp"], t["active"], t["name"]})
		}
		query = ""
		if next, ok := page["nextCursor"].(string); ok && next != "" {
			query = "?count=1000&cursor=" + url.QueryEscape(next)
		}
	}
	if !r.json {
		table(r.out, rows)
	}
	return nil
}

// clients works on OAuth clients, of a tenant or, for "-", of the operator.
func (r *run) clients(words []string) error {
	all := path("tenants", words[0], "clients")
	if words[0] == "-" {
		all = path("clients")
	}
	if len(words) == 1 {
		return r.call(http.MethodGet, all, nil, r.showClients)
	}
	body := object{}
	if err := r.expires(body); err != nil {
		return err
	}
	switch action := words[1]; {
	case action == "create":
		r.scopesOf(body)
		if len(words) == 3 {
			body["name"] = words[2]
		}
		return r.call(http.MethodPost, all, body, r.showSecret)
	case action == "renew" && len(words) == 3:
		return r.call(http.MethodPost, all+path(words[2]), body, r.showSecret)
	case action == "delete" && len(words) == 3:
		return r.call(http.MethodDelete, all+path(words[2]), nil, func(object) {
			fmt.Fprintf(r.out, "Client %s is deleted.\n", words[2])
		})
	}
	return usageError("clients takes TENANT and nothing more, or create, renew CLIENT or delete CLIENT")
}

func (r *run) showClients(answer object) {
	rows := [][]any{{"CLIENT", "SCOPES", "SECRETS END", "CREATED", "LAST USED", "NAME"}}
	for _, c := range objects(answer["clients"]) {
		var ends []any
		for _, s := range objects(c["secrets"]) {
			ends = append(ends, orWord(s["expiresAt"], "never"))
		}
		if _, keys := c["keys"]; keys {
			ends = []any{"keys"}
		}
		rows = append(rows, []any{c["id"], c["scopes"], ends, c["createdAt"], orWord(c["lastUsedAt"], "never"), c["name"]})
	}
	table(r.out, rows)
}

func (r *run) showSecret(c object) {
	fmt.Fprintf(r.out, "client     %v\ntoken URL  %v\nsecret     %v\nThe secret is not kept: this is the one time that it is shown.\n", c["id"], c["tokenUrl"], c["secret"])
}
