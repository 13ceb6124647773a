package cli

import (
	"fmt"
	"net/http"
)

func (r *run) list(words []string) error {
	return r.call(http.MethodGet, path("tenants", words[0], "tokens"), nil, r.showTokens)
}

func (r *run) showTokens(answer object) {
	rows := [][]any{{"TOKEN", "STATE", "SCOPES", "CREATED", "EXPIRES", "LAST USED"}}
	for _, t := range objects(answer["tokens"]) {
		rows = append(rows, []any{t["id"], t["state"], t["scopes"], t["createdAt"], orWord(t["expiresAt"], "never"), orWord(t["lastUsedAt"], "never")})
	}
	table(r.out, rows)
}

func (r *run) issue(words []string) error {
	body := object{}
	r.scopesOf(body)
	if err := r.expires(body); err != nil {
		return err
	}
	return r.call(http.MethodPost, path("tenants", words[0], "tokens"), body, r.showValue)
}

// showValue shows a token with its value.
func (r *run) showValue(t object) {
	fmt.Fprintf(r.out, "token    %v\n", t["id"])
	if _, there := t["expiresAt"]; there {
		fmt.Fprintf(r.out, "expires  %v\n", orWord(t["expiresAt"], "never"))
	}
	fmt.Fprintf(r.out, "value    %v\n", t["value"])
}

func (r *run) reveal(words []string) error {
	return r.call(http.MethodPost, path("tenants", words[0], "tokens", words[1], "reveal"), nil, r.showValue)
}

func (r *run) extend(words []string) error {
	at, err := moment(words[2])
	if err != nil {
		return err
	}
	return r.call(http.MethodPatch, path("tenants", words[0], "tokens", words[1]), object{"expiresAt": at}, func(t object) {
		r.showTokens(object{"tokens": []any{t}})
	})
}

func (r *run) revoke(words []string) error {
	return r.call(http.MethodDelete, path("tenants", words[0], "tokens", words[1]), nil, func(object) {
		fmt.Fprintf(r.out, "Token %s is revoked.\n", words[1])
	})
}

func (r *run) rotate(words []string) error {
	switch words[1] {
	case "start", "complete", "cancel":
	default:
		return usageError("rotate takes TENANT and one of start, complete, cancel")
	}
	return r.call(http.MethodPost, path("tenants", words[0], "rotation"), object{"action": words[1]}, r.showTokens)
}
