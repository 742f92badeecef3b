package management

import (
	"net/http"

	"doorward/runtime/flow"
)

// secretRoute is the secret by which an application authenticates itself: to
// read, and to make anew. Source: reference/management.md 5.7.
func secretRoute() route {
	return route{environmentPath + "/applications/:id/secret", []operation{
		{method: http.MethodGet, access: secrets, run: readSecret},
		{method: http.MethodPost, access: secrets, run: rotateSecret},
	}}
}

func (c *call) showSecret(secret string) object {
	application := c.base() + "/applications/" + c.PathValue("id")
	l := links("self", application+"/secret", "environment", c.base(), "application", application)
	return object{{"_links", l}, {"environment", relation(c.env)}, {"secret", secret}}
}

func readSecret(c *call) (*answer, error) {
	id := c.PathValue("id")
	secret, err := c.api.Editor.Secret(c.Context(), c.env, id)
	if err != nil {
		return nil, refused(err)
	}
	c.api.record(c, flow.Event{Type: flow.ManagementSecret, Reason: "application " + id})
	return ok(c.showSecret(secret))
}

func rotateSecret(c *call) (*answer, error) {
	id := c.PathValue("id")
	secret, err := c.api.Editor.RotateSecret(c.Context(), c.env, id)
	if err != nil {
		return nil, refused(err)
	}
	c.did(flow.ManagementUpdated, "application.secret", id)
	return ok(c.showSecret(secret))
}
