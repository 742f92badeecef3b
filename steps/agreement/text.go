package agreement

import (
	"encoding/json"
	"slices"
	"time"

	"golang.org/x/text/language"

	"doorward/runtime/flow"
	"doorward/runtime/form"
)

// Agreement is one that users are asked to agree to.
// Source: reference/management.md 5.9.
type Agreement struct {
	ID, Name, Description string

	Enabled         bool
	ReconsentPeriod time.Duration // how long a consent holds; 0: without end
	Languages       []Language    // the first is for those whom none suits
}

// Language is an agreement in one language.
type Language struct {
	ID      string
	Locale  string // BCP 47
	Enabled bool
	Title   string

	AcceptCheckboxText, ContinueButtonText, DeclineButtonText string

	Revisions []Revision
}

// Revision is the text from a time on.
type Revision struct {
	ID               string
	ContentType      string // text/html or text/plain; HTML is as it was written
	Text             string
	EffectiveAt      time.Time
	RequireReconsent bool // who agreed to an earlier one is asked again
}

// current is the text that holds at now.
func (l Language) current(now time.Time) (r Revision, ok bool) {
	for _, x := range l.Revisions {
		if !x.EffectiveAt.After(now) && (!ok || x.EffectiveAt.After(r.EffectiveAt)) {
			r, ok = x, true
		}
	}
	return r, ok
}

// text finds the language that suits best, and its text; false when the agreement
// is disabled, or has none now. wanted are lists as of Accept-Language, of which an
// earlier one goes before every later one.
func (a Agreement) text(wanted []string, now time.Time) (Language, Revision, bool) {
	var there []Language
	var tags []language.Tag
	for _, l := range a.Languages {
		tag, err := language.Parse(l.Locale)
		if _, ok := l.current(now); ok && err == nil && l.Enabled {
			there, tags = append(there, l), append(tags, tag)
		}
	}
	if !a.Enabled || len(there) == 0 {
		return Language{}, Revision{}, false
	}
	_, i := language.MatchStrings(language.NewMatcher(tags), wanted...)
	r, ok := there[i].current(now)
	return there[i], r, ok
}

// satisfied reports whether a consent holds: it is not too old, the text that was
// agreed to is still one of the agreement, and none that came after it asks for
// consent again.
func (a Agreement) satisfied(c Consent, now time.Time) bool {
	if end := a.expiry(c.At); c.Language == "" || !end.IsZero() && !now.Before(end) {
		return false
	}
	i := slices.IndexFunc(a.Languages, func(l Language) bool { return l.ID == c.Language })
	if i < 0 {
		return false
	}
	l := a.Languages[i]
	j := slices.IndexFunc(l.Revisions, func(r Revision) bool { return r.ID == c.Revision })
	return j >= 0 && !slices.ContainsFunc(l.Revisions, func(r Revision) bool {
		return r.RequireReconsent && !r.EffectiveAt.After(now) && r.EffectiveAt.After(l.Revisions[j].EffectiveAt)
	})
}

// expiry is when a consent of that time holds no more; zero: it always does.
func (a Agreement) expiry(at time.Time) time.Time {
	if a.ReconsentPeriod <= 0 {
		return time.Time{}
	}
	return at.Add(a.ReconsentPeriod)
}

// Show embeds the agreement in the words that the user is asked to agree to.
// Source: reference/flows.md 3.3.
func (k *Kind) Show(t *flow.Turn) flow.Show {
	s, err := flow.State[shown](t)
	id, _ := t.Config.(which)
	a, ok := k.agreements.Agreement(t.Ref.Env, string(id))
	if err != nil || !ok {
		return flow.Show{}
	}
	for _, l := range a.Languages {
		for _, r := range l.Revisions {
			if l.ID == s.Language && r.ID == s.Revision {
				return flow.Show{Form: terms(l, r), Embedded: []flow.Member{{Name: "agreement", JSON: document(a, l, r)}}}
			}
		}
	}
	return flow.Show{}
}

// terms are a text as it is read.
func terms(l Language, r Revision) form.Terms {
	return form.Terms{Title: l.Title, Paragraphs: form.Paragraphs(r.ContentType, r.Text), Agree: l.ContinueButtonText, Decline: l.DeclineButtonText}
}

// Terms are the agreement as it is read now by people of these languages, a list
// as of Accept-Language; false when there is nothing to agree to.
func (a Agreement) Terms(locales string, now time.Time) (form.Terms, bool) {
	l, r, ok := a.text([]string{locales}, now)
	if !ok {
		return form.Terms{}, false
	}
	return terms(l, r), true
}

func document(a Agreement, l Language, r Revision) []byte {
	type ref struct {
		ID     string `json:"id"`
		Locale string `json:"locale,omitempty"`
	}
	b, err := json.Marshal(struct {
		ID          string `json:"id"`
		Name        string `json:"name"`
		Description string `json:"description,omitempty"`
		Title       string `json:"titleText"`
		Accept      string `json:"acceptCheckboxText,omitempty"`
		Continue    string `json:"continueButtonText,omitempty"`
		Decline     string `json:"declineButtonText,omitempty"`
		ContentType string `json:"contentType"`
		Text        string `json:"text"`
		Language    ref    `json:"language"`
		Revision    ref    `json:"revision"`
	}{
		a.ID, a.Name, a.Description, l.Title, l.AcceptCheckboxText, l.ContinueButtonText, l.DeclineButtonText,
		r.ContentType, r.Text,
		ref{l.ID, l.Locale},
		ref{ID: r.ID},
	})
	if err != nil { // there is nothing in it that cannot be written
		return nil
	}
	return b
}
