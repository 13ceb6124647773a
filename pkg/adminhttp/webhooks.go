package adminhttp

import (
	"net/http"
	"strconv"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/lists"
	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/shown"
	"github.com/serverless-scim/serverless-scim/pkg/event/delivery"
	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/webhook"
)

// withWebhooks adds the routes of the webhooks of tenants, and of the operator's, which get the events of all tenants.
func (a *api) withWebhooks(routes map[string]methods) map[string]methods {
	if a.webhooks == nil {
		return routes
	}
	for _, owner := range []string{"", "/tenants/{id}"} {
		routes[owner+"/webhooks"] = methods{"GET": a.listWebhooks, "POST": a.createWebhook}
		routes[owner+"/webhooks/{webhook}"] = methods{
			"GET": a.getWebhook, "PATCH": conditional(a.changeWebhook, shown.OfWebhook),
			"DELETE": conditional(a.removeWebhook, shown.OfWebhook),
		}
		routes[owner+"/webhooks/{webhook}/test"] = methods{"POST": a.testWebhook}
		routes[owner+"/webhooks/{webhook}/replay"] = methods{"POST": a.replayWebhook}
		routes[owner+"/webhooks/{webhook}/rotate-secret"] = methods{
			"POST": conditional(a.rotateWebhookSecret, shown.OfWebhook),
		}
	}
	return routes
}

// owner is the owner of a request's webhooks: the tenant in the path, which must exist, or the operator.
func (a *api) owner(r *http.Request) (string, error) {
	id := r.PathValue("id")
	if id == "" {
		return webhook.Operator, nil
	}
	t, err := a.tenants.Get(r.Context(), id)
	return t.ID, err
}

// hook reads the webhook in the path.
func (a *api) hook(r *http.Request) (*webhook.Webhook, error) {
	owner, err := a.owner(r)
	if err != nil {
		return nil, err
	}
	return a.webhooks.Get(r.Context(), owner, r.PathValue("webhook"))
}

// listWebhooks responds with webhooks and the deliveries of each.
func (a *api) listWebhooks(w http.ResponseWriter, r *http.Request) error {
	named := lists.Named(r)
	owner, err := a.owner(r)
	if err != nil {
		return err
	}
	tenantID, err := a.deliveries(r, owner, "name")
	if err != nil {
		return err
	}
	all, err := a.webhooks.List(r.Context(), owner)
	if err != nil {
		return err
	}
	all = lists.Only(all, func(hook *webhook.Webhook) bool { return named(hook.Description) })
	list, err := a.withDeliveries(r, tenantID, all...)
	if err != nil {
		return err
	}
	return ok(w, http.StatusOK, lists.Answer("webhooks", list, ""))
}

// deliveries is the tenant whose deliveries a request asks for: the owner of the webhooks, or the one that the query
// names for the operator's; "" if it names none. more are further parameters of the query.
func (a *api) deliveries(r *http.Request, owner string, more ...string) (string, error) {
	if owner != webhook.Operator {
		return owner, nil
	}
	param, err := asked(r, append(more, "tenant")...)
	if err != nil || param("tenant") == "" {
		return "", err
	}
	t, err := a.tenants.Get(r.Context(), param("tenant"))
	return t.ID, err
}

// withDeliveries are webhooks as the API shows them, with their deliveries of a tenant's log if one is named.
func (a *api) withDeliveries(r *http.Request, tenantID string, all ...*webhook.Webhook) ([]any, error) {
	var states map[string]delivery.State
	if tenantID != "" {
		var err error
		if states, err = a.webhooks.States(r.Context(), tenantID, all...); err != nil {
			return nil, err
		}
	}
	list := make([]any, len(all))
	for i, hook := range all {
		o := shown.Webhook(hook)
		if state, begun := states[hook.ID]; begun {
			o["delivery"] = shown.Delivery(hook, state)
		}
		list[i] = o
	}
	return list, nil
}

func (a *api) createWebhook(w http.ResponseWriter, r *http.Request) error {
	owner, err := a.owner(r)
	if err != nil {
		return err
	}
	f, err := webhookFields(r, "id")
	if err != nil {
		return err
	}
	hook, secret, after, err := a.webhooks.Create(r.Context(), owner, f)
	if err != nil {
		return err
	}
	o := shown.Webhook(hook)
	o["secret"] = secret
	if owner != webhook.Operator {
		o["after"] = after
	}
	w.Header().Set("Location", r.URL.Path+"/"+hook.ID)
	w.Header().Set("ETag", shown.WebhookTag(hook))
	return ok(w, http.StatusCreated, o)
}

// getWebhook responds with a webhook and its last deliveries. Those of an operator's webhook are listed by tenant.
func (a *api) getWebhook(w http.ResponseWriter, r *http.Request) error {
	hook, err := a.hook(r)
	if err != nil {
		return err
	}
	tenantID, err := a.deliveries(r, hook.Owner)
	if err != nil {
		return err
	}
	if tenantID == "" {
		return tagged(w, r, shown.WebhookTag(hook), shown.Webhook(hook))
	}
	list, err := a.withDeliveries(r, tenantID, hook)
	if err != nil {
		return err
	}
	return inUse(w, shown.WebhookTag(hook), list[0].(scim.Object)) // the delivery goes on
}

func (a *api) changeWebhook(w http.ResponseWriter, r *http.Request) error {
	hook, err := a.hook(r)
	if err != nil {
		return err
	}
	f, err := webhookFields(r)
	if err != nil {
		return err
	}
	if hook, err = a.webhooks.Change(r.Context(), hook.Owner, hook.ID, f); err != nil {
		return err
	}
	return tagged(w, r, shown.WebhookTag(hook), shown.Webhook(hook))
}

func (a *api) removeWebhook(w http.ResponseWriter, r *http.Request) error {
	hook, err := a.hook(r)
	if err != nil {
		return err
	}
	if err := a.webhooks.Remove(r.Context(), hook.Owner, hook.ID); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *api) testWebhook(w http.ResponseWriter, r *http.Request) error {
	hook, err := a.hook(r)
	if err != nil {
		return err
	}
	if _, err := body(r, true); err != nil {
		return err
	}
	attempt, err := a.webhooks.Test(r.Context(), hook.Owner, hook.ID)
	if err != nil {
		return err
	}
	o := shown.Attempt(attempt)
	o["delivered"] = attempt.Error == ""
	delete(o, "sequence")
	return ok(w, http.StatusOK, o)
}

// replayWebhook has the events after a position sent again. A position that is no longer in the log is a 410, as for
// events.
func (a *api) replayWebhook(w http.ResponseWriter, r *http.Request) error {
	hook, err := a.hook(r)
	if err != nil {
		return err
	}
	keys := []string{"after"}
	if hook.Owner == webhook.Operator {
		keys = append(keys, "tenant")
	}
	o, err := body(r, false, keys...)
	if err != nil {
		return err
	}
	tenantID := hook.Owner
	if tenantID == webhook.Operator {
		if tenantID, err = text(o, "tenant"); err != nil || tenantID == "" {
			return badRequest("tenant is required, because each tenant has its own log.")
		}
	}
	r.SetPathValue("id", tenantID)
	t, err := a.of(r)
	if err != nil {
		return err
	}
	var from string
	switch v := o["after"].(type) {
	case int64:
		from = strconv.FormatInt(v, 10)
	case string:
		from = v
	}
	if from == "" {
		return badRequest("after is required: a sequence number, or the id of an event. 0 starts at the first event.")
	}
	after, err := place(tenantID, from)
	if err != nil {
		return err
	}
	page, err := a.members.Events(r.Context(), t, after, 1)
	if gone, isGone := eventlog.IsGone(err); isGone {
		start := strconv.FormatInt(gone.Start, 10)
		return &problem{
			status: http.StatusGone, after: start,
			detail: gone.Reason + " A replay can begin with after=" + start + ".",
		}
	}
	if err != nil {
		return err
	}
	if err := a.webhooks.Replay(r.Context(), hook, tenantID, page, after.After); err != nil {
		return err
	}
	return ok(w, http.StatusAccepted, scim.Object{"after": after.After, "last": page.Last})
}

func (a *api) rotateWebhookSecret(w http.ResponseWriter, r *http.Request) error {
	hook, err := a.hook(r)
	if err != nil {
		return err
	}
	if _, err := body(r, true); err != nil {
		return err
	}
	hook, secret, err := a.webhooks.Rotate(r.Context(), hook.Owner, hook.ID)
	if err != nil {
		return err
	}
	o := shown.Webhook(hook)
	o["secret"] = secret
	return inUse(w, shown.WebhookTag(hook), o)
}

// webhookFields reads the fields of a webhook that a request sets. more are names that it may have besides.
func webhookFields(r *http.Request, more ...string) (f webhook.Fields, err error) {
	o, err := body(r, false, append(more, "url", "types", "description", "active")...)
	if err != nil {
		return f, err
	}
	if f.ID, err = chosenID(o); err != nil {
		return f, err
	}
	for key, field := range map[string]**string{"url": &f.URL, "description": &f.Description} {
		if _, there := o[key]; there {
			value, err := text(o, key)
			if err != nil {
				return f, err
			}
			*field = &value
		}
	}
	if v, there := o["types"]; there {
		list, isList := v.([]any)
		f.Types = make([]string, 0, len(list))
		for _, t := range list {
			name, isText := t.(string)
			isList = isList && isText
			f.Types = append(f.Types, name)
		}
		if !isList {
			return f, badRequest("types must be a list of strings.")
		}
	}
	if v, there := o["active"]; there {
		active, isBool := v.(bool)
		if !isBool {
			return f, badRequest("active must be true or false.")
		}
		f.Active = &active
	}
	return f, nil
}
