package dynamostore_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/dynamostore"
)

// DynamoDB Local neither conflicts nor throttles nor fails: here a stub answers as DynamoDB does.

const exceptionPrefix = `{"__type":"com.amazonaws.dynamodb.v20120810#`

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.Header().Set("X-Amzn-Requestid", "REQUEST")
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func exception(name string) http.HandlerFunc {
	return answer(http.StatusBadRequest, exceptionPrefix+name+`","message":"Something."}`)
}

// cancelled answers with the reasons given by their codes; a failed condition brings the item along.
func cancelled(codes ...string) http.HandlerFunc {
	reasons := make([]string, len(codes))
	for i, code := range codes {
		item := ""
		if code == "ConditionalCheckFailed" {
			item = fmt.Sprintf(`,"Item":{"pk":{"S":"p"},"sk":{"S":"%d"},"n":{"N":"%d"}},"Message":"The conditional request `+
				`failed"`, i, i)
		}
		reasons[i] = fmt.Sprintf(`{"Code":%q%s}`, code, item)
	}
	return answer(http.StatusBadRequest,
		exceptionPrefix+`TransactionCanceledException","Message":"Transaction cancelled, `+
			`please refer cancellation reasons for specific reasons [`+strings.Join(codes, ", ")+`]",`+
			`"CancellationReasons":[`+strings.Join(reasons, ",")+`]}`)
}

func drop(after string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, buffer, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = buffer.WriteString(after)
		_ = buffer.Flush()
		_ = conn.Close()
	}
}

func stub(t *testing.T, handler http.Handler) *dynamostore.Engine {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return dynamostore.New(stubClient(server.URL), "table")
}

func stubClient(url string) *dynamodb.Client {
	credentials := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, nil
	})
	return dynamostore.NewClient(aws.Config{Region: "us-east-1", Credentials: credentials},
		func(o *dynamodb.Options) { o.BaseEndpoint = &url })
}

func ops(n int) []store.Op {
	list := make([]store.Op, n)
	for i := range list {
		list[i] = store.Op{Kind: store.Put, Key: store.Key{PK: "p", SK: fmt.Sprint(i)}, Set: store.Attrs{"n": int64(i)}}
	}
	return list
}

func TestErrorsThatMayBeRetried(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   error
	}{
		"conflicts": {
			cancelled("None", "TransactionConflict", "TransactionConflict"), store.ErrConflict,
		},
		"conflict and throttle":     {cancelled("TransactionConflict", "ThrottlingError"), store.ErrConflict},
		"throttle":                  {cancelled("None", "ThrottlingError"), store.ErrThrottled},
		"throughput":                {cancelled("ProvisionedThroughputExceeded"), store.ErrThrottled},
		"plain write meets another": {exception("TransactionConflictException"), store.ErrConflict},
		"replicas":                  {exception("ReplicatedWriteConflictException"), store.ErrConflict},
		"throughput of the table":   {exception("ProvisionedThroughputExceededException"), store.ErrThrottled},
		"requests of the account":   {exception("RequestLimitExceeded"), store.ErrThrottled},
		"control plane":             {exception("ThrottlingException"), store.ErrThrottled},
		"same token at work":        {exception("TransactionInProgressException"), store.ErrUnavailable},
		"internal error": {
			answer(500, exceptionPrefix+`InternalServerError","message":"x"}`),
			store.ErrUnavailable,
		},
		"unavailable, not even JSON":  {answer(503, "<html>Service Unavailable</html>"), store.ErrUnavailable},
		"closed before the answer":    {drop(""), store.ErrUnavailable},
		"closed in the answer's head": {drop("HTTP/1.1 200 OK\r\nContent-"), store.ErrUnavailable},
		"closed in the answer": {
			drop("HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{\"Consumed"),
			store.ErrUnavailable,
		},
		"broken answer": {answer(200, `{"ConsumedCapacity":[`), store.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			e := stub(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				c.answer(w, r)
			}))
			ctx, meter := store.WithMeter(context.Background())
			for n, token := range map[int]string{1: "", 3: "token"} {
				calls.Store(0)
				if err := e.Transact(ctx, token, ops(n)); !errors.Is(err, c.want) {
					t.Errorf("%d operations: %v, want %v", n, err, c.want)
				}
				if got := calls.Load(); got != 1 {
					t.Errorf("%d operations: %d requests, want 1: retrying is not the engine's", n, got)
				}
			}
			if got := meter.Total().Calls; got != 2 {
				t.Errorf("charged %d calls, want 2", got)
			}
		})
	}
}

func TestErrorsThatMayNotBeRetried(t *testing.T) {
	const secret = "Value 'babs@example.com' at 'transactItems.1.member' failed to satisfy constraint"
	for name, c := range map[string]struct {
		answer  http.HandlerFunc
		invalid bool
		text    string
	}{
		"no permission": {
			exception("AccessDeniedException"), false,
			"AccessDeniedException: Something. (request REQUEST)",
		},
		"no table": {exception("ResourceNotFoundException"), false, "ResourceNotFoundException"},
		"conflict and more": {
			cancelled("TransactionConflict", "ItemCollectionSizeLimitExceeded"), false,
			"[TransactionConflict ItemCollection",
		},
		"unknown reason":      {cancelled("None", "SomethingNew"), false, "SomethingNew"},
		"cancelled, no cause": {cancelled(), false, "TransactionCanceledException []"},
		"invalid item":        {cancelled("None", "ValidationError"), true, "ValidationError"},
		"another payload":     {exception("IdempotentParameterMismatchException"), true, "IdempotentParameterMismatch"},
		"invalid": {
			answer(400, `{"__type":"com.amazon.coral.validate#ValidationException","message":"`+secret+`"}`), true,
			"ValidationException",
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := stub(t, c.answer).Transact(context.Background(), "token", ops(2))
			var limit *store.LimitError
			if errors.As(err, &limit) != c.invalid {
				t.Errorf("%v; is it a LimitError? want %v", err, c.invalid)
			}
			for _, retry := range []error{store.ErrConflict, store.ErrThrottled, store.ErrUnavailable} {
				if errors.Is(err, retry) {
					t.Errorf("%v would be tried again", err)
				}
			}
			if err == nil || !strings.Contains(err.Error(), c.text) {
				t.Errorf("%v, want %q in it", err, c.text)
			}
			if err != nil && strings.Contains(err.Error(), "babs") {
				t.Errorf("the error quotes the request: %v", err)
			}
		})
	}
}

func TestConditionsInCancellations(t *testing.T) {
	for name, c := range map[string]struct {
		codes []string
		want  []int
	}{
		"one of three":      {[]string{"None", "ConditionalCheckFailed", "None"}, []int{1}},
		"two of three":      {[]string{"ConditionalCheckFailed", "None", "ConditionalCheckFailed"}, []int{0, 2}},
		"beside a conflict": {[]string{"TransactionConflict", "None", "ConditionalCheckFailed"}, []int{2}},
		"beside a throttle": {[]string{"ThrottlingError", "ConditionalCheckFailed"}, []int{1}},
	} {
		t.Run(name, func(t *testing.T) {
			err := stub(t, cancelled(c.codes...)).Transact(context.Background(), "token", ops(len(c.codes)))
			var condition *store.ConditionError
			if !errors.As(err, &condition) {
				t.Fatalf("%v, want a ConditionError", err)
			}
			if len(condition.Failed) != len(c.want) {
				t.Fatalf("%d failed, want %v", len(condition.Failed), c.want)
			}
			for i, f := range condition.Failed {
				if f.Index != c.want[i] || len(f.Attrs) != 1 || f.Attrs["n"] != int64(f.Index) {
					t.Errorf("failed %+v, want index %d and its item", f, c.want[i])
				}
			}
		})
	}
}

func TestUnprocessed(t *testing.T) {
	ctx := context.Background()
	keys := []store.Key{{PK: "p", SK: "0"}, {PK: "p", SK: "1"}, {PK: "p", SK: "2"}}
	e := stub(t, answer(200, `{"Responses":{"table":[{"pk":{"S":"p"},"sk":{"S":"2"},"n":{"N":"2"}}]},
		"UnprocessedKeys":{"table":{"ConsistentRead":true,"Keys":[{"pk":{"S":"p"},"sk":{"S":"1"}}]}}}`))
	items, unread, err := e.Get(ctx, keys)
	if err != nil || len(unread) != 1 || unread[0] != 1 {
		t.Errorf("unread %v, error %v; want 1", unread, err)
	}
	if len(items) != 3 || items[0].Attrs != nil || items[2].Attrs["n"] != int64(2) || items[0].Key != keys[0] {
		t.Errorf("items are %v", items)
	}
	e = stub(t, answer(200, `{"UnprocessedItems":{"table":[{"DeleteRequest":{"Key":{"pk":{"S":"p"},"sk":{"S":"2"}}}},
		{"PutRequest":{"Item":{"pk":{"S":"p"},"sk":{"S":"0"},"n":{"N":"0"}}}}]}}`))
	batch := ops(2)
	batch = append(batch, store.Op{Kind: store.Delete, Key: keys[2]})
	undone, err := e.Batch(ctx, batch)
	if err != nil || len(undone) != 2 || undone[0]+undone[1] != 2 || undone[0] == undone[1] {
		t.Errorf("undone %v, error %v; want 0 and 2", undone, err)
	}
}

func TestReadErrors(t *testing.T) {
	ctx := context.Background()
	e := stub(t, exception("ProvisionedThroughputExceededException"))
	keys := []store.Key{{PK: "p", SK: "0"}, {PK: "p", SK: "1"}}
	if _, _, err := e.Get(ctx, keys); !errors.Is(err, store.ErrThrottled) {
		t.Errorf("Get of two: %v", err)
	}
	if _, _, err := e.Get(ctx, keys[:1]); !errors.Is(err, store.ErrThrottled) {
		t.Errorf("Get of one: %v", err)
	}
	if _, err := e.Query(ctx, store.Query{PK: "p"}); !errors.Is(err, store.ErrThrottled) {
		t.Errorf("Query: %v", err)
	}
	if _, err := e.Batch(ctx, ops(2)); !errors.Is(err, store.ErrThrottled) {
		t.Errorf("Batch: %v", err)
	}
}

func TestContextErrorsStayThemselves(t *testing.T) {
	release := make(chan struct{})
	e := stub(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-release }))
	defer close(release)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := e.Transact(ctx, "", ops(1)); !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrUnavailable) {
		t.Errorf("%v, want context.Canceled alone", err)
	}
	ctx, cancel = context.WithTimeout(context.Background(), 1)
	defer cancel()
	if err := e.Transact(ctx, "", ops(1)); !errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, store.ErrUnavailable) {
		t.Errorf("%v, want context.DeadlineExceeded alone", err)
	}
}

func TestAttemptTimeoutIsUnavailable(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	client := dynamostore.NewClient(aws.Config{
		Region:     "us-east-1",
		HTTPClient: &http.Client{Timeout: 1},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, nil
		}),
	}, func(o *dynamodb.Options) { o.BaseEndpoint = &server.URL })
	err := dynamostore.New(client, "table").Transact(context.Background(), "", ops(1))
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("%v, want ErrUnavailable", err)
	}
}

func TestNobodyListens(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	url := server.URL
	server.Close()
	err := dynamostore.New(stubClient(url), "table").Transact(context.Background(), "", ops(1))
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("%v, want ErrUnavailable", err)
	}
}
