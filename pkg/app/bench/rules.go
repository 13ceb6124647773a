package bench

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// ruleSizes are sizes of policies, in rules. The last is the largest that there may be.
var ruleSizes = []int{10, 100, 500}

// groupsOfOne is the number of groups of the member for whom policies are evaluated.
const groupsOfOne = 10

// ruleOperations are the parts of an evaluation, without a tenant or a table: they only compute.
func ruleOperations() []operation {
	return []operation{
		computing("compile a policy", 2, func(r rules) func() {
			return func() { _, _, _ = mapping.Parse(r.document, schema.DefaultTypes()) }
		}),
		computing("match a group, once for its version and the policy's", 100, func(r rules) func() {
			return func() { r.policy.Group("g", r.groups[0]) }
		}),
		computing("evaluate the policy for a member in 10 groups", 100, func(r rules) func() {
			facts := mapping.Facts{User: r.user, Targets: mapping.Targets{}}
			for i, g := range r.groups {
				facts.Memberships = append(facts.Memberships, mapping.Membership{
					Group: r.policy.Group(fmt.Sprint(i), g),
				})
			}
			return func() {
				r.policy.Needs(facts)
				r.policy.Evaluate(facts)
			}
		}),
	}
}

// computing is an operation that is done some times for each sample.
func computing(name string, times int, of func(rules) func()) operation {
	return operation{name: name, computes: true, whole: func(_ context.Context, w *world) (sample, error) {
		r, err := newRules(w.size)
		if err != nil {
			return sample{}, err
		}
		do := of(r)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begin := time.Now()
		for range times {
			do()
		}
		took := time.Since(begin)
		runtime.ReadMemStats(&after)
		return sample{
			time: took / time.Duration(times), allocations: max((after.Mallocs-before.Mallocs)/uint64(times), 1),
		}, nil
	}}
}

// rules is a policy with a member and the member's groups.
type rules struct {
	document []byte
	policy   *mapping.Policy
	user     scim.Object
	groups   []scim.Object
}

// newRules creates a policy of n rules: half are on names of groups, by pattern and by filter, half on attributes.
func newRules(n int) (rules, error) {
	var text strings.Builder
	text.WriteString(`{"kinds":{"role":{"create":true},"team":{"create":true}},"rules":[`)
	for i := range n {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, `{"id":"rule-%d",`, i)
		switch i % 4 {
		case 0:
			fmt.Fprintf(&text, `"group":{"pattern":"^Unit%d_(?P<name>.+)$"},`+
				`"assign":{"kind":"role","target":"${name}"}}`, i)
		case 1:
			fmt.Fprintf(&text, `"group":{"filter":"displayName eq \"Unit%d_Lead\""},`+
				`"assign":{"kind":"role","target":"lead-%d"}}`, i-1, i)
		case 2:
			fmt.Fprintf(&text, `"user":{"filter":"title eq \"Title %d\" and active eq true"},`+
				`"assign":{"kind":"team","target":"team-%d"}}`, i, i)
		case 3:
			fmt.Fprintf(&text, `"user":{"filter":"userType ne \"Guest\"","value":"nickName"},`+
				`"assign":{"kind":"team","target":"${value}-%d"}}`, i)
		}
	}
	text.WriteString(`]}`)
	r := rules{document: []byte(text.String()), user: scim.Object{
		"userName": "ada@example.com", "displayName": "Ada Lovelace", "title": "Title 2", "active": true,
		"emails": []any{scim.Object{"value": "ada@example.com", "type": "work"}},
	}}
	for i := range groupsOfOne {
		r.groups = append(r.groups, scim.Object{"displayName": fmt.Sprintf("Unit%d_Lead", i*4%n)})
	}
	var err error
	r.policy, _, err = mapping.Parse(r.document, schema.DefaultTypes())
	return r, err
}
