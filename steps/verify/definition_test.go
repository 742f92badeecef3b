package verify_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/steps/verify"
)

// given is a turn of a node of a flow definition.
func given(t *testing.T, config string, in map[string]any, user flow.Subject, person flow.Candidate) *flow.Turn {
	t.Helper()
	c, err := verify.New(nil).Check(json.RawMessage(config))
	if err != nil {
		t.Fatal(err)
	}
	ft := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "verify", c, time.Time{}, nil, 3, flow.Sum("submit"))
	ft.User, ft.Person, ft.Input, ft.Locales = user, person, in, "de"
	return ft
}

func id(v string) map[string]any { return map[string]any{"user": map[string]any{"id": v}} }

func TestADefinitionSaysWhoIsVerified(t *testing.T) {
	jane := flow.Candidate{Username: "jane", Address: "j•••@example.com", UserID: "u2"}
	nobody := flow.Candidate{Username: "jane", Address: "j•••@example.com"}
	sent := flow.Wait(required).WithEvent(flow.VerificationSent)
	for name, tt := range map[string]struct {
		in     map[string]any
		user   flow.Subject
		person flow.Candidate
		to     string
		want   flow.Outcome
	}{
		"the user":               {id("u1"), ada, flow.Candidate{}, "u1", sent},
		"the new account":        {id("u2"), flow.Subject{}, jane, "u2", sent},
		"the same, said shorter": {map[string]any{"userId": "u2"}, flow.Subject{}, jane, "u2", sent},
		"one that was not made":  {id("d1"), flow.Subject{}, nobody, "", flow.Wait(required).WithEvent(flow.VerifyRefused)},
	} {
		t.Run(name, func(t *testing.T) {
			f, at := &fake{}, given(t, "{}", tt.in, tt.user, tt.person)
			got, err := verify.New(f).Enter(t.Context(), at)
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
			want := []verify.Sending{{Env: "e1", UserID: tt.to, Locales: "de", Flow: "f1", Effect: at.Effect()}}
			if diff := cmp.Diff(want, f.sent); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestADefinitionVerifiesNobodyElse(t *testing.T) {
	for name, at := range map[string]*flow.Turn{
		"than the user":          given(t, "{}", id("u2"), ada, flow.Candidate{}),
		"than the candidate":     given(t, "{}", id("u1"), flow.Subject{}, flow.Candidate{Username: "jane", UserID: "u2"}),
		"where nobody was found": given(t, "{}", id("u1"), flow.Subject{}, flow.Candidate{}),
		"without an id":          given(t, "{}", map[string]any{}, ada, flow.Candidate{}),
		"with more than an id":   given(t, "{}", map[string]any{"userId": "u1", "email": "m@x"}, ada, flow.Candidate{}),
	} {
		f := &fake{}
		got, err := verify.New(f).Enter(t.Context(), at)
		if err != nil || got.Verdict != flow.Fails || len(f.sent) != 0 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestWhoHasNothingToVerifyGoesOn(t *testing.T) {
	for name, tt := range map[string]struct {
		user   flow.Subject
		person flow.Candidate
		proven bool
		want   flow.Outcome
	}{
		"the user, signed on": {ada, flow.Candidate{}, true, flow.Result("VERIFIED")},
		"the user, not yet":   {ada, flow.Candidate{}, false, flow.Wait(required).WithEvent(flow.VerificationSent)},
		"somebody's name":     {flow.Subject{}, flow.Candidate{Username: "ada", UserID: "u1"}, false, flow.Wait(required).WithEvent(flow.VerificationSent)},
	} {
		at := given(t, "{}", id("u1"), tt.user, tt.person)
		at.Proven = tt.proven
		got, err := verify.New(&fake{verified: true}).Enter(t.Context(), at)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Error(name, err, diff)
		}
	}
	at := given(t, "{}", id("u1"), ada, flow.Candidate{})
	at.Proven = true
	if out, err := verify.New(&fake{err: errors.New("away")}).Enter(t.Context(), at); out.Verdict != 0 || flow.AsFault(err).Code != flow.Unavailable {
		t.Error(out, err)
	}
}

func TestSkippingIsOfferedWhereItIsAllowed(t *testing.T) {
	k := verify.New(&fake{})
	for config, want := range map[string][]string{
		"": nil, `{"allowSkip":false}`: nil,
		`{"allowSkip":true}`: {"user.verify", "user.sendVerificationCode", "user.skipVerification"},
	} {
		at := given(t, config, id("u1"), ada, flow.Candidate{})
		at.Status = required
		var names, results []string
		for _, o := range k.Offers(at) {
			names = append(names, o.Name)
		}
		for _, r := range k.Step("", at.Config).Results {
			results = append(results, r.Name)
		}
		if diff := cmp.Diff(want, names); diff != "" || len(results) == 2 != (want != nil) {
			t.Errorf("%q: %s, results %v", config, diff, results)
		}
	}
	if got := len(k.Step("", nil).Results); got != 2 {
		t.Errorf("in general there are %d results", got)
	}
}

func TestSkippingConfirmsNobody(t *testing.T) {
	skip := func(config string, v flow.Values) (flow.Outcome, error) {
		at := given(t, config, id("u2"), flow.Subject{}, flow.Candidate{Username: "jane", UserID: "u2"})
		at.Status = required
		return submit(t, &fake{}, at, "user.skipVerification", v)
	}
	got, err := skip(`{"allowSkip":true}`, nil)
	if diff := cmp.Diff(flow.Result("SKIPPED"), got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if out, err := skip(`{"allowSkip":true}`, flow.Values{"verified": true}); out.Verdict != 0 || flow.AsFault(err).Code != flow.InvalidData {
		t.Error(out, err)
	}
	if out, err := skip("{}", nil); out.Verdict != 0 || flow.AsFault(err).Code != flow.InvalidRequest {
		t.Error(out, err)
	}
}
