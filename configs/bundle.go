package configs

import (
	"context"
	"fmt"
	"slices"

	"doorward/runtime/flow"
	"doorward/runtime/passwordpolicy"
	"doorward/runtime/policy"
)

// Population is a set of users under one password policy.
type Population struct {
	ID                string
	Name              string
	PasswordPolicy    string // id; empty for the environment's default
	PreferredLanguage string // of its users who say nothing; Accept-Language syntax
}

// Bundle is one environment's configuration at one revision. It is immutable;
// what it hands out is not to be changed.
type Bundle struct {
	environment  Environment
	host         string
	applications map[string]*Application
	populations  map[string]Population
	passwords    map[string]rules
	policies     map[string]signOn // by id
	origins      map[string]bool

	population, password, policy string // the defaults
	sends                        bool
}

// rules is a password policy, and its form on the wire.
type rules struct {
	passwordpolicy.Policy
	json []byte
}

// signOn is a sign-on policy that can be run.
type signOn struct {
	name string
	plan flow.Digest
}

// NewBundle makes a Bundle of an environment that has applications, but neither
// populations nor policies.
func NewBundle(e Environment, apps ...*Application) *Bundle {
	b := &Bundle{
		environment: e, host: e.Host(),
		applications: map[string]*Application{}, populations: map[string]Population{},
		passwords: map[string]rules{}, policies: map[string]signOn{}, origins: map[string]bool{},
	}
	for _, a := range apps {
		b.applications[a.ID] = a
		for _, o := range a.CORSSettings.Origins {
			b.origins[o] = b.origins[o] || a.Enabled
		}
	}
	return b
}

// Environment returns the tenant.
func (b *Bundle) Environment() Environment { return b.environment }

// Application returns the application with the client_id, also when it is not
// enabled.
func (b *Bundle) Application(id string) (*Application, bool) {
	a, ok := b.applications[id]
	return a, ok
}

// Population returns a population; the default one for an empty id.
func (b *Bundle) Population(id string) (Population, bool) {
	if id == "" {
		id = b.population
	}
	p, ok := b.populations[id]
	return p, ok
}

// PasswordPolicy returns the policy of a population, the environment's default
// one when the population is unknown or names none.
func (b *Bundle) PasswordPolicy(population string) passwordpolicy.Policy {
	return b.rules(population).Policy
}

// PasswordPolicyJSON is PasswordPolicy as a flow shows it.
func (b *Bundle) PasswordPolicyJSON(population string) []byte { return b.rules(population).json }

func (b *Bundle) rules(population string) rules {
	if p, ok := b.passwords[b.populations[population].PasswordPolicy]; ok {
		return p
	}
	return b.passwords[b.password]
}

// SendsMessages reports whether a sign-on policy leads through a step that is of
// no use where no messages can be sent.
func (b *Bundle) SendsMessages() bool { return b.sends }

// OriginAllowed reports whether an enabled application lets pages of this origin
// call with credentials. origin is the value of the Origin header.
func (b *Bundle) OriginAllowed(origin string) bool { return b.origins[origin] }

// Plans selects the policies of a sign-on to app, each to be tried when the one
// before has failed: those of acr (policy names, in order of preference) that are
// assigned to it, without acr all that are assigned, in their order, without
// assignments the environment's default. It fails when no policy that acr names
// is assigned. Source: reference/management.md 4.5.
func (b *Bundle) Plans(app *Application, acr []string) ([]flow.Digest, error) {
	assigned := []string{b.policy}
	if app != nil && len(app.Assignments) > 0 {
		assigned = assigned[:0]
		for _, a := range app.Assignments {
			assigned = append(assigned, a.Policy)
		}
	}
	var plans []flow.Digest
	add := func(id string) {
		if plan := b.policies[id].plan; !slices.Contains(plans, plan) {
			plans = append(plans, plan)
		}
	}
	if len(acr) == 0 {
		for _, id := range assigned {
			add(id)
		}
		return plans, nil
	}
	for _, name := range acr {
		if i := slices.IndexFunc(assigned, func(id string) bool { return b.policies[id].name == name }); i >= 0 {
			add(assigned[i])
		}
	}
	if len(plans) > 0 {
		return plans, nil
	}
	return nil, fmt.Errorf("none of the %d policies that acr_values name is assigned to the application", len(acr))
}

// plans finds compiled plans that have been published.
type plans func(ctx context.Context, env string, hash flow.Digest) (*flow.Plan, error)

// build makes the Bundle of an environment from what the store holds of it. base
// stands for "{base}". Every policy's plan must have been published.
func build(ctx context.Context, env flow.Resource, resources []flow.Resource, secrets map[string][]byte, base string, find plans) (*Bundle, error) {
	var doc environmentDocument
	if err := body(env, base, &doc); err != nil {
		return nil, err
	}
	if message := baseFault(string(doc.AuthBase)); message != "" {
		return nil, fmt.Errorf("authBase %q %s", doc.AuthBase, message)
	}
	var apps []*Application
	for _, r := range resources {
		if r.Kind == kindApplication {
			var d applicationDocument
			if err := body(r, base, &d); err != nil {
				return nil, err
			}
			a := d.application(string(secrets[secretKey(r.Kind, r.ID)]))
			if a.Secret == "" && a.TokenEndpointAuthMethod != "NONE" {
				return nil, fmt.Errorf("application %s has no secret", a.ID)
			}
			apps = append(apps, a)
		}
	}
	b := NewBundle(doc.environment(), apps...)
	for _, r := range resources {
		if err := b.add(ctx, r, base, find); err != nil {
			return nil, err
		}
	}
	_, population := b.populations[b.population]
	_, password := b.passwords[b.password]
	_, signOn := b.policies[b.policy]
	if !population || !password || !signOn {
		return nil, fmt.Errorf("environment %s lacks a default population, password policy or sign-on policy", env.ID)
	}
	return b, b.assigned()
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

func (b *Bundle) add(ctx context.Context, r flow.Resource, base string, find plans) error {
	switch r.Kind {
	case kindPopulation:
		var d populationDocument
		if err := body(r, base, &d); err != nil {
			return err
		}
		b.populations[d.ID] = d.population()
		choose(&b.population, d.ID, d.Default)
	case kindPasswordPolicy:
		var d passwordPolicyDocument
		if err := body(r, base, &d); err != nil {
			return err
		}
		p := d.policy()
		b.passwords[d.ID] = rules{p, p.JSON()}
		choose(&b.password, d.ID, d.Default)
	case kindSignOnPolicy:
		return b.addPolicy(ctx, r, base, find)
	}
	return nil
}

func (b *Bundle) addPolicy(ctx context.Context, r flow.Resource, base string, find plans) error {
	var d signOnPolicyDocument
	if err := body(r, base, &d); err != nil {
		return err
	}
	_, hash, err := policy.Source(r.Body, d.Actions)
	if err != nil {
		return fmt.Errorf("sign-on policy %s: %w", r.ID, err)
	}
	plan, err := find(ctx, r.Env, hash)
	if err != nil {
		return fmt.Errorf("sign-on policy %s: %w", r.ID, err)
	}
	for _, n := range plan.Nodes {
		b.sends = b.sends || n.Sends
	}
	b.policies[d.ID] = signOn{d.Name, hash}
	choose(&b.policy, d.ID, d.Default)
	return nil
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

// SigningAlgorithms are the JWS algorithms that the environment's applications
// have their tokens signed by, each once, sorted.
func (b *Bundle) SigningAlgorithms() []string {
	var out []string
	for _, a := range b.applications {
		if !slices.Contains(out, a.SigningAlgorithm) {
			out = append(out, a.SigningAlgorithm)
		}
	}
	slices.Sort(out)
	return out
}
