package configs

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"time"

	"doorward/runtime/flow"
	"doorward/runtime/policy"
)

// tree is every document of one environment, whether it comes from files, from
// the store or from a change that is being made. One check judges them all.
type tree struct {
	env   string // id
	dir   string // folder of its files; empty: it has none
	now   time.Time
	kinds []*Kind
	steps []flow.Kind
	all   map[string][]*entry // by name of kind
}

func newTree(kinds []*Kind, steps []flow.Kind) *tree {
	return &tree{kinds: kinds, steps: steps, all: map[string][]*entry{}}
}

func (t *tree) add(e *entry) { t.all[e.kind.Name] = append(t.all[e.kind.Name], e) }

// entries are all documents, by kind in the order of their declaration.
func (t *tree) entries() []*entry {
	var out []*entry
	for _, k := range t.kinds {
		out = append(out, t.all[k.Name]...)
	}
	return out
}

// find is the document of an id; nil when there is none.
func (t *tree) find(kind, id string) *entry {
	for _, e := range t.all[kind] {
		if e.id == id && id != "" {
			return e
		}
	}
	return nil
}

// Resource is what a reference of a flow definition leads to.
func (t *tree) Resource(kind, id string) (json.RawMessage, bool) {
	if e := t.find(kind, id); e != nil {
		return e.body, true
	}
	return nil, false
}

// standard is the default one of a kind; nil when there is none.
func (t *tree) standard(kind string) *entry {
	if i := slices.IndexFunc(t.all[kind], (*entry).standard); i >= 0 {
		return t.all[kind][i]
	}
	return nil
}

// link is a place in a document that names another one.
type link struct {
	at       policy.Path
	kind, id string
}

// links are all places in a document that name others.
func (t *tree) links(e *entry) []link {
	if e.links == nil {
		e.links = append([]link{}, e.kind.related(e.members(), root)...)
		if e.kind.refers != nil {
			e.links = append(e.links, e.kind.refers(t, e)...)
		}
	}
	return e.links
}

func (k *Kind) related(m object, at policy.Path) []link {
	var out []link
	for _, r := range k.Relations {
		var other reference
		if m[r.Member] != nil && json.Unmarshal(m[r.Member], &other) == nil && other.ID != "" {
			out = append(out, link{at.Member(r.Member).Member("id"), r.Kind, other.ID})
		}
	}
	for _, p := range k.Parts {
		list, _ := parts(m, p.Collection)
		for i, part := range list {
			out = append(out, p.related(part, at.Member(p.Collection).Index(i))...)
		}
	}
	return out
}

// verdict is what checking an environment comes to.
type verdict struct {
	faults   Faults
	warnings Faults
	plans    map[flow.Digest][]byte // sources, by what names them
	plan     map[string]flow.Digest // by id of the document
}

// check judges the whole environment and makes its plans. known reports whether a
// plan has been published, and so has been compiled and verified before; nil:
// none has.
func (t *tree) check(known func(flow.Digest) bool) verdict {
	v := verdict{plans: map[flow.Digest][]byte{}, plan: map[string]flow.Digest{}}
	for _, e := range t.entries() {
		v.faults.merge(e.place, e.alone)
	}
	for _, k := range t.kinds {
		t.unique(k, &v.faults)
		t.oneDefault(k, &v.faults)
	}
	for _, e := range t.entries() {
		for _, l := range t.links(e) {
			if other := kindOf(t.kinds, l.kind); t.find(l.kind, l.id) == nil && other != nil {
				v.faults.add(e.place, policy.Fault{Path: l.at, Message: "there is no such " + other.Title + " in this environment"})
			}
		}
		if e.kind.across != nil {
			var found policy.Faults
			e.kind.across(t, e, &found)
			v.faults.merge(e.place, found)
		}
		if e.kind.doubts != nil {
			for _, f := range e.kind.doubts(t, e) {
				f.File = e.place
				v.warnings.append(f)
			}
		}
	}
	for _, e := range t.entries() {
		if e.kind.plan != nil {
			t.publish(e, &v, known)
		}
	}
	v.faults.sort()
	v.warnings.sort()
	return v
}

// unique reports an id or a name that a document has in common with one before.
func (t *tree) unique(k *Kind, f *Faults) {
	type claim struct{ member, value string }
	first := map[claim]*entry{}
	for _, e := range t.all[k.Name] {
		for _, c := range []claim{{"id", e.id}, {"name", e.name}} {
			other := first[c]
			switch {
			case c.value == "" || k.borrows():
			case other == nil:
				first[c] = e
			case e.place == "" || other.place != "":
				f.claimed(e, c.member, other)
			default: // the one that is being written is to blame, wherever it stands
				f.claimed(other, c.member, e)
			}
		}
	}
}

// oneDefault makes sure that there is one for whoever names none, where nothing that
// is built in would hold.
func (t *tree) oneDefault(k *Kind, f *Faults) {
	if !k.defaults {
		return
	}
	n := 0
	for _, e := range t.all[k.Name] {
		if e.standard() {
			n++
		}
	}
	if k.implied && len(t.all[k.Name]) == 0 {
		return
	}
	if n != 1 {
		f.add(path.Join(t.dir, k.Collection), policy.Fault{Path: root, Code: flow.ConstraintViolation, Message: fmt.Sprintf(`needs one file with "default": true, not %d`, n)})
	}
}

// named reports who names a document: one referrer for each place.
func (t *tree) named(kind, id string) []Referrer {
	var out []Referrer
	for _, e := range t.entries() {
		for _, l := range t.links(e) {
			if l.kind == kind && l.id == id && (e.kind.Name != kind || e.id != id) {
				out = append(out, Referrer{Kind: e.kind.Name, ID: e.id, Name: e.name, Path: l.at})
			}
		}
	}
	slices.SortFunc(out, func(a, b Referrer) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Path, b.Path))
	})
	return out
}
