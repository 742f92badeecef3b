package management

import (
	"maps"
	"net/http"
	"slices"

	"doorward/directory"
	"doorward/runtime/flow"
)

// userParts are what of a user has an address of its own.
// Source: reference/management.md 5.3.
func userParts() []route {
	var out []route
	for _, p := range []struct {
		name string
		show func(c *call, u *directory.User) object
		put  func(c *call, u *directory.User, v flow.Values) error
	}{
		{"enabled", func(_ *call, u *directory.User) object { return object{{"enabled", u.Enabled}} }, putEnabled},
		{"mfaEnabled", func(_ *call, u *directory.User) object { return object{{"mfaEnabled", u.MFAEnabled}} }, putMFAEnabled},
		{"population", func(_ *call, u *directory.User) object { return relation(u.Population) }, putPopulation},
	} {
		show := func(c *call) (*answer, error) {
			u, err := c.user()
			if err != nil {
				return nil, err
			}
			l := links("self", c.userURL(u.ID)+"/"+p.name, "environment", c.base(), "user", c.userURL(u.ID))
			return ok(append(object{{"_links", l}}, p.show(c, &u)...))
		}
		put := func(c *call) (*answer, error) {
			v, err := c.document()
			if err != nil {
				return nil, err
			}
			u, err := c.user()
			if err != nil {
				return nil, err
			}
			delete(v, "_links")
			if err := p.put(c, &u, v); err != nil {
				return nil, absent(err)
			}
			c.api.record(c, flow.Event{Type: flow.ManagementUpdated, User: u.ID, Reason: "user." + p.name + " " + u.ID})
			return show(c)
		}
		out = append(out, route{userPath + "/" + p.name, []operation{
			{method: http.MethodGet, access: identities, run: show},
			{method: http.MethodPut, access: identities, types: []string{jsonType}, run: put},
		}})
	}
	return out
}

func putEnabled(c *call, u *directory.User, v flow.Values) error {
	on, err := oneFlag(v, "enabled")
	if err != nil {
		return err
	}
	return c.api.Users.SetEnabled(c.Context(), c.env, u.ID, on)
}

func putMFAEnabled(c *call, u *directory.User, v flow.Values) error {
	on, err := oneFlag(v, "mfaEnabled")
	if err != nil {
		return err
	}
	_, err = c.api.Users.Update(c.Context(), c.env, u.ID, func(u *directory.User) error {
		u.MFAEnabled = on
		return nil
	})
	return err
}

func putPopulation(c *call, u *directory.User, v flow.Values) error {
	id, is := v["id"].(string)
	strangers := slices.DeleteFunc(slices.Sorted(maps.Keys(v)), func(n string) bool { return n == "id" })
	switch {
	case len(strangers) > 0:
		return flow.Invalid(unknownMember(strangers[0], "id"))
	case !is:
		return flow.Invalid(flow.Detail{Code: flow.RequiredValue, Target: "id", Pointer: "/id", Message: "The id of a population is required."})
	}
	known := ""
	if isID(id) {
		var err error
		if known, err = c.population(id); err != nil {
			return err
		}
	}
	if known == "" {
		return flow.Invalid(unknownPopulation("id", "/id"))
	}
	return c.api.Users.SetPopulation(c.Context(), c.env, u.ID, id)
}

// oneFlag is the one member of a document.
func oneFlag(v flow.Values, name string) (bool, error) {
	for _, other := range slices.Sorted(maps.Keys(v)) {
		if other != name {
			return false, flow.Invalid(unknownMember(other, name))
		}
	}
	on, is := v[name].(bool)
	if !is {
		code := flow.InvalidValue
		if v[name] == nil {
			code = flow.RequiredValue
		}
		return false, flow.Invalid(flow.Detail{Code: code, Target: name, Pointer: "/" + name, Message: name + " takes true or false."})
	}
	return on, nil
}

func unknownMember(name, takes string) flow.Detail {
	return flow.Detail{Code: flow.InvalidValue, Target: printable(name), Message: "The document takes no such member; it takes " + takes + "."}
}
