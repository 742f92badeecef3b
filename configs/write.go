package configs

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"doorward/runtime/flow"
	"doorward/runtime/policy"
)

// sent reads a body that a client sends, without what is shown and not kept.
func (k *Kind) sent(body []byte) (object, error) {
	b, faults := canonical(body)
	var m object
	if b != nil && (json.Unmarshal(b, &m) != nil || m == nil) {
		faults.Add(root, "takes an object")
	}
	if len(faults) > 0 {
		var out Faults
		out.merge("", faults)
		return nil, out
	}
	k.strip(m)
	delete(m, "id")
	for _, name := range k.apart {
		var names []string
		if m[name] != nil && json.Unmarshal(m[name], &names) != nil {
			return nil, refused(root.Member(name), "takes the names as they are shown; values are sent to the address "+name+" of the "+k.Title)
		}
		delete(m, name)
	}
	return m, nil
}

// create adds a document or a part, and returns its new id.
func (c *change) create(k *Kind, parents []string, body []byte) (string, error) {
	m, err := k.sent(body)
	if err != nil {
		return "", err
	}
	id := c.newID()
	m["id"] = raw(id)
	if k.Parent == nil {
		c.write(k, id, m, nil)
		if k.defaults && c.tree.standard(k.Name) == nil {
			c.faults.AddCode(root.Member("default"), flow.ConstraintViolation, "takes true, since there is no other one that could be the default")
		}
		return id, nil
	}
	if k.enters != nil {
		c.faults = append(c.faults, k.enters(m, c.now())...)
	}
	return id, c.part(k, append(slices.Clone(parents), id), func(list []object) ([]object, error) { return append(list, m), nil })
}

// replace gives a document or a part another body.
func (c *change) replace(k *Kind, parents []string, id string, body []byte) error {
	m, err := k.sent(body)
	if err != nil {
		return err
	}
	if k.Parent != nil {
		return c.part(k, append(slices.Clone(parents), id), func(list []object) ([]object, error) {
			n := k.index(list, id)
			if n < 0 {
				return nil, flow.ErrUnknown
			}
			if k.final {
				return nil, refused(root, "cannot be changed once it is made; make another "+k.Title)
			}
			if f := k.sealedParts(m); f != nil {
				return nil, f
			}
			m["id"] = list[n]["id"]
			k.carry(m, list[n])
			list[n] = m
			return list, nil
		})
	}
	old := c.tree.find(k.Name, id)
	switch {
	case k.borrows() && id == c.env:
	case old == nil:
		return flow.ErrUnknown
	default:
		m["id"] = raw(id)
	}
	if old != nil {
		if f := k.sealedParts(m); f != nil {
			return f
		}
		was := old.members()
		k.identify(id, was) // ids stay, also where a part moves
		k.carry(m, was)
	}
	e := c.write(k, id, m, old)
	if old != nil && old.standard() && !e.standard() {
		c.faults.AddCode(root.Member("default"), flow.ConstraintViolation, "takes true, since it is the default one; make another one the default instead")
	}
	return nil
}

// holdsFinal reports whether it, or a part of it, cannot be replaced.
func (k *Kind) holdsFinal() bool { return k.final || slices.ContainsFunc(k.Parts, (*Kind).holdsFinal) }

// sealedParts refuses a replacement that brings parts which cannot be replaced: whoever
// has agreed to a text has agreed to that one.
func (k *Kind) sealedParts(m object) error {
	for _, p := range k.Parts {
		if m[p.Collection] != nil && p.holdsFinal() {
			return refused(root.Member(p.Collection), "is not changed with the "+k.Title+"; every "+p.Title+" has an address of its own")
		}
	}
	return nil
}

// carry takes over what a replacement does not say or does not change.
func (k *Kind) carry(m, old object) {
	for _, name := range k.fixed {
		delete(m, name)
		if old[name] != nil {
			m[name] = old[name]
		}
	}
	kept := slices.Clone(k.kept)
	for _, p := range k.Parts {
		kept = append(kept, p.Collection)
	}
	for _, name := range kept {
		if m[name] == nil && old[name] != nil {
			m[name] = old[name]
		}
	}
}

// part changes a list of parts. path is the id of the document, those of the parts
// that the list is in, and that of the part that is written.
func (c *change) part(k *Kind, path []string, fn func([]object) ([]object, error)) error {
	doc := k.root()
	old := c.tree.find(doc.Name, path[0])
	if old == nil {
		return flow.ErrUnknown
	}
	m := old.members()
	doc.identify(old.id, m)
	if err := edit(m, k.lineage(), path[1:], fn); err != nil {
		return err
	}
	c.at = where(m, k.lineage(), path[1:])
	c.write(doc, old.id, m, old)
	return nil
}

// write puts a document into the environment, in the place of old where there is
// one, with the secrets that it needs.
func (c *change) write(k *Kind, id string, m object, old *entry) *entry {
	written := map[string]string{}
	if old != nil {
		written = k.based(old.body, c.base)
	}
	body := k.normal(encode(m), func(address string) string {
		if as := written[address]; as != "" {
			return as
		}
		return address
	})
	e := k.parse("", body)
	e.id = id
	if old != nil {
		secrets := maps.Clone(old.secrets)
		maps.DeleteFunc(secrets, func(name, _ string) bool { return k.spares != nil && !k.spares(e, name) })
		maps.Copy(secrets, e.secrets)
		sent := e.secrets
		e.secrets = secrets
		c.prove(e, sent)
	} else {
		c.prove(e, e.secrets)
	}
	c.place(e, old)
	if e.standard() {
		for _, other := range c.tree.all[k.Name] {
			if other != e && other.standard() {
				c.unset(other)
			}
		}
	}
	return e
}

// prove gives an application the secret that it needs, and takes away one that it
// has no use for.
func (c *change) prove(e *entry, sent map[string]string) {
	d, ok := e.doc.(*applicationDocument)
	switch {
	case !ok:
	case d.confidential() && e.secrets["secret"] == "":
		e.secrets["secret"] = c.newSecret()
	case !d.confidential() && sent["secret"] == "":
		delete(e.secrets, "secret")
	}
}

// newSecret is 244 random bits.
func (e *Editor) newSecret() string { return strings.ReplaceAll(e.newID()+e.newID(), "-", "") }

// place puts e where old was, or at the end.
func (c *change) place(e, old *entry) {
	c.put = append(c.put, e)
	c.date(e, old)
	all := slices.Clone(c.tree.all[e.kind.Name])
	if i := slices.Index(all, old); old != nil && i >= 0 {
		all[i] = e
	} else {
		all = append(all, e)
	}
	c.tree.all[e.kind.Name] = all
}

// unset makes a document the default one no more.
func (c *change) unset(old *entry) {
	m := old.members()
	m["default"] = raw(false)
	e := old.kind.parse(old.place, encode(m))
	e.id, e.secrets = old.id, old.secrets
	c.place(e, old)
}

// remove takes a document or a part away.
func (c *change) remove(k *Kind, parents []string, id string) error {
	if k.Parent != nil {
		c.removed = true
		return c.part(k, append(slices.Clone(parents), id), func(list []object) ([]object, error) {
			n := k.index(list, id)
			if n < 0 {
				return nil, flow.ErrUnknown
			}
			if k.leaves != nil {
				if message := k.leaves(list[n], c.now()); message != "" {
					return nil, refused(root, message)
				}
			}
			return slices.Delete(list, n, n+1), nil
		})
	}
	e := c.tree.find(k.Name, id)
	switch {
	case e == nil && k.stands != nil && id == c.env:
		return nil // what would hold then holds
	case e == nil:
		return flow.ErrUnknown
	case e.standard():
		return refused(root, "is the default one and cannot be removed; make another one the default first")
	}
	if by := c.tree.named(k.Name, id); len(by) > 0 {
		return &Referenced{Kind: k.Name, ID: id, By: by}
	}
	c.drop(e)
	return nil
}

// drop takes a document out of the environment, its draft, and the times of its
// parts.
func (c *change) drop(e *entry) {
	c.tree.all[e.kind.Name] = slices.DeleteFunc(slices.Clone(c.tree.all[e.kind.Name]), func(x *entry) bool { return x == e })
	c.gone = append(c.gone, flow.Resource{Env: c.env, Kind: e.kind.Name, ID: e.id})
	for _, r := range c.before {
		draft := e.kind.Name == kindFlowDefinition && r.Kind == kindDraft
		if r.ID == e.id && (draft || r.Kind == timesKind(e.kind)) {
			c.gone = append(c.gone, r)
		}
	}
}

func refused(at policy.Path, message string) Faults {
	return Faults{{Fault: policy.Fault{Path: at, Code: flow.ConstraintViolation, Message: message}}}
}
