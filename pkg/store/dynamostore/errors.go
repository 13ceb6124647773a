package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Codes of cancellation reasons that are decided upon here.
const (
	reasonNone      = "None"
	reasonCondition = "ConditionalCheckFailed"
	reasonConflict  = "TransactionConflict"
	reasonThrottled = "ThrottlingError"
	reasonExceeded  = "ProvisionedThroughputExceeded"
	reasonInvalid   = "ValidationError"
)

// callError is a failed call. Its text goes to a log, so it leaves out DynamoDB's message if that quotes the
// request ("Value '{...}' at ... failed to satisfy constraint"), and with it people's directory data.
type callError struct {
	call string
	err  error
}

func (e *callError) Unwrap() error { return e.err }

func (e *callError) Error() string {
	var api smithy.APIError
	if !errors.As(e.err, &api) {
		return fmt.Sprintf("dynamostore: %s: %v", e.call, e.err)
	}
	text := fmt.Sprintf("dynamostore: %s: %s", e.call, api.ErrorCode())
	if cancelled := (*types.TransactionCanceledException)(nil); errors.As(e.err, &cancelled) {
		text += fmt.Sprintf(" %v", reasonCodes(cancelled.CancellationReasons))
	} else if !strings.Contains(api.ErrorMessage(), "Value") {
		text += ": " + api.ErrorMessage()
	}
	if response := (*awshttp.ResponseError)(nil); errors.As(e.err, &response) {
		text += " (request " + response.ServiceRequestID() + ")"
	}
	return text
}

// translate turns an error of the SDK into one of the port: *store.LimitError if DynamoDB finds the call invalid,
// *store.ConditionError, the three that may be retried, ctx's own. An error that it does not know becomes one that
// is not to be retried.
func translate(ctx context.Context, call string, err error) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		return translateAnswer(call, err, api.ErrorCode())
	}
	// No answer. The caller's own deadline comes first: an HTTP timeout looks like one too.
	if cause := ctx.Err(); cause != nil {
		return cause
	}
	if lostAnswer(err) {
		return fmt.Errorf("%w: %v", store.ErrUnavailable, &callError{call, err})
	}
	return &callError{call, err}
}

func translateAnswer(call string, err error, code string) error {
	var condition *types.ConditionalCheckFailedException
	if errors.As(err, &condition) {
		return conditionError([]map[string]types.AttributeValue{condition.Item}, []int{0})
	}
	var cancelled *types.TransactionCanceledException
	if errors.As(err, &cancelled) {
		return translateCancelled(call, err, cancelled.CancellationReasons)
	}
	failure := &callError{call, err}
	var retry error
	switch code {
	case "ValidationException", "IdempotentParameterMismatchException":
		return &store.LimitError{Reason: failure.Error()}
	case "TransactionConflictException", "ReplicatedWriteConflictException":
		retry = store.ErrConflict
	case "ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException", "Throttling":
		retry = store.ErrThrottled
	case "TransactionInProgressException":
		// A call with the same token is under way: whether it will write is open, as ErrUnavailable says.
		retry = store.ErrUnavailable
	default:
		var response *smithyhttp.ResponseError
		if errors.As(err, &response) && response.HTTPStatusCode() >= 500 {
			retry = store.ErrUnavailable
		}
	}
	if retry == nil {
		return failure
	}
	return fmt.Errorf("%w: %v", retry, failure)
}

// translateCancelled decides by the reasons of a cancelled transaction: if a condition did not hold, that is the
// answer, even if there are other reasons. Else the call may be tried again only if every reason allows that.
func translateCancelled(call string, err error, reasons []types.CancellationReason) error {
	var indexes []int
	var items []map[string]types.AttributeValue
	var conflict, throttled, invalid, other bool
	for i, r := range reasons {
		switch aws.ToString(r.Code) {
		case reasonNone:
		case reasonCondition:
			indexes = append(indexes, i)
			items = append(items, r.Item)
		case reasonConflict:
			conflict = true
		case reasonThrottled, reasonExceeded:
			throttled = true
		case reasonInvalid:
			invalid = true
		default:
			other = true
		}
	}
	switch failure := (&callError{call, err}); {
	case len(indexes) > 0:
		return conditionError(items, indexes)
	case invalid:
		return &store.LimitError{Reason: failure.Error()}
	case other || !conflict && !throttled:
		return failure
	case conflict:
		return fmt.Errorf("%w: %v", store.ErrConflict, failure)
	default:
		return fmt.Errorf("%w: %v", store.ErrThrottled, failure)
	}
}

func conditionError(items []map[string]types.AttributeValue, indexes []int) error {
	failed := make([]store.FailedCondition, len(indexes))
	for i, index := range indexes {
		failed[i].Index = index
		if len(items[i]) == 0 {
			continue
		}
		attrs, err := decodeAttrs(items[i])
		if err != nil {
			return err
		}
		failed[i].Attrs = attrs
	}
	return &store.ConditionError{Failed: failed}
}

func reasonCodes(reasons []types.CancellationReason) []string {
	codes := make([]string, len(reasons))
	for i, r := range reasons {
		codes[i] = aws.ToString(r.Code)
	}
	return codes
}

// lostAnswer reports whether a call without an answer may have reached DynamoDB, or could not reach it for now.
func lostAnswer(err error) bool {
	var send *smithyhttp.RequestSendError
	var broken *smithy.DeserializationError
	var network net.Error
	return errors.As(err, &send) || errors.As(err, &broken) || errors.As(err, &network) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}
