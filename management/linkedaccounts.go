package management

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"doorward/directory"
	"doorward/runtime/flow"
	"doorward/wire"
)

// linkRoutes are the accounts that a user has at identity providers.
// Source: reference/flows.md 9.2; reference/management.md 5.3.
func linkRoutes() []route {
	const path = userPath + "/linkedAccounts"
	return []route{
		{path, []operation{
			{method: http.MethodGet, access: identities, params: []string{"limit", "cursor"}, run: listLinks},
			{method: http.MethodPost, access: identities, types: []string{jsonType}, run: createLink},
		}},
		{path + "/:link", []operation{
			{method: http.MethodGet, access: identities, run: readLink},
			{method: http.MethodDelete, access: identities, run: deleteLink},
		}},
	}
}

func (c *call) linkURL(a *directory.LinkedAccount) string {
	return c.userURL(a.UserID) + "/linkedAccounts/" + a.ID
}

func (c *call) showLink(a *directory.LinkedAccount) object {
	l := links("self", c.linkURL(a), "environment", c.base(), "user", c.userURL(a.UserID), "identityProvider", c.base()+"/identityProviders/"+a.Provider)
	return object{
		{"_links", l},
		{"id", a.ID},
		{"environment", relation(c.env)},
		{"user", relation(a.UserID)},
		{"identityProvider", relation(a.Provider)},
		{"externalId", a.ExternalID},
	}.time("createdAt", a.CreatedAt)
}

func listLinks(c *call) (*answer, error) {
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	all, err := c.api.Links.Of(c.Context(), c.env, u.ID)
	if err != nil {
		return nil, unserved(err)
	}
	var rows []row
	for _, a := range all {
		rows = append(rows, row{key: wire.Timestamp(a.CreatedAt), id: a.ID, show: func() any { return c.showLink(&a) }})
	}
	page, err := c.page("linkedAccounts", rows, "")
	if err != nil {
		return nil, err
	}
	return ok(page)
}

type linkInput struct {
	Provider   string `json:"identityProvider.id" required:"true" max:"36"`
	ExternalID string `json:"externalId" required:"true" max:"255"`
}

// createLink says whose an account at a provider is. Who may do so answers for it: the
// person proves nothing.
func createLink(c *call) (*answer, error) {
	in, err := input[linkInput](c)
	if err != nil {
		return nil, err
	}
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	var faults []flow.Detail
	item, err := c.api.Editor.Read(c.Context(), c.env, kindNamed("identityProvider"), nil, in.Provider)
	if err != nil && !errors.Is(err, flow.ErrUnknown) {
		return nil, refused(err)
	}
	if err != nil {
		faults = append(faults, flow.Detail{
			Code: flow.InvalidValue, Target: "identityProvider.id", Pointer: "/identityProvider/id",
			Message: "There is no such identity provider in this environment.",
		})
	}
	if directory.CheckExternalID(in.ExternalID) != nil {
		faults = append(faults, flow.Detail{
			Code: flow.InvalidValue, Target: "externalId", Pointer: "/externalId",
			Message: "externalId takes the id that the provider has for the account: 1 to 255 characters without control characters.",
		})
	}
	if len(faults) > 0 {
		return nil, flow.Invalid(faults...)
	}
	var provider struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(item.Body, &provider); err != nil {
		return nil, fmt.Errorf("identity provider %s: %w", in.Provider, err)
	}
	a, err := c.api.Links.Add(c.Context(), directory.NewLink{
		Env: c.env, UserID: u.ID, Provider: in.Provider, ProviderName: provider.Name, ExternalID: in.ExternalID,
	})
	switch {
	case errors.Is(err, directory.ErrLinked):
		return nil, c.linkedAlready(err, in)
	case err != nil:
		return nil, absent(err)
	}
	c.api.Posted()
	c.aboutLink(flow.AccountLinked, a.ID)
	return created(c.linkURL(&a), c.showLink(&a))
}

// linkedAlready says whose an account is.
func (c *call) linkedAlready(taken error, in linkInput) error {
	owner, err := c.api.Links.Find(c.Context(), c.env, in.Provider, in.ExternalID)
	switch {
	case errors.Is(err, flow.ErrUnknown): // somebody was quicker, and has gone again
		return flow.Busy(taken)
	case err != nil:
		return unserved(err)
	}
	return flow.Invalid(flow.Detail{
		Code: flow.UniquenessViolation, Target: "externalId", Pointer: "/externalId", Inner: map[string]any{"existingId": owner},
		Message: "The account at this provider is linked to a user already; remove that link first.",
	})
}

func readLink(c *call) (*answer, error) {
	a, err := c.api.Links.Read(c.Context(), c.env, c.PathValue("id"), c.PathValue("link"))
	if err != nil {
		return nil, absent(err)
	}
	return ok(c.showLink(&a))
}

// deleteLink makes an account at a provider sign on nobody. Sessions stay.
func deleteLink(c *call) (*answer, error) {
	id := c.PathValue("link")
	if err := c.api.Links.Remove(c.Context(), c.env, c.PathValue("id"), id); err != nil {
		return nil, absent(err)
	}
	c.aboutLink(flow.ManagementDeleted, id)
	return nothing()
}

// aboutLink records what was done to a link.
func (c *call) aboutLink(e flow.EventType, id string) {
	c.api.record(c, flow.Event{Type: e, User: c.PathValue("id"), Reason: "linkedAccount " + id})
}
