package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"doorward/configs"
	"doorward/directory"
	"doorward/runtime/captcha"
	"doorward/runtime/certificate"
	"doorward/runtime/flow"
	"doorward/runtime/form"
	"doorward/runtime/mfa"
	"doorward/steps/agreement"
	"doorward/steps/usercreate"
	"doorward/steps/userlookup"
	"doorward/steps/userpatch"
	"doorward/steps/verify"
)

// catalogue gives the steps of flow definitions what they ask of the directory and
// of the configuration. Each interface is filled by a type of its own.
type catalogue struct {
	users        *directory.Users
	passwords    *directory.Passwords
	accounts     *directory.Accounts
	consents     *directory.Consents
	ring         directory.Deriver
	registry     func() *configs.Registry
	wake         func() // there may be mail to send
	now          func() time.Time
	captcha      *captcha.Captcha
	factors      *mfa.Service
	services     services
	certificates *certificate.Service
	calls        caller
	links        *directory.Links
	providers    identityProviders
}

func (c catalogue) bundle(env string) (*configs.Bundle, error) {
	b, ok := c.registry().Bundle(env)
	if !ok {
		return nil, fmt.Errorf("environment %s is not served", env)
	}
	return b, nil
}

// decoy is an id that stands for a user's where there is none, of the same form.
func (c catalogue) decoy(env string, of ...string) string {
	sum := c.ring.Derive("steps.decoy", append([]string{env}, of...)...)
	sum[6], sum[8] = sum[6]&0x0f|0x40, sum[8]&0x3f|0x80 // version 4, as those of users
	return uuid.UUID(sum[:16]).String()
}

// nobody is the decoy of a name that is nobody's: the same however often, and in
// which case, it is typed.
func (c catalogue) nobody(env, name string) string {
	if key, err := directory.NormalName(name); err == nil {
		name = key
	}
	return c.decoy(env, "name", name)
}

// of is the id by which the directory is asked: nobody's is a decoy, which it
// treats as any other that it does not know.
func (c catalogue) of(env string, a flow.Account) string {
	if a.UserID != "" {
		return a.UserID
	}
	return c.nobody(env, a.Username)
}

// userLookups fills userlookup.Users.
type userLookups struct{ catalogue }

// Find asks for every attribute, so that it takes as long whoever is found. The first
// that matches finds, but for an address: whoever has verified it is found by it before
// those who call themselves so, since a name and an external id may be anything. That
// an identity provider has somebody's password is told only where it may be told that
// there is such a user.
func (c userLookups) Find(ctx context.Context, q userlookup.Query) (userlookup.Found, error) {
	b, err := c.bundle(q.Env)
	if err != nil {
		return userlookup.Found{}, err
	}
	var found directory.User
	for _, attribute := range q.Attributes {
		u, err := c.users.Find(ctx, q.Env, attribute, q.Identifier)
		switch {
		case errors.Is(err, flow.ErrUnknown):
		case err != nil:
			return userlookup.Found{}, err
		case attribute == "email" && u.EmailVerified, found.ID == "" && (!q.Ours || u.Authority == ""):
			found = u
		}
	}
	f := userlookup.Found{Decoy: c.nobody(q.Env, q.Identifier), Told: b.Disclosing()}
	if q.Ours && found.Authority != "" {
		return f, nil
	}
	f.UserID, f.External = found.ID, f.Told && found.Authority != ""
	return f, nil
}

// userCreations fills usercreate.Accounts.
type userCreations struct{ catalogue }

// Create makes an account. The id that stands for one that was not made is new
// each time, as that of one that was.
func (c userCreations) Create(ctx context.Context, a usercreate.Account) (usercreate.Created, error) {
	defer c.wake()
	b, err := c.bundle(a.Env)
	if err != nil {
		return usercreate.Created{}, err
	}
	if _, ok := b.Population(a.Population); !ok || a.Population == "" {
		return usercreate.Created{}, errors.New("the population that users are created in is gone")
	}
	var u directory.User
	if err := u.Set(a.Attributes); err != nil {
		return usercreate.Created{}, err
	}
	r := directory.Registration{
		Env: a.Env, Population: a.Population, Username: u.Username, Email: u.Email, Given: u.Given, Family: u.Family,
		Type: u.Type, Locale: u.Locale, PreferredLanguage: u.PreferredLanguage, Profile: u.Profile,
		Locales: a.Locales, Password: a.Password, Flow: a.Flow, Effect: a.Effect, Opening: directory.Deferred,
		MFAEnabled: b.MFASettings().MFAEnabledByDefault,
	}
	if a.Usable {
		r.Opening = directory.Usable
	}
	made, err := c.accounts.Register(ctx, r)
	if err != nil {
		return usercreate.Created{}, err
	}
	out := usercreate.Created{
		Subject: made.Subject, Taken: made.Taken, Unsatisfied: made.Unsatisfied, Invalid: made.Fault,
		Decoy: c.decoy(a.Env, "created", a.Effect),
	}
	if b.Disclosing() && out.Subject.ID == "" && len(out.Taken)+len(out.Unsatisfied) == 0 && out.Invalid == "" {
		out.Taken, err = c.taken(ctx, r)
	}
	return out, err
}

// taken says which of name and address is somebody's, where that is told.
func (c userCreations) taken(ctx context.Context, r directory.Registration) ([]string, error) {
	var out []string
	for _, x := range []struct{ attribute, value string }{{"username", r.Username}, {"email", r.Email}} {
		switch _, err := c.users.Find(ctx, r.Env, x.attribute, x.value); {
		case err == nil:
			out = append(out, x.attribute)
		case !errors.Is(err, flow.ErrUnknown):
			return nil, err
		}
	}
	if len(out) == 0 { // of several, or of nobody any more
		out = []string{"email"}
	}
	return out, nil
}

// userReadings fills userread.Users.
type userReadings struct{ catalogue }

func (c userReadings) Read(ctx context.Context, env, id string) (map[string]any, error) {
	u, err := c.users.Get(ctx, env, id)
	if err != nil {
		return nil, err
	}
	return userAttributes(u)
}

// userPatches fills userpatch.Users.
type userPatches struct{ catalogue }

func (c userPatches) Patch(ctx context.Context, p userpatch.Patch) (userpatch.Patched, error) {
	if email := p.Attributes["email"]; email != "" && !isEmail(email) {
		return userpatch.Patched{Invalid: "email"}, nil
	}
	u, err := c.users.Update(ctx, p.Env, p.UserID, func(u *directory.User) error { return u.Set(p.Attributes) })
	switch {
	case errors.Is(err, flow.ErrUnknown):
		return userpatch.Patched{}, nil
	case errors.Is(err, directory.ErrTaken):
		return userpatch.Patched{Taken: "username"}, nil
	case errors.Is(err, directory.ErrName):
		return userpatch.Patched{Invalid: "username"}, nil
	case err != nil:
		return userpatch.Patched{}, err
	}
	user, err := userAttributes(u)
	return userpatch.Patched{User: user}, err
}

func isEmail(s string) bool {
	_, err := directory.NormalEmail(s)
	return err == nil
}

// addressVerifications fills verify.Verifications.
type addressVerifications struct {
	verifier
	users *directory.Users
}

// verifier is the part of it that accounts has.
type verifier interface {
	Send(ctx context.Context, s verify.Sending) (string, error)
	Verify(ctx context.Context, a verify.Attempt) (verify.Verdict, error)
}

func (v addressVerifications) Due(ctx context.Context, env, userID string) (bool, error) {
	u, err := v.users.Get(ctx, env, userID)
	return u.Unverified, err
}

// agreementTexts fills agreement.Agreements.
type agreementTexts struct{ catalogue }

func (c agreementTexts) Agreement(env, id string) (agreement.Agreement, bool) {
	b, ok := c.registry().Bundle(env)
	if !ok {
		return agreement.Agreement{}, false
	}
	a, ok := b.Agreement(id)
	if !ok {
		return agreement.Agreement{}, false
	}
	out := agreement.Agreement{ID: a.ID, Name: a.Name, Description: a.Description, Enabled: a.Enabled, ReconsentPeriod: a.ReconsentPeriod}
	for _, l := range a.Languages {
		one := agreement.Language{
			ID: l.ID, Locale: l.Locale, Enabled: l.Enabled, Title: l.DisplayName,
			AcceptCheckboxText: l.AcceptCheckbox, ContinueButtonText: l.ContinueButton, DeclineButtonText: l.DeclineButton,
		}
		for _, r := range l.Revisions {
			one.Revisions = append(one.Revisions, agreement.Revision(r))
		}
		if l.Locale == a.Default {
			out.Languages = append([]agreement.Language{one}, out.Languages...)
		} else {
			out.Languages = append(out.Languages, one)
		}
	}
	return out, true
}

// agreementTerms fills form.Agreements.
type agreementTerms struct{ agreementTexts }

func (c agreementTerms) Terms(env, id, locales string) (form.Terms, bool) {
	a, ok := c.Agreement(env, id)
	if !ok {
		return form.Terms{}, false
	}
	return a.Terms(locales, c.now())
}

// agreementConsents fills agreement.Consents.
type agreementConsents struct{ catalogue }

func (c agreementConsents) Read(ctx context.Context, env, userID, id string) (agreement.Consent, error) {
	said, err := c.consents.Read(ctx, env, userID, id)
	switch {
	case errors.Is(err, flow.ErrUnknown), err == nil && !said.Holds(c.now()):
		return agreement.Consent{}, nil
	case err != nil:
		return agreement.Consent{}, err
	}
	return agreement.Consent{Language: said.Language, Revision: said.Revision, At: said.ConsentedAt}, nil
}

func (c agreementConsents) Accept(ctx context.Context, a agreement.Acceptance) error {
	_, err := c.consents.Accept(ctx, directory.Consent{
		Env: a.Env, UserID: a.UserID, Agreement: a.Agreement, Language: a.Language, Revision: a.Revision,
		ConsentedAt: a.At, ExpiresAt: a.ExpiresAt,
	}, a.Effect)
	return err
}

// userAttributes are what a definition reads of a user.
// Source: reference/management.md 5.3.
func userAttributes(u directory.User) (map[string]any, error) {
	out := map[string]any{}
	if len(u.Profile) > 0 {
		if err := json.Unmarshal(u.Profile, &out); err != nil {
			return nil, fmt.Errorf("profile: %w", err)
		}
	}
	for name, value := range map[string]string{
		"id": u.ID, "username": u.Username, "email": u.Email, "name.given": u.Given, "name.family": u.Family,
		"type": u.Type, "locale": u.Locale, "preferredLanguage": u.PreferredLanguage, "population.id": u.Population,
		"lifecycle.status": "ACCOUNT_OK", "createdAt": u.CreatedAt.UTC().Format(time.RFC3339), "updatedAt": u.UpdatedAt.UTC().Format(time.RFC3339),
	} {
		if value != "" {
			flow.Put(out, name, value)
		}
	}
	if u.Unverified {
		flow.Put(out, "lifecycle.status", "VERIFICATION_REQUIRED")
	}
	out["emailVerified"], out["enabled"], out["mfaEnabled"] = u.EmailVerified, u.Enabled, u.MFAEnabled
	return out, nil
}
