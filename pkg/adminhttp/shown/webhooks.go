package shown

import (
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event/delivery"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/webhook"
)

// Webhook is a webhook as the API shows it, without its secret.
func Webhook(hook *webhook.Webhook) scim.Object {
	types := make([]any, len(hook.Types))
	for i, t := range hook.Types {
		types[i] = t
	}
	o := scim.Object{
		"id": hook.ID, "url": hook.URL, "types": types, "description": hook.Description, "active": hook.Active,
		"createdAt": Time(hook.CreatedAt),
	}
	if hook.Off != "" {
		o["switchedOff"] = hook.Off
	}
	if !hook.PreviousUntil.IsZero() {
		o["previousSecretUntil"] = Time(hook.PreviousUntil)
	}
	return o
}

// Delivery is the position of a webhook in the log of a tenant.
func Delivery(hook *webhook.Webhook, s delivery.State) scim.Object {
	state := "good"
	switch {
	case !hook.Active:
		state = "off"
	case s.PausedFor(hook.ResumedAt):
		state = "paused"
	case s.Attempt > 0:
		state = "failing"
	}
	o := scim.Object{"state": state, "position": s.Position}
	recent := make([]any, 0, len(s.Recent))
	for _, attempt := range s.Recent {
		recent = append([]any{Attempt(attempt)}, recent...) // the newest first
	}
	o["recent"] = recent
	if state == "paused" {
		o["pausedAt"] = moment(s.Paused)
	}
	if s.Attempt > 0 {
		o["failures"], o["failingSince"] = int64(s.Attempt), moment(s.FailingSince)
	}
	if s.Due > 0 {
		o["nextAttempt"] = moment(s.Due)
	}
	if s.Skipped != nil {
		o["skipped"] = scim.Object{"after": s.Skipped.After, "last": s.Skipped.Last, "at": moment(s.Skipped.At)}
	}
	return o
}

// Attempt is an attempt at a delivery as the API shows it.
func Attempt(a delivery.Attempt) scim.Object {
	o := scim.Object{"at": moment(a.At), "durationMs": a.Took, "sequence": a.Sequence}
	if a.Status > 0 {
		o["status"] = int64(a.Status)
	}
	if a.Error != "" {
		o["error"] = a.Error
	}
	return o
}

// moment writes Unix milliseconds.
func moment(ms int64) string { return scim.FormatTime(time.UnixMilli(ms)) }
