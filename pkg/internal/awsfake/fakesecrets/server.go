package fakesecrets

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// Server is a Secrets Manager, over HTTP, that follows the documented rules of staging labels as strictly as they
// allow: a version that loses its last label is deleted at once. Its exported fields are for a test to read and set
// while no call is under way.
type Server struct {
	// URL is its endpoint.
	URL string
	// Calls counts the calls by operation.
	Calls map[string]int
	// Linger is the number of calls that still see a deleted secret.
	Linger int

	// Changes counts the calls that may change something.
	Changes int
	// Deadline is the change at which the client's process dies: from then on all calls fail. 0: none.
	Deadline int
	// Late says that it dies after that change instead of before.
	Late bool
	// OnDeath is called once.
	OnDeath func()
	// Fault, if set, is asked at each call whether it fails before it did anything, or after. One call at a time asks.
	Fault func(operation string) (before, after bool)

	t       testing.TB
	mu      sync.Mutex
	secrets map[string]*secret
}

type secret struct {
	values  map[string]string // by version
	labels  map[string]string // label -> version
	tags    map[string]string
	deleted bool
	seen    int
}

// call is a request body of any operation.
type call struct {
	Name, SecretId, ClientRequestToken, SecretString, VersionStage, VersionId string
	MoveToVersionId, RemoveFromVersionId                                      string
	VersionStages                                                             []string
	ForceDeleteWithoutRecovery                                                bool
	Tags                                                                      []struct{ Key, Value string }
}

// fault is an error answer: the name of the exception.
type fault string

type answer = map[string]any

// Start returns an empty server, which ends with the test. A call that no client of a vault should make fails the test.
func Start(t testing.TB) *Server {
	t.Helper()
	f := &Server{t: t, secrets: map[string]*secret{}, Calls: map[string]int{}}
	web := httptest.NewServer(f)
	t.Cleanup(web.Close)
	f.URL = web.URL
	return f
}

// inProcess sends requests to the server without a network, which a test of many calls has no time for.
type inProcess struct{ server *Server }

func (p inProcess) Do(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p.server.ServeHTTP(w, r)
	return w.Result(), nil
}

// Client returns a client of the server that tries each call once.
func (f *Server) Client() *secretsmanager.Client {
	return secretsmanager.New(secretsmanager.Options{
		HTTPClient: inProcess{f},
		Region:     "eu-central-1", BaseEndpoint: &f.URL, Retryer: aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "id", SecretAccessKey: "key", Source: "fakesecrets"}, nil
		}),
	})
}

func (f *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "secretsmanager.")
	data, err := io.ReadAll(r.Body)
	var in call
	if err == nil {
		err = json.Unmarshal(data, &in)
	}
	if err != nil {
		f.t.Errorf("%s: %v in %s", operation, err, data)
	}
	f.Calls[operation]++
	out, problem := f.serve(operation, in)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if problem != "" {
		w.WriteHeader(http.StatusBadRequest)
		out = answer{"__type": string(problem), "Message": "refused by the rules: " + operation}
	}
	if err := json.NewEncoder(w).Encode(out); err != nil {
		f.t.Error(err)
	}
}

func (f *Server) serve(operation string, in call) (answer, fault) {
	serve, ok := map[string]func(call) (answer, fault){
		"CreateSecret": f.create, "PutSecretValue": f.put, "UpdateSecretVersionStage": f.move, "DeleteSecret": f.remove,
		"GetSecretValue": f.get, "DescribeSecret": f.describe,
	}[operation]
	if !ok {
		f.t.Errorf("%s is not expected", operation)
		return nil, "InvalidRequestException"
	}
	if f.Fault != nil {
		switch before, after := f.Fault(operation); {
		case before:
			return nil, "InternalServiceError"
		case after:
			serve(in)
			return nil, "InternalServiceError"
		}
	}
	if operation == "GetSecretValue" || operation == "DescribeSecret" {
		if f.Dead() {
			return nil, "InternalServiceError"
		}
		return serve(in)
	}
	if f.Dead() {
		return nil, "InternalServiceError"
	}
	f.Changes++
	if !f.Dead() {
		return serve(in)
	}
	if f.Late {
		serve(in)
	}
	if f.OnDeath != nil {
		f.OnDeath()
	}
	return nil, "InternalServiceError"
}

// Dead reports whether the client's process has died.
func (f *Server) Dead() bool { return f.Deadline > 0 && f.Changes >= f.Deadline }

// find returns a secret that is there.
func (f *Server) find(name string) (*secret, fault) {
	s := f.secrets[name]
	if s == nil {
		return nil, "ResourceNotFoundException"
	}
	if s.deleted {
		if s.seen++; s.seen > f.Linger {
			delete(f.secrets, name)
			return nil, "ResourceNotFoundException"
		}
	}
	return s, ""
}

func (f *Server) create(in call) (answer, fault) {
	s, problem := f.find(in.Name)
	switch {
	case problem == "" && s.deleted:
		return nil, "InvalidRequestException"
	case problem == "" && s.values[in.ClientRequestToken] == in.SecretString:
		return answer{"Name": in.Name, "VersionId": in.ClientRequestToken}, ""
	case problem == "":
		return nil, "ResourceExistsException"
	}
	s = &secret{values: map[string]string{}, labels: map[string]string{}, tags: map[string]string{}}
	for _, tag := range in.Tags {
		s.tags[tag.Key] = tag.Value
	}
	if problem := s.add(in, []string{"AWSCURRENT"}); problem != "" {
		return nil, problem
	}
	f.secrets[in.Name] = s
	return answer{"Name": in.Name, "VersionId": in.ClientRequestToken}, ""
}

func (f *Server) put(in call) (answer, fault) {
	s, problem := f.find(in.SecretId)
	if problem != "" {
		return nil, problem
	}
	if s.deleted {
		return nil, "InvalidRequestException"
	}
	if value, ok := s.values[in.ClientRequestToken]; ok {
		if value != in.SecretString {
			return nil, "ResourceExistsException"
		}
		return answer{"VersionId": in.ClientRequestToken}, "" // ignored: the labels stay where they are
	}
	stages := in.VersionStages
	if len(stages) == 0 {
		stages = []string{"AWSCURRENT"}
	}
	if problem := s.add(in, stages); problem != "" {
		return nil, problem
	}
	return answer{"VersionId": in.ClientRequestToken}, ""
}

// add stores a new version with its labels.
func (s *secret) add(in call, stages []string) fault {
	if n := len(in.ClientRequestToken); n < 32 || n > 64 || in.SecretString == "" || len(in.SecretString) > 65536 {
		return "InvalidParameterException"
	}
	s.values[in.ClientRequestToken] = in.SecretString
	for _, label := range stages {
		s.label(label, in.ClientRequestToken)
	}
	return s.tidy()
}

// label attaches a label to one version only; AWSPREVIOUS moves to the former version of AWSCURRENT.
func (s *secret) label(label, version string) {
	old := s.labels[label]
	if old == version {
		return
	}
	s.labels[label] = version
	if label == "AWSCURRENT" && old != "" {
		s.labels["AWSPREVIOUS"] = old
	}
}

// tidy removes the versions without a label.
func (s *secret) tidy() fault {
	if len(s.labels) > 20 {
		return "LimitExceededException"
	}
	for version := range s.values {
		if !slices.Contains(slices.Collect(maps.Values(s.labels)), version) {
			delete(s.values, version)
		}
	}
	return ""
}

func (f *Server) move(in call) (answer, fault) {
	s, problem := f.find(in.SecretId)
	if problem != "" {
		return nil, problem
	}
	holder := s.labels[in.VersionStage]
	_, known := s.values[in.MoveToVersionId]
	switch {
	case s.deleted:
		return nil, "InvalidRequestException"
	case in.MoveToVersionId != "" && !known:
		return nil, "ResourceNotFoundException"
	case holder != in.MoveToVersionId && holder != in.RemoveFromVersionId:
		return nil, "InvalidParameterException" // the holder must be named
	case in.MoveToVersionId == "" && in.VersionStage == "AWSCURRENT":
		return nil, "InvalidParameterException" // it can only be moved
	case in.MoveToVersionId == "":
		delete(s.labels, in.VersionStage)
	default:
		s.label(in.VersionStage, in.MoveToVersionId)
	}
	return answer{"Name": in.SecretId}, s.tidy()
}

func (f *Server) get(in call) (answer, fault) {
	if in.VersionStage == "" || in.VersionId != "" {
		f.t.Error("GetSecretValue without a stage, or by version")
	}
	s, problem := f.find(in.SecretId)
	if problem != "" {
		return nil, problem
	}
	if s.deleted {
		return nil, "InvalidRequestException"
	}
	version, ok := s.labels[in.VersionStage]
	if !ok {
		return nil, "ResourceNotFoundException"
	}
	return answer{
		"VersionId": version, "SecretString": s.values[version], "VersionStages": []string{in.VersionStage},
	}, ""
}

func (f *Server) describe(in call) (answer, fault) {
	s, problem := f.find(in.SecretId)
	if problem != "" {
		return nil, problem
	}
	versions := map[string][]string{}
	for label, version := range s.labels {
		versions[version] = append(versions[version], label)
	}
	out := answer{"Name": in.SecretId, "VersionIdsToStages": versions}
	if s.deleted {
		out["DeletedDate"] = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC).Unix()
	}
	return out, ""
}

func (f *Server) remove(in call) (answer, fault) {
	s, problem := f.find(in.SecretId)
	if problem != "" {
		return nil, problem
	}
	if !in.ForceDeleteWithoutRecovery {
		f.t.Error("a recovery window would keep the name taken")
	}
	s.deleted = true
	return answer{"Name": in.SecretId}, ""
}

// Show returns a secret's values by label; nil if there is no such secret. It is for tests to compare.
func (f *Server) Show(name string) map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.secrets[name]
	if s == nil {
		return nil
	}
	values := map[string]string{}
	for label, version := range s.labels {
		values[label] = s.values[version]
	}
	return values
}

// Tags returns the tags of a secret; nil if there is none.
func (f *Server) Tags(name string) map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.secrets[name]; s != nil {
		return maps.Clone(s.tags)
	}
	return nil
}
