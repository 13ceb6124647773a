package record

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Account is one of the application's people. All but ID may be empty.
type Account struct{ ID, ExternalID, UserName, Email string }

// MaxAccountBytes bounds the id of an account.
const MaxAccountBytes = 256

// Person is the account as far as people are found again by it.
func (a Account) Person() mapping.Person {
	return mapping.Person{ExternalID: a.ExternalID, UserName: a.UserName, Email: a.Email}
}

// Encode is the stored form of an account.
func (a Account) Encode() string {
	return string(scim.AppendJSON(nil, scim.Object{
		"accountId": a.ID, "externalId": a.ExternalID, "userName": a.UserName, "email": a.Email,
	}))
}

// MatchedBy are the attributes by which people are found again, under any policy.
var MatchedBy = []string{ByExternalID, ByUserName, ByEmail}

// DecodeAccount reads the stored form of an account.
func DecodeAccount(doc string) Account {
	o, _ := scim.ParseObject(doc)
	text := func(name string) string { s, _ := o[name].(string); return s }
	return Account{text("accountId"), text("externalId"), text("userName"), text("email")}
}

// LookupsOf are the keys of the items that lead from the values of an account to it. One of another account with the
// same value is not among them: the last account that names a value has it.
func LookupsOf(ctx context.Context, ts *store.TenantStore, a Account) ([]store.Key, error) {
	var keys []store.Key
	for _, m := range Matches(MatchedBy, a.Person()) {
		keys = append(keys, ts.AccountFor(m.Attribute, m.Value))
	}
	items, err := ts.Get(ctx, keys...)
	own := keys[:0]
	for _, item := range items {
		if item.Attrs[AttrAccount] == a.ID {
			own = append(own, item.Key)
		}
	}
	return own, err
}
