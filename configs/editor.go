package configs

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"doorward/runtime/flow"
)

// Archive keeps every version of what was published.
type Archive interface {
	// Versions returns a page of versions, the newest first; after is Next of the
	// page before, or empty.
	Versions(ctx context.Context, env, kind, id, after string, limit int) (flow.VersionPage, error)
	// VersionOf returns the newest version of a hash; flow.ErrUnknown when there is
	// none.
	VersionOf(ctx context.Context, env, kind, id string, hash flow.Digest) (flow.Version, error)
}

// Keeper is a Store with an Archive.
type Keeper interface {
	Store
	Archive
}

// Editor changes environments one resource at a time. A change is judged like
// files are: the whole environment is checked as it would be, and every fault is
// said at once. It is made only when nobody else made one meanwhile. An
// environment that is kept by files is not changed here; see Managed.
//
// It reads what the store holds now, not the Bundles, which follow within a
// second. It is safe for concurrent use.
type Editor struct {
	store  Keeper
	steps  []flow.Kind
	kinds  []*Kind
	base   string
	now    func() time.Time
	newID  func() string
	author string
	counts map[string]counter
	turn   chan struct{} // held by the change that is being made
}

// counter says how many users belong to a resource.
type counter = func(ctx context.Context, env, id string) (int, error)

// Base is the deployment's own base URL, at which every environment is served that names
// no other.
func (e *Editor) Base() string { return e.base }

// NewEditor makes an Editor. Plans are made for steps. base is the deployment's
// own base URL, as of NewRegistry. newID returns a UUID of version 4 that nobody
// can guess: secrets are made of two.
func NewEditor(store Keeper, steps []flow.Kind, base string, now func() time.Time, newID func() string) *Editor {
	return &Editor{store: store, steps: steps, kinds: Kinds(), base: base, now: now, newID: newID, counts: map[string]counter{}, turn: make(chan struct{}, 1)}
}

// As is an Editor whose versions name an author: who asked for them.
func (e *Editor) As(author string) *Editor {
	other := *e
	other.author = author
	return &other
}

// Counting has users counted before a resource of the kind is removed, which then
// is refused. It is to be called before the Editor is used.
func (e *Editor) Counting(kind string, users func(ctx context.Context, env, id string) (int, error)) {
	e.counts[kind] = users
}

// List returns the resources of a kind in one environment, or of the parts below
// parents, the ids from the document down. Documents come by id, parts in the
// order in which they were added. env is empty for the environments themselves.
// The error is flow.ErrUnknown when there is no such parent.
func (e *Editor) List(ctx context.Context, env string, kind *Kind, parents []string) ([]Item, error) {
	all, err := e.resources(ctx, env, kind.root())
	if err != nil {
		return nil, err
	}
	out, found := []Item{}, kind.Parent == nil
	for _, r := range all {
		if r.Kind != kind.root().Name || kind.Parent != nil && r.ID != parents[0] {
			continue
		}
		found = true
		items, err := e.items(kind, r, parents, all)
		if err != nil {
			return nil, err
		}
		out = append(out, items...)
	}
	if !found {
		return nil, flow.ErrUnknown
	}
	if len(kind.apart) > 0 {
		return out, e.naming(ctx, env, kind, out)
	}
	return out, nil
}

// naming adds to resources the names of what is kept beside them.
func (e *Editor) naming(ctx context.Context, env string, kind *Kind, items []Item) error {
	all, err := e.store.Secrets(ctx, env)
	if err != nil {
		return err
	}
	for i := range items {
		var body object
		if err := json.Unmarshal(items[i].Body, &body); err != nil {
			return err
		}
		for _, member := range kind.apart {
			body[member] = raw(namesBelow(member, kind.sealed(items[i].ID, all)))
		}
		items[i].Body = encode(body)
	}
	return nil
}

// resources are what a kind's documents lie among.
func (e *Editor) resources(ctx context.Context, env string, kind *Kind) ([]flow.Resource, error) {
	if kind.Name == kindEnvironment {
		return e.store.Environments(ctx)
	}
	return e.store.List(ctx, env)
}

// Read returns one resource; flow.ErrUnknown when there is none, and where the kind
// says so what holds without one. The id of a singleton is its environment's, and
// may be left empty.
func (e *Editor) Read(ctx context.Context, env string, kind *Kind, parents []string, id string) (Item, error) {
	if kind.Singleton && id == "" {
		id = env
	}
	items, err := e.List(ctx, env, kind, parents)
	if err != nil {
		return Item{}, err
	}
	if i := slices.IndexFunc(items, func(x Item) bool { return x.ID == id }); i >= 0 {
		return items[i], nil
	}
	if kind.stands != nil && id == env {
		return Item{ID: env, Body: encode(kind.stands())}, nil
	}
	return Item{}, flow.ErrUnknown
}

// Create makes a resource of a body, and an id for it. The error is Faults when
// the environment with it would be wrong, flow.ErrUnknown when there is no such
// environment or parent, Managed where files alone change it.
func (e *Editor) Create(ctx context.Context, env string, kind *Kind, parents []string, body []byte) (Item, error) {
	if kind.Name == kindEnvironment {
		return e.CreateEnvironment(ctx, body)
	}
	var id string
	warnings, err := e.change(ctx, env, kind, func(c *change) (err error) {
		id, err = c.create(kind, parents, body)
		return err
	})
	return e.written(ctx, env, kind, parents, id, warnings, err)
}

// Replace gives a resource another body. What that leaves out is cleared, but for
// secrets, parts, and what the kind keeps; what only creating sets stays. A
// singleton that is not there is made. Errors are those of Create.
func (e *Editor) Replace(ctx context.Context, env string, kind *Kind, parents []string, id string, body []byte) (Item, error) {
	if kind.Singleton && id == "" {
		id = env
	}
	warnings, err := e.change(ctx, env, kind, func(c *change) error { return c.replace(kind, parents, id, body) })
	return e.written(ctx, env, kind, parents, id, warnings, err)
}

func (e *Editor) written(ctx context.Context, env string, kind *Kind, parents []string, id string, warnings Faults, err error) (Item, error) {
	if err != nil {
		return Item{}, err
	}
	item, err := e.Read(ctx, env, kind, parents, id)
	item.Warnings = warnings
	return item, err
}

// Remove removes a resource with its parts. The error is *Referenced when others
// name it, and otherwise one of Create's.
func (e *Editor) Remove(ctx context.Context, env string, kind *Kind, parents []string, id string) error {
	if kind.Name == kindEnvironment {
		return e.RemoveEnvironment(ctx, env)
	}
	if kind.Singleton && id == "" {
		id = env
	}
	if count := e.counts[kind.Name]; count != nil {
		n, err := count(ctx, env, id)
		if err != nil {
			return err
		}
		if n > 0 {
			return &Referenced{Kind: kind.Name, ID: id, Users: n}
		}
	}
	_, err := e.change(ctx, env, kind, func(c *change) error { return c.remove(kind, parents, id) })
	return err
}
