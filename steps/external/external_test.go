package external_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/steps/external"
)

const (
	required = "EXTERNAL_AUTHENTICATION_REQUIRED"
	rules    = `{"rules":[{"contains":"@example.com","provider":"p1"},{"contains":"Partner","provider":"p2"},{"contains":"gone","provider":"p3"}]%s}`
)

var _ flow.Shower = (*external.Kind)(nil)

// fake is the providers p1 and p2, and the accounts of their people.
type fake struct {
	who      external.Identity
	err      error
	user     external.Standing
	userErr  error
	at       string
	asked    []external.Answer
	arrivals []external.Arrival
}

func (f *fake) Provider(_, id string) (flow.External, bool) {
	return flow.External{Provider: id, Name: "Partner " + id, Type: "OPENID_CONNECT"}, id == "p1" || id == "p2"
}

func (f *fake) Exchange(_ context.Context, a external.Answer) (external.Identity, error) {
	f.asked = append(f.asked, a)
	return f.who, f.err
}

func (f *fake) Elsewhere(_ context.Context, _, _ string, providers []string) (string, error) {
	if !slices.Equal(providers, []string{"p1", "p2", "p3"}) {
		return "", fmt.Errorf("asked for %v", providers)
	}
	return f.at, f.userErr
}

func (f *fake) SignOn(_ context.Context, a external.Arrival) (external.Standing, error) {
	f.arrivals = append(f.arrivals, a)
	return f.user, f.userErr
}

func turn(t *testing.T, f *fake, more string, kept []byte) *flow.Turn {
	t.Helper()
	c, err := external.New(f, f).Check(json.RawMessage(fmt.Sprintf(rules, more)))
	if err != nil {
		t.Fatal(err)
	}
	at := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "1.external", c, time.Unix(1e9, 0), kept, 3, flow.Digest{1})
	at.Derive = func(_ string, parts ...string) (d [32]byte) {
		copy(d[:], strings.Join(parts, " "))
		return d
	}
	return at
}

func TestWhomARuleNamesSignsOnElsewhere(t *testing.T) {
	for name, tt := range map[string]struct {
		typed, user, at string
		want, provider  string
	}{
		"of no rule":                  {typed: "ada", want: "LOCAL"},
		"of the first rule":           {typed: "ada@example.com", provider: "p1"},
		"of a later rule":             {typed: "ada.partner", provider: "p2"},
		"whatever the case":           {typed: "Ada@EXAMPLE.Com", provider: "p1"},
		"that only looks like a name": {typed: "  ", want: "LOCAL"},
		"of a provider that is gone":  {typed: "gone", want: "LOCAL"},
		"of nobody at all":            {want: "LOCAL"},
		"a user of ours":              {typed: "ada@example.com", user: "u1", want: "LOCAL"},
		"a user who comes from there": {user: "u1", at: "p2", provider: "p2"},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{at: tt.at}
			at := turn(t, f, "", nil)
			at.Person.Username, at.User.ID, at.User.Username = tt.typed, tt.user, tt.user
			out, err := external.New(f, f).Enter(t.Context(), at)
			if err != nil || out.Name != tt.want || (tt.provider != "") != (out.Status == required) {
				t.Fatalf("%+v, %v", out, err)
			}
			at.Status = required
			shown := external.New(f, f).Show(at).External
			if (shown != nil) != (tt.provider != "") {
				t.Fatalf("shows %+v", shown)
			}
			if shown != nil && (shown.Provider != tt.provider || shown.LoginHint != tt.typed+tt.user || shown.Challenge == [32]byte{}) {
				t.Errorf("shows %+v", shown)
			}
		})
	}
}

func callback(t *testing.T, f *fake, at *flow.Turn, v flow.Values) (flow.Outcome, error) {
	t.Helper()
	at.Status = required
	actions := external.New(f, f).Meta().Actions
	if len(actions) != 1 || actions[0].Name != flow.CallbackAction || !actions[0].Offered(required) {
		t.Fatalf("actions %+v", actions)
	}
	return actions[0].Run(t.Context(), at, v)
}

func TestWhoComesBack(t *testing.T) {
	who := external.Identity{ID: "s9", Attributes: flow.Attributes{"username": "ada"}}
	ada := flow.Subject{ID: "u1", Username: "ada"}
	waits := flow.Wait(required)
	refused := func(out flow.Outcome) string {
		if out.Verdict == flow.Rejects && out.Status == required && out.Fault.Details[0].Code == flow.ExternalFailed && slices.Equal(out.Events, []flow.EventType{flow.ExternalRefused}) {
			return "refused"
		}
		return fmt.Sprintf("%+v", out)
	}
	for name, tt := range map[string]struct {
		fake   fake
		config string
		user   string
		in     flow.Values
		want   flow.Outcome // zero: refused
		asks   bool
	}{
		"with an error":      {in: flow.Values{"error": "access_denied", "code": "c"}},
		"with nothing":       {in: flow.Values{}},
		"with a bad answer":  {fake: fake{err: fmt.Errorf("%w: BAD_ID_TOKEN", external.ErrRefused)}, in: flow.Values{"code": "c"}, asks: true},
		"known here":         {fake: fake{who: who, user: external.Standing{Subject: ada}}, in: flow.Values{"code": "c"}, asks: true, want: flow.Result("AUTHENTICATED").WithUser(ada).WithProof(flow.ExternalProof("u1", "p1")).WithForeign(flow.ForeignAccount{}).WithEvent(flow.ExternalAccepted)},
		"new here":           {fake: fake{who: who, user: external.Standing{Subject: ada, Created: true}}, in: flow.Values{"code": "c"}, asks: true, want: flow.Result("AUTHENTICATED").WithUser(ada).WithProof(flow.ExternalProof("u1", "p1")).WithForeign(flow.ForeignAccount{}).WithEvent(flow.ExternalAccepted).WithEvent(flow.UserRegistered).WithEvent(flow.AccountLinked)},
		"unverified":         {fake: fake{who: who, user: external.Standing{Subject: ada, Unverified: true}}, in: flow.Values{"code": "c"}, asks: true, want: flow.Result("VERIFICATION_REQUIRED").WithUser(ada).WithProof(flow.ExternalProof("u1", "p1")).WithForeign(flow.ForeignAccount{}).WithEvent(flow.ExternalAccepted)},
		"as nobody":          {fake: fake{who: who}, in: flow.Values{"code": "c"}, asks: true, want: flow.Result("UNLINKED").WithForeign(flow.ForeignAccount{Provider: "p1", ID: "s9"}).WithEvent(flow.ExternalUnknown)},
		"as who was known":   {fake: fake{who: who, at: "p1", user: external.Standing{Subject: ada}}, user: "u1", in: flow.Values{"code": "c"}, asks: true, want: flow.Result("AUTHENTICATED").WithUser(ada).WithProof(flow.ExternalProof("u1", "p1")).WithForeign(flow.ForeignAccount{}).WithEvent(flow.ExternalAccepted)},
		"as somebody else":   {fake: fake{who: who, at: "p1", user: external.Standing{Subject: ada}}, user: "u2", in: flow.Values{"code": "c"}, asks: true},
		"as nobody, instead": {fake: fake{who: who, at: "p1"}, user: "u2", in: flow.Values{"code": "c"}, asks: true},
		"disabled":           {fake: fake{who: who, user: external.Standing{Subject: ada, Disabled: true}}, in: flow.Values{"code": "c"}, asks: true, want: flow.Fail("ACCOUNT_DISABLED", "This account is disabled. Ask your administrator to enable it.").WithEvent(flow.UserDisabled)},
		"locked, here":       {fake: fake{who: who, user: external.Standing{Subject: ada, Locked: true}}, in: flow.Values{"code": "c"}, asks: true, want: flow.Result("AUTHENTICATED").WithUser(ada).WithProof(flow.ExternalProof("u1", "p1")).WithForeign(flow.ForeignAccount{}).WithEvent(flow.ExternalAccepted)},
		"barred":             {fake: fake{who: who, user: external.Standing{Subject: ada, Locked: true, Barred: true}}, in: flow.Values{"code": "c"}, asks: true, want: flow.FailWith(flow.Failure{Code: flow.PasswordLockedOut, Message: flow.Locked("", 0).Message, Details: []flow.Detail{flow.Locked("", 0)}}).WithEvent(flow.PasswordLocked)},
		"locked, anywhere":   {fake: fake{who: who, user: external.Standing{Subject: ada, Locked: true}}, config: `,"enforceLockout":true`, in: flow.Values{"code": "c"}, asks: true, want: flow.FailWith(flow.Failure{Code: flow.PasswordLockedOut, Message: flow.Locked("", 0).Message, Details: []flow.Detail{flow.Locked("", 0)}}).WithEvent(flow.PasswordLocked)},
	} {
		t.Run(name, func(t *testing.T) {
			f := &tt.fake
			at := turn(t, f, tt.config, nil)
			at.Person.Username, at.User.ID = "ada@example.com", tt.user
			if out, err := external.New(f, f).Enter(t.Context(), at); err != nil || !cmp.Equal(out, waits) {
				t.Fatalf("%+v, %v", out, err)
			}
			out, err := callback(t, f, at, tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if tt.want.Verdict == 0 {
				if got := refused(out); got != "refused" {
					t.Error(got)
				}
			} else if diff := cmp.Diff(tt.want, out); diff != "" {
				t.Error(diff)
			}
			if asked := len(f.asked) == 1; asked != tt.asks || asked && (f.asked[0].Provider != "p1" || f.asked[0].Code != "c" || f.asked[0].Challenge == [32]byte{}) {
				t.Errorf("the provider was asked %+v", f.asked)
			}
		})
	}
}

func TestAccountsAreMadeWhereTheActionSaysSo(t *testing.T) {
	for name, tt := range map[string]struct {
		config, user string
		want         external.Arrival
	}{
		"not at all":          {"", "", external.Arrival{}},
		"in any population":   {`,"registers":true`, "", external.Arrival{Registers: true}},
		"in one":              {`,"registers":true,"population":"pop"`, "", external.Arrival{Registers: true, Population: "pop"}},
		"not for who is here": {`,"registers":true,"population":"pop"`, "u1", external.Arrival{User: "u1", Registers: true, Population: "pop"}},
		"nor by the provider": {"", "u1", external.Arrival{User: "u1"}},
	} {
		f := &fake{who: external.Identity{ID: "s9"}, at: "p1", user: external.Standing{Subject: flow.Subject{ID: "u1"}}}
		at := turn(t, f, tt.config, nil)
		at.Person.Username, at.User.ID = "ada@example.com", tt.user
		if _, err := external.New(f, f).Enter(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		if _, err := callback(t, f, at, flow.Values{"code": "c"}); err != nil {
			t.Fatal(err)
		}
		tt.want.Env, tt.want.Provider, tt.want.Identity, tt.want.Effect = "e1", "p1", f.who, at.Effect()
		if diff := cmp.Diff(tt.want, f.arrivals[0]); diff != "" {
			t.Error(name, diff)
		}
	}
}

func TestWhatCannotBeAskedIsNoVerdict(t *testing.T) {
	away := errors.New("away")
	for name, f := range map[string]*fake{
		"the provider":  {err: away},
		"the directory": {who: external.Identity{ID: "s9"}, userErr: away},
	} {
		at := turn(t, f, "", []byte(`{"Provider":"p1"}`))
		if out, err := callback(t, f, at, flow.Values{"code": "c"}); flow.AsFault(err).Code != flow.Unavailable {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
	f := &fake{}
	hasty, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	at := turn(t, f, "", []byte(`{"Provider":"p1"}`))
	at.Status = required
	if out, err := external.New(f, f).Meta().Actions[0].Run(hasty, at, flow.Values{"code": "c"}); flow.AsFault(err).Code != flow.Unavailable || len(f.asked) != 0 {
		t.Errorf("in a hurry: %+v, %v", out, err)
	}
}

func TestItIsConfiguredByRules(t *testing.T) {
	for name, tt := range map[string]struct{ config, fault string }{
		"nothing":                {"", ""},
		"an empty object":        {"{}", ""},
		"rules":                  {fmt.Sprintf(rules, ""), ""},
		"everything":             {fmt.Sprintf(rules, `,"registers":true,"population":"pop","enforceLockout":true`), ""},
		"no object":              {"[]", "EXTERNAL takes rules"},
		"rules as they are told": {`{"discoveryRules":[]}`, `unknown field "discoveryRules"`},
		"another rule":           {`{"rules":[{"equals":"@a","provider":"p"}]}`, `unknown field "equals"`},
		"a rule that is none":    {`{"rules":[1]}`, "EXTERNAL takes rules"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := external.New(nil, nil).Check(json.RawMessage(tt.config))
			if (err == nil) != (tt.fault == "") || err != nil && !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("error %v, want %q", err, tt.fault)
			}
		})
	}
}
