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

// tries is how often a change is made again that another one was faster than.
const tries = 5

// Apply brings the store to what the files say, one transaction for each
// environment, and returns what it did. Where nothing differs, nothing is
// written and the revision stays. Users go first, so that an environment that is
// there has had its users.
func Apply(ctx context.Context, files *Files, store Store, users Seeder) ([]Change, error) {
	var out []Change
	for _, t := range files.tenants {
		d, err := t.apply(ctx, store, users)
		for n := 1; n < tries && errors.Is(err, flow.ErrLost); n++ {
			d, err = t.apply(ctx, store, users)
		}
		if err != nil {
			return out, fmt.Errorf("apply environment %s: %w", t.environment.Name, err)
		}
		out = append(out, d.changes...)
	}
	return out, nil
}

func (t *tenant) apply(ctx context.Context, store Store, users Seeder) (*difference, error) {
	revision, err := store.Revision(ctx)
	if err != nil {
		return nil, err
	}
	d, err := t.diff(ctx, store)
	if err != nil || d.kept {
		return d, err
	}
	if d.handed {
		_, err = store.Edit(ctx, flow.Edit{Env: t.environment.ID, Put: d.put, Expected: revision})
		return d, err
	}
	if err := t.seed(ctx, users); err != nil {
		return nil, err
	}
	if len(d.put)+len(d.remove) > 0 || d.publish {
		_, err = store.Edit(ctx, flow.Edit{
			Env: t.environment.ID, Put: d.put, Remove: d.remove, Secrets: d.secrets, Plans: t.made.plans,
			Versions: t.tree.versions(t.tree.publications(d.before), t.made, d.put, byFiles), Expected: revision,
		})
	}
	return d, err
}

// byFiles is the author of versions that files publish.
const byFiles = "files"

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
	handed      bool // it is no longer the files' own; it stays as it is but for that
	publish     bool // a plan has not been published yet
	before      []flow.Resource
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
	d := &difference{secrets: map[string][]byte{}}
	there, err := t.stored(ctx, store)
	if err != nil {
		return nil, err
	}
	for _, r := range there {
		d.before = append(d.before, r)
	}
	if env, ok := there[resourceKey{kindEnvironment, t.environment.ID}]; ok && !t.environment.Managed {
		return d, d.keep(t, env)
	}
	secrets, err := store.Secrets(ctx, t.environment.ID)
	if err != nil {
		return nil, err
	}
	for _, e := range t.tree.entries() {
		t.compare(d, e, there, secrets)
	}
	for _, r := range there {
		d.remove = append(d.remove, r)
	}
	slices.SortFunc(d.remove, func(a, b flow.Resource) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID)) })
	for _, r := range d.remove {
		d.note(t, Removes, r)
	}
	d.publish, err = t.unpublished(ctx, store)
	return d, err
}

// keep leaves an environment that has been seeded as it is. One that was the files' own
// is handed over.
func (d *difference) keep(t *tenant, env flow.Resource) error {
	if !isManaged(env) {
		d.kept = true
		d.note(t, Keeps, env)
		return nil
	}
	var body map[string]json.RawMessage
	if err := json.Unmarshal(env.Body, &body); err != nil {
		return err
	}
	body["managed"] = json.RawMessage("false")
	var err error
	env.Body, err = json.Marshal(body)
	d.handed, d.put = true, []flow.Resource{env}
	d.note(t, Changes, env)
	return err
}

// isManaged reports whether the document of an environment gives it to files.
func isManaged(env flow.Resource) bool {
	var b struct {
		Managed bool `json:"managed"`
	}
	return json.Unmarshal(env.Body, &b) == nil && b.Managed
}

// Abandoned are the ids of those environments that are files' own and that no folder
// has any more. Nothing is done with them: whoever is in them would be gone.
func (f *Files) Abandoned(environments []flow.Resource) []string {
	var out []string
	for _, env := range environments {
		if isManaged(env) && !f.Names(env.ID) {
			out = append(out, env.ID)
		}
	}
	return out
}

// compare finds what of a document differs from what is there, and takes that out
// of there.
func (t *tenant) compare(d *difference, e *entry, there map[resourceKey]flow.Resource, secrets map[string][]byte) {
	r := e.resource(t.environment.ID)
	old, ok := there[resourceKey{r.Kind, r.ID}]
	delete(there, resourceKey{r.Kind, r.ID})
	turned := e.turned(d.secrets, secrets)
	verb := Changes
	switch {
	case !ok:
		verb = Adds
	case bytes.Equal(old.Body, r.Body) && !turned:
		return
	}
	d.put = append(d.put, r)
	d.note(t, verb, r)
}

// unpublished reports whether the store lacks a plan.
func (t *tenant) unpublished(ctx context.Context, store Store) (bool, error) {
	for hash := range t.made.plans {
		_, err := store.Plan(ctx, t.environment.ID, hash)
		if errors.Is(err, flow.ErrUnknown) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	return false, nil
}

// stored is everything that the store has of the environment.
func (t *tenant) stored(ctx context.Context, store Store) (map[resourceKey]flow.Resource, error) {
	resources, err := whole(ctx, store, t.environment.ID)
	out := map[resourceKey]flow.Resource{}
	for _, r := range resources {
		out[resourceKey{r.Kind, r.ID}] = r
	}
	return out, err
}

// whole is the document of an environment and all that it has, as far as there are
// any.
func whole(ctx context.Context, store Reader, env string) ([]flow.Resource, error) {
	environments, err := store.Environments(ctx)
	if err != nil {
		return nil, err
	}
	resources, err := store.List(ctx, env)
	if err != nil {
		return nil, err
	}
	var out []flow.Resource
	for _, r := range environments {
		if r.ID == env {
			out = append(out, r)
		}
	}
	for _, r := range resources {
		if r.Kind != kindEnvironment {
			out = append(out, r)
		}
	}
	return out, nil
}
