package bench

// priceTable holds prices of AWS, in US dollars.
type priceTable struct {
	region, date, source string
	// of a million
	readUnits, writeUnits, gateway, invocations float64
	// of a gigabyte-second, arm64
	gigabyteSecond float64
}

// prices are those of on-demand capacity, the HTTP API and Lambda, first tier, without free tiers and taxes.
var prices = priceTable{
	region: "us-east-1", date: "November 2026",
	source:    "price pages of Amazon DynamoDB (on-demand), Amazon API Gateway (HTTP API) and AWS Lambda (arm64)",
	readUnits: 0.125, writeUnits: 0.625, gateway: 1.00, invocations: 0.20, gigabyteSecond: 0.0000133334,
}

// Lambda's time can't be measured here. These values stand for it: the memory that template.yaml sets, and the
// time of a request of a few calls.
const (
	lambdaGigabytes = 1.0
	lambdaSeconds   = 0.020
)

// table is the price of a million requests at DynamoDB, in dollars.
func (p priceTable) table(read, write float64) float64 { return read*p.readUnits + write*p.writeUnits }

// request is the price of API Gateway and Lambda for a million requests, in dollars.
func (p priceTable) request() float64 {
	return p.gateway + p.invocations + lambdaGigabytes*lambdaSeconds*1e6*p.gigabyteSecond
}
