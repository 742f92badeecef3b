package configs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"doorward/runtime/flow"
	"doorward/runtime/policy"
)

// change is one environment on its way from one revision to the next. What is
// being written has no place of its own in faults; others are called by name.
type change struct {
	*Editor
	env      string
	revision int64
	before   []flow.Resource
	secrets  map[string][]byte // as they are
	tree     *tree             // as it is to be
	put      []*entry
	beside   []flow.Resource // to be put, and no documents: see timesKind
	gone     []flow.Resource
	faults   policy.Faults // found while it was being made
	at       policy.Path   // where in its document the written part is
	removed  bool          // that part is no longer there
}

// change makes a change to an environment, again when another one was faster, and
// returns what is to be warned of.
func (e *Editor) change(ctx context.Context, env string, kind *Kind, do func(*change) error) (Faults, error) {
	var warnings Faults
	err := e.inTurn(ctx, func() error {
		c, err := e.unmanaged(ctx, env, kind)
		if err == nil {
			err = do(c)
		}
		if err == nil && kind.Name == kindEnvironment {
			err = c.namesakes(ctx)
		}
		if err != nil {
			return err
		}
		warnings, err = c.commit(ctx)
		return err
	})
	return warnings, err
}

// inTurn tries to make a change, again when another one was faster. Those of one
// process take turns, so that one of many is not overtaken until it gives up.
func (e *Editor) inTurn(ctx context.Context, try func() error) error {
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	err := flow.ErrLost
	for n := 0; n < tries && errors.Is(err, flow.ErrLost); n++ {
		err = try()
	}
	return err
}

// open reads an environment as it is; flow.ErrUnknown when there is none.
func (e *Editor) open(ctx context.Context, env string) (*change, error) {
	c, err := e.begin(ctx, env)
	if err != nil {
		return nil, err
	}
	if c.before, err = whole(ctx, e.store, env); err != nil {
		return nil, err
	}
	if c.secrets, err = e.store.Secrets(ctx, env); err != nil {
		return nil, err
	}
	c.tree = e.standing(c.before, c.secrets)
	if len(c.tree.all[kindEnvironment]) == 0 {
		return nil, flow.ErrUnknown
	}
	return c, nil
}

// unmanaged is an environment that can be changed here.
func (e *Editor) unmanaged(ctx context.Context, env string, kind *Kind) (*change, error) {
	c, err := e.open(ctx, env)
	if err != nil {
		return nil, err
	}
	if d, _ := c.tree.all[kindEnvironment][0].doc.(*environmentDocument); d.Managed {
		return nil, &Managed{Environment: d.Name, Kind: kind}
	}
	return c, nil
}

// begin is a change to an environment that has nothing yet. The revision is read
// before anything else is, so that every later change is noticed.
func (e *Editor) begin(ctx context.Context, env string) (*change, error) {
	revision, err := e.store.Revision(ctx)
	if err != nil {
		return nil, err
	}
	return &change{Editor: e, env: env, revision: revision, tree: e.standing(nil, nil), at: root}, nil
}

// standing is the environment that resources make.
func (e *Editor) standing(resources []flow.Resource, secrets map[string][]byte) *tree {
	t := newTree(e.kinds, e.steps)
	t.now = e.now()
	for _, r := range resources {
		if k := kindOf(e.kinds, r.Kind); k != nil && k.Parent == nil {
			t.env = r.Env
			t.add(k.stored(r, secrets))
		}
	}
	return t
}

// commit checks the environment and makes the change.
func (c *change) commit(ctx context.Context) (Faults, error) {
	published := map[flow.Digest]bool{}
	var unread error
	known := func(hash flow.Digest) bool {
		if _, asked := published[hash]; !asked {
			_, err := c.store.Plan(ctx, c.env, hash)
			published[hash] = err == nil
			if err != nil && !errors.Is(err, flow.ErrUnknown) {
				unread = err
			}
		}
		return published[hash]
	}
	v := c.tree.check(known)
	if unread != nil {
		return nil, unread
	}
	if faults := c.blame(v.faults); len(faults) > 0 {
		return nil, faults
	}
	plans := map[flow.Digest][]byte{}
	for hash, src := range v.plans {
		if !known(hash) {
			plans[hash] = src
		}
	}
	put := make([]flow.Resource, len(c.put))
	for i, e := range c.put {
		put[i] = e.resource(c.env)
	}
	edit := flow.Edit{Env: c.env, Put: slices.Concat(put, c.beside), Remove: c.gone, Secrets: c.turned(), Plans: plans, Expected: c.revision}
	if c.pins() {
		edit.Versions = c.tree.versions(c.tree.publications(c.before), v, put, c.author)
	}
	if _, err := c.store.Edit(ctx, edit); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(v.warnings, func(f Fault) bool { return f.File != "" }), nil
}

// pins reports whether something changes that plans of flow definitions take in.
func (c *change) pins() bool {
	pinned := func(name string) bool { k := kindOf(c.kinds, name); return k != nil && k.Pinned }
	return slices.ContainsFunc(c.put, func(e *entry) bool { return e.kind.Pinned }) ||
		slices.ContainsFunc(c.gone, func(r flow.Resource) bool { return pinned(r.Kind) })
}

// turned are the secrets that differ; an empty one is to be removed.
func (c *change) turned() map[string][]byte {
	out := map[string][]byte{}
	for _, e := range c.put {
		e.turned(out, c.secrets)
	}
	return out
}

// blame is the faults as whoever writes should read them: those inside of what was
// written with paths into it, those that it causes elsewhere by name. What was
// wrong before is nobody's fault now.
func (c *change) blame(found Faults) Faults {
	var out Faults
	out.merge("", c.faults)
	var before Faults
	for _, f := range found {
		inside, is := c.inside(f)
		switch {
		case is:
			out.append(inside)
			continue
		case len(c.put) > 0 && f.File == c.put[0].kind.Collection:
			continue // there would be no default one, which has been said
		case before == nil:
			before = append(Faults{}, c.standing(c.before, c.secrets).check(func(flow.Digest) bool { return true }).faults...)
		}
		was := func(b Fault) bool {
			return b.Path == f.Path && b.Message == f.Message && (b.File == f.File || f.File == "")
		}
		if !slices.ContainsFunc(before, was) {
			out = append(out, Fault{Fault: policy.Fault{Path: root, Code: flow.ConstraintViolation, Message: c.elsewhere(f)}})
		}
	}
	return out
}

// inside is a fault as seen from the part that was written; not ok when it lies
// outside of it.
func (c *change) inside(f Fault) (Fault, bool) {
	rest, ok := strings.CutPrefix(string(f.Path), string(c.at))
	if f.File != "" || c.removed || !ok || rest != "" && rest[0] != '.' && rest[0] != '[' {
		return Fault{}, false
	}
	f.Path = root + policy.Path(rest)
	return f, true
}

func (c *change) elsewhere(f Fault) string {
	what := f.File
	if what == "" {
		what = "the " + c.put[0].kind.Title + " " + quoted(c.put[0].name)
	}
	return fmt.Sprintf("leaves %s wrong: %s: %s", what, f.Path, f.Message)
}
