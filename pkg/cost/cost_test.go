package cost_test

import (
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/cost"
)

// TestArithmetic adds up a bill by hand, at prices that make each part easy to see.
func TestArithmetic(t *testing.T) {
	one := cost.Prices{
		GatewayMillion: 1e6, LambdaMillion: 1e6, LambdaGigabyteSecond: 1, WriteMillion: 1e6, ReadMillion: 1e6,
		TableGigabyteMonth: 1e9, RecoveryGigabyte: 1e9, SecretMonth: 1, SecretMillion: 1e6, LogGigabyte: 1e9,
		LogGigabyteMonth: 1e9, MetricMonth: 1, AlarmMonth: 1, EventMillion: 1e6,
		DashboardMonth: 1, QueueMillion: 1e6,
	}
	// 10 tenants of 100 users: 1,000 users, of whom 20 change a day, 608 a month of 30.4 days.
	bill := cost.Of(cost.Load{
		Tenants: 10, Users: 100, Groups: 2, Changes: 2, Reads: 5, Polls: 10, Retention: 10,
	}, one)
	requests, minutes := 608.0*2+10*5*30.4+10*10*30.4, 60*24*30.4
	want := map[string]float64{
		"API Gateway":       requests,
		"Lambda, requests":  requests + 2*608 + minutes + 24*30.4,
		"Lambda, time":      requests*0.020*1 + (2*608+minutes)*0.060*0.5 + 24*30.4*0.5*0.5,
		"DynamoDB, writes":  608 * 28,
		"DynamoDB, reads":   608*25 + 1520*5 + 3040*3 + 24*30.4*16 + minutes,
		"DynamoDB, storage": 1000*(6000+2*300) + 20*10*2000, "DynamoDB, stream": 0,
		"DynamoDB, point-in-time recovery": 1000*(6000+2*300) + 20*10*2000,
		"Secrets Manager":                  10, "Secrets Manager, calls": 2 * 10 / 6.0,
		"CloudWatch, logs taken in": (requests + 608) * 900,
		"CloudWatch, logs kept":     (requests + 608) * 900 * 10 / 30.4,
		"CloudWatch, metrics":       29, "CloudWatch, alarms": 38, "CloudWatch, dashboard": 1,
		"EventBridge": 608 + 10, "SQS": 3*608 + 650_000,
	}
	sum := 0.0
	for _, p := range bill {
		if math.Abs(p.Dollars()-want[p.Name]) > 1e-6*want[p.Name] {
			t.Errorf("%s: %v, want %v", p.Name, p.Dollars(), want[p.Name])
		}
		sum += want[p.Name]
	}
	if len(bill) != len(want) || math.Abs(bill.Dollars()-sum) > 1e-6*sum {
		t.Errorf("%d parts, %v, want %v", len(bill), bill.Dollars(), sum)
	}
	packed := cost.Of(cost.Load{Tenants: 401, Packed: true}, one)
	for _, p := range packed {
		if p.Name == "Secrets Manager" && p.Quantity != 2 {
			t.Errorf("401 packed tenants have %v secrets", p.Quantity)
		}
	}
}

// TestListedPrices: they have a day, a Region and no empty price, and are those of the documentation.
func TestListedPrices(t *testing.T) {
	p, err := cost.Listed()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := time.Parse(time.DateOnly, p.Date); err != nil || p.Region == "" || p.Source == "" {
		t.Errorf("%+v: %v", p, err)
	}
	for i, price := range []float64{
		p.GatewayMillion, p.LambdaMillion, p.LambdaGigabyteSecond, p.WriteMillion, p.ReadMillion, p.TableGigabyteMonth,
		p.RecoveryGigabyte, p.SecretMonth, p.SecretMillion, p.LogGigabyte, p.LogGigabyteMonth, p.MetricMonth,
		p.AlarmMonth, p.DashboardMonth, p.EventMillion, p.QueueMillion,
	} {
		if price <= 0 {
			t.Errorf("price %d is %v", i, price)
		}
	}
	docs, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{p.Region, p.Date} {
		if !strings.Contains(string(docs), want) {
			t.Errorf("docs/operations.md does not say %q", want)
		}
	}
}

// TestAlarms: the bill has as many metrics of alarms as the template. AWS charges an alarm that computes with several
// metrics for each of them.
func TestAlarms(t *testing.T) {
	template, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for resource := range strings.SplitSeq(string(template), "\n\n  ") {
		if strings.Contains(resource, "Type: AWS::CloudWatch::Alarm") {
			n += strings.Count(resource, " MetricName: ")
		}
	}
	for _, p := range cost.Of(cost.Load{}, cost.Prices{}) {
		if p.Name == "CloudWatch, alarms" && p.Quantity != float64(n) {
			t.Errorf("the bill has %v metrics of alarms, the template %d", p.Quantity, n)
		}
	}
}
