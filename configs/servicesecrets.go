package configs

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"doorward/runtime/external"
	"doorward/runtime/flow"
	"doorward/runtime/policy"
)

// ServiceSecrets returns the names of the secrets of an external service, sorted;
// flow.ErrUnknown when there is no such service.
func (e *Editor) ServiceSecrets(ctx context.Context, env, id string) ([]string, error) {
	c, err := e.open(ctx, env)
	if err != nil {
		return nil, err
	}
	service := c.tree.find(kindExternalService, id)
	if service == nil {
		return nil, flow.ErrUnknown
	}
	return secretNames(service.secrets), nil
}

// PutServiceSecrets gives an external service the secrets of a body, as
// {"secrets":[{"name","value"}]}, and returns their names. One without a value
// keeps the one that it has, and those that are not named are gone. The error is
// Faults also where a request still reads one of them, and otherwise one of
// Create's. Source: reference/management.md 1.5.
func (e *Editor) PutServiceSecrets(ctx context.Context, env, id string, body []byte) ([]string, error) {
	names, sealed, err := external.SealSecrets(body)
	if err != nil {
		return nil, sentFaults(err)
	}
	_, err = e.change(ctx, env, kindOf(e.kinds, kindExternalService), func(c *change) error {
		service := c.tree.find(kindExternalService, id)
		if service == nil {
			return flow.ErrUnknown
		}
		return c.keep(service, names, sealed)
	})
	slices.Sort(names)
	return names, err
}

// keep gives a service its secrets.
func (c *change) keep(service *entry, names []string, sealed map[string]string) error {
	var faults policy.Faults
	next := maps.Clone(service.secrets)
	maps.DeleteFunc(next, func(name, _ string) bool { return strings.HasPrefix(name, serviceSecrets+"/") })
	for i, name := range names {
		value := sealed[secretOf(name)]
		if value == "" {
			value = service.secrets[secretOf(name)]
		}
		if value == "" {
			faults.AddCode(root.Member(serviceSecrets).Index(i).Member("value"), flow.RequiredValue, "is required of a secret that is new")
		}
		next[secretOf(name)] = value
	}
	d, _ := service.doc.(*externalServiceDocument)
	var missed []string
	for _, name := range secretNames(service.secrets) {
		if reader := d.reader(name); !slices.Contains(names, name) && reader != "" {
			missed = append(missed, quoted(name)+", which the request "+quoted(reader)+" reads")
		}
	}
	if missed != nil {
		faults.AddCode(root.Member(serviceSecrets), flow.ConstraintViolation, "must hold "+strings.Join(missed, "; "))
	}
	if len(faults) > 0 {
		return sentFaults(faults)
	}
	service.secrets = next
	c.put = append(c.put, service)
	return nil
}

// reader is the name of a request that reads a secret; empty: there is none.
func (d *externalServiceDocument) reader(secret string) string {
	if d.service == nil {
		return ""
	}
	for _, r := range d.service.Requests() {
		if slices.Contains(r.Secrets(), secret) {
			return r.Name
		}
	}
	return ""
}

// sentFaults are those of what was sent.
func sentFaults(err error) error {
	found := policy.Faults(nil)
	if !errors.As(err, &found) {
		return err
	}
	var out Faults
	out.merge("", found)
	return out
}
