package lookup_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/steps/lookup"
)

var _ flow.Kind = (*lookup.Kind)(nil)

const required = "SIGN_ON_REQUIRED"

func turn(t *testing.T, config string) *flow.Turn {
	t.Helper()
	c, err := lookup.New().Check(json.RawMessage(config))
	if err != nil {
		t.Fatal(err)
	}
	ft := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "1.lookup", c, time.Time{}, nil, 0, flow.Digest{})
	ft.Status = required
	return ft
}

func submit(t *testing.T, at *flow.Turn, v flow.Values) (flow.Outcome, error) {
	t.Helper()
	for _, a := range lookup.New().Meta().Actions {
		if a.Name == "user.lookup" && a.Offered(at.Status) {
			return a.Run(context.Background(), at, v)
		}
	}
	t.Fatalf("user.lookup is not offered in %s", at.Status)
	return flow.Outcome{}, nil
}

func TestItAsksWhoSignsOnUnlessItIsKnown(t *testing.T) {
	for name, tt := range map[string]struct {
		user flow.Subject
		want flow.Outcome
	}{
		"nobody is known":     {flow.Subject{}, flow.Wait(required)},
		"somebody signs on":   {flow.Subject{ID: "u1"}, flow.Result("NAMED")},
		"a name without user": {flow.Subject{Username: "ada"}, flow.Wait(required)},
	} {
		at := turn(t, "")
		at.User = tt.user
		got, err := lookup.New().Enter(t.Context(), at)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Error(name, err, diff)
		}
	}
}

func TestEveryNameIsTaken(t *testing.T) {
	for _, username := range []string{"ada", "ada@example.com", "  ", "no such user"} {
		got, err := submit(t, turn(t, "{}"), flow.Values{"username": username})
		want := flow.Result("NAMED").WithCandidate(flow.Candidate{Username: username}).WithEvent(flow.UserLookedUp)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Error(username, err, diff)
		}
	}
}

func TestAnInvalidSubmitNamesNobody(t *testing.T) {
	for name, tt := range map[string]struct {
		in   flow.Values
		want string
	}{
		"nothing sent":              {flow.Values{}, "REQUIRED_VALUE@username"},
		"an empty name":             {flow.Values{"username": ""}, "REQUIRED_VALUE@username"},
		"a name of 129 letters":     {flow.Values{"username": strings.Repeat("ä", 129)}, "SIZE_LIMIT_EXCEEDED@username"},
		"a password, much too soon": {flow.Values{"username": "ada", "password": "p"}, "INVALID_VALUE@password"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := submit(t, turn(t, ""), tt.in)
			d := flow.AsFault(err).Details
			if out.Verdict != 0 || len(d) != 1 || d[0].Code+"@"+d[0].Target != tt.want {
				t.Errorf("outcome %v, details %v, want %s", out, d, tt.want)
			}
		})
	}
}

func TestItTakesNoConfiguration(t *testing.T) {
	if _, err := lookup.New().Check(json.RawMessage(`{"discoveryRules":[]}`)); err == nil {
		t.Error("it is configured")
	}
}
