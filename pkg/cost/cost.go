// Package cost estimates the monthly cost of a stack, part by part, from its numbers of tenants, users and
// requests. The consumption of a request is measured (docs/limits.md); the reader enters the numbers.
package cost

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

// Prices are AWS's list prices in US dollars, with their date and Region.
type Prices struct {
	Date   string `json:"date"`
	Region string `json:"region"`
	Source string `json:"source"`

	GatewayMillion       float64 `json:"gatewayMillion"` // requests
	LambdaMillion        float64 `json:"lambdaMillion"`  // requests
	LambdaGigabyteSecond float64 `json:"lambdaGigabyteSecond"`
	WriteMillion         float64 `json:"writeMillion"` // units
	ReadMillion          float64 `json:"readMillion"`  // units
	TableGigabyteMonth   float64 `json:"tableGigabyteMonth"`
	RecoveryGigabyte     float64 `json:"recoveryGigabyteMonth"`
	SecretMonth          float64 `json:"secretMonth"`
	SecretMillion        float64 `json:"secretMillionCalls"`
	LogGigabyte          float64 `json:"logGigabyte"` // taken in
	LogGigabyteMonth     float64 `json:"logGigabyteMonth"`
	MetricMonth          float64 `json:"metricMonth"`
	AlarmMonth           float64 `json:"alarmMonth"` // a metric of an alarm
	DashboardMonth       float64 `json:"dashboardMonth"`
	EventMillion         float64 `json:"eventMillion"`
	QueueMillion         float64 `json:"queueMillion"` // requests
}

//go:embed prices.json
var listed []byte

// Listed are the list prices that the program has.
func Listed() (Prices, error) {
	var p Prices
	if err := json.Unmarshal(listed, &p); err != nil {
		return p, fmt.Errorf("cost: prices: %w", err)
	}
	return p, nil
}

// Load is the load of a stack.
type Load struct {
	Tenants int `default:"100" placeholder:"N" help:"Tenants."`
	// Users are those of each tenant, Groups the groups that each of them is in.
	Users  int `default:"500" placeholder:"N" help:"Users of a tenant."`
	Groups int `default:"5" placeholder:"N" help:"Groups that a user is in."`
	// Changes are the changes of users and memberships.
	Changes float64 `default:"2" placeholder:"N" help:"Changes of users and groups, a day and hundred users."`
	// Reads are those of the identity provider, Polls those of the application for members and events.
	Reads int `default:"200" placeholder:"N" help:"Reads of the identity provider, a day and tenant."`
	Polls int `default:"288" placeholder:"N" help:"Reads of the application, a day and tenant."`
	// Packed is the parameter PackedSecrets.
	Packed bool `help:"Keep the tokens of 400 tenants in one secret (PackedSecrets)."`
	// Retention is that of logs and events.
	Retention int `default:"90" placeholder:"DAYS" help:"Days that logs and events are kept."`
}

// Measured values: the units of requests, times, and sizes of stored items.
const (
	days = 30.4 // of a month

	// A change: a filter on userName or the id, and a PATCH, or a member added; docs/limits.md. Then its publication,
	// and the marker that leads to it; docs/performance.md.
	changeRequests = 2
	changeReads    = 5 + 4
	changeWrites   = 8 + 2
	publishReads   = 12
	publishWrites  = 16
	// Its delivery to the event bus: the lease and the position, the head, the tenant and the entry, and three requests
	// to the queue.
	deliverReads  = 4
	deliverWrites = 2
	deliverCalls  = 3
	// A filter that hits, and a poll that finds nothing new.
	lookReads = 5
	pollReads = 3

	// The time and memory of functions: of a request, of a wake-up, of the hourly run.
	memory       = 1.0 // GB of a request function
	small        = 0.5 // GB of stream and rotate
	requestTime  = 0.020
	wakeUpTime   = 0.060
	hourlyTime   = 0.500
	hourlyReads  = 16
	tenantsAPack = 400
	metrics      = 29 // of the functions, with Metrics basic
	// The metrics of the alarms: an alarm that computes with several is charged for each.
	alarms = 38

	// The work of deliver without events: each minute a run that reads the list of due deliveries, and a month of
	// waiting at the queue.
	minutelyReads = 1
	waitingCalls  = 650_000

	// Bytes: a user with its lookups and as published, a membership with its reverse, an entry of the log, and the log
	// lines of gateway and function.
	userBytes   = 6000
	memberBytes = 300
	eventBytes  = 2000
	logBytes    = 900

	gigabyte = 1e9
)

// Part is a part of the bill.
type Part struct {
	Name string
	// Quantity counts units, such as "million requests", at Price each.
	Quantity float64
	Unit     string
	Price    float64
}

// Dollars is the monthly cost of the part.
func (p Part) Dollars() float64 { return p.Quantity * p.Price }

// Bill is the monthly cost of a stack, by part.
type Bill []Part

// Dollars is the sum.
func (b Bill) Dollars() float64 {
	sum := 0.0
	for _, p := range b {
		sum += p.Dollars()
	}
	return sum
}

// Of makes the bill of a load.
func Of(l Load, p Prices) Bill {
	tenants := float64(l.Tenants)
	people := tenants * float64(l.Users)
	changes := people / 100 * l.Changes * days
	reads, polls := tenants*float64(l.Reads)*days, tenants*float64(l.Polls)*days
	requests := changes*changeRequests + reads + polls
	hours, minutes := 24*days, 24*60*days
	// A change wakes stream and deliver. Every schedule runs by itself.
	runs := 2*changes + minutes

	seconds := requests*requestTime*memory + runs*wakeUpTime*small + hours*hourlyTime*small
	events := changes / days * float64(l.Retention)
	stored := (people*(userBytes+float64(l.Groups)*memberBytes) + events*eventBytes) / gigabyte
	logged := (requests + changes) * logBytes / gigabyte
	secrets := tenants
	if l.Packed {
		secrets = float64((l.Tenants + tenantsAPack - 1) / tenantsAPack)
	}
	const million = 1e6
	return Bill{
		{"API Gateway", requests / million, "million requests", p.GatewayMillion},
		{"Lambda, requests", (requests + runs + hours) / million, "million requests", p.LambdaMillion},
		{"Lambda, time", seconds, "GB-seconds", p.LambdaGigabyteSecond},
		{
			"DynamoDB, writes", changes * (changeWrites + publishWrites + deliverWrites) / million,
			"million units", p.WriteMillion,
		},
		{
			"DynamoDB, reads",
			(changes*(changeReads+publishReads+deliverReads) + reads*lookReads + polls*pollReads +
				hours*hourlyReads + minutes*minutelyReads) / million,
			"million units", p.ReadMillion,
		},
		{"DynamoDB, storage", stored, "GB", p.TableGigabyteMonth},
		{"DynamoDB, point-in-time recovery", stored, "GB", p.RecoveryGigabyte},
		{"DynamoDB, stream", 0, "read by Lambda", 0},
		{"Secrets Manager", secrets, "secrets", p.SecretMonth},
		{"Secrets Manager, calls", 2 * tenants / 6 / million, "million calls", p.SecretMillion},
		{"CloudWatch, logs taken in", logged, "GB", p.LogGigabyte},
		{"CloudWatch, logs kept", logged * float64(l.Retention) / days, "GB", p.LogGigabyteMonth},
		{"CloudWatch, metrics", metrics, "metrics", p.MetricMonth},
		{"CloudWatch, alarms", alarms, "metrics of alarms", p.AlarmMonth},
		{"CloudWatch, dashboard", 1, "dashboard", p.DashboardMonth},
		{"EventBridge", (changes + tenants) / million, "million events", p.EventMillion},
		{"SQS", (changes*deliverCalls + waitingCalls) / million, "million requests", p.QueueMillion},
	}
}
