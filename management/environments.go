package management

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"doorward/configs"
	"doorward/runtime/filter"
	"doorward/runtime/flow"
	"doorward/wire"
)

// environmentKind is the name of the one kind whose resources hold all others.
const environmentKind = "environment"

// environmentRoutes are the environments themselves.
// Source: reference/management.md 5.1.
func environmentRoutes() []route {
	return []route{
		{prefix, []operation{
			{method: http.MethodGet, access: reading, params: listParams(), run: listEnvironments},
			{method: http.MethodPost, access: foundation, types: []string{jsonType}, run: createEnvironment},
		}},
		{environmentPath, []operation{
			{method: http.MethodGet, access: reading, run: readEnvironment},
			{method: http.MethodPut, access: configuration, types: []string{jsonType}, run: updateEnvironment},
			{method: http.MethodDelete, access: foundation, run: deleteEnvironment},
		}},
	}
}

// showEnvironment is an environment with the collections in it.
// Source: reference/management.md 8.
func showEnvironment(b string, item configs.Item) object {
	l := links("self", b)
	for _, k := range configs.Kinds() {
		if k.Parent == nil && k.Name != environmentKind {
			l = l.link(k.Collection, b+"/"+k.Collection)
		}
	}
	o := object{{"_links", l.link("users", b+"/users")}, {"id", item.ID}}
	return o.body(item.Body, "id", "createdAt", "updatedAt").time("createdAt", item.CreatedAt).time("updatedAt", item.UpdatedAt)
}

// listEnvironments shows all to a worker of the administrators' environment, and
// to others their own.
func listEnvironments(c *call) (*answer, error) {
	where, err := c.condition(map[string][]filter.Op{"id": {filter.Equal}, "name": {filter.Equal, filter.StartsWith}})
	if err != nil {
		return nil, err
	}
	order, err := c.orderBy("name", "name", "createdAt", "updatedAt")
	if err != nil {
		return nil, err
	}
	items, err := c.api.Editor.List(c.Context(), "", kindNamed(environmentKind), nil)
	if err != nil {
		return nil, refused(err)
	}
	var rows []row
	for _, item := range items {
		b, served := c.api.Tenants.Bundle(item.ID)
		if !served || c.env != c.api.Administrators && item.ID != c.env {
			continue
		}
		var doc map[string]any
		if err := json.Unmarshal(item.Body, &doc); err != nil {
			return nil, fmt.Errorf("environment %s: %w", item.ID, err)
		}
		doc["id"] = item.ID
		if where == nil || filter.Match(where, doc) {
			at := b.Environment().APIBase + prefix + "/" + item.ID
			rows = append(rows, row{key: environmentOrder(item, doc, strings.TrimPrefix(order, "-")), id: item.ID, show: func() any { return showEnvironment(at, item) }})
		}
	}
	page, err := c.page("environments", rows, order)
	if err != nil {
		return nil, err
	}
	return ok(page)
}

func environmentOrder(item configs.Item, doc map[string]any, by string) string {
	switch by {
	case "createdAt":
		return wire.Timestamp(item.CreatedAt)
	case "updatedAt":
		return wire.Timestamp(item.UpdatedAt)
	}
	name, _ := doc["name"].(string)
	return strings.ToLower(name)
}

func createEnvironment(c *call) (*answer, error) {
	if _, err := c.document(); err != nil {
		return nil, err
	}
	item, err := c.editor().CreateEnvironment(c.Context(), c.body)
	if err != nil {
		return nil, refused(err)
	}
	c.did(flow.ManagementCreated, environmentKind, item.ID)
	base := c.bundle.Environment().APIBase
	if b, served := c.api.Tenants.Bundle(item.ID); served { // at a host of its own, it may be
		base = b.Environment().APIBase
	}
	at := base + prefix + "/" + item.ID
	return created(at, showEnvironment(at, item))
}

func readEnvironment(c *call) (*answer, error) {
	item, err := c.editor().Read(c.Context(), c.env, kindNamed(environmentKind), nil, c.env)
	if err != nil {
		return nil, refused(err)
	}
	return ok(showEnvironment(c.base(), item))
}

func updateEnvironment(c *call) (*answer, error) {
	if _, err := c.document(); err != nil {
		return nil, err
	}
	if err := c.claims(); err != nil {
		return nil, err
	}
	item, err := c.editor().Replace(c.Context(), c.env, kindNamed(environmentKind), nil, c.env, c.body)
	if err != nil {
		return nil, refused(err)
	}
	c.did(flow.ManagementUpdated, environmentKind, c.env)
	return ok(showEnvironment(c.base(), item))
}

// claims refuses to move an environment to a host that another one has to itself, or
// below it: pages and passkeys there would be both's. Administrators may.
func (c *call) claims() error {
	if c.caller.home == c.api.Administrators {
		return nil
	}
	items, err := c.api.Editor.List(c.Context(), "", kindNamed(environmentKind), nil)
	if err != nil {
		return refused(err)
	}
	var own, others []string
	for _, item := range items {
		hosts := slices.Collect(maps.Values(hostsOf(item.Body)))
		if item.ID == c.env {
			own = hosts
			continue
		}
		others = append(others, hosts...)
	}
	shared := hostName(c.api.Editor.Base())
	var faults []flow.Detail
	for name, host := range hostsOf(c.body) { // what is of another type the editor refuses
		if host == "" || host == shared || slices.Contains(own, host) {
			continue
		}
		if slices.ContainsFunc(others, func(h string) bool { return h != "" && h != shared && (host == h || strings.HasSuffix(host, "."+h)) }) {
			faults = append(faults, flow.Detail{
				Code: flow.UniquenessViolation, Target: name, Pointer: "/" + name,
				Message: "Another environment is served at this host, or above it. Take another host, or have an administrator set it.",
			})
		}
	}
	if len(faults) > 0 {
		return flow.Invalid(faults...)
	}
	return nil
}

// hostsOf are the hosts of an environment, by the member that names them.
func hostsOf(body []byte) map[string]string {
	var members map[string]any // by their very names, as they are kept
	_ = json.Unmarshal(body, &members)
	hosts := map[string]string{}
	for _, name := range []string{"authBase", "apiBase"} {
		base, _ := members[name].(string)
		hosts[name] = hostName(base)
	}
	return hosts
}

// hostName is the host of a base URL, without its port; empty: it names none.
func hostName(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

func deleteEnvironment(c *call) (*answer, error) {
	if err := c.editor().Remove(c.Context(), c.env, kindNamed(environmentKind), nil, c.env); err != nil {
		return nil, refused(err)
	}
	c.did(flow.ManagementDeleted, environmentKind, c.env)
	return nothing()
}
