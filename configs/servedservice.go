package configs

import (
	"context"
	"sync"

	"doorward/runtime/external"
	"doorward/runtime/flow"
)

// served is an external service as it is configured now.
type served struct {
	compiled func() (*external.Service, error) // when somebody asks for it
	secrets  map[string]string                 // in memory only
}

func (b *builder) addService(r flow.Resource, secrets map[string][]byte) {
	b.services[r.ID] = served{
		compiled: sync.OnceValues(func() (*external.Service, error) { return external.Compile(r.Body) }),
		secrets:  kindOf(b.tree.kinds, kindExternalService).sealed(r.ID, secrets),
	}
}

// ExternalService returns an external service as it is configured now. Flows have
// it pinned in their plans, as it was when they were published.
func (b *Bundle) ExternalService(id string) (*external.Service, bool) {
	s, known := b.services[id]
	if !known {
		return nil, false
	}
	service, err := s.compiled()
	return service, err == nil
}

// ServiceSecret returns what is kept beside an external service: a credential, as
// "authSchemes/NAME/token", or one of its secrets, as "secrets/NAME".
func (b *Bundle) ServiceSecret(service, name string) (string, bool) {
	s, known := b.services[service].secrets[name]
	return s, known
}

// Secret is ServiceSecret of an environment, as it is at this moment, for calls to
// these origins: external.ErrMoved when the service calls one of them no more,
// flow.ErrUnknown when there is no such secret.
func (r *Registry) Secret(_ context.Context, env, service, name string, origins []string) (string, error) {
	b, served := r.Bundle(env)
	if !served {
		return "", flow.ErrUnknown
	}
	s, known := b.ServiceSecret(service, name)
	if !known {
		return "", flow.ErrUnknown
	}
	if now, ok := b.ExternalService(service); !ok || !now.Calls(origins) {
		return "", external.ErrMoved
	}
	return s, nil
}
