package federation

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// How long the keys of a provider are held to be its keys without being fetched again,
// and of how many providers they are kept. An unknown key is looked for at once.
const (
	keysFor = time.Hour
	maxSets = 1024
)

// source names the provider that keys are of.
type source struct{ env, provider string }

// set is the keys of one provider.
type set struct {
	*oidc.RemoteKeySet
	url    string
	client atomic.Pointer[http.Client] // of who asked last, which is as the provider is configured now
	since  time.Time
	used   time.Time
}

// keyring keeps the keys of providers.
type keyring struct {
	mu   sync.Mutex
	sets map[source]*set
}

// of finds the keys of a provider, which are fetched once they are needed.
func (k *keyring) of(env string, p *Provider, client *http.Client, now time.Time) *set {
	k.mu.Lock()
	defer k.mu.Unlock()
	at := source{env, p.ID}
	s := k.sets[at]
	if s == nil || s.url != p.JWKSEndpoint || now.Sub(s.since) >= keysFor {
		s = &set{url: p.JWKSEndpoint, since: now}
		fetching := *client
		fetching.Transport = keysOnly{s.client.Load}
		s.RemoteKeySet = oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), &fetching), p.JWKSEndpoint)
		k.sets[at] = s
	}
	s.client.Store(client)
	s.used = now
	if len(k.sets) > maxSets {
		k.forget()
	}
	return s
}

// forget leaves out the keys that were used longest ago.
func (k *keyring) forget() {
	var oldest source
	var used time.Time
	for at, s := range k.sets {
		if used.IsZero() || s.used.Before(used) {
			oldest, used = at, s.used
		}
	}
	delete(k.sets, oldest)
}
