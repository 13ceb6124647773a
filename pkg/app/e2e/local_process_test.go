package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// localProgram builds functions/local once; TestMain deletes it.
var localProgram = sync.OnceValues(func() (string, error) {
	program := filepath.Join(programs(), "local")
	build := exec.Command("go", "build", "-o", program, "./functions/local")
	build.Dir = filepath.Join("..", "..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return program, nil
})

// programs is a folder for built programs.
var programs = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "e2e-")
	if err != nil {
		panic(err)
	}
	return dir
})

func TestMain(m *testing.M) {
	code := m.Run()
	_ = os.RemoveAll(programs())
	os.Exit(code)
}

// patience is how long a process may take to start or to end on a busy machine.
const patience = 3 * time.Minute

// process is a running command.
type process struct {
	Operator
	cmd    *exec.Cmd
	ended  chan struct{}
	stdout string // until it listened or ended
	stderr *output
}

// output is the output of a process.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

var listening = regexp.MustCompile(`^listening on (http://\S+)$`)

// launch starts the command and returns when it listens, or has ended; URL is empty then.
func launch(t *testing.T, args ...string) *process {
	t.Helper()
	program, err := localProgram()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: exec.Command(program, args...), ended: make(chan struct{}), stderr: &output{}}
	p.cmd.Stderr = p.stderr
	p.cmd.Dir = t.TempDir()
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(stdout)
		var text strings.Builder
		for lines.Scan() {
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				p.stdout, p.URL = text.String(), m[1]
				ready <- p.URL
			}
			text.WriteString(lines.Text() + "\n")
		}
		if p.URL == "" {
			p.stdout = text.String()
		}
		_ = p.cmd.Wait() // the state tells
		close(p.ended)
	}()
	t.Cleanup(p.kill)
	select {
	case <-ready:
	case <-p.ended:
	case <-time.After(patience):
		t.Fatalf("the server neither listens nor ends:\n%s", p.stderr)
	}
	return p
}

// serve is launch of a server that must come up, on a free port.
func serve(t *testing.T, args ...string) *process {
	t.Helper()
	p := launch(t, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	if p.URL == "" {
		t.Fatalf("the server did not start:\n%s", p.stderr)
	}
	return p
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
}

// stop asks the server to end.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// code waits for the end and returns the exit code.
func (p *process) code(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatalf("the server does not end:\n%s", p.stderr)
	}
	return p.cmd.ProcessState.ExitCode()
}

// tenant calls a server as one tenant. It tells an answer from none: after kill -9 the result of a request is
// unknown.
type tenant struct {
	url, id, token string
}

// do sends a request once; err says that no whole answer came.
func (c tenant) do(ctx context.Context, method, path, body string) (status int, answer object, err error) {
	// The type hides from net/http that the body could be sent again: a request must not be repeated after the test's
	// back.
	var reader io.Reader
	if body != "" {
		reader = struct{ io.Reader }{strings.NewReader(body)}
	}
	req, err := http.NewRequestWithContext(ctx, method, c.url+"/scim/v2/"+c.id+path, reader)
	if err != nil {
		return 0, nil, err
	}
	req.ContentLength = int64(len(body))
	req.Header.Set("Authorization", "Bearer "+c.token)
	if body != "" {
		req.Header.Set("Content-Type", "application/scim+json")
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err == nil && len(raw) > 0 {
		err = json.Unmarshal(raw, &answer)
	}
	return resp.StatusCode, answer, err
}

func (c tenant) must(t testing.TB, want int, method, path, body string) object {
	t.Helper()
	status, answer, err := c.do(t.Context(), method, path, body)
	if err != nil || status != want {
		t.Fatalf("%s %s: status %d, want %d: %v %v", method, path, status, want, answer, err)
	}
	return answer
}

// all walks a list page by page and checks its count.
func (c tenant) all(t testing.TB, path string) []object {
	t.Helper()
	var out []object
	seen := map[string]bool{}
	for {
		page := c.must(t, 200, "GET", fmt.Sprintf("%s?count=200&startIndex=%d", path, len(out)+1), "")
		resources, _ := page["Resources"].([]any)
		for _, r := range resources {
			id := r.(object)["id"].(string)
			if seen[id] {
				t.Errorf("%s lists %s twice", path, id)
			}
			seen[id] = true
			out = append(out, r.(object))
		}
		if total := int(page["totalResults"].(float64)); len(out) >= total || len(resources) == 0 {
			if len(out) != total {
				t.Errorf("%s: totalResults is %d, listed are %d", path, total, len(out))
			}
			return out
		}
	}
}

// join creates a tenant.
func join(t *testing.T, p *process, id string) tenant {
	t.Helper()
	return tenant{url: p.URL, id: id, token: p.Create(t, id, "generic").Token}
}

func user(name string) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q}`, name)
}

func patch(ops string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + ops + `]}`
}
