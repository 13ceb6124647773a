package record

import (
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Match is a value by which a person is found again.
type Match struct{ Attribute, Value string }

// Matches are the values of a person in the order in which the policy looks for them.
func Matches(order []string, person mapping.Person) []Match {
	values := map[string]string{
		ByExternalID: person.ExternalID, ByUserName: scim.Fold(person.UserName), ByEmail: scim.Fold(person.Email),
	}
	var all []Match
	for _, attribute := range order {
		if value := values[attribute]; value != "" {
			all = append(all, Match{attribute, value})
		}
	}
	return all
}
