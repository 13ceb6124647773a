package awsmail

import (
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"

	"github.com/serverless-scim/serverless-scim/pkg/notice/message"
)

// The tags by which SES reports name a notice.
const (
	tagTenant = "tenant"
	tagNotice = "notice"
)

// tags name a message to SES. Values have letters, digits, "_" and "-": in ids of notices "_" stands for ".", which
// they have, and they have no "_".
func tags(m message.Message) []types.MessageTag {
	tag := func(name, value string) types.MessageTag { return types.MessageTag{Name: &name, Value: &value} }
	return []types.MessageTag{tag(tagTenant, m.Tenant), tag(tagNotice, strings.ReplaceAll(m.Notice, ".", "_"))}
}

// Report is a report of SES about a mail that did not arrive.
type Report struct {
	// Tenant and Notice are ids.
	Tenant, Notice string
	// Rejected says that SES did not send it at all; else it bounced from a recipient.
	Rejected bool
}

// sesEvent is the part of an SES event that is read here. It never reads addresses.
type sesEvent struct {
	EventType string
	Bounce    struct{ BounceType string }
	Mail      struct{ Tags map[string][]string }
}

// ReadReport reads an event of SES as its event publishing sends it: the detail of an EventBridge event, or the
// message of an SNS notification. It returns false if the event is not about a notice that failed: other events, other
// mails, and bounces that are not permanent (a full mailbox, an absence note).
func ReadReport(event []byte) (Report, bool) {
	var e sesEvent
	if err := json.Unmarshal(event, &e); err != nil {
		return Report{}, false
	}
	first := func(name string) string {
		if values := e.Mail.Tags[name]; len(values) == 1 {
			return values[0]
		}
		return ""
	}
	r := Report{
		Tenant: first(tagTenant), Notice: strings.ReplaceAll(first(tagNotice), "_", "."),
		Rejected: e.EventType == "Reject",
	}
	bounced := e.EventType == "Bounce" && e.Bounce.BounceType != "Transient"
	return r, r.Tenant != "" && r.Notice != "" && (r.Rejected || bounced)
}
