package management

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"doorward/directory"
	"doorward/runtime/flow"
)

// consentRoutes are what a user has agreed to.
// Source: reference/management.md 5.9.
func consentRoutes() []route {
	return []route{
		{userPath + "/agreementConsents", []operation{
			{method: http.MethodGet, access: identities, params: []string{"limit", "cursor"}, run: listConsents},
		}},
		{userPath + "/agreementConsents/:agreement", []operation{
			{method: http.MethodGet, access: identities, run: readConsent},
			{method: http.MethodPost, access: identities, types: action("consent.accept"), run: acceptConsent},
			{method: http.MethodPost, access: identities, types: action("consent.revoke"), run: revokeConsent},
		}},
	}
}

// showConsent is one consent. One that has expired says so.
func (c *call) showConsent(k directory.Consent) object {
	user := c.userURL(k.UserID)
	self := user + "/agreementConsents/" + k.Agreement
	status := string(k.Status)
	if k.Status == directory.ConsentAccepted && !k.Holds(c.api.Now()) {
		status = "EXPIRED"
	}
	l := links("self", self, "environment", c.base(), "user", user, "agreement", c.base()+"/agreements/"+k.Agreement, "consent.accept", self, "consent.revoke", self)
	return object{
		{"_links", l},
		{"id", k.Agreement},
		{"environment", relation(c.env)},
		{"user", relation(k.UserID)},
		{"agreement", relation(k.Agreement)},
		{"language", relation(k.Language)},
		{"revision", relation(k.Revision)},
		{"status", status},
	}.time("consentedAt", k.ConsentedAt).time("expiresAt", k.ExpiresAt)
}

func listConsents(c *call) (*answer, error) {
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	all, err := c.api.Consents.List(c.Context(), c.env, u.ID)
	if err != nil {
		return nil, unserved(err)
	}
	var rows []row
	for _, k := range all {
		rows = append(rows, row{id: k.Agreement, show: func() any { return c.showConsent(k) }})
	}
	page, err := c.page("agreementConsents", rows, "")
	if err != nil {
		return nil, err
	}
	return ok(page)
}

func readConsent(c *call) (*answer, error) {
	k, err := c.api.Consents.Read(c.Context(), c.env, c.PathValue("id"), c.PathValue("agreement"))
	if err != nil {
		return nil, absent(err)
	}
	return ok(c.showConsent(k))
}

type acceptInput struct {
	Language    string `json:"language.id" required:"true" max:"36"`
	Revision    string `json:"revision.id" required:"true" max:"36"`
	ConsentedAt string `json:"consentedAt" max:"64"`
}

// acceptConsent keeps that a user has agreed to what an agreement said in a
// language at a revision.
func acceptConsent(c *call) (*answer, error) {
	in, err := input[acceptInput](c)
	if err != nil {
		return nil, err
	}
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	k := directory.Consent{Env: c.env, UserID: u.ID, Agreement: c.PathValue("agreement"), Language: in.Language, Revision: in.Revision}
	item, err := c.resource("agreement", nil, k.Agreement)
	if err != nil {
		return nil, err
	}
	faults, err := c.shown(k)
	if err != nil {
		return nil, err
	}
	now := c.api.Now()
	k.ConsentedAt = now
	if in.ConsentedAt != "" {
		if k.ConsentedAt, err = time.Parse(time.RFC3339, in.ConsentedAt); err != nil || k.ConsentedAt.After(now.Add(time.Minute)) {
			faults = append(faults, flow.Detail{Code: flow.InvalidValue, Target: "consentedAt", Pointer: "/consentedAt", Message: "consentedAt takes a time that is not to come: 2024-01-31T12:00:00Z."})
		}
	}
	if len(faults) > 0 {
		return nil, flow.Invalid(faults...)
	}
	var agreement struct {
		ReconsentPeriodDays float64 `json:"reconsentPeriodDays"`
	}
	if json.Unmarshal(item.Body, &agreement) == nil && agreement.ReconsentPeriodDays >= 1 {
		k.ExpiresAt = k.ConsentedAt.AddDate(0, 0, int(agreement.ReconsentPeriodDays))
	}
	if k, err = c.api.Consents.Accept(c.Context(), k, ""); err != nil {
		return nil, absent(err)
	}
	return c.consented(k)
}

// shown says what is wrong with what a user is said to have agreed to.
func (c *call) shown(k directory.Consent) ([]flow.Detail, error) {
	for _, x := range []struct {
		kind, id, member string
		parents          []string
	}{
		{"agreementLanguage", k.Language, "language.id", []string{k.Agreement}},
		{"agreementRevision", k.Revision, "revision.id", []string{k.Agreement, k.Language}},
	} {
		_, err := c.api.Editor.Read(c.Context(), c.env, kindNamed(x.kind), x.parents, x.id)
		if errors.Is(err, flow.ErrUnknown) {
			return []flow.Detail{{Code: flow.InvalidValue, Target: x.member, Pointer: pointer(x.member), Message: "The agreement has no such part."}}, nil
		}
		if err != nil {
			return nil, refused(err)
		}
	}
	return nil, nil
}

func revokeConsent(c *call) (*answer, error) {
	if _, err := input[struct{}](c); err != nil {
		return nil, err
	}
	k, err := c.api.Consents.Revoke(c.Context(), c.env, c.PathValue("id"), c.PathValue("agreement"), "")
	if err != nil {
		return nil, absent(err)
	}
	return c.consented(k)
}

func (c *call) consented(k directory.Consent) (*answer, error) {
	c.api.record(c, flow.Event{Type: flow.ManagementUpdated, User: k.UserID, Reason: "agreementConsent " + k.Agreement})
	return ok(c.showConsent(k))
}
