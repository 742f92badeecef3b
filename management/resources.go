package management

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"doorward/configs"
	"doorward/runtime/filter"
	"doorward/runtime/flow"
	"doorward/wire"
)

// environmentPath is one environment, under which everything else lies.
const environmentPath = prefix + "/:env"

// kindRoutes are the routes of a kind of resource, as its declaration says.
// Source: reference/management.md 3.1, 4.1, 5.
func kindRoutes(k *configs.Kind) []route {
	s := resourcesOf{k}
	read, collection := accessTo(k), environmentPath+"/"+s.pattern()
	get := operation{method: http.MethodGet, access: read, params: s.params(), run: s.get}
	put := operation{method: http.MethodPut, access: configuration, types: []string{jsonType}, run: s.put}
	remove := operation{method: http.MethodDelete, access: configuration, run: s.remove}
	if k.Name == notificationsKind {
		return []route{{collection, []operation{get, put, remove, testMessage()}}, testRoute()}
	}
	if k.Singleton {
		return []route{{collection, []operation{get, put, remove}}}
	}
	one := []operation{get, remove}
	if k.Replaceable() {
		one = append(one, put)
	}
	routes := []route{
		{collection, []operation{
			{method: http.MethodGet, access: read, params: listParams(), run: s.list},
			{method: http.MethodPost, access: configuration, types: []string{jsonType}, run: s.create},
		}},
		{collection + "/:id", one},
	}
	if k.Name == "agreementRevision" {
		routes = append(routes, route{collection + "/:id/text", []operation{{method: http.MethodGet, access: read, run: s.text}}})
	}
	return routes
}

// accessTo is who may read resources of a kind: whoever looks after users needs
// to see what users are in, what they have agreed to, and which devices they may have.
func accessTo(k *configs.Kind) access {
	for k.Parent != nil {
		k = k.Parent
	}
	if slices.Contains([]string{"population", "passwordPolicy", "agreement", "deviceAuthenticationPolicy", "fido2Policy", "mfaSettings"}, k.Name) {
		return readingForUsers
	}
	return reading
}

// resourcesOf answers for one kind.
type resourcesOf struct{ *configs.Kind }

// pattern is the path of the collection, with a name for the id of each parent.
func (s resourcesOf) pattern() string {
	path := s.Path()
	for i := range s.Depth() {
		path = strings.Replace(path, "{}", ":"+parentParam(i), 1)
	}
	return path
}

func parentParam(i int) string { return "parent" + strconv.Itoa(i) }

// parents are the ids of what the resource is a part of, from the document down.
func (s resourcesOf) parents(c *call) []string {
	var ids []string
	for i := range s.Depth() {
		ids = append(ids, c.PathValue(parentParam(i)))
	}
	return ids
}

// url is the address of a resource, or of the collection without an id.
func (s resourcesOf) url(c *call, parents []string, id string) string {
	path := s.Path()
	for _, p := range parents {
		path = strings.Replace(path, "{}", p, 1)
	}
	if id != "" && !s.Singleton {
		path += "/" + id
	}
	return c.base() + "/" + path
}

// params are the query parameters of reading one. All of a form is always shown.
// Source: reference/management.md 3.1.
func (s resourcesOf) params() []string {
	if s.Name == "form" {
		return []string{"include"}
	}
	return nil
}

func (s resourcesOf) get(c *call) (*answer, error) {
	if _, err := c.oneOf("include", "components"); err != nil {
		return nil, err
	}
	item, err := c.editor().Read(c.Context(), c.env, s.Kind, s.parents(c), c.PathValue("id"))
	if s.Singleton && errors.Is(err, flow.ErrUnknown) {
		return nothing() // not configured. Source: reference/management.md 3.6
	}
	if err != nil {
		return nil, refused(err)
	}
	shown, err := s.whole(c, s.parents(c), item)
	if err != nil {
		return nil, err
	}
	return ok(shown)
}

// text is what a revision says, which other answers leave out.
// Source: reference/management.md 5.9.
func (s resourcesOf) text(c *call) (*answer, error) {
	item, err := c.resource(s.Name, s.parents(c), c.PathValue("id"))
	if err != nil {
		return nil, err
	}
	self := s.url(c, s.parents(c), item.ID)
	var body struct {
		ContentType string `json:"contentType"`
	}
	_ = json.Unmarshal(item.Body, &body) // was checked when it was kept
	l := links("self", self+"/text", "environment", c.base(), s.Relation, self)
	return ok(object{{"_links", l}, {"id", item.ID}, {"contentType", body.ContentType}, {"text", item.Withheld["text"]}})
}

func (s resourcesOf) create(c *call) (*answer, error) {
	if _, err := c.document(); err != nil {
		return nil, err
	}
	item, err := c.editor().Create(c.Context(), c.env, s.Kind, s.parents(c), c.body)
	if err != nil {
		return nil, refused(err)
	}
	c.did(flow.ManagementCreated, s.Name, item.ID)
	shown, err := s.whole(c, s.parents(c), item)
	if err != nil {
		return nil, err
	}
	return created(s.url(c, s.parents(c), item.ID), shown)
}

func (s resourcesOf) put(c *call) (*answer, error) {
	if _, err := c.document(); err != nil {
		return nil, err
	}
	item, err := c.editor().Replace(c.Context(), c.env, s.Kind, s.parents(c), c.PathValue("id"), c.body)
	if err != nil {
		return nil, refused(err)
	}
	c.did(flow.ManagementUpdated, s.Name, item.ID)
	shown, err := s.whole(c, s.parents(c), item)
	if err != nil {
		return nil, err
	}
	return ok(shown)
}

func (s resourcesOf) remove(c *call) (*answer, error) {
	id := c.PathValue("id")
	if err := c.editor().Remove(c.Context(), c.env, s.Kind, s.parents(c), id); err != nil {
		return nil, refusedRemoval(err)
	}
	c.did(flow.ManagementDeleted, s.Name, cmp.Or(id, c.env)) // a singleton's is its environment's
	return nothing()
}

func (s resourcesOf) list(c *call) (*answer, error) {
	where, err := c.condition(s.filters())
	if err != nil {
		return nil, err
	}
	order, err := c.orderBy("", s.Created, s.Modified, "name", "priority")
	if err != nil {
		return nil, err
	}
	parents := s.parents(c)
	items, err := c.editor().List(c.Context(), c.env, s.Kind, parents)
	if err != nil {
		return nil, refused(err)
	}
	var rows []row
	var counted map[string]object // of those on the page
	for _, item := range items {
		var doc map[string]any
		if err := json.Unmarshal(item.Body, &doc); err != nil {
			return nil, fmt.Errorf("%s %s: %w", s.Name, item.ID, err)
		}
		doc["id"] = item.ID
		if where == nil || filter.Match(where, doc) {
			show := func() any { return s.show(c, parents, item, counted[item.ID]...) }
			rows = append(rows, row{key: s.orderKey(item, doc, strings.TrimPrefix(order, "-")), id: item.ID, show: show})
		}
	}
	p, err := c.cut(rows, order)
	if err != nil {
		return nil, err
	}
	if counted, err = s.counted(c, p.ids()); err != nil {
		return nil, err
	}
	return ok(c.bound(s.Collection, p))
}

// orderKey is where a resource stands by a member. Without one, what has
// priorities stands by them, and all else in the order in which it was made.
func (s resourcesOf) orderKey(item configs.Item, doc map[string]any, by string) string {
	if n, has := doc["priority"].(float64); has && (by == "priority" || by == "") {
		return fmt.Sprintf("%020d", int64(n))
	}
	switch by {
	case s.Modified:
		return wire.Timestamp(item.UpdatedAt)
	case "name":
		name, _ := doc["name"].(string)
		return strings.ToLower(name)
	}
	return wire.Timestamp(item.CreatedAt)
}

// filters are what a collection can be filtered by: what its resources are called
// and of which sort they are. Source: reference/management.md 7.3; which members
// is ours.
func (s resourcesOf) filters() map[string][]filter.Op {
	text, exact := []filter.Op{filter.Equal, filter.StartsWith, filter.Contains}, []filter.Op{filter.Equal}
	out := map[string][]filter.Op{"id": exact, "name": text}
	for _, name := range []string{"enabled", "default", "type", "protocol", "category", "trigger.type", "locale", "priority"} {
		out[name] = exact
	}
	return out
}

// kindNamed is the declaration of a kind that is known to be there.
func kindNamed(name string) *configs.Kind {
	kinds := configs.Kinds()
	return kinds[slices.IndexFunc(kinds, func(k *configs.Kind) bool { return k.Name == name })]
}

// editor changes configuration in the name of the caller.
func (c *call) editor() *configs.Editor { return c.api.Editor.As(c.caller.app.ID) }

// resource is what is configured under an id.
func (c *call) resource(kind string, parents []string, id string) (configs.Item, error) {
	item, err := c.api.Editor.Read(c.Context(), c.env, kindNamed(kind), parents, id)
	if err != nil {
		return configs.Item{}, refused(err)
	}
	return item, nil
}
