package configs

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"doorward/runtime/federation"
	"doorward/runtime/flow"
	"doorward/runtime/passwordpolicy"
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
	apiHost      string
	applications map[string]*Application
	populations  map[string]Population
	passwords    map[string]rules
	policies     map[string]signOn // by id
	origins      map[string]bool
	redirects    map[string]*Application // by address that people may be sent back to
	agreements   map[string]*Agreement
	definitions  map[string]FlowDefinition
	drafts       map[string]FlowDefinition // by id of the definition
	services     map[string]served         // external services by id
	providers    map[string]federation.Provider
	phones       map[flow.Channel]PhoneRequest
	recaptcha    Recaptcha
	factors      factors
	party        RelyingParty
	disclosing   bool

	population, password, policy string // the defaults
	sends                        bool
	kinds                        map[string]bool // of the steps of what is published
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
		environment: e, host: e.Host(), apiHost: hostOf(e.APIBase),
		applications: map[string]*Application{}, populations: map[string]Population{},
		passwords: map[string]rules{}, policies: map[string]signOn{}, origins: map[string]bool{}, redirects: map[string]*Application{},
		services: map[string]served{}, providers: map[string]federation.Provider{}, agreements: map[string]*Agreement{}, definitions: map[string]FlowDefinition{}, drafts: map[string]FlowDefinition{}, kinds: map[string]bool{}, recaptcha: Recaptcha{Provider: RecaptchaProofOfWork},
	}
	b.factors = builtinFactors(hostName(e.AuthBase))
	for _, a := range apps {
		b.applications[a.ID] = a
		for _, o := range a.CORSSettings.Origins {
			b.origins[o] = b.origins[o] || a.Enabled
		}
		if !a.Enabled {
			continue
		}
		for _, uri := range append([]string{a.HomePageURL}, a.RedirectURIs...) {
			if first := b.redirects[uri]; uri != "" && (first == nil || a.ID < first.ID) {
				b.redirects[uri] = a
			}
		}
	}
	b.party = parties(e, b.applications)
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

// Runs reports whether a flow definition or a sign-on policy has a step of a kind.
func (b *Bundle) Runs(kind string) bool { return b.kinds[kind] }

// OriginAllowed reports whether an enabled application lets pages of this origin
// call with credentials. origin is the value of the Origin header.
func (b *Bundle) OriginAllowed(origin string) bool { return b.origins[origin] }

// RedirectAllowed returns the enabled application that has uri, byte for byte,
// among its redirectUris or as its homePageUrl: where an execution of a flow
// definition may send people at its end.
func (b *Bundle) RedirectAllowed(uri string) (*Application, bool) {
	a, ok := b.redirects[uri]
	return a, ok
}

// Agreement returns an agreement, also when it is not enabled.
func (b *Bundle) Agreement(id string) (*Agreement, bool) {
	a, ok := b.agreements[id]
	return a, ok
}

// FlowDefinition returns a flow definition as it is published, also when it is not
// enabled.
func (b *Bundle) FlowDefinition(id string) (FlowDefinition, bool) {
	d, ok := b.definitions[id]
	return d, ok
}

// Draft returns the draft of a flow definition whose plan has that digest, in
// hexadecimal: the management API shows it to who may publish, and nobody else can
// know it.
func (b *Bundle) Draft(id, plan string) (FlowDefinition, bool) {
	d, ok := b.drafts[id]
	return d, ok && d.Plan.String() == plan
}

// FlowDefinitions returns all of them, by name.
func (b *Bundle) FlowDefinitions() []FlowDefinition {
	return slices.SortedFunc(maps.Values(b.definitions), func(x, y FlowDefinition) int { return strings.Compare(x.Name, y.Name) })
}

// Assigned returns the names of the sign-on policies that an application is
// assigned, in their order.
func (b *Bundle) Assigned(app *Application) []string {
	var out []string
	for _, a := range app.Assignments {
		out = append(out, b.policies[a.Policy].name)
	}
	return out
}

// Recaptcha returns how forms tell people from programs.
func (b *Bundle) Recaptcha() Recaptcha { return b.recaptcha }

// Disclosing reports whether the environment tells who has an account, as the
// vendor's documents do, instead of telling strangers nothing.
func (b *Bundle) Disclosing() bool { return b.disclosing }

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
