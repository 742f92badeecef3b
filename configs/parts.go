package configs

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"doorward/runtime/flow"
	"doorward/runtime/policy"
)

// parts reads a member that is a list of objects; not ok when it is something else.
func parts(m object, name string) (list []object, ok bool) {
	if m[name] == nil || json.Unmarshal(m[name], &list) != nil {
		return nil, false
	}
	return list, !slices.ContainsFunc(list, func(o object) bool { return o == nil })
}

// checkParts holds that the ids of parts are ids, each of one of its siblings.
func (k *Kind) checkParts(m object, at policy.Path, f *policy.Faults) {
	for _, p := range k.Parts {
		list, _ := parts(m, p.Collection)
		seen := map[string]bool{}
		for i, part := range list {
			here := at.Member(p.Collection).Index(i)
			var id string
			if part["id"] != nil && json.Unmarshal(part["id"], &id) == nil {
				say(f, here.Member("id"), uuidFault(id))
				if seen[id] {
					f.AddCode(here.Member("id"), flow.UniquenessViolation, "is that of another "+p.Title+" too")
				}
				seen[id] = true
			}
			p.checkParts(part, here, f)
		}
	}
}

// identify gives every part without an id the one that follows from where it is:
// from the id of what it is a part of and from the member that is its own among
// its siblings. So parts of files can be addressed, and keep their ids from one
// start to the next.
func (k *Kind) identify(id string, m object) {
	for _, p := range k.Parts {
		list, ok := parts(m, p.Collection)
		if !ok {
			continue
		}
		for _, part := range list {
			if part["id"] == nil {
				part["id"] = raw(derived(id, p.Collection, text(part, p.ordered)))
			}
			p.identify(text(part, "id"), part)
		}
		m[p.Collection] = raw(list)
	}
}

// identified is the body of a document, its parts with their ids.
func identified(e *entry) []byte {
	m := e.members()
	e.kind.identify(e.id, m)
	return encode(m)
}

// derived is an id of the form of a UUID of version 4 that follows from what it
// is made of. Source: RFC 9562 section 5.4, of which it has the form alone.
func derived(parent, collection, own string) string {
	sum := sha256.Sum256([]byte(parent + "/" + collection + "/" + own))
	sum[6], sum[8] = sum[6]&0x0f|0x40, sum[8]&0x3f|0x80
	s := hex.EncodeToString(sum[:16])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// edit changes a list of parts: lineage are the kinds from the document's parts
// down to that list, ids those of its parts that the list is in.
func edit(m object, lineage []*Kind, ids []string, fn func([]object) ([]object, error)) error {
	p := lineage[0]
	list, _ := parts(m, p.Collection)
	if len(lineage) == 1 {
		list, err := fn(list)
		if err == nil {
			m[p.Collection] = raw(append([]object{}, list...))
		}
		return err
	}
	i := p.index(list, ids[0])
	if i < 0 {
		return flow.ErrUnknown
	}
	if err := edit(list[i], lineage[1:], ids[1:], fn); err != nil {
		return err
	}
	m[p.Collection] = raw(list)
	return nil
}

// index is where the part of an id is in a list; -1: nowhere.
func (k *Kind) index(list []object, id string) int {
	return slices.IndexFunc(list, func(o object) bool { return text(o, "id") == id })
}

// where is the path of a part in its document, ids down to its own.
func where(m object, lineage []*Kind, ids []string) policy.Path {
	at := root
	for i, p := range lineage {
		list, _ := parts(m, p.Collection)
		n := p.index(list, ids[i])
		if n < 0 {
			return at
		}
		at, m = at.Member(p.Collection).Index(n), list[n]
	}
	return at
}
