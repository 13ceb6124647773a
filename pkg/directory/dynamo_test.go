package directory_test

import (
	"math/rand/v2"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/internal/awsfake/dynamolocal"
	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
	"github.com/serverless-scim/serverless-scim/pkg/store/dynamostore"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
)

// TestAnythingOnDynamoDB is TestAnything on the other engine, which it gives the conflicts that DynamoDB Local never
// has.
func TestAnythingOnDynamoDB(t *testing.T) {
	slow.Test(t, "it takes half a minute; TestAnything does the same on the embedded engine")
	client := dynamolocal.Client(t)
	faulty := faultstore.New(dynamostore.New(client, dynamolocal.Table(t, client)),
		faultstore.Random(7, 0.1, faultstore.Conflict, faultstore.LostAnswer))
	w := on(t, faulty, "entra")
	m := &mess{w: w, slow: true}
	together(4, func(i int) {
		r := rand.New(rand.NewPCG(7, uint64(i)))
		for range 20 {
			m.step(r)
		}
	})
	w.killed = m.putOff.Load() // who is put off may leave chunks, as who is killed
	faulty.SetPlan(nil)
	w.settled()
}
