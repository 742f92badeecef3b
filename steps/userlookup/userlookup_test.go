package userlookup_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/steps/userlookup"
)

var _ flow.Stepper = (*userlookup.Kind)(nil)

// The results.
const (
	ours     = "PING_ONE_USER_MATCHED"
	external = "IDENTITY_PROVIDER_USER_MATCHED"
)

// fake finds one answer and keeps what it was asked.
type fake struct {
	found userlookup.Found
	err   error
	asked []userlookup.Query
}

func (f *fake) Find(_ context.Context, q userlookup.Query) (userlookup.Found, error) {
	f.asked = append(f.asked, q)
	return f.found, f.err
}

func turn(t *testing.T, config string, identifier any) *flow.Turn {
	t.Helper()
	c, err := userlookup.New(nil).Check(json.RawMessage(config))
	if err != nil {
		t.Fatal(err)
	}
	ft := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "lookup", c, time.Time{}, nil, 3, flow.Sum("submit"))
	ft.Input = map[string]any{}
	if identifier != nil {
		ft.Input["identifier"] = identifier
	}
	return ft
}

func TestWhoeverIsFoundIsACandidate(t *testing.T) {
	matched := func(result, id string) flow.Outcome {
		return flow.Result(result).WithEvent(flow.UserLookedUp).WithOutputs(map[string]any{"user": map[string]any{"id": id, "username": " Ada "}})
	}
	const message = "No user matches what was entered. Check it and try again."
	ada, bea := flow.Subject{ID: "u1"}, flow.Subject{ID: "u2"}
	mismatch := flow.Fail("USER_MISMATCH", flow.MismatchMessage).WithEvent(flow.UsernameMismatch)
	for name, tt := range map[string]struct {
		found  userlookup.Found
		user   flow.Subject
		proven bool
		want   flow.Outcome
	}{
		"somebody":                          {userlookup.Found{UserID: "u1", Decoy: "d1"}, flow.Subject{}, false, matched(ours, "u1").WithCandidate(flow.Candidate{Username: " Ada ", UserID: "u1"})},
		"nobody":                            {userlookup.Found{Decoy: "d1"}, flow.Subject{}, false, matched(ours, "d1").WithCandidate(flow.Candidate{Username: " Ada "})},
		"somebody, where it is told":        {userlookup.Found{UserID: "u1", Decoy: "d1", Told: true}, flow.Subject{}, false, matched(ours, "u1").WithCandidate(flow.Candidate{Username: " Ada ", UserID: "u1"})},
		"of an identity provider":           {userlookup.Found{UserID: "u1", Told: true, External: true}, flow.Subject{}, false, matched(external, "u1").WithCandidate(flow.Candidate{Username: " Ada ", UserID: "u1"})},
		"nobody, where it is told":          {userlookup.Found{Decoy: "d1", Told: true}, flow.Subject{}, false, flow.FailWith(flow.Failure{Code: "USER_NOT_FOUND", Message: message, Details: []flow.Detail{{Code: flow.InvalidValue, Target: "user.username", Message: message}}}).WithEvent(flow.UserLookedUp)},
		"whom the session names":            {userlookup.Found{UserID: "u1"}, ada, false, matched(ours, "u1")},
		"who signed on a moment ago":        {userlookup.Found{UserID: "u1"}, ada, true, matched(ours, "u1")},
		"another than the session names":    {userlookup.Found{UserID: "u1"}, bea, false, matched(ours, "u1").WithCandidate(flow.Candidate{Username: " Ada ", UserID: "u1"})},
		"nobody, while the session names":   {userlookup.Found{Decoy: "d1"}, bea, false, matched(ours, "d1").WithCandidate(flow.Candidate{Username: " Ada "})},
		"another than has signed on":        {userlookup.Found{UserID: "u1"}, bea, true, mismatch},
		"nobody, while another's signed on": {userlookup.Found{Decoy: "d1"}, bea, true, mismatch},
	} {
		t.Run(name, func(t *testing.T) {
			f, at := &fake{found: tt.found}, turn(t, `{"matchAttributes":["username","email"],"matchPingOneUsersOnly":true}`, " Ada ")
			at.User, at.Proven = tt.user, tt.proven
			got, err := userlookup.New(f).Enter(t.Context(), at)
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
			want := []userlookup.Query{{Env: "e1", Identifier: " Ada ", Attributes: []string{"username", "email"}, Ours: true}}
			if diff := cmp.Diff(want, f.asked); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatIsNoIdentifierIsNotLookedFor(t *testing.T) {
	for name, tt := range map[string]struct {
		identifier any
		want       string
	}{
		"none":                  {nil, "REQUIRED_VALUE@user.username"},
		"an empty one":          {"", "REQUIRED_VALUE@user.username"},
		"a number":              {7.0, "INVALID_VALUE@user.username"},
		"one of 255 characters": {strings.Repeat("ä", 255), "SIZE_LIMIT_EXCEEDED@user.username"},
	} {
		f := &fake{}
		got, err := userlookup.New(f).Enter(t.Context(), turn(t, "", tt.identifier))
		if err != nil || got.Verdict != flow.Fails || len(f.asked) != 0 || got.Person != nil {
			t.Fatalf("%s: %v, %v, asked %d times", name, got, err, len(f.asked))
		}
		if d := got.Failure.Details; len(d) != 1 || d[0].Code+"@"+d[0].Target != tt.want {
			t.Errorf("%s: %v, want %s", name, d, tt.want)
		}
	}
}

func TestWhatCannotBeDoneHasNoOutcome(t *testing.T) {
	out, err := userlookup.New(&fake{err: errors.New("away")}).Enter(t.Context(), turn(t, "", "ada"))
	if out.Verdict != 0 || flow.AsFault(err).Code != flow.Unavailable {
		t.Error(out, err)
	}
}

func TestItIsConfiguredByUniqueAttributes(t *testing.T) {
	for in, fault := range map[string]string{
		"": "", "{}": "", `{"matchAttributes":[]}`: "", `{"matchAttributes":["email","username","externalId","id"]}`: "",
		"[]": "takes matchAttributes", `{"matchAttributes":["nickname"]}`: "only unique attributes",
		`{"matchAttributes":["email","email"]}`: `"email" again`, `{"discoveryRules":[]}`: "unknown field",
	} {
		_, err := userlookup.New(nil).Check(json.RawMessage(in))
		if (err == nil) != (fault == "") || err != nil && !strings.Contains(err.Error(), fault) {
			t.Errorf("Check(%q) = %v", in, err)
		}
	}
	f := &fake{}
	if _, err := userlookup.New(f).Enter(t.Context(), turn(t, "{}", "ada")); err != nil || len(f.asked) != 1 {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"username"}, f.asked[0].Attributes); diff != "" {
		t.Error(diff)
	}
}

func TestItsResultsFollowItsConfiguration(t *testing.T) {
	for config, want := range map[string][]string{"{}": {ours, external}, `{"matchPingOneUsersOnly":true}`: {ours}} {
		var got []string
		for _, r := range userlookup.New(nil).Step("", turn(t, config, nil).Config).Results {
			if got = append(got, r.Name); !r.Names || r.Confirms || len(r.Takes) > 0 {
				t.Errorf("%s is %v: a name proves nothing", r.Name, r)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(config, diff)
		}
	}
	if got := len(userlookup.New(nil).Step("", nil).Results); got != 2 {
		t.Errorf("in general there are %d results", got)
	}
}
