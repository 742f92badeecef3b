package configs

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"doorward/runtime/flow"
)

// span is when a part was made and when it was changed.
type span struct {
	Created time.Time `json:"createdAt"`
	Updated time.Time `json:"updatedAt"`
}

// timesKind is what the store keeps the times of a document's parts as, under the
// document's id. It is no kind of resource: bodies say nothing of times, so that a
// file and a plan do not either. A part that has none in there is as old as its
// document.
func timesKind(doc *Kind) string { return doc.Name + "Times" }

// timesOf are the times of the parts of one document, by their ids.
func timesOf(doc *Kind, id string, among []flow.Resource) map[string]span {
	out := map[string]span{}
	for _, r := range among {
		if r.Kind == timesKind(doc) && r.ID == id {
			_ = json.Unmarshal(r.Body, &out) // was written here
		}
	}
	return out
}

// date notes when the parts of a document were made and changed that takes the
// place of old. What was there before anybody noted it is as old as the document.
func (c *change) date(e, old *entry) {
	if len(e.kind.Parts) == 0 || old == nil {
		return
	}
	at := func(r flow.Resource) bool { return r.Kind == e.kind.Name && r.ID == e.id }
	i := slices.IndexFunc(c.before, at)
	if i < 0 {
		return
	}
	noted, before, now := timesOf(e.kind, e.id, c.before), old.parts(), c.now()
	out := map[string]span{}
	for id, body := range e.parts() {
		was, there := before[id]
		s, known := noted[id]
		switch {
		case !there:
			s = span{now, now}
		case !known:
			s = span{c.before[i].CreatedAt, c.before[i].UpdatedAt}
		}
		if there && !bytes.Equal(was, body) {
			s.Updated = now
		}
		out[id] = s
	}
	r := flow.Resource{Env: c.env, Kind: timesKind(e.kind), ID: e.id, Body: raw(out)}
	switch {
	case len(out) > 0:
		c.beside = append(c.beside, r)
	case len(noted) > 0:
		c.gone = append(c.gone, r)
	}
}

// parts are all parts of a document by their ids, each without its own.
func (e *entry) parts() map[string][]byte {
	m, out := e.members(), map[string][]byte{}
	e.kind.identify(e.id, m)
	e.kind.flatten(m, out)
	return out
}

func (k *Kind) flatten(m object, into map[string][]byte) {
	for _, p := range k.Parts {
		list, _ := parts(m, p.Collection)
		for _, part := range list {
			p.flatten(part, into)
			for _, inner := range p.Parts {
				delete(part, inner.Collection)
			}
			into[text(part, "id")] = encode(part)
		}
	}
}
