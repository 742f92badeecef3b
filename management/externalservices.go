package management

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"doorward/runtime/external"
	"doorward/runtime/flow"
)

// externalServiceKind is the name of the one kind whose resources can be invoked.
const externalServiceKind = "externalService"

// Targets says how those do whom an environment calls, as far as this process has
// called them of late.
type Targets interface {
	Targets(env string) []Target
}

// Target is whom calls are for.
type Target struct {
	Name       string        // id of an external service, or origin of a token endpoint
	Breaker    string        // closed, open or half-open
	RetryAfter time.Duration // of an open breaker: until it tries again
	Concurrent int           // calls under way
	Most       int           // of them at once
	PerSecond  float64       // calls that it may get
	Answers    uint64
	Failures   map[string]uint64 // by code, reference/management.md 1.8
	Used       time.Time
}

// externalServiceRoutes are what external services have beside themselves.
// Source: reference/management.md 1.1; status is ours.
func externalServiceRoutes() []route {
	const path = environmentPath + "/externalServices/:id"
	return []route{
		{path + "/secrets", []operation{
			{method: http.MethodGet, access: secrets, run: listServiceSecrets},
			{method: http.MethodPut, access: secrets, types: []string{jsonType}, run: putServiceSecrets},
		}},
		{path + "/requests/:request", []operation{
			{method: http.MethodPost, access: secrets, run: invoke},
			{method: http.MethodPost, access: secrets, types: []string{jsonType}, run: invoke},
		}},
		{path + "/status", []operation{{method: http.MethodGet, access: reading, run: serviceStatus}}},
	}
}

func (c *call) serviceURL() string { return c.base() + "/externalServices/" + c.PathValue("id") }

// ofService is what lies below an external service.
func (c *call) ofService(below string) object {
	service := c.serviceURL()
	l := links("self", service+below, "environment", c.base(), "externalService", service)
	return object{{"_links", l}, {"environment", relation(c.env)}, {"externalService", relation(c.PathValue("id"))}}
}

// showServiceSecrets are the names alone. Source: reference/management.md 1.5.
func (c *call) showServiceSecrets(names []string) object {
	named := []any{}
	for _, name := range names {
		named = append(named, object{{"name", name}})
	}
	return c.ofService("/secrets").with("secrets", named)
}

func listServiceSecrets(c *call) (*answer, error) {
	names, err := c.api.Editor.ServiceSecrets(c.Context(), c.env, c.PathValue("id"))
	if err != nil {
		return nil, refused(err)
	}
	return ok(c.showServiceSecrets(names))
}

func putServiceSecrets(c *call) (*answer, error) {
	if _, err := c.document(); err != nil {
		return nil, err
	}
	names, err := c.editor().PutServiceSecrets(c.Context(), c.env, c.PathValue("id"), c.body)
	if err != nil {
		return nil, refused(err)
	}
	c.did(flow.ManagementUpdated, externalServiceKind+".secrets", c.PathValue("id"))
	return ok(c.showServiceSecrets(names))
}

// serviceStatus is how a service and its token endpoints do. Ours.
func serviceStatus(c *call) (*answer, error) {
	item, err := c.resource(externalServiceKind, nil, c.PathValue("id"))
	if err != nil {
		return nil, err
	}
	names := append([]string{item.ID}, tokenOrigins(item.Body)...)
	targets := []any{}
	for _, t := range c.api.Targets.Targets(c.env) {
		if slices.Contains(names, t.Name) {
			targets = append(targets, t.show())
		}
	}
	return ok(c.ofService("/status").with("targets", targets))
}

func (t *Target) show() object {
	failed := object{}
	for _, code := range slices.Sorted(maps.Keys(t.Failures)) {
		failed = failed.with(code, t.Failures[code])
	}
	o := object{{"name", t.Name}, {"breaker", strings.ToUpper(strings.ReplaceAll(t.Breaker, "-", "_"))}}
	if t.RetryAfter > 0 {
		o = o.with("secondsUntilRetry", seconds(t.RetryAfter))
	}
	o = o.with("limits", object{{"underWay", t.Most}, {"perSecond", t.PerSecond}})
	o = o.with("invocations", object{{"underWay", t.Concurrent}, {"answered", t.Answers}, {"failed", failed}})
	return o.time("lastInvokedAt", t.Used)
}

// tokenOrigins are where a service gets its tokens from.
func tokenOrigins(body []byte) []string {
	var service struct {
		AuthSchemes []struct {
			TokenEndpoint string `json:"tokenEndpoint"`
		} `json:"authSchemes"`
	}
	_ = json.Unmarshal(body, &service) // was checked when it was kept
	var out []string
	for _, s := range service.AuthSchemes {
		if at, complaint := external.ReadAddress(s.TokenEndpoint); complaint == "" {
			out = append(out, at.Origin)
		}
	}
	return out
}
