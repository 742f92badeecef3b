package configs

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"doorward/runtime/flow"
)

// Reader reads the resources that the store holds.
type Reader interface {
	Environments(ctx context.Context) ([]flow.Resource, error)
	List(ctx context.Context, env string) ([]flow.Resource, error)
	// Secrets returns plaintexts by "kind/id/name".
	Secrets(ctx context.Context, env string) (map[string][]byte, error)
}

// Publications says when resources have changed, and keeps what was published.
type Publications interface {
	// Revision moves with every change to any environment.
	Revision(ctx context.Context) (int64, error)
	// Plan returns a published source; flow.ErrUnknown when there is none.
	Plan(ctx context.Context, env string, hash flow.Digest) ([]byte, error)
}

// Writer changes resources in one transaction and moves the revision. The error
// is flow.ErrLost when the revision is no longer the expected one.
type Writer interface {
	Edit(ctx context.Context, e flow.Edit) (flow.Edited, error)
}

// Store is the truth at run time.
type Store interface {
	Reader
	Publications
	Writer
}

// cached is how many compiled plans are kept; past it they are compiled anew.
const cached = 1024

// Registry serves the Bundles of all environments. It is safe for concurrent
// use; requests never wait for a reload.
type Registry struct {
	store    Store
	kinds    []flow.Kind
	declared []*Kind
	base     string

	reload sync.Mutex
	made   map[string]*sources // by environment; for Reload
	world  atomic.Pointer[world]

	mu    sync.RWMutex
	plans map[planKey]*flow.Plan
}

type planKey struct {
	env  string
	hash flow.Digest
}

// world is everything that is served at one revision.
type world struct {
	revision int64
	bundles  map[string]*Bundle // by environment id
}

// NewRegistry makes a Registry that serves nothing until Reload. base is the
// deployment's own base URL, scheme://host[:port], which stands for "{base}".
func NewRegistry(store Store, kinds []flow.Kind, base string) *Registry {
	r := &Registry{store: store, kinds: kinds, declared: Kinds(), base: base, made: map[string]*sources{}, plans: map[planKey]*flow.Plan{}}
	r.world.Store(&world{revision: -1})
	return r
}

// Resolve is the only function from a request to a tenant: it returns the Bundle
// that path belongs to and the rest of path behind the environment, which begins with "/". host is the
// Host header, which must be the environment's own. Its errors are Faults: a host
// that no environment has is misdirected; any other mismatch is as not found as
// an environment that does not exist.
func (r *Registry) Resolve(host, path string) (*Bundle, string, error) {
	return r.resolve(host, path, func(b *Bundle) string { return b.host })
}

// ResolveAPI is Resolve for the management API, which has a host of its own where
// apiBase says so.
func (r *Registry) ResolveAPI(host, path string) (*Bundle, string, error) {
	return r.resolve(host, path, func(b *Bundle) string { return b.apiHost })
}

func (r *Registry) resolve(host, path string, hostOf func(*Bundle) string) (*Bundle, string, error) {
	w := r.world.Load()
	segment, rooted := strings.CutPrefix(path, "/")
	id, rest := segment, "/"
	if i := strings.IndexByte(segment, '/'); i >= 0 {
		id, rest = segment[:i], segment[i:]
	}
	b := w.bundles[id]
	switch {
	case b != nil && rooted && strings.EqualFold(hostOf(b), host):
		return b, rest, nil
	case !w.serves(host, hostOf):
		return nil, "", w.misdirected(b, hostOf)
	}
	return nil, "", &flow.Fault{Code: flow.NotFound, Message: "There is no environment at this address. Check the first part of the path."}
}

func (w *world) serves(host string, hostOf func(*Bundle) string) bool {
	for _, b := range w.bundles {
		if strings.EqualFold(hostOf(b), host) {
			return true
		}
	}
	return false
}

// misdirected names the host to use when the path tells which, or when there is
// one only.
func (w *world) misdirected(b *Bundle, hostOf func(*Bundle) string) *flow.Fault {
	hosts := map[string]bool{}
	for _, other := range w.bundles {
		hosts[hostOf(other)] = true
	}
	message := "This host name is not served here."
	for host := range hosts {
		if b != nil {
			host = hostOf(b)
		}
		if b != nil || len(hosts) == 1 {
			message = "This host name is not served here. Send the request to " + host + "."
		}
	}
	return &flow.Fault{Code: flow.Misdirected, Message: message}
}

// Bundle returns the Bundle of an environment by id. It is for parts that have
// the id from an execution; requests go through Resolve.
func (r *Registry) Bundle(env string) (*Bundle, bool) {
	b, ok := r.world.Load().bundles[env]
	return b, ok
}

// Bundles returns all that are served, in no order.
func (r *Registry) Bundles() []*Bundle { return slices.Collect(maps.Values(r.world.Load().bundles)) }

// Plan returns the compiled plan that was published under hash, or an error with
// flow.ErrUnknown in it when there is none.
func (r *Registry) Plan(ctx context.Context, env string, hash flow.Digest) (*flow.Plan, error) {
	key := planKey{env, hash}
	r.mu.RLock()
	plan := r.plans[key]
	r.mu.RUnlock()
	if plan != nil {
		return plan, nil
	}
	src, err := r.store.Plan(ctx, env, hash)
	switch {
	case errors.Is(err, flow.ErrUnknown):
		return nil, fmt.Errorf("plan %s: %w", hash, err)
	case err != nil:
		return nil, fmt.Errorf("plan %s: %w", hash, &unreadError{err})
	}
	if flow.Digest(sha256.Sum256(src)) != hash {
		return nil, fmt.Errorf("plan %s: its source has another digest", hash)
	}
	if plan, err = compile(src, r.kinds); err != nil {
		return nil, fmt.Errorf("plan %s: %w", hash, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.plans) >= cached {
		clear(r.plans)
	}
	r.plans[key] = plan
	return plan, nil
}

// Reload builds the Bundles anew when the revision has moved, and swaps them in
// at once. An environment that cannot be built stays as it was, and the error
// says why; it is tried again at the next change.
func (r *Registry) Reload(ctx context.Context) error {
	r.reload.Lock()
	defer r.reload.Unlock()
	old := r.world.Load()
	// Read before the resources: a change in between is seen by the next Reload.
	revision, err := r.store.Revision(ctx)
	if err != nil {
		return fmt.Errorf("configuration revision: %w", err)
	}
	if revision == old.revision {
		return nil
	}
	environments, err := r.store.Environments(ctx)
	if err != nil {
		return fmt.Errorf("configuration at revision %d: %w", revision, err)
	}
	next := &world{revision: revision, bundles: map[string]*Bundle{}}
	var faults []error
	for _, env := range environments {
		b, err := r.bundle(ctx, env)
		if unread := (*unreadError)(nil); errors.As(err, &unread) {
			return fmt.Errorf("configuration at revision %d: %w", revision, err)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("configuration at revision %d: environment %s: %w", revision, env.ID, err))
			b = old.bundles[env.ID]
		}
		if b != nil {
			next.bundles[env.ID] = b
		}
	}
	r.world.Store(next)
	return errors.Join(faults...)
}

// unreadError says that the store could not be read, which passes, and not that
// what it holds is wrong, which stays.
type unreadError struct{ error }

func (e *unreadError) Unwrap() error { return e.error }

func (r *Registry) bundle(ctx context.Context, env flow.Resource) (*Bundle, error) {
	resources, err := r.store.List(ctx, env.ID)
	if err != nil {
		return nil, &unreadError{err}
	}
	secrets, err := r.store.Secrets(ctx, env.ID)
	if err != nil {
		return nil, &unreadError{err}
	}
	return r.build(ctx, env, resources, secrets)
}

// Watch reloads every interval until ctx ends, and reports what goes wrong.
func (r *Registry) Watch(ctx context.Context, interval time.Duration, report func(error)) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := r.Reload(ctx); err != nil && ctx.Err() == nil {
				report(err)
			}
		}
	}
}
