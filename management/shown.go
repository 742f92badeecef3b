package management

import (
	"encoding/json"
	"maps"
	"slices"

	"doorward/configs"
)

// whole is a resource as an answer about it alone shows it, with what is counted.
func (s resourcesOf) whole(c *call, parents []string, item configs.Item) (object, error) {
	counted, err := s.counted(c, []string{item.ID})
	if err != nil {
		return nil, err
	}
	return s.show(c, parents, item, counted[item.ID]...), nil
}

// show is a resource as every answer shows it: where it is and what it belongs to
// around what was configured and counted. Source: reference/management.md 7.2, 8.
func (s resourcesOf) show(c *call, parents []string, item configs.Item, counted ...member) object {
	self := s.url(c, parents, item.ID)
	l := links("self", self, "environment", c.base())
	o := object{}
	if item.ID != "" && !s.Singleton {
		o = o.with("id", item.ID)
	}
	o = o.with("environment", relation(c.env))
	if s.Parent != nil {
		last := len(parents) - 1
		l = l.link(s.Parent.Relation, resourcesOf{s.Parent}.url(c, parents[:last], parents[last]))
		o = o.with(s.Parent.Relation, relation(parents[last]))
	}
	var body map[string]json.RawMessage
	_ = json.Unmarshal(item.Body, &body) // was checked when it was kept
	for _, r := range s.Relations {
		var other struct{ ID string }
		if json.Unmarshal(body[r.Member], &other) == nil && other.ID != "" {
			l = l.link(r.Member, resourcesOf{kindNamed(r.Kind)}.url(c, nil, other.ID))
		}
	}
	for _, part := range s.Parts {
		l = l.link(part.Collection, self+"/"+part.Collection)
	}
	for _, name := range slices.Concat(s.beside(), slices.Sorted(maps.Keys(item.Withheld))) {
		l = l.link(name, self+"/"+name)
	}
	o = append(o.body(item.Body, s.around()...), counted...)
	o = o.time(s.Created, item.CreatedAt).time(s.Modified, item.UpdatedAt)
	shown := object{{"_links", l}}
	if warnings := warned(item); len(warnings) > 0 {
		shown = shown.with("_embedded", object{{"warnings", warnings}})
	}
	return append(shown, o...)
}

// beside are what the kind's resources have addresses for that are no parts.
func (s resourcesOf) beside() []string {
	return map[string][]string{
		"application": {"secret"}, externalServiceKind: {"secrets", "status"}, "flowDefinition": {"versions"},
	}[s.Name]
}

// around are the members of a body that are shown in another way: parts are
// collections of their own.
func (s resourcesOf) around() []string {
	out := []string{"id", "environment", s.Created, s.Modified}
	if s.Parent != nil {
		out = append(out, s.Parent.Relation)
	}
	for _, part := range s.Parts {
		out = append(out, part.Collection)
	}
	return out
}
