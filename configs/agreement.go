package configs

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"doorward/runtime/flow"
	"doorward/runtime/policy"
)

// textMax is how many bytes the text of an agreement may have.
const textMax = 256 << 10

// Source: reference/management.md 5.9; the languages and their revisions are
// parts of it.
type agreementDocument struct {
	ID                  string             `json:"id" required:"true"`
	Name                string             `json:"name" required:"true"`
	Description         string             `json:"description"`
	Enabled             bool               `json:"enabled" required:"true"`
	ReconsentPeriodDays *count             `json:"reconsentPeriodDays"`
	Languages           []languageDocument `json:"languages"`
}

type languageDocument struct {
	ID             string `json:"id"`
	Locale         string `json:"locale" required:"true"`
	DisplayName    string `json:"displayName" required:"true"`
	Enabled        bool   `json:"enabled" required:"true"`
	UserExperience struct {
		AcceptCheckboxText string `json:"acceptCheckboxText"`
		ContinueButtonText string `json:"continueButtonText"`
		DeclineButtonText  string `json:"declineButtonText"`
	} `json:"userExperience"`
	Revisions []revisionDocument `json:"revisions"`
}

type revisionDocument struct {
	ID               string `json:"id"`
	ContentType      string `json:"contentType" required:"true"`
	EffectiveAt      string `json:"effectiveAt" required:"true"`
	RequireReconsent bool   `json:"requireReconsent" required:"true"`
	Text             string `json:"text" required:"true"`
}

func (d *agreementDocument) key() (string, string) { return d.ID, d.Name }

func (d *agreementDocument) check(f *policy.Faults) {
	within(f, root.Member("reconsentPeriodDays"), d.ReconsentPeriodDays, 1, daysMax, "days")
	for i := range d.Languages {
		l, at := &d.Languages[i], root.Member("languages").Index(i)
		l.check(f, at)
		same := func(other languageDocument) bool { return strings.EqualFold(other.Locale, l.Locale) }
		if l.Locale != "" && slices.IndexFunc(d.Languages, same) < i {
			f.AddCode(at.Member("locale"), flow.UniquenessViolation, "is that of another language too")
		}
	}
}

func (d *languageDocument) check(f *policy.Faults, at policy.Path) {
	if d.Locale != "" && !regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$`).MatchString(d.Locale) {
		f.Add(at.Member("locale"), "takes a language tag, such as en or de-CH")
	}
	strange := func(r rune) bool { return !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.Zs, unicode.P) }
	for name, text := range map[string]string{
		"acceptCheckboxText": d.UserExperience.AcceptCheckboxText,
		"continueButtonText": d.UserExperience.ContinueButtonText, "declineButtonText": d.UserExperience.DeclineButtonText,
	} {
		if strings.ContainsFunc(text, strange) {
			f.Add(at.Member("userExperience").Member(name), "takes letters, digits, spaces and punctuation")
		}
	}
	for i := range d.Revisions {
		r, here := &d.Revisions[i], at.Member("revisions").Index(i)
		r.check(f, here)
		same := func(other revisionDocument) bool { return other.from().Equal(r.from()) }
		if r.EffectiveAt != "" && slices.IndexFunc(d.Revisions, same) < i {
			f.AddCode(here.Member("effectiveAt"), flow.UniquenessViolation, "is that of another revision of the language too")
		}
	}
	if d.Enabled && len(d.Revisions) == 0 {
		f.AddCode(at.Member("enabled"), flow.ConstraintViolation, "needs a revision of the language, with its text")
	}
}

func (d *revisionDocument) check(f *policy.Faults, at policy.Path) {
	if d.ContentType != "" && d.ContentType != "text/html" && d.ContentType != "text/plain" {
		f.Add(at.Member("contentType"), choice([]string{"text/html", "text/plain"}))
	}
	if d.EffectiveAt != "" && d.from().IsZero() {
		f.Add(at.Member("effectiveAt"), "takes a time as 2026-01-31T12:00:00Z")
	}
	if len(d.Text) > textMax {
		f.AddCode(at.Member("text"), flow.SizeLimitExceeded, fmt.Sprintf("takes at most %d bytes", textMax))
	}
}

// from is when the revision takes effect; zero when that cannot be read.
func (d *revisionDocument) from() time.Time {
	at, err := time.Parse(time.RFC3339, d.EffectiveAt)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// agreementAcross holds that who is asked to agree is shown something: an enabled
// agreement has a text in the environment's default language, and one that is
// asked for is enabled. Source: reference/management.md 5.9.
func agreementAcross(t *tree, e *entry, f *policy.Faults) {
	d, _ := e.doc.(*agreementDocument)
	at := root.Member("enabled")
	if d.Enabled {
		if message := d.incomplete(t.language(), t.now); message != "" {
			f.AddCode(at, flow.ConstraintViolation, message)
		}
		return
	}
	for _, r := range t.named(kindAgreement, e.id) {
		if r.Kind == kindSignOnPolicy || r.Kind == kindFlowDefinition {
			f.AddCode(at, flow.ConstraintViolation, fmt.Sprintf("takes true while the %s %q asks for consent to it", kindOf(t.kinds, r.Kind).Title, r.Name))
			return
		}
	}
}

// language is the environment's default one.
func (t *tree) language() string {
	for _, e := range t.all[kindEnvironment] {
		if d, ok := e.doc.(*environmentDocument); ok {
			return d.environment().defaultLanguage()
		}
	}
	return "en"
}

// incomplete says what an enabled agreement lacks. now is zero where there is no
// clock: then it does not matter when a revision takes effect.
func (d *agreementDocument) incomplete(locale string, now time.Time) string {
	for i := range d.Languages {
		l := &d.Languages[i]
		switch {
		case !strings.EqualFold(l.Locale, locale):
			continue
		case !l.Enabled:
			return fmt.Sprintf("needs the language %s, the environment's default one, to be enabled", locale)
		case !now.IsZero() && !slices.ContainsFunc(l.Revisions, func(r revisionDocument) bool { return !r.from().After(now) }):
			return fmt.Sprintf("needs a revision of the language %s that is in effect", locale)
		}
		return ""
	}
	return fmt.Sprintf("needs the language %s, the environment's default one", locale)
}

// clockSkew is how far behind our clock a client's may be.
const clockSkew = time.Minute

// entersRevision holds that nobody's consent is turned into one to another text.
// Source: reference/management.md 5.9.
func entersRevision(part object, now time.Time) policy.Faults {
	r := revisionDocument{EffectiveAt: text(part, "effectiveAt")}
	if at := r.from(); !at.IsZero() && at.Before(now.Add(-clockSkew)) {
		return policy.Faults{{Path: root.Member("effectiveAt"), Code: flow.OutOfRange, Message: "takes now or a time to come"}}
	}
	return nil
}

// leavesRevision keeps what people may have agreed to.
func leavesRevision(part object, now time.Time) string {
	r := revisionDocument{EffectiveAt: text(part, "effectiveAt")}
	if r.from().After(now) {
		return ""
	}
	return "has taken effect, and people may have agreed to it; add one that replaces it, or disable the language"
}

// showsLanguage names the revision that is in effect.
func showsLanguage(body, _ object, now time.Time) object {
	var current revisionDocument
	for _, r := range revisionsOf(body) {
		if from := r.from(); !from.After(now) && !from.Before(current.from()) {
			current = r
		}
	}
	if current.ID == "" {
		return nil
	}
	return object{"currentRevision": raw(reference{current.ID})}
}

// showsRevision says when the next one takes its place.
func showsRevision(body, above object, _ time.Time) object {
	this := revisionDocument{EffectiveAt: text(body, "effectiveAt")}
	var next time.Time
	for _, r := range revisionsOf(above) {
		if from := r.from(); from.After(this.from()) && (next.IsZero() || from.Before(next)) {
			next = from
		}
	}
	if next.IsZero() {
		return nil
	}
	return object{"notValidAfter": raw(next)}
}

func revisionsOf(language object) []revisionDocument {
	var out []revisionDocument
	_ = json.Unmarshal(language["revisions"], &out) // none have none
	return out
}
