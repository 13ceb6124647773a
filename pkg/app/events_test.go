package app_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp"
	"github.com/serverless-scim/serverless-scim/pkg/apigw"
	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/notice/awsmail"
	"github.com/serverless-scim/serverless-scim/pkg/oauthhttp"
	"github.com/serverless-scim/serverless-scim/pkg/portal"
	"github.com/serverless-scim/serverless-scim/pkg/scimhttp"
	"github.com/serverless-scim/serverless-scim/pkg/setup"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/ending"
)

// sample reads an event of events/ into v, with TOKEN replaced. A field that v lacks is an error.
func sample(t *testing.T, name, token string, v any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(top, "events", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(bytes.ReplaceAll(raw, []byte("TOKEN"), []byte(token))))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		t.Fatalf("events/%s.json: %v", name, err)
	}
}

// services are the use cases on an empty table in memory.
func services(t *testing.T) (*tenant.Service, *directory.Directory) {
	t.Helper()
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	st := store.New(engine, store.Options{})
	tenants := tenant.New(st, tenant.NewTableSecrets(st), tenant.Options{Now: time.Now})
	return tenants, directory.New(st, directory.Options{Now: time.Now})
}

func TestEverySampleHasAFunction(t *testing.T) {
	entries, err := os.ReadDir(filepath.Join(top, "events"))
	if err != nil {
		t.Fatal(err)
	}
	var files, functions []string
	for _, e := range entries {
		name, _, more := strings.Cut(e.Name(), "-") // rotate-report.json is another event of rotate
		if !more {
			files = append(files, name)
		}
	}
	for _, f := range app.Functions() {
		functions = append(functions, f.Name+".json")
	}
	same(t, "events/", files, functions)
}

// links are set-up links on a table of their own.
func links(t *testing.T, tenants *tenant.Service) *setup.Service {
	t.Helper()
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	return setup.New(store.New(engine, store.Options{}), tenants, setup.Options{Now: time.Now})
}

func TestHTTPSamples(t *testing.T) {
	tenants, dir := services(t)
	_, token, err := tenants.Create(t.Context(), tenant.NewTenant{ID: "acme", Name: "Acme", IdP: "okta"})
	if err != nil {
		t.Fatal(err)
	}
	scim := scimhttp.New(scimhttp.Config{Tenants: tenants, Directory: dir, Now: time.Now})
	others, _ := services(t) // acme does not exist there yet
	admin := adminhttp.New(adminhttp.Config{Tenants: others})
	page, err := portal.New(portal.Config{Tenants: tenants, Now: time.Now, Links: links(t, tenants)})
	if err != nil {
		t.Fatal(err)
	}
	const base = "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/scim/v2/acme"
	for name, want := range map[string]struct {
		handler http.Handler
		status  int
		body    string
	}{
		"users":     {scim, http.StatusCreated, `"location":"` + base + `/Users/`},
		"groups":    {scim, http.StatusOK, `"totalResults":0`},
		"bulk":      {scim, http.StatusOK, `"bulkId":"staff"`},
		"discovery": {scim, http.StatusOK, base + "/ServiceProviderConfig"},
		"oauth":     {oauthhttp.New(oauthhttp.Config{Tenants: tenants}), http.StatusUnauthorized, `"error":"invalid_client"`},
		"portal":    {page, http.StatusGone, `<html lang="de">`},
		"admin": {
			admin, http.StatusCreated,
			`"scimBaseUrl":"https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/scim/v2/`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var ev events.APIGatewayV2HTTPRequest
			sample(t, name, token.Value, &ev)
			checkRoute(t, name, ev.RouteKey)
			answer, err := apigw.Handler(want.handler)(t.Context(), ev)
			if err != nil || answer.StatusCode != want.status || !strings.Contains(answer.Body, want.body) {
				t.Errorf("answered %d %s, %v; want %d with %s", answer.StatusCode, answer.Body, err,
					want.status, want.body)
			}
		})
	}
}

// checkRoute checks that a sample came in on a route of its function.
func checkRoute(t *testing.T, name, route string) {
	t.Helper()
	for _, f := range app.Functions() {
		if f.Name != name {
			continue
		}
		for _, r := range f.Routes {
			if r == route {
				return
			}
		}
		t.Errorf("%s has no route %s", name, route)
	}
}

// wakeOf reads a stream record of a sample.
func wakeOf(r events.DynamoDBStreamRecord) (app.Wake, bool) {
	key := store.Key{PK: r.Keys[store.AttrPK].String(), SK: r.Keys[store.AttrSK].String()}
	return app.WakeOf(key, r.NewImage[store.AttrWake].String())
}

func TestStreamSample(t *testing.T) {
	var ev events.DynamoDBEvent
	sample(t, "stream", "", &ev)
	want := []app.Wake{{Kind: store.WakeWork, Tenant: "acme"}, {Kind: store.WakeDeleted, Tenant: "closed-customer"}}
	if len(ev.Records) != len(want) {
		t.Fatalf("%d records", len(ev.Records))
	}
	tenants, dir := services(t)
	for i, record := range ev.Records {
		wake, ok := wakeOf(record.Change)
		if !ok || wake != want[i] {
			t.Errorf("record %d wakes %+v, want %+v", i, wake, want[i])
		}
		cleaner := app.Cleaner{
			Tenants: tenants, Directory: dir,
			Ending: ending.New(nil, tenants, ending.Options{Now: time.Now, Empty: dir.Erase}),
		}
		if err := cleaner.Clean(t.Context(), wake); err != nil {
			t.Errorf("record %d: %v", i, err)
		}
	}
}

func TestRotateSample(t *testing.T) {
	var ev events.EventBridgeEvent
	sample(t, "rotate", "", &ev)
	if ev.Source != "aws.scheduler" || len(ev.Resources) != 1 {
		t.Errorf("%+v", ev)
	}
}

func TestRotateStreamSample(t *testing.T) {
	var ev events.DynamoDBEvent
	sample(t, "rotate-stream", "", &ev)
	for _, r := range ev.Records {
		if wake, ok := wakeOf(r.Change); !ok || wake != (app.Wake{Kind: store.WakeTell, Tenant: "acme"}) {
			t.Errorf("%+v wakes %+v, %v", r.Change.Keys, wake, ok)
		}
	}
	if len(ev.Records) != 2 {
		t.Errorf("%d records", len(ev.Records))
	}
}

func TestRotateReportSample(t *testing.T) {
	var ev events.EventBridgeEvent
	sample(t, "rotate-report", "", &ev)
	got, ok := awsmail.ReadReport(ev.Detail)
	if !ok || got != (awsmail.Report{Tenant: "acme", Notice: "qbea7qbwi2r3ix31.successor-ready.0"}) ||
		ev.Source != "aws.ses" {
		t.Errorf("%s: %+v, %v", ev.Source, got, ok)
	}
}

func TestDeliverSample(t *testing.T) {
	var ev events.SQSEvent
	sample(t, "deliver", "", &ev)
	if len(ev.Records) != 1 || !tenant.ValidID(ev.Records[0].Body) || ev.Records[0].EventSource != "aws:sqs" {
		t.Errorf("%+v", ev)
	}
}
