package agreement_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/steps/agreement"
)

var (
	_   flow.Stepper = (*agreement.Kind)(nil)
	_   flow.Shower  = (*agreement.Kind)(nil)
	ada              = flow.Subject{ID: "u1", Username: "ada"}
	now              = time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC)
)

const required = "AGREEMENT_CONSENT_REQUIRED"

// terms is an agreement in two languages, with a text of long ago and one of a
// week ago in the first of them.
func terms() agreement.Agreement {
	revision := func(id string, age time.Duration) agreement.Revision {
		return agreement.Revision{ID: id, ContentType: "text/plain", Text: "Words of " + id, EffectiveAt: now.Add(-age)}
	}
	const day = 24 * time.Hour
	return agreement.Agreement{
		ID: "a1", Name: "Terms", Enabled: true, ReconsentPeriod: 365 * day,
		Languages: []agreement.Language{
			{ID: "l1", Locale: "en", Enabled: true, Title: "Terms of service", Revisions: []agreement.Revision{revision("r1", 100*day), revision("r3", -day), revision("r2", 7*day)}},
			{ID: "l2", Locale: "de", Enabled: true, Title: "Bedingungen", DeclineButtonText: "Nein", Revisions: []agreement.Revision{revision("r4", day)}},
			{ID: "l3", Locale: "fr", Title: "Conditions", Revisions: []agreement.Revision{revision("r5", day)}},
			{ID: "l4", Locale: "es", Enabled: true, Title: "Condiciones", Revisions: []agreement.Revision{revision("r6", -day)}},
		},
	}
}

// fake has one agreement and one consent, and keeps what it was told.
type fake struct {
	terms   agreement.Agreement
	gone    bool
	consent agreement.Consent
	err     error
	kept    []agreement.Acceptance
}

func (f *fake) Agreement(env, id string) (agreement.Agreement, bool) {
	return f.terms, !f.gone && env == "e1" && id == "a1"
}

func (f *fake) Read(context.Context, string, string, string) (agreement.Consent, error) {
	return f.consent, f.err
}

func (f *fake) Accept(_ context.Context, a agreement.Acceptance) error {
	f.kept = append(f.kept, a)
	return f.err
}

func kinds(f *fake) []*agreement.Kind {
	return []*agreement.Kind{agreement.NewConsent(f, f), agreement.NewReconsent(f, f)}
}

func turn(t *testing.T, language string) *flow.Turn {
	t.Helper()
	c, err := agreement.NewConsent(nil, nil).Check(json.RawMessage(`{"agreement":{"id":"a1"}}`))
	if err != nil {
		t.Fatal(err)
	}
	ft := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "consent", c, now, nil, 3, flow.Sum("submit"))
	ft.User, ft.Proven, ft.Status = ada, true, required
	user := map[string]any{"id": "u1"}
	if language != "" {
		user["preferredLanguage"] = language
	}
	ft.Input = map[string]any{"user": user}
	return ft
}

func saved(status, language, revision string) flow.Outcome {
	id := func(v string) map[string]any { return map[string]any{"id": v} }
	c := map[string]any{"status": status, "agreement": id("a1"), "language": id(language), "revision": id(revision)}
	if status == "ACCEPTED" {
		c["id"] = "a1"
	}
	return flow.Result("SAVED").WithOutputs(map[string]any{"agreementConsent": c})
}

func TestOnlyAConsentThatHoldsSparesTheQuestion(t *testing.T) {
	long := now.Add(-365 * 24 * time.Hour)
	again := terms()
	again.Languages[0].Revisions[2].RequireReconsent = true
	for name, tt := range map[string]struct {
		terms   agreement.Agreement
		consent agreement.Consent
		spared  bool
	}{
		"none":                         {terms(), agreement.Consent{}, false},
		"to the present text":          {terms(), agreement.Consent{Language: "l1", Revision: "r2", At: now}, true},
		"to an earlier one":            {terms(), agreement.Consent{Language: "l1", Revision: "r1", At: now}, true},
		"in another language":          {terms(), agreement.Consent{Language: "l2", Revision: "r4", At: now}, true},
		"in a language that was taken": {terms(), agreement.Consent{Language: "l3", Revision: "r5", At: now}, true},
		"a second short of its end":    {terms(), agreement.Consent{Language: "l1", Revision: "r1", At: long.Add(time.Second)}, true},
		"at its end":                   {terms(), agreement.Consent{Language: "l1", Revision: "r1", At: long}, false},
		"to what a later one replaces": {again, agreement.Consent{Language: "l1", Revision: "r1", At: now}, false},
		"to the one that asks for it":  {again, agreement.Consent{Language: "l1", Revision: "r2", At: now}, true},
		"to a text that is gone":       {terms(), agreement.Consent{Language: "l1", Revision: "r9", At: now}, false},
		"in a language that is gone":   {terms(), agreement.Consent{Language: "l9", Revision: "r1", At: now}, false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, k := range kinds(&fake{terms: tt.terms, consent: tt.consent}) {
				want := flow.Wait(required)
				if tt.spared {
					want = saved("ACCEPTED", tt.consent.Language, tt.consent.Revision)
				}
				got, err := k.Enter(t.Context(), turn(t, ""))
				if diff := cmp.Diff(want, got); err != nil || diff != "" {
					t.Error(k.Meta().Name, err, diff)
				}
			}
		})
	}
}

func TestATextThatIsToComeAsksForNothing(t *testing.T) {
	a := terms()
	a.Languages[0].Revisions[1].RequireReconsent = true // from tomorrow on
	f := &fake{terms: a, consent: agreement.Consent{Language: "l1", Revision: "r2", At: now}}
	if got, err := kinds(f)[1].Enter(t.Context(), turn(t, "")); err != nil || got.Verdict != flow.Results {
		t.Error(got, err)
	}
}

func TestTheTextIsShownInTheLanguageThatSuits(t *testing.T) {
	for name, tt := range map[string]struct{ preferred, locales, want string }{
		"nothing is asked for":      {"", "", "r2"},
		"the browser asks":          {"", "de-AT, en;q=0.5", "r4"},
		"the user before":           {"en-GB", "de", "r2"},
		"one that is disabled":      {"fr", "", "r2"},
		"one that is not in effect": {"es", "de", "r4"},
		"one that there is not":     {"fi", "", "r2"},
		"nonsense":                  {"\x00<script>", "de", "r4"},
	} {
		t.Run(name, func(t *testing.T) {
			f, at := &fake{terms: terms()}, turn(t, tt.preferred)
			at.Locales = tt.locales
			k := kinds(f)[0]
			if got, err := k.Enter(t.Context(), at); err != nil || got.Verdict != flow.Waits {
				t.Fatal(got, err)
			}
			var shown struct{ Revision struct{ ID string } }
			s := k.Show(at)
			if len(s.Embedded) != 1 || s.Embedded[0].Name != "agreement" || json.Unmarshal(s.Embedded[0].JSON, &shown) != nil || shown.Revision.ID != tt.want {
				t.Errorf("shows %s, want %s", s.Embedded, tt.want)
			}
		})
	}
}

func TestTheAgreementIsEmbedded(t *testing.T) {
	f, at := &fake{terms: terms()}, turn(t, "de")
	k := kinds(f)[0]
	if _, err := k.Enter(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	const want = `{"id":"a1","name":"Terms","titleText":"Bedingungen","declineButtonText":"Nein","contentType":"text/plain","text":"Words of r4","language":{"id":"l2","locale":"de"},"revision":{"id":"r4"}}`
	if diff := cmp.Diff(want, string(k.Show(at).Embedded[0].JSON)); diff != "" {
		t.Error(diff)
	}
	f.terms.Languages[1].Revisions[0].Text = "<script>alert(1)</script>" // is for the page to judge
	if got := string(k.Show(at).Embedded[0].JSON); !strings.Contains(got, `\u003cscript`) {
		t.Error(got)
	}
	for _, lost := range []func(){func() { f.terms.Languages = nil }, func() { f.gone = true }} {
		if lost(); len(k.Show(at).Embedded) != 0 {
			t.Error("shows what is gone")
		}
	}
}

func submit(t *testing.T, f *fake, v flow.Values, change func()) (flow.Outcome, error) {
	t.Helper()
	at := turn(t, "")
	k := kinds(f)[0]
	if _, err := k.Enter(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change()
	}
	return k.Meta().Actions[0].Run(t.Context(), at, v)
}

func TestWhatComesOfAnAnswer(t *testing.T) {
	f := &fake{terms: terms()}
	got, err := submit(t, f, flow.Values{"accept": true}, func() { f.terms.Languages[0].Revisions[1].EffectiveAt = now }) // another text since
	if diff := cmp.Diff(saved("ACCEPTED", "l1", "r2").WithEvent(flow.ConsentAccepted), got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	want := []agreement.Acceptance{{
		Env: "e1", UserID: "u1", Agreement: "a1", Language: "l1", Revision: "r2", At: now, ExpiresAt: now.Add(365 * 24 * time.Hour), Effect: turn(t, "").Effect(),
	}}
	if diff := cmp.Diff(want, f.kept); diff != "" {
		t.Error(diff)
	}

	f = &fake{terms: terms()}
	got, err = submit(t, f, flow.Values{"accept": false}, nil)
	if diff := cmp.Diff(saved("DECLINED", "l1", "r2").WithEvent(flow.ConsentDeclined), got); err != nil || diff != "" || len(f.kept) != 0 {
		t.Error(err, diff, f.kept)
	}

	f = &fake{terms: terms()}
	if got, err = submit(t, f, flow.Values{"accept": true}, func() { f.gone = true }); err != nil || got.Verdict != flow.Fails || len(f.kept) != 0 {
		t.Error(got, err)
	}
	f = &fake{terms: terms()}
	if got, err = submit(t, f, flow.Values{"accept": true}, func() { f.err = errors.New("away") }); got.Verdict != 0 || flow.AsFault(err).Code != flow.Unavailable {
		t.Error(got, err)
	}
	for name, v := range map[string]flow.Values{"nothing": {}, "a word": {"accept": "yes"}, "more": {"accept": true, "revision": "r9"}} {
		if got, err = submit(t, &fake{terms: terms()}, v, nil); got.Verdict != 0 || flow.AsFault(err).Code != flow.InvalidData {
			t.Error(name, got, err)
		}
	}
}

func TestOnlyWhoHasSignedOnIsAsked(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*flow.Turn)
		want   string
	}{
		"another user":          {func(at *flow.Turn) { at.User.ID = "u2" }, "USER_MISMATCH"},
		"where nobody is known": {func(at *flow.Turn) { at.User = flow.Subject{} }, "USER_MISMATCH"},
		"whose session is over": {func(at *flow.Turn) { at.Proven = false }, "USER_NOT_PROVEN"},
		"whose name was typed": {func(at *flow.Turn) {
			at.User, at.Person = flow.Subject{}, flow.Candidate{Username: "ada", UserID: "u1"}
		}, "USER_NOT_PROVEN"},
		"a name that is nobody's": {func(at *flow.Turn) { at.User, at.Person = flow.Subject{}, flow.Candidate{Username: "no"} }, "USER_NOT_PROVEN"},
		"without an id":           {func(at *flow.Turn) { at.Input = nil }, "INVALID_DATA"},
	} {
		at := turn(t, "")
		tt.change(at)
		got, err := kinds(&fake{terms: terms(), consent: agreement.Consent{Language: "l1", Revision: "r2", At: now}})[0].Enter(t.Context(), at)
		if err != nil || got.Verdict != flow.Fails || got.Failure.Code != tt.want {
			t.Errorf("%s: %v, %v, want %s", name, got, err, tt.want)
		}
	}
}

func TestThereMustBeSomethingToAgreeTo(t *testing.T) {
	disabled, empty := terms(), terms()
	disabled.Enabled, empty.Languages = false, empty.Languages[2:]
	for name, f := range map[string]*fake{"gone": {gone: true}, "disabled": {terms: disabled}, "without a text": {terms: empty}} {
		got, err := kinds(f)[1].Enter(t.Context(), turn(t, ""))
		if err != nil || got.Verdict != flow.Fails || got.Failure.Code != "AGREEMENT_NOT_AVAILABLE" {
			t.Error(name, got, err)
		}
	}
	if got, err := kinds(&fake{terms: terms(), err: errors.New("away")})[0].Enter(t.Context(), turn(t, "")); got.Verdict != 0 || flow.AsFault(err).Code != flow.Unavailable {
		t.Error(got, err)
	}
}

func TestTheyDifferInTheirNames(t *testing.T) {
	names := map[string]bool{}
	for _, k := range kinds(&fake{}) {
		names[k.Meta().Name] = true
		for in, ok := range map[string]bool{`{"agreement":{"id":"a1"}}`: true, "": false, "{}": false, `{"agreement":"a1"}`: false, `{"agreement":{"id":"a1"},"a":1}`: false} {
			if _, err := k.Check(json.RawMessage(in)); (err == nil) != ok {
				t.Errorf("%s: Check(%q) = %v", k.Meta().Name, in, err)
			}
		}
	}
	if !names["AGREEMENT_CONSENT_FORM"] || !names["AGREEMENT_RECONSENT_FORM"] {
		t.Error(names)
	}
}
