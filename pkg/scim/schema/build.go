package schema

// option changes an attribute while it is made.
type option func(*Attribute)

func with(a *Attribute, options ...option) *Attribute {
	for _, o := range options {
		o(a)
	}
	return a
}

func attribute(name string, t Type, description string) *Attribute {
	return &Attribute{
		Name: name, Type: t, Description: description, Mutability: ReadWrite, Returned: Default,
		Uniqueness: None,
	}
}

func str(name, description string, options ...option) *Attribute {
	return with(attribute(name, String, description), options...)
}

func boolean(name, description string, options ...option) *Attribute {
	return with(attribute(name, Boolean, description), options...)
}

func integer(name, description string, options ...option) *Attribute {
	return with(attribute(name, Integer, description), options...)
}

// ref creates a reference. References are case-exact (RFC 7643, section 2.3.7).
func ref(name, description string, types ...string) *Attribute {
	a := attribute(name, Reference, description)
	a.CaseExact, a.ReferenceTypes = true, types
	return a
}

func complexOf(name, description string, subs ...*Attribute) *Attribute {
	a := attribute(name, Complex, description)
	a.SubAttributes = subs
	return a
}

func multi(name, description string, subs []*Attribute, options ...option) *Attribute {
	a := complexOf(name, description, subs...)
	a.MultiValued = true
	return with(a, options...)
}

// plural makes the usual sub-attributes of a multi-valued attribute (RFC 7643, section 2.4).
func plural(value string, types ...string) []*Attribute {
	return []*Attribute{
		str("value", value),
		str("display", "A name for the value, for people to read."),
		label(types...),
		primary(),
	}
}

func label(types ...string) *Attribute {
	return str("type", "What the value is for; any text, these values are suggestions.", canonical(types...))
}

func primary() *Attribute {
	return boolean("primary", "Whether the value is the preferred one. At most one value of the attribute is.")
}

func required(a *Attribute)  { a.Required = true }
func unique(a *Attribute)    { a.Uniqueness = Server }
func kept(a *Attribute)      { a.Kept = true }
func caseExact(a *Attribute) { a.CaseExact = true }
func immutable(a *Attribute) { a.Mutability = Immutable }
func readOnly(a *Attribute)  { a.Mutability = ReadOnly }
func always(a *Attribute)    { a.Returned = Always }
func onRequest(a *Attribute) { a.Returned = Request }
func oneValue(a *Attribute)  { a.SubAttributes[0].simple = true }
func several(a *Attribute)   { a.MultiValued = true }

func writeOnly(a *Attribute) { a.Mutability, a.Returned = WriteOnly, Never }

func allReadOnly(a *Attribute) {
	readOnly(a)
	for _, s := range a.SubAttributes {
		allReadOnly(s)
	}
}

func maxBytes(n int) option { return func(a *Attribute) { a.MaxBytes = n } }

func canonical(values ...string) option { return func(a *Attribute) { a.CanonicalValues = values } }

// valueType changes the type of the sub-attribute value; references and binaries are case-exact (RFC 7643, sections
// 2.3.6, 2.3.7).
func valueType(t Type, referenceTypes ...string) option {
	return func(a *Attribute) {
		v := a.SubAttributes[0]
		v.Type, v.ReferenceTypes, v.CaseExact = t, referenceTypes, true
	}
}

// secureValue is for complex attributes whose value must be an absolute https URL.
func secureValue(a *Attribute) { a.SubAttributes[0].Secure = true }

// Common creates the attributes that every resource has (RFC 7643, section 3.1), except schemas.
func Common() []*Attribute {
	return []*Attribute{
		str("id", "The identifier that the service provider gives to the resource, once and for ever.",
			caseExact, readOnly, always, unique),
		str("externalId", "The identifier that the client gives to the resource.", caseExact, maxBytes(MaxNameBytes)),
		with(complexOf("meta", "What the service provider knows about the resource itself.",
			str("resourceType", "The name of the resource type.", caseExact),
			attribute("created", DateTime, "When the resource was made."),
			attribute("lastModified", DateTime, "When the resource was last changed."),
			ref("location", "The address of the resource.", "uri"),
			str("version", "The version of the resource, equal to its ETag.", caseExact),
		), allReadOnly),
	}
}
