package configs

import (
	"slices"
	"strings"
	"time"
)

// Agreement is a text that people are asked to agree to, in some languages.
type Agreement struct {
	ID, Name, Description string
	Enabled               bool
	ReconsentPeriod       time.Duration       // how long a consent lasts; 0: without end
	Default               string              // locale of the environment's default language
	Languages             []AgreementLanguage // by locale
}

// AgreementLanguage is an agreement in one language.
type AgreementLanguage struct {
	ID, Locale, DisplayName                       string
	Enabled                                       bool
	AcceptCheckbox, ContinueButton, DeclineButton string              // words of its own; empty: those of the page
	Revisions                                     []AgreementRevision // the oldest first
}

// AgreementRevision is the text from a time on, until the next one takes effect.
type AgreementRevision struct {
	ID               string
	ContentType      string // text/html or text/plain; HTML is the operator's, and not to be trusted
	Text             string
	EffectiveAt      time.Time
	RequireReconsent bool // consents to older revisions do not count
}

// Current is the revision that is in effect; false when none is yet.
func (l *AgreementLanguage) Current(now time.Time) (AgreementRevision, bool) {
	for i := len(l.Revisions) - 1; i >= 0; i-- {
		if !l.Revisions[i].EffectiveAt.After(now) {
			return l.Revisions[i], true
		}
	}
	return AgreementRevision{}, false
}

// agreement is what the document means, where language is the default one.
func (d *agreementDocument) agreement(language string) *Agreement {
	a := &Agreement{
		ID: d.ID, Name: d.Name, Description: d.Description, Enabled: d.Enabled, Default: language,
		ReconsentPeriod: time.Duration(d.ReconsentPeriodDays.number()) * 24 * time.Hour,
	}
	for _, l := range d.Languages {
		one := AgreementLanguage{
			ID: l.ID, Locale: l.Locale, DisplayName: l.DisplayName, Enabled: l.Enabled,
			AcceptCheckbox: l.UserExperience.AcceptCheckboxText, ContinueButton: l.UserExperience.ContinueButtonText, DeclineButton: l.UserExperience.DeclineButtonText,
		}
		for _, r := range l.Revisions {
			one.Revisions = append(one.Revisions, AgreementRevision{ID: r.ID, ContentType: r.ContentType, Text: r.Text, EffectiveAt: r.from(), RequireReconsent: r.RequireReconsent})
		}
		slices.SortFunc(one.Revisions, func(x, y AgreementRevision) int { return x.EffectiveAt.Compare(y.EffectiveAt) })
		a.Languages = append(a.Languages, one)
	}
	slices.SortFunc(a.Languages, func(x, y AgreementLanguage) int { return strings.Compare(x.Locale, y.Locale) })
	return a
}
