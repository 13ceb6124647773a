package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
)

// largest is the size of the bodies of TestMemory in bytes: the largest that the server takes, less the part that
// Lambda adds.
const largest = 4 << 20

// repeated is a text, repeated with commas in between, of about that number of bytes.
func repeated(text string, bytes int) string {
	return strings.TrimSuffix(strings.Repeat(text+",", bytes/(len(text)+1)), ",")
}

// TestMemory sends each of the requests that need the most memory to a new process of the bulk function, and compares
// the process's peak with the smallest memory that template.yaml allows.
func TestMemory(t *testing.T) {
	slow.Test(t, "it takes most of a minute")
	template, err := os.ReadFile(filepath.Join("..", "..", "..", "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	least := regexp.MustCompile(`(?s)\n  MemorySize:.*?MinValue: (\d+)\n.*?at most (\d+) MB`).FindSubmatch(template)
	if least == nil {
		t.Fatal("template.yaml does not say which memory a request can need at most")
	}
	minimum, _ := strconv.Atoi(string(least[1]))
	said, _ := strconv.Atoi(string(least[2]))
	if said > minimum {
		t.Errorf("template.yaml lets an operator choose %d MB, and a request can need %d", minimum, said)
	}
	w := deploy(t)
	target := w.Create(t, "memory", "generic")
	bulk := func(n int, operation func(i, bytes int) string) string {
		operations := make([]string, n)
		for i := range operations {
			operations[i] = operation(i, largest/n-200)
		}
		return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[` +
			strings.Join(operations, ",") + `]}`
	}
	small := func(_, bytes int) string {
		return `{"method":"PUT","path":"/Users/none","data":{"x":[` + repeated(`{"a":1}`, bytes) + `]}}`
	}
	text := func(_, bytes int) string {
		return `{"method":"PUT","path":"/Users/none","data":"{\"x\":[` + repeated(`{\"a\":1}`, bytes) + `]}"}`
	}
	user := func(i, bytes int) string {
		return fmt.Sprintf(`{"method":"POST","path":"/Users","bulkId":"%d","data":{"userName":"user-%d","addresses":[`,
			i, i) +
			repeated(`{"type":"work","locality":"Berlin","country":"DE"}`, bytes) + `]}}`
	}
	for name, body := range map[string]string{
		"one operation of nothing": bulk(1, func(int, int) string { return `{}` }),
		"empty operations":         bulk(1, func(_, bytes int) string { return repeated(`{}`, bytes) }),
		"one, small objects":       bulk(1, small),
		"four, small objects":      bulk(4, small),
		"forty, small objects":     bulk(40, small),
		"thousand, small objects":  bulk(1000, small),
		"one, as text":             bulk(1, text),
		"four, as text":            bulk(4, text),
		"two hundred users":        bulk(200, user),
	} {
		t.Run(name, func(t *testing.T) {
			f := w.functions["bulk"]
			f.Close()
			f.Env = append(f.Env, fmt.Sprintf("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=%d", minimum))
			f.Timeout = 5 * time.Minute // how long it takes is not asked here
			status, answer, err := call(target, "POST", "/Bulk", body)
			if err != nil || status != 200 && status != 413 {
				t.Fatalf("%d %v %v", status, answer, err)
			}
			peak, err := f.Peak()
			if errors.Is(err, errors.ErrUnsupported) {
				t.Skip("NOT RUN: the memory of a process is measured on Linux only")
			}
			if err != nil {
				t.Fatal(err)
			}
			mb := int(peak >> 20)
			t.Logf("%d bytes: %d MB at most, answered %d", len(body), mb, status)
			if mb > said {
				t.Errorf("the function needed %d MB, and template.yaml says at most %d", mb, said)
			}
		})
	}
}
