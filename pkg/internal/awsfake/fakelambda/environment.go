package fakelambda

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
)

// environment is a process of a function and the Runtime API that it talks to. It is frozen while it waits for an
// invocation, as in Lambda: a goroutine that a function leaves behind does not run.
type environment struct {
	function *Function
	process  *os.Process
	api      *http.Server
	started  chan struct{}
	ended    chan struct{} // closed when the process has
	next     chan *invocation

	mu      sync.Mutex
	current *invocation
}

// invocation is one call. Its outcome is sent once.
type invocation struct {
	id       string
	event    []byte
	deadline time.Time
	outcome  chan outcome
}

type outcome struct {
	answer []byte
	err    error
}

// start starts a process of f.
func start(f *Function) (*environment, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e := &environment{
		function: f, started: make(chan struct{}), ended: make(chan struct{}), next: make(chan *invocation),
	}
	e.api = &http.Server{Handler: e.routes(), ReadHeaderTimeout: time.Minute}
	go func() { _ = e.api.Serve(listener) }() // it ends by Close
	cmd := exec.Command(f.Program)
	cmd.Env = append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String(),
		"AWS_LAMBDA_FUNCTION_NAME=" + f.Name, "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1024", "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand", "_HANDLER=bootstrap",
		"TZ=:UTC",
	}, f.Env...)
	cmd.Stdout, cmd.Stderr = f.Log, f.Log
	cmd.SysProcAttr = attributes()
	cmd.WaitDelay = time.Second
	failed := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the process ends with this thread
		defer runtime.UnlockOSThread()
		defer close(e.ended)
		err := cmd.Start()
		e.process = cmd.Process
		failed <- err
		if err == nil {
			_ = cmd.Wait() // its exit shows by ended
		}
	}()
	if err := <-failed; err != nil {
		_ = e.api.Close()
		return nil, err
	}
	close(e.started)
	return e, nil
}

func (e *environment) alive() bool {
	select {
	case <-e.ended:
		return false
	default:
		return true
	}
}

func (e *environment) kill() {
	_ = e.process.Kill()
	<-e.ended
	_ = e.api.Close()
}

// invoke passes an event to the process and waits for the result.
func (e *environment) invoke(event []byte, timeout time.Duration) ([]byte, error) {
	call := &invocation{id: uuid.NewString(), event: event, deadline: time.Now().
		Add(timeout), outcome: make(chan outcome, 1)}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for next := e.next; ; {
		select {
		case next <- call:
			next = nil
		case o := <-call.outcome:
			return o.answer, o.err
		case <-e.ended:
			_ = e.api.Close()
			return nil, &FunctionError{e.function.Name, "Runtime.ExitError", "the process ended"}
		case <-timer.C:
			e.kill()
			return nil, &FunctionError{e.function.Name, "Sandbox.Timedout", "timed out after " + timeout.String()}
		}
	}
}

// routes are the paths of the Runtime API.
func (e *environment) routes() http.Handler {
	mux := http.NewServeMux()
	const root = "/2018-06-01/runtime"
	mux.HandleFunc("GET "+root+"/invocation/next", e.serveNext)
	mux.HandleFunc("POST "+root+"/invocation/{id}/response", func(w http.ResponseWriter, r *http.Request) {
		e.settle(w, r, func(body []byte) outcome { return outcome{answer: body} })
	})
	mux.HandleFunc("POST "+root+"/invocation/{id}/error", func(w http.ResponseWriter, r *http.Request) {
		e.settle(w, r, func(body []byte) outcome {
			return outcome{err: &FunctionError{
				e.function.Name, r.Header.Get("Lambda-Runtime-Function-Error-Type"),
				string(body),
			}}
		})
	})
	mux.HandleFunc("POST "+root+"/init/error", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(e.function.Log, r.Body)
		w.WriteHeader(http.StatusAccepted)
	})
	return mux
}

// serveNext keeps the process waiting, frozen, until there is an invocation.
func (e *environment) serveNext(w http.ResponseWriter, r *http.Request) {
	<-e.started
	freeze(e.process)
	select {
	case <-r.Context().Done():
		return
	case call := <-e.next:
		e.mu.Lock()
		e.current = call
		e.mu.Unlock()
		thaw(e.process)
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", call.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(call.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:"+e.function.Name)
		h.Set("Lambda-Runtime-Trace-Id", "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0")
		_, _ = w.Write(call.event)
	}
}

// settle ends the invocation that the path names.
func (e *environment) settle(w http.ResponseWriter, r *http.Request, of func(body []byte) outcome) {
	body, err := io.ReadAll(r.Body)
	e.mu.Lock()
	call := e.current
	if err != nil || call == nil || call.id != r.PathValue("id") {
		e.mu.Unlock()
		http.Error(w, `{"errorMessage":"no such invocation","errorType":"InvalidRequestID"}`, http.StatusBadRequest)
		return
	}
	e.current = nil
	e.mu.Unlock()
	call.outcome <- of(body)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`)
}
