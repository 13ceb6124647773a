package schema

import (
	"sync"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Limits of this server on the values by which clients find a resource.
const (
	// MaxNameBytes bounds userName, externalId, displayName and emails.value.
	MaxNameBytes = 512
	// MaxEmails bounds the e-mail addresses of a user, together with its unique values: a write is one transaction
	// of at most 100 operations, and one that replaces all of them has two for each. The remaining operations are
	// for the other items.
	MaxEmails = 40
)

const inGroups = "The groups that the user is a direct member of. Change them through the groups."

// User is the schema of users (RFC 7643, section 4.1).
var User = sync.OnceValue(func() *Schema {
	return Define(&Schema{
		ID: scim.UserURN, Name: "User", Description: "User Account",
		Attributes: append(Common(),
			str("userName", "The name by which the user signs in at the service provider. Unique among all users, "+
				"whatever the case.", required, unique, maxBytes(MaxNameBytes)),
			complexOf("name", "The parts of the user's name.",
				str("formatted", "The full name, with titles and suffixes, as it is shown."),
				str("familyName", "The family name, or last name."),
				str("givenName", "The given name, or first name."),
				str("middleName", "The middle name or names."),
				str("honorificPrefix", "What precedes the name, such as a title: \"Dr.\"."),
				str("honorificSuffix", "What follows the name: \"III\"."),
			),
			str("displayName", "The name of the user as others see it.", maxBytes(MaxNameBytes)),
			str("nickName", "The informal name by which the user is called."),
			ref("profileUrl", "The address of a page about the user.", "external"),
			str("title", "The user's job title."),
			str("userType", "How the user relates to the organisation: \"Employee\", \"Contractor\"."),
			str("preferredLanguage",
				"The languages that the user prefers to read, as in an HTTP Accept-Language header."),
			str("locale", "Where the user is at home, for currency, dates and numbers: \"en-US\"."),
			str("timezone", "The user's time zone, as in the IANA time zone database: \"Europe/Berlin\"."),
			boolean("active", "Whether the user may use the service.", kept),
			str("password", "The user's password in clear text. It is discarded, and never returned.", writeOnly),
			with(multi("emails", "The user's e-mail addresses.",
				plural("An e-mail address.", "work", "home", "other")), emailLimits, oneValue),
			multi("phoneNumbers", "The user's telephone numbers.",
				plural("A telephone number.", "work", "home", "mobile", "fax", "pager", "other"), oneValue),
			multi("ims", "The user's instant messaging addresses.",
				plural("An instant messaging address.", "aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"),
				oneValue),
			multi("photos", "Addresses of pictures of the user.",
				plural("The address of a picture.", "photo", "thumbnail"),
				valueType(Reference, "external"), secureValue, oneValue),
			multi("addresses", "The user's postal addresses.", []*Attribute{
				str("formatted", "The whole address as it is written on an envelope, possibly in several lines."),
				str("streetAddress", "Street, house number, post office box, floor; possibly in several lines."),
				str("locality", "The city or town."),
				str("region", "The state or region."),
				str("postalCode", "The postal code."),
				str("country", "The country, as two letters of ISO 3166-1."),
				label("work", "home", "other"),
				primary(),
			}),
			with(multi("groups", inGroups, []*Attribute{
				str("value", "The id of the group.", caseExact, readOnly),
				ref("$ref", "The address of the group.", "Group"),
				str("display", "The group's displayName.", readOnly),
				str("type", "How the user belongs to the group.", readOnly, canonical("direct", "indirect")),
			}), allReadOnly),
			multi("entitlements", "What the user may have or do.", plural("An entitlement.")),
			multi("roles", "The user's roles.", plural("A role.")),
			multi("x509Certificates", "The user's certificates.", plural("A DER certificate in base64."),
				valueType(Binary)),
		),
	})
})

// EnterpriseUser is the enterprise extension of users (RFC 7643, section 4.3).
var EnterpriseUser = sync.OnceValue(func() *Schema {
	return Define(&Schema{
		ID: scim.EnterpriseUserURN, Name: "EnterpriseUser", Description: "Enterprise User",
		Attributes: []*Attribute{
			str("employeeNumber", "The number or name by which the organisation knows the person."),
			str("costCenter", "The cost centre."),
			str("organization", "The organisation."),
			str("division", "The division."),
			str("department", "The department."),
			with(complexOf("manager", "The user's manager.",
				str("value", "The id of the manager's user.", caseExact),
				with(ref("$ref", "The address of the manager's user.", "User"), readOnly),
				str("displayName", "The manager's displayName.", readOnly),
			), oneValue),
		},
	})
})

func emailLimits(a *Attribute) {
	a.MaxValues = MaxEmails
	for _, s := range a.SubAttributes {
		if s.Name == "value" {
			s.MaxBytes = MaxNameBytes
		}
	}
}
