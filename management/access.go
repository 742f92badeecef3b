package management

import (
	"errors"
	"slices"
	"strings"

	"doorward/configs"
	"doorward/runtime/flow"
)

// access is what an operation touches; it says who may.
type access uint8

const (
	configuration   access = iota // to change it
	reading                       // configuration, to read
	readingForUsers               // configuration that whoever looks after users needs too, to read
	identities                    // users
	secrets                       // what is secret about configuration, and what is done with it
	foundation                    // environments: for the administrators' environment only
)

// roles are those of which one is needed.
func (a access) roles() []string {
	switch a {
	case reading:
		return []string{configs.RoleEnvironmentAdmin, configs.RoleConfigurationReadOnly}
	case readingForUsers:
		return []string{configs.RoleEnvironmentAdmin, configs.RoleIdentityDataAdmin, configs.RoleConfigurationReadOnly}
	case identities:
		return []string{configs.RoleEnvironmentAdmin, configs.RoleIdentityDataAdmin}
	case configuration, secrets, foundation:
	}
	return []string{configs.RoleEnvironmentAdmin}
}

// caller is whose token came along.
type caller struct {
	app  *configs.Application
	home string // its environment
}

// errNoToken is the log's word for a request that shows no token.
var errNoToken = errors.New("no bearer token")

func unauthenticated(err error) *flow.Fault {
	return &flow.Fault{Code: flow.InvalidToken, Err: err, Message: "The request could not be completed. Send an access token of a worker application of this environment as Authorization: Bearer, one that has not expired."}
}

// authenticate finds the caller: a worker application of the environment itself,
// or of the administrators'. The token counts in its header only, so that it
// stays out of logs and histories. Source: RFC 6750 2.1, 2.3.
func (a *API) authenticate(c *call) error {
	token, err := bearer(c.Header.Values("Authorization"))
	if err != nil {
		return a.refuseToken(c, err)
	}
	env := a.Workers.Environment(token)
	home := c.bundle
	if home == nil || (env == a.Administrators && env != "") {
		home, _ = a.Tenants.Bundle(env)
	}
	if home == nil {
		return a.refuseToken(c, unauthenticated(nil))
	}
	if c.bundle == nil { // of the collection of environments
		c.bundle, c.env = home, env
	}
	app, err := a.Workers.Worker(c.Context(), home, home.Environment().APIBase, token)
	if err != nil {
		return a.refuseToken(c, err)
	}
	c.caller = caller{app: app, home: home.Environment().ID}
	return nil
}

// bearer is the one token of the header lines.
func bearer(lines []string) (string, error) {
	if len(lines) == 0 {
		return "", unauthenticated(errNoToken)
	}
	scheme, token, _ := strings.Cut(lines[0], " ")
	if len(lines) > 1 || !strings.EqualFold(scheme, "Bearer") || token == "" || strings.Contains(token, " ") {
		return "", unauthenticated(nil)
	}
	return token, nil
}

func (a *API) refuseToken(c *call, err error) error {
	if f := flow.AsFault(err); f.Code == flow.InvalidToken {
		a.record(c, flow.Event{Type: flow.ManagementRefused, Reason: "token"})
	}
	return err
}

// authorize makes sure that the caller may do one of the operations: those of a
// method and path touch the same.
func (a *API) authorize(c *call, fit []operation) error {
	needed := fit[0].access
	if needed == foundation && c.caller.home != a.Administrators {
		a.record(c, flow.Event{Type: flow.ManagementRefused, Reason: "environment"})
		return forbidden("Environments are made and removed by workers of the administrators' environment only.", nil)
	}
	roles := needed.roles()
	for _, role := range c.caller.app.Roles {
		if slices.Contains(roles, role) {
			return nil
		}
	}
	a.record(c, flow.Event{Type: flow.ManagementRefused, Reason: "role"})
	return forbidden("The application lacks the role that this needs: "+strings.Join(roles, " or ")+".", roles)
}

func forbidden(message string, roles []string) *flow.Fault {
	d := flow.Detail{Code: flow.InsufficientPermissions, Message: message}
	if roles != nil {
		d.Inner = map[string]any{"allowedValues": roles}
	}
	return &flow.Fault{
		Code: flow.AccessFailed, Details: []flow.Detail{d},
		Message: "The request could not be completed. You do not have access to this resource.",
	}
}
