package patch

import (
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
)

// changeResource applies an operation whose path is the URN of the core schema: the resource itself.
func (p *patcher) changeResource(kind Kind, value any) error {
	if kind == Remove {
		return scim.BadRequest(scim.Mutability, "The core schema of a resource can't be removed.")
	}
	obj, err := parseAttributes(value)
	if err != nil {
		return err
	}
	return p.merge(kind, p.t.Core.ID+":", obj)
}

// changeExtension applies an operation whose path is the URN of an extension: its attributes are merged, as those of a
// complex attribute are. A remove with a value removes the attributes that the value names.
func (p *patcher) changeExtension(kind Kind, tg target, value any) error {
	id := tg.extension.ID
	if unassigns(value) {
		if kind == Add {
			return nil
		}
		for _, e := range p.t.Extensions {
			if e.Schema.ID == id && e.Required {
				return errRequired(id)
			}
		}
		return p.removeExtension(tg)
	}
	obj, err := parseAttributes(value)
	if err != nil {
		return scim.BadRequest(scim.InvalidValue, "The value of %s must be an object of its attributes.", id)
	}
	return p.merge(kind, id+":", obj)
}

func (p *patcher) removeExtension(tg target) error {
	old, _ := p.doc[tg.extension.ID].(scim.Object)
	for _, a := range tg.extension.Attributes {
		if name := immutableChanged(a, old[a.Name], nil); name != "" {
			return errImmutable(name)
		}
	}
	delete(p.doc, tg.extension.ID)
	return nil
}

// member is one key of an object of attributes, resolved.
type member struct {
	key   string
	depth int
	to    target
}

// merge applies each key of obj as if it were the path of an operation of its own. prefix, a URN with a colon or "",
// goes before every key. Whole attributes come before their sub-attributes, and these before value paths, so that the
// outcome does not depend on the order of the keys.
func (p *patcher) merge(kind Kind, prefix string, obj scim.Object) error {
	members := make([]member, 0, len(obj))
	for _, key := range slices.Sorted(maps.Keys(obj)) {
		if strings.EqualFold(key, "schemas") {
			continue // rebuilt from the data; some clients write it inside an extension, too
		}
		m, known, err := p.resolveKey(prefix, key)
		switch {
		case err != nil:
			p.at = prefix + key
			return err
		case known && m.to.readOnly() == "":
			members = append(members, m)
		case !known && (p.isCollection(m.to) || p.meansCollection(filter.Path{Name: key})):
			p.at = prefix + key
			return errUnknownPath()
		case !known && p.d.RejectUnknownAttributes:
			return scim.BadRequest(scim.InvalidSyntax,
				"%s is not an attribute of this resource; /Schemas lists them all.", shortened(key))
		}
	}
	sort.SliceStable(members, func(i, j int) bool { return members[i].depth < members[j].depth })
	outer := p.merging
	p.merging = true
	defer func() { p.merging = outer }()
	for _, m := range members {
		if err := p.change(kind, m.to, obj[m.key], true); err != nil {
			p.at = prefix + m.key
			return err
		}
	}
	return nil
}

func (p *patcher) resolveKey(prefix, key string) (member, bool, error) {
	if key == "" {
		return member{}, false, nil
	}
	path := filter.Path{Name: prefix + key}
	if strings.Contains(key, "[") {
		var err error
		if path, err = filter.ParsePath(prefix+key, p.d); err != nil {
			return member{}, false, err
		}
	}
	to, known, err := p.resolve(path)
	m := member{key: key, to: to}
	switch {
	case to.expr != nil:
		m.depth = 2
	case to.sub != nil:
		m.depth = 1
	}
	return m, known, err
}
