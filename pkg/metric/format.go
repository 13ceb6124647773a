package metric

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Namespace is the namespace of all metrics in CloudWatch.
const Namespace = "serverless-scim"

// Names of the members that the handler adds to a line.
const (
	keyFormat  = "_aws"
	keyStack   = "stack"
	keyOutcome = "outcome"
	keyCount   = "requests"
)

// requestLine is the message of the one line of each request.
const requestLine = "request"

// Counted are the messages that are counted, each with its metric. A line counts 1.
var Counted = map[string]string{
	"scheduled run":                       "ScheduledRuns",
	"rotation will be tried again":        "RotationsFailed",
	"background work will be tried again": "BackgroundRetries",
	"publishing late":                     "PublishingLate",
	"notice failed":                       "NoticesFailed",
	"notice refused":                      "NoticesFailed",
	"notice bounced":                      "NoticesFailed",
	"token revealed":                      "TokensRevealed",
	"expired token used":                  "EndedTokensUsed",
	"token ends soon":                     "TokensEnding",
	"domain lost":                         "DomainsLost",
	"webhook paused":                      "WebhooksPaused",
	"delivery will be tried again":        "DeliveriesFailed",
	"revoked token used":                  "EndedTokensUsed",
	"internal error":                      "InternalErrors",
	"panic":                               "InternalErrors",
}

// directive is one entry of CloudWatchMetrics in the embedded metric format.
type directive struct {
	Namespace  string       `json:"Namespace"`
	Dimensions [][]string   `json:"Dimensions"`
	Metrics    []definition `json:"Metrics"`
}

type definition struct {
	Name string `json:"Name"`
	Unit string `json:"Unit"`
}

// format returns the field _aws of a line without the time, which belongs between before and after.
func format(directives ...directive) (before, after string) {
	list, err := json.Marshal(directives)
	if err != nil {
		panic(err) // text only
	}
	return `{"Timestamp":`, fmt.Sprintf(`,"CloudWatchMetrics":%s}`, list)
}

// ofRequest returns the metrics of a request. With routes, each route has its own as well: API Gateway's routes times
// four metrics, each of which CloudWatch charges for.
func ofRequest(routes bool) []directive {
	use := []definition{
		{"durationMs", "Milliseconds"}, {"calls", "Count"}, {"readUnits", "Count"}, {"writeUnits", "Count"},
	}
	by := [][]string{{keyStack, "edge"}}
	if routes {
		by = append(by, []string{keyStack, "edge", "route"})
	}
	return []directive{
		{Namespace, by, use},
		{Namespace, [][]string{{keyStack, "edge", keyOutcome}}, []definition{{keyCount, "Count"}}},
	}
}

// ofCount returns the metric of a line that is counted.
func ofCount(name string) directive {
	return directive{Namespace, [][]string{{keyStack}}, []definition{{name, "Count"}}}
}

// outcome says in a word how a request with a status ended: ok, refused (the client's mistake), busy (429 or 503, to be
// sent again) or failed.
func outcome(status int64) string {
	switch {
	case status < 400:
		return "ok"
	case status == 429, status == 503:
		return "busy"
	case status < 500:
		return "refused"
	}
	return "failed"
}

// stackName shortens a stack's name to CloudWatch's bound of a dimension, and replaces an empty one.
func stackName(name string) string {
	if name = strings.TrimSpace(name); name == "" {
		return "-"
	}
	return name[:min(len(name), 255)]
}
