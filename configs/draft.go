package configs

import (
	"context"

	"doorward/runtime/flow"
)

// kindDraft is what the store keeps drafts of flow definitions as. It is no kind
// of resource: nothing refers to a draft, nothing is served of it, and it may be
// wrong.
const kindDraft = "flowDefinitionDraft"

// Draft is a flow definition that is being worked on, beside the published one or
// before there is any.
type Draft struct {
	Item
	Plan   flow.Digest // what runs it; zero while there are Faults
	Faults Faults      // why it could not be published now
}

// SaveDraft keeps a body as the draft of a flow definition: of a new one when id is
// empty. What is wrong with it is returned and refuses nothing, and what is right
// can be run by its plan. The error is Faults only for what is no JSON object,
// and otherwise one of Create's.
func (e *Editor) SaveDraft(ctx context.Context, env, id string, body []byte) (Draft, error) {
	kind := kindOf(e.kinds, kindFlowDefinition)
	if id == "" {
		id = e.newID()
	}
	m, err := kind.sent(body)
	if err != nil {
		return Draft{}, err
	}
	m["id"] = raw(id)
	r := flow.Resource{Env: env, Kind: kindDraft, ID: id, Body: encode(m)}
	var out Draft
	err = e.inTurn(ctx, func() error {
		c, err := e.unmanaged(ctx, env, kind)
		if err != nil {
			return err
		}
		var plans map[flow.Digest][]byte
		out, plans = c.judge(r)
		_, err = e.store.Edit(ctx, flow.Edit{Env: env, Put: []flow.Resource{r}, Plans: plans, Expected: c.revision})
		return err
	})
	return out, err
}

// judge says what publishing a draft would come to, with the plan that it needs.
func (c *change) judge(r flow.Resource) (Draft, map[flow.Digest][]byte) {
	kind := kindOf(c.kinds, kindFlowDefinition)
	d := kind.parse("", r.Body)
	d.id = r.ID
	c.place(d, c.tree.find(kind.Name, r.ID))
	v := c.tree.check(func(flow.Digest) bool { return true }) // of the others
	own := verdict{plans: map[flow.Digest][]byte{}, plan: map[string]flow.Digest{}}
	c.tree.publish(d, &own, nil)
	out := Draft{Item: c.item(kind, r, "", d.members(), nil), Faults: c.blame(append(v.faults, own.faults...))}
	out.Warnings = own.warnings
	if len(out.Faults) > 0 {
		return out, nil
	}
	out.Plan = own.plan[d.id]
	return out, own.plans
}

// Draft returns the draft of a flow definition, judged as it would be published
// now; flow.ErrUnknown when there is none.
func (e *Editor) Draft(ctx context.Context, env, id string) (Draft, error) {
	c, err := e.open(ctx, env)
	if err != nil {
		return Draft{}, err
	}
	r, ok := c.draft(id)
	if !ok {
		return Draft{}, flow.ErrUnknown
	}
	out, _ := c.judge(r)
	return out, nil
}

func (c *change) draft(id string) (flow.Resource, bool) {
	for _, r := range c.before {
		if r.Kind == kindDraft && r.ID == id {
			return r, true
		}
	}
	return flow.Resource{}, false
}

// DiscardDraft removes the draft of a flow definition; flow.ErrUnknown when there
// is none.
func (e *Editor) DiscardDraft(ctx context.Context, env, id string) error {
	_, err := e.change(ctx, env, kindOf(e.kinds, kindFlowDefinition), func(c *change) error {
		r, ok := c.draft(id)
		if !ok {
			return flow.ErrUnknown
		}
		c.gone = append(c.gone, r)
		return nil
	})
	return err
}

// Publish makes the draft of a flow definition the published one, and the draft is
// gone. Errors are those of Create.
func (e *Editor) Publish(ctx context.Context, env, id string) (Item, error) {
	return e.publishing(ctx, env, id, func(c *change) ([]byte, error) {
		r, ok := c.draft(id)
		if !ok {
			return nil, flow.ErrUnknown
		}
		c.gone = append(c.gone, r)
		return r.Body, nil
	})
}

// Restore publishes an old version of a flow definition again, with the forms and
// definitions that it names as they are now: where one of those has changed since,
// it becomes a version of another hash. It brings back what was removed, too.
// Errors are those of Create.
func (e *Editor) Restore(ctx context.Context, env, id string, hash flow.Digest) (Item, error) {
	v, err := e.store.VersionOf(ctx, env, kindFlowDefinition, id, hash)
	if err != nil {
		return Item{}, err
	}
	return e.publishing(ctx, env, id, func(*change) ([]byte, error) { return v.Body, nil })
}

func (e *Editor) publishing(ctx context.Context, env, id string, body func(*change) ([]byte, error)) (Item, error) {
	kind := kindOf(e.kinds, kindFlowDefinition)
	warnings, err := e.change(ctx, env, kind, func(c *change) error {
		b, err := body(c)
		if err != nil {
			return err
		}
		m, err := kind.sent(b)
		if err != nil {
			return err
		}
		m["id"] = raw(id)
		c.write(kind, id, m, c.tree.find(kind.Name, id))
		return nil
	})
	return e.written(ctx, env, kind, nil, id, warnings, err)
}

// Versions returns a page of the versions of a flow definition, the newest first,
// without their bodies. after is Next of the page before, or empty.
func (e *Editor) Versions(ctx context.Context, env, id, after string, limit int) (flow.VersionPage, error) {
	return e.store.Versions(ctx, env, kindFlowDefinition, id, after, limit)
}

// Version returns the newest version of a hash with its body, as it was published;
// flow.ErrUnknown when there is none.
func (e *Editor) Version(ctx context.Context, env, id string, hash flow.Digest) (flow.Version, error) {
	return e.store.VersionOf(ctx, env, kindFlowDefinition, id, hash)
}
