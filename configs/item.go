package configs

import (
	"encoding/json"
	"maps"
	"strings"
	"time"

	"doorward/runtime/flow"
)

// Item is a resource as the management API shows it.
type Item struct {
	ID     string
	Parent string          // id of what it is a part of; empty: of nothing
	Body   json.RawMessage // canonical; without secrets, timestamps and _links
	// Withheld are members that the body does not show and that may be read on
	// their own: the text of a revision.
	Withheld  map[string]json.RawMessage
	CreatedAt time.Time // zero: not known
	UpdatedAt time.Time // likewise
	Warnings  Faults    // of what has just been written; it works all the same
}

// expand is an address with the deployment's own base URL in it.
func (e *Editor) expand(address string) string {
	return strings.ReplaceAll(address, "{base}", e.base)
}

// items are the resources of a kind in one document: the document itself, or its
// parts below the parents, of which the first is the document. all are the
// resources that it lies among.
func (e *Editor) items(k *Kind, r flow.Resource, parents []string, all []flow.Resource) ([]Item, error) {
	doc := k.root()
	m := object{}
	if err := json.Unmarshal(doc.normal(r.Body, e.expand), &m); err != nil {
		return nil, err
	}
	doc.identify(r.ID, m)
	if k.Parent == nil {
		if !k.borrows() {
			m["id"] = raw(r.ID)
		}
		return []Item{e.item(k, r, "", m, nil)}, nil
	}
	lineage, parent := k.lineage(), r.ID
	for i, p := range lineage[:len(lineage)-1] {
		list, _ := parts(m, p.Collection)
		n := p.index(list, parents[i+1])
		if n < 0 {
			return nil, flow.ErrUnknown
		}
		m, parent = list[n], parents[i+1]
	}
	list, _ := parts(m, k.Collection)
	out := make([]Item, 0, len(list))
	times := timesOf(doc, r.ID, all)
	for _, part := range list {
		item := e.item(k, r, parent, part, m)
		if s, noted := times[item.ID]; noted {
			item.CreatedAt, item.UpdatedAt = s.Created, s.Updated
		}
		out = append(out, item)
	}
	return out, nil
}

// item shows a resource that lies in above.
func (e *Editor) item(k *Kind, r flow.Resource, parent string, m, above object) Item {
	body := maps.Clone(m)
	if k.shows != nil {
		maps.Copy(body, k.shows(m, above, e.now()))
	}
	out := Item{ID: text(m, "id"), Parent: parent, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt}
	for _, p := range k.Parts {
		delete(body, p.Collection)
	}
	for _, name := range k.withheld {
		if v := body[name]; v != nil {
			if out.Withheld == nil {
				out.Withheld = object{}
			}
			out.Withheld[name] = v
		}
		delete(body, name)
	}
	if k.Name != kindEnvironment {
		body["environment"] = raw(reference{r.Env})
	}
	if k.Parent != nil {
		body[k.Parent.Relation] = raw(reference{parent})
	}
	if k.borrows() {
		out.ID = r.Env
	}
	out.Body = encode(body)
	return out
}
