package contract_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/openapi"
	"github.com/serverless-scim/serverless-scim/pkg/internal/contract"
)

type object = map[string]any

func parsed(t *testing.T, text []byte) object {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc.(object)
}

// TestDocumentIsOpenAPI: the document is valid OpenAPI 3.1 by the schema that the OpenAPI Initiative publishes.
func TestDocumentIsOpenAPI(t *testing.T) {
	text, err := os.ReadFile("testdata/oas-3.1-schema.json")
	if err != nil {
		t.Fatal(err)
	}
	const at = "https://spec.openapis.org/oas/3.1/schema"
	c := jsonschema.NewCompiler()
	if err := c.AddResource(at, parsed(t, text)); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(at)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(parsed(t, openapi.Document())); err != nil {
		t.Error(err)
	}
	if err := s.Validate(object{"openapi": "3.1.0", "info": object{"title": "x"}}); err == nil {
		t.Error("the schema takes a document without a version and paths")
	}
}

// TestDocumentIsWhole: each operation has an id of its own, a summary and a tag, each schema compiles, and each example
// is an instance of its schema.
func TestDocumentIsWhole(t *testing.T) {
	c, err := contract.New()
	if err != nil {
		t.Fatal(err)
	}
	doc, ids, examples := parsed(t, openapi.Document()), map[any]bool{}, 0
	for path, item := range doc["paths"].(object) {
		for method, spec := range item.(object) {
			o, is := spec.(object)
			if !is {
				continue
			}
			if ids[o["operationId"]] || o["summary"] == nil || o["tags"] == nil {
				t.Errorf("%s %s: operationId %v is not its own, or a part is missing", method, path, o["operationId"])
			}
			ids[o["operationId"]] = true
		}
	}
	for name, schema := range doc["components"].(object)["schemas"].(object) {
		pointer := "/components/schemas/" + name
		list, _ := schema.(object)["examples"].([]any)
		for _, e := range list {
			examples++
			if err := c.Validate(pointer, e); err != nil {
				t.Errorf("the example of %s: %v", name, err)
			}
		}
		if len(list) == 0 {
			_ = c.Validate(pointer, nil) // compiles it
		}
	}
	if examples < 20 {
		t.Errorf("%d examples", examples)
	}
}

// TestCheckFindsFaults: each part of a request or an answer that the document does not describe is found.
func TestCheckFindsFaults(t *testing.T) {
	c, err := contract.New()
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		method, path, body, answer string
		status                     int
		want                       string
	}{
		"good":            {"GET", "/admin/v1/tenants/acme/tokens", "", `{"tokens":[]}`, 200, ""},
		"more in answer":  {"GET", "/admin/v1/tenants/acme/tokens", "", `{"tokens":[],"x":1}`, 200, "additional"},
		"other status":    {"GET", "/admin/v1/tenants/acme/tokens", "", `{"tokens":[]}`, 202, "no answer 202"},
		"query":           {"GET", "/admin/v1/tenants/acme/tokens?a=1", "", `{"tokens":[]}`, 200, "no parameter a"},
		"no route":        {"GET", "/admin/v1/other", "", `{}`, 200, "no such operation"},
		"request":         {"PATCH", "/admin/v1/tenants/acme/tokens/x", `{"end":1}`, `{}`, 200, "request:"},
		"answer too long": {"DELETE", "/admin/v1/tenants/acme/tokens/x", "", `{}`, 204, "empty"},
		"no problem":      {"GET", "/admin/v1/tenants/acme/tokens", "", `{"error":1}`, 404, "missing"},
	} {
		got := httptest.NewRecorder()
		got.Header().Set("X-Request-Id", "1")
		got.Header().Set("Content-Type", "application/json")
		if x.status >= http.StatusBadRequest {
			got.Header().Set("Content-Type", "application/problem+json")
		}
		got.WriteHeader(x.status)
		got.Body.WriteString(x.answer)
		err := c.Check(httptest.NewRequest(x.method, x.path, nil), []byte(x.body), got)
		if (err == nil) != (x.want == "") || err != nil && !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %q", name, err, x.want)
		}
	}
}
