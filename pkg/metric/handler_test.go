package metric_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/metric"
)

// line logs once and returns the line.
func line(t *testing.T, o metric.Options, log func(*slog.Logger)) map[string]any {
	t.Helper()
	var out bytes.Buffer
	log(slog.New(metric.Handler(slog.NewJSONHandler(&out, nil), o)))
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	return got
}

// emitted returns the metrics that CloudWatch would read of a line, by the dimensions that they stand under: the
// format's own rules (a metric and each of its dimensions is a member of the line, a metric is a number).
func emitted(t *testing.T, line map[string]any) map[string]float64 {
	t.Helper()
	format, ok := line["_aws"].(map[string]any)
	if !ok {
		return nil
	}
	if at, _ := format["Timestamp"].(float64); at < 1e12 {
		t.Errorf("the time is %v, want milliseconds", format["Timestamp"])
	}
	found := map[string]float64{}
	for _, d := range format["CloudWatchMetrics"].([]any) {
		d := d.(map[string]any)
		for _, set := range d["Dimensions"].([]any) {
			key := d["Namespace"].(string)
			for _, name := range set.([]any) {
				value, ok := line[name.(string)].(string)
				if !ok {
					t.Errorf("there is no dimension %v in %v", name, line)
				}
				key += "/" + value
			}
			for _, m := range d["Metrics"].([]any) {
				name := m.(map[string]any)["Name"].(string)
				if value, ok := line[name].(float64); ok {
					found[key+" "+name] = value
				}
			}
		}
	}
	return found
}

func check(t *testing.T, got map[string]float64, want map[string]float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("metrics are %v, want %v", got, want)
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %v, want %v", name, got[name], value)
		}
	}
}

func TestRequest(t *testing.T) {
	request := func(status int) func(*slog.Logger) {
		return func(log *slog.Logger) {
			log.Info("request", "edge", "scim", "route", "/Users", "status", status, "durationMs", 1.5, "calls", 2,
				"readUnits", 3.0)
		}
	}
	got := line(t, metric.Options{Stack: "one"}, request(201))
	check(t, emitted(t, got), map[string]float64{
		"serverless-scim/one/scim durationMs": 1.5, "serverless-scim/one/scim calls": 2,
		"serverless-scim/one/scim readUnits": 3, "serverless-scim/one/scim/ok requests": 1,
	})
	got = line(t, metric.Options{Routes: true}, request(404))
	check(t, emitted(t, got), map[string]float64{
		"serverless-scim/-/scim durationMs": 1.5, "serverless-scim/-/scim//Users durationMs": 1.5,
		"serverless-scim/-/scim calls": 2, "serverless-scim/-/scim//Users calls": 2,
		"serverless-scim/-/scim readUnits": 3, "serverless-scim/-/scim//Users readUnits": 3,
		"serverless-scim/-/scim/refused requests": 1,
	})
	for status, want := range map[int]string{
		200: "ok", 302: "ok", 409: "refused", 429: "busy", 500: "failed", 503: "busy",
	} {
		if got := line(t, metric.Options{}, request(status))["outcome"]; got != want {
			t.Errorf("the outcome of %d is %v, want %s", status, got, want)
		}
	}
}

func TestCounted(t *testing.T) {
	for message, name := range metric.Counted {
		got := line(t, metric.Options{Stack: "one"}, func(log *slog.Logger) {
			log.With("tenant", "acme").Warn(message, "x", 1)
		})
		check(t, emitted(t, got), map[string]float64{"serverless-scim/one " + name: 1})
		if got["tenant"] != "acme" || got["x"] != 1.0 {
			t.Errorf("the line has lost something: %v", got)
		}
	}
}

func TestOtherLines(t *testing.T) {
	got := line(t, metric.Options{}, func(log *slog.Logger) { log.Info("tenant created", "tenant", "acme") })
	if got["_aws"] != nil || got["tenant"] != "acme" {
		t.Errorf("the line is %v", got)
	}
	var out bytes.Buffer
	slog.New(metric.Handler(slog.NewJSONHandler(&out, nil), metric.Options{})).Debug("request")
	if out.Len() > 0 {
		t.Errorf("a line below the level: %s", out.String())
	}
}

func BenchmarkRequestLine(b *testing.B) {
	var out bytes.Buffer
	for name, h := range map[string]slog.Handler{
		"plain":   slog.NewJSONHandler(&out, nil),
		"metrics": metric.Handler(slog.NewJSONHandler(&out, nil), metric.Options{}),
	} {
		b.Run(name, func(b *testing.B) {
			log := slog.New(h)
			b.ReportAllocs()
			for b.Loop() {
				out.Reset()
				log.Info("request", "edge", "scim", "route", "/Users", "status", 200, "durationMs", 1.5,
					"calls", 2, "readUnits", 3.0, "writeUnits", 4.0)
			}
		})
	}
}
