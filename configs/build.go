package configs

import (
	"context"
	"crypto/sha256"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"

	"doorward/runtime/flow"
	"doorward/runtime/policy"
)

// builder makes the Bundle of one environment from what the store holds of it.
type builder struct {
	*Bundle
	tree *tree  // bodies alone, for what a plan takes in
	base string // stands for "{base}"
	made *sources
	find func(ctx context.Context, env string, hash flow.Digest) (*flow.Plan, error)
}

// build makes the Bundle of an environment. Every plan must have been published.
func (r *Registry) build(ctx context.Context, env flow.Resource, resources []flow.Resource, secrets map[string][]byte) (*Bundle, error) {
	var doc environmentDocument
	if err := body(env, r.base, &doc); err != nil {
		return nil, err
	}
	if message := baseFault(string(doc.AuthBase)); message != "" {
		return nil, fmt.Errorf("authBase %q %s", doc.AuthBase, message)
	}
	apps, err := r.applications(resources, secrets)
	if err != nil {
		return nil, err
	}
	b := builder{Bundle: NewBundle(doc.environment(), apps...), tree: newTree(r.declared, r.kinds), base: r.base, find: r.Plan}
	b.disclosing = doc.Compatibility.Disclosure == vendor
	for _, one := range resources {
		if k := kindOf(r.declared, one.Kind); k != nil {
			b.tree.add(&entry{kind: k, id: one.ID, body: one.Body})
		}
	}
	b.made = r.sources(env.ID, resources)
	planned := b.planned(ctx, resources)
	for i, one := range resources {
		if err := planned[i].err; err != nil {
			return nil, err
		}
		if err := b.add(one, secrets); err != nil {
			return nil, err
		}
		if planned[i].enter != nil {
			planned[i].enter()
		}
	}
	_, population := b.populations[b.population]
	_, password := b.passwords[b.password]
	_, signOn := b.policies[b.policy]
	if !population || !password || !signOn {
		return nil, fmt.Errorf("environment %s lacks a default population, password policy or sign-on policy", env.ID)
	}
	return b.Bundle, b.assigned()
}

// sources are the plans that the flow definitions of an environment come to, for as
// long as nothing changes that plans take in.
type sources struct {
	of    [sha256.Size]byte
	plans map[string]flow.Digest // by id of the definition
}

// sources are those of the last time when they still hold, and empty otherwise. It
// runs in Reload alone.
func (r *Registry) sources(env string, resources []flow.Resource) *sources {
	h := sha256.New()
	for _, one := range resources {
		if k := kindOf(r.declared, one.Kind); k != nil && k.Pinned {
			h.Write(fmt.Appendf(nil, "%s/%s %d\n%s\n", one.Kind, one.ID, len(one.Body), one.Body))
		}
	}
	of := [sha256.Size]byte(h.Sum(nil))
	if last := r.made[env]; last != nil && last.of == of {
		return last
	}
	made := &sources{of: of, plans: map[string]flow.Digest{}}
	r.made[env] = made
	return made
}

func (r *Registry) applications(resources []flow.Resource, secrets map[string][]byte) ([]*Application, error) {
	var out []*Application
	for _, one := range resources {
		if one.Kind != kindApplication {
			continue
		}
		var d applicationDocument
		if err := body(one, r.base, &d); err != nil {
			return nil, err
		}
		a := d.application(string(secrets[secretKey(one.Kind, one.ID, "secret")]))
		if a.Secret == "" && d.confidential() {
			return nil, fmt.Errorf("application %s has no secret", a.ID)
		}
		out = append(out, a)
	}
	return out, nil
}

// assigned makes sure that no application is assigned a policy that is not there.
func (b *Bundle) assigned() error {
	for _, a := range b.applications {
		for _, x := range a.Assignments {
			if _, ok := b.policies[x.Policy]; !ok {
				return fmt.Errorf("application %s is assigned sign-on policy %s, which does not exist", a.ID, x.Policy)
			}
		}
	}
	return nil
}

// planned is what a document with a plan comes to.
type planned struct {
	enter func() // puts it into the Bundle; nil: there is no plan
	err   error
}

// planned finds the plans of all documents side by side: that is most of what a
// Bundle takes, and none waits for another.
func (b *builder) planned(ctx context.Context, resources []flow.Resource) []planned {
	out := make([]planned, len(resources))
	var each errgroup.Group
	each.SetLimit(runtime.NumCPU()) // requests are answered meanwhile
	for i, r := range resources {
		each.Go(func() error {
			out[i].enter, out[i].err = b.plan(ctx, r)
			return nil
		})
	}
	_ = each.Wait() // each keeps its own error
	return out
}

func (b *builder) plan(ctx context.Context, r flow.Resource) (enter func(), err error) {
	switch r.Kind {
	case kindSignOnPolicy:
		return b.planPolicy(ctx, r)
	case kindFlowDefinition:
		return b.planDefinition(ctx, r)
	case kindDraft:
		return b.planDraft(ctx, r), nil
	}
	return nil, nil //nolint:nilnil // nothing to enter
}

func (b *builder) add(r flow.Resource, secrets map[string][]byte) error {
	switch r.Kind {
	case kindPopulation:
		var d populationDocument
		if err := body(r, b.base, &d); err != nil {
			return err
		}
		b.populations[d.ID] = d.population()
		choose(&b.population, d.ID, d.Default)
	case kindPasswordPolicy:
		var d passwordPolicyDocument
		if err := body(r, b.base, &d); err != nil {
			return err
		}
		p := d.policy()
		b.passwords[d.ID] = rules{p, p.JSON()}
		choose(&b.password, d.ID, d.Default)
	case kindAgreement:
		r.Body = identified(b.tree.find(r.Kind, r.ID))
		var d agreementDocument
		if err := body(r, b.base, &d); err != nil {
			return err
		}
		b.agreements[d.ID] = d.agreement(b.environment.defaultLanguage())
	case kindMFAPolicy, kindFIDO2Policy, kindMFASettings:
		return b.addFactors(r)
	case kindExternalService:
		b.addService(r, secrets)
	case kindIdentityProvider:
		var d identityProviderDocument
		if err := body(r, b.base, &d); err != nil {
			return err
		}
		b.providers[d.ID] = d.provider(string(secrets[secretKey(r.Kind, r.ID, "clientSecret")]))
	case kindNotifications:
		var d notificationsDocument
		if err := body(r, b.base, &d); err != nil {
			return err
		}
		b.phones = d.phones()
	case kindRecaptcha:
		var d recaptchaDocument
		if err := body(r, b.base, &d); err != nil {
			return err
		}
		b.recaptcha = Recaptcha{d.provider(), d.SiteKey, string(secrets[secretKey(r.Kind, r.ID, "secretKey")])}
	}
	return nil
}

func (b *builder) planPolicy(ctx context.Context, r flow.Resource) (enter func(), err error) {
	var d signOnPolicyDocument
	if err := body(r, b.base, &d); err != nil {
		return nil, err
	}
	if len(d.Actions) == 0 && !bool(d.Default) {
		return nil, nil //nolint:nilnil // is not finished, and nobody is led to it
	}
	_, hash, err := policy.Source(r.Body, d.Actions, b.tree, b.tree.steps)
	if err != nil {
		return nil, fmt.Errorf("sign-on policy %s: %w", r.ID, err)
	}
	plan, err := b.find(ctx, r.Env, hash)
	if err != nil {
		return nil, fmt.Errorf("sign-on policy %s: %w", r.ID, err)
	}
	return func() {
		b.sending(plan)
		b.policies[d.ID] = signOn{d.Name, hash}
		choose(&b.policy, d.ID, d.Default)
	}, nil
}

// planDraft serves a draft to whoever knows its plan. One that is not right yet is
// passed over.
func (b *builder) planDraft(ctx context.Context, r flow.Resource) (enter func()) {
	kind := kindOf(b.tree.kinds, kindFlowDefinition)
	e := kind.parse("", r.Body)
	e.id = r.ID
	d, ok := e.doc.(*flowDefinitionDocument)
	_, hash, err := definitionPlan(b.tree, e)
	if !ok || err != nil {
		return nil
	}
	if _, err := b.find(ctx, r.Env, hash); err != nil {
		return nil
	}
	return func() {
		b.drafts[r.ID] = FlowDefinition{ID: r.ID, Name: d.name, Enabled: true, Trigger: d.trigger, Plan: hash}
	}
}

func (b *builder) planDefinition(ctx context.Context, r flow.Resource) (enter func(), err error) {
	doc, _ := readDefinition(r.Body, b.base)
	d, _ := doc.(*flowDefinitionDocument)
	hash, known := b.made.plans[r.ID]
	if !known {
		if _, hash, err = definitionPlan(b.tree, b.tree.find(r.Kind, r.ID)); err != nil {
			return nil, fmt.Errorf("flow definition %s: %w", r.ID, err)
		}
	}
	plan, err := b.find(ctx, r.Env, hash)
	if err != nil {
		return nil, fmt.Errorf("flow definition %s: %w", r.ID, err)
	}
	return func() {
		b.made.plans[r.ID] = hash
		b.sending(plan)
		b.definitions[d.id] = FlowDefinition{ID: d.id, Name: d.name, Enabled: d.enabled, Trigger: d.trigger, Plan: hash}
	}, nil
}

func (b *builder) sending(plan *flow.Plan) {
	for _, n := range plan.Nodes {
		b.sends = b.sends || n.Sends
		b.kinds[n.Kind] = true
	}
}

func choose(id *string, candidate string, chosen flag) {
	if chosen {
		*id = candidate
	}
}

// body reads the body of a resource, which was checked before it was stored.
func body(r flow.Resource, base string, dst any) error {
	if err := decode(r.Body, base, dst).Err(); err != nil {
		return fmt.Errorf("%s %s: %w", r.Kind, r.ID, err)
	}
	return nil
}
