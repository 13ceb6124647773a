package dynamolocal

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

const (
	startTimeout  = 90 * time.Second // a cold JVM on a busy machine
	startAttempts = 3                // the free port may be taken before the server binds it
)

// serve starts one server for this process, at the first call.
var serve = sync.OnceValues(func() (endpoint string, err error) {
	if endpoint := os.Getenv("DYNAMODB_LOCAL_ENDPOINT"); endpoint != "" {
		return endpoint, await(endpoint, nil)
	}
	if _, err := exec.LookPath("java"); err != nil {
		return "", err
	}
	folder, err := dir()
	if err != nil {
		return "", err
	}
	for range startAttempts {
		if endpoint, err = start(folder); err == nil {
			return endpoint, nil
		}
	}
	return "", err
})

// supervise runs the server until its own standard input ends, which happens when this process ends in any way.
const supervise = `exec 3<&0
"$@" </dev/null 3<&- & server=$!
{ cat <&3 >/dev/null; kill "$server"; } 2>/dev/null &
wait "$server"`

// supervisorInput is never closed by this process: see supervise.
var supervisorInput []*os.File

func start(folder string) (endpoint string, err error) {
	port, err := freePort()
	if err != nil {
		return "", err
	}
	input, hold, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer input.Close()
	supervisorInput = append(supervisorInput, hold)

	cmd := exec.Command("sh", "-c", supervise, "sh",
		"java", "-Xmx512m", "-XX:+UseSerialGC", "-Djava.library.path=./DynamoDBLocal_lib", "-jar", jarName,
		"-port", strconv.Itoa(port), "-inMemory", "-sharedDb", "-disableTelemetry")
	cmd.Dir = folder
	cmd.Stdin = input
	// A log file, not a pipe: go test waits for pipes to close, and the server outlives this process by a moment.
	log, err := os.CreateTemp("", "dynamodb-local-*.log")
	if err != nil {
		return "", err
	}
	defer os.Remove(log.Name())
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return "", err
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait() // its output tells more than its exit code
		close(exited)
	}()
	endpoint = "http://127.0.0.1:" + strconv.Itoa(port)
	if err := await(endpoint, exited); err != nil {
		hold.Close()
		text, _ := os.ReadFile(log.Name())
		return "", fmt.Errorf("DynamoDB Local did not start: %w: %s", err, text)
	}
	return endpoint, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// await returns when the server answers a call, or has exited.
func await(endpoint string, exited <-chan struct{}) error {
	client := newClient(endpoint)
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		_, err := client.ListTables(ctx, &dynamodb.ListTablesInput{})
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-exited:
			return errors.New("it exited")
		case <-time.After(100 * time.Millisecond):
		}
	}
}
