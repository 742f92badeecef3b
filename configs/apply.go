package configs

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"doorward/runtime/flow"
)

// Seeder creates users. Seed does nothing when there is a user with that id.
type Seeder interface {
	Seed(ctx context.Context, u User) error
}

// Change is one thing that applying files does.
type Change struct {
	Environment string // name
	Verb        Verb
	Kind        string
	Name        string
	ID          string
}

// Verb is what a Change does.
type Verb string

// The verbs.
const (
	Adds    Verb = "add"
	Changes Verb = "change"
	Removes Verb = "remove"
	Keeps   Verb = "keep" // the whole environment, which is seeded only once
)

// String is the line that an operator reads.
func (c Change) String() string {
	return fmt.Sprintf("%s: %s %s %q (%s)", c.Environment, c.Verb, c.Kind, c.Name, c.ID)
}

// Diff says what Apply would do, and does nothing.
func Diff(ctx context.Context, files *Files, store Store) ([]Change, error) {
	var out []Change
	for _, t := range files.tenants {
		d, err := t.diff(ctx, store)
		if err != nil {
			return nil, fmt.Errorf("compare environment %s: %w", t.environment.Name, err)
		}
		out = append(out, d.changes...)
	}
	return out, nil
}

// Apply brings the store to what the files say, one transaction for each
// environment, and returns what it did. Where nothing differs, nothing is
// written and the revision stays. Users go first, so that an environment that is
// there has had its users.
func Apply(ctx context.Context, files *Files, store Store, users Seeder) ([]Change, error) {
	var out []Change
	for _, t := range files.tenants {
		d, err := t.diff(ctx, store)
		if err == nil && !d.kept {
			err = t.seed(ctx, users)
		}
		if err == nil && (len(d.put)+len(d.remove) > 0 || d.publish) {
			_, err = store.Apply(ctx, t.environment.ID, d.put, d.remove, d.secrets, t.plans)
		}
		if err != nil {
			return out, fmt.Errorf("apply environment %s: %w", t.environment.Name, err)
		}
		out = append(out, d.changes...)
	}
	return out, nil
}

func (t *tenant) seed(ctx context.Context, users Seeder) error {
	for _, u := range t.users {
		if err := users.Seed(ctx, u); err != nil {
			return fmt.Errorf("user %s: %w", u.ID, err)
		}
	}
	return nil
}

// difference is what brings the store to one tenant's files.
type difference struct {
	kept        bool // it has been seeded; nothing is done any more
	publish     bool // a plan has not been published yet
	put, remove []flow.Resource
	secrets     map[string][]byte // that differ; an empty one is to be removed
	changes     []Change
}

func (d *difference) note(t *tenant, verb Verb, r flow.Resource) {
	var b struct {
		Name string `json:"name"`
	}
	_ = json.Unmarshal(r.Body, &b) // a nameless body is still named by its id
	d.changes = append(d.changes, Change{t.environment.Name, verb, r.Kind, b.Name, r.ID})
}

type resourceKey struct{ kind, id string }

func (t *tenant) diff(ctx context.Context, store Store) (*difference, error) {
	there, err := t.stored(ctx, store)
	if err != nil {
		return nil, err
	}
	d := &difference{secrets: map[string][]byte{}}
	if env, ok := there[resourceKey{kindEnvironment, t.environment.ID}]; ok && !t.environment.Managed {
		d.kept = true
		d.note(t, Keeps, env)
		return d, nil
	}
	secrets, err := store.Secrets(ctx, t.environment.ID)
	if err != nil {
		return nil, err
	}
	for _, r := range t.resources {
		old, ok := there[resourceKey{r.Kind, r.ID}]
		delete(there, resourceKey{r.Kind, r.ID})
		key := secretKey(r.Kind, r.ID)
		secret := t.secrets[key]
		turned := !bytes.Equal(secrets[key], secret)
		verb := Changes
		switch {
		case !ok:
			verb = Adds
		case bytes.Equal(old.Body, r.Body) && !turned:
			continue
		}
		d.put = append(d.put, r)
		if turned {
			d.secrets[key] = secret
		}
		d.note(t, verb, r)
	}
	for _, r := range there {
		d.remove = append(d.remove, r)
	}
	slices.SortFunc(d.remove, func(a, b flow.Resource) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID)) })
	for _, r := range d.remove {
		d.note(t, Removes, r)
	}
	for hash := range t.plans {
		_, err := store.Plan(ctx, t.environment.ID, hash)
		if err != nil && !errors.Is(err, flow.ErrUnknown) {
			return nil, err
		}
		d.publish = d.publish || err != nil
	}
	return d, nil
}

// stored is everything that the store has of the environment.
func (t *tenant) stored(ctx context.Context, store Store) (map[resourceKey]flow.Resource, error) {
	environments, err := store.Environments(ctx)
	if err != nil {
		return nil, err
	}
	resources, err := store.List(ctx, t.environment.ID)
	if err != nil {
		return nil, err
	}
	out := map[resourceKey]flow.Resource{}
	for _, r := range append(environments, resources...) {
		if r.ID == t.environment.ID || r.Kind != kindEnvironment {
			out[resourceKey{r.Kind, r.ID}] = r
		}
	}
	return out, nil
}
