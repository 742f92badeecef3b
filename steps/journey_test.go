package steps_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"doorward/runtime/flow"
)

// The statuses.
const (
	anybody    = "USERNAME_PASSWORD_REQUIRED"
	unnamed    = "SIGN_ON_REQUIRED"
	bound      = "PASSWORD_REQUIRED"
	recovering = "RECOVERY_CODE_REQUIRED"
	verifying  = "VERIFICATION_CODE_REQUIRED"
)

// place is the population that the policies register people in.
const place = "d0000000-0000-4000-8000-0000000000b2"

const (
	both       = `,"recovery":{"enabled":true},"registration":{"enabled":true,"population":{"id":"` + place + `"}}`
	plain      = `{"type":"LOGIN","priority":1}`
	login      = `{"type":"LOGIN","priority":1` + both + `}`
	identifier = `{"type":"IDENTIFIER_FIRST","priority":1` + both + `}`
	once       = `{"type":"LOGIN","priority":2}`
)

func jane(more ...any) flow.Values {
	v := flow.Values{"username": "jane", "email": "jane@example.com", "password": "strong"}
	for i := 0; i < len(more); i += 2 {
		v[more[i].(string)] = more[i+1]
	}
	return v
}

// offered is the names of what may be submitted now.
func offered(v flow.View) (names []string) {
	for _, o := range v.Offers {
		names = append(names, o.Name)
	}
	return names
}

func same(t *testing.T, what string, a, b flow.View) {
	t.Helper()
	opts := cmp.Options{
		cmpopts.IgnoreFields(flow.View{}, "Ref", "Token", "Cookie", "FlowToken", "SessionID", "CreatedAt", "ExpiresAt"),
		cmpopts.IgnoreFields(flow.Subject{}, "Username"), // as typed
		cmpopts.IgnoreUnexported(flow.Field{}),
	}
	if diff := cmp.Diff(a, b, opts); diff != "" {
		t.Errorf("%s: a stranger is shown something else:\n%s", what, diff)
	}
}

func TestWhatIsOfferedWhere(t *testing.T) {
	check, forgot, register, reset := "usernamePassword.check", "password.forgot", "user.register", "session.reset"
	for name, tt := range map[string]struct {
		action string
		want   []string
	}{
		"LOGIN alone":                {plain, []string{check, reset}},
		"LOGIN with both":            {login, []string{check, forgot, register, reset}},
		"LOGIN with recovery":        {`{"type":"LOGIN","priority":1,"recovery":{"enabled":true}}`, []string{check, forgot, reset}},
		"LOGIN with registration":    {`{"type":"LOGIN","priority":1,"registration":{"enabled":true}}`, []string{check, register, reset}},
		"an identifier first":        {`{"type":"IDENTIFIER_FIRST","priority":1}`, []string{"user.lookup", reset}},
		"an identifier, with both":   {identifier, []string{"user.lookup", forgot, register, reset}},
		"registration switched off":  {`{"type":"LOGIN","priority":1,"registration":{"enabled":false}}`, []string{check, reset}},
		"recovery switched off only": {`{"type":"IDENTIFIER_FIRST","priority":1,"recovery":{"enabled":false}}`, []string{"user.lookup", reset}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, offered(newHouse(t, tt.action).open("").View)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatIsSwitchedOffIsClosedAndNotHidden(t *testing.T) {
	h := newHouse(t, plain)
	b := h.open("")
	for action, in := range map[string]flow.Values{"user.register": jane(), "password.forgot": {"username": "ada"}, "user.lookup": {"username": "ada"}} {
		f := b.fails(action, in, flow.InvalidRequest)
		if f.Details[0].Code != flow.ActionNotOffered || b.Status != anybody || len(h.town.mail) != 0 || len(h.town.people) != 2 {
			t.Errorf("%s: %v in %s, %d mails, %d people", action, f.Details, b.Status, len(h.town.mail), len(h.town.people))
		}
	}
}

func TestRegisteredVerifiedAndOn(t *testing.T) {
	h := newHouse(t, login, once)
	b := h.open("")
	if b.Population != place {
		t.Errorf("the password policy shown is that of population %q", b.Population)
	}
	h.heard()
	b.does("user.register", jane("name", map[string]any{"given": "Jane"}, "enabled", true, "population", map[string]any{"id": "x"}), verifying)
	want := []flow.EventType{flow.UserRegistered, flow.VerificationSent, flow.InputIgnored}
	if diff := cmp.Diff(want, h.heard()); diff != "" {
		t.Error(diff)
	}
	p := h.town.people["jane"]
	if r := p.registered; r == nil || r.Population != place || r.Given != "Jane" || r.Locales != "de,en" || r.Flow != b.Ref.ID {
		t.Errorf("registered as %+v", p.registered)
	}
	if b.User != (flow.Subject{Username: "jane"}) || b.Address != "j•••@example.com" || len(b.AMR) != 0 || len(h.town.mail) != 1 {
		t.Errorf("shown as %+v at %q with %v after %d mails", b.User, b.Address, b.AMR, len(h.town.mail))
	}
	if _, done, err := h.Resume(t.Context(), b.Ref, b.caller()); done != nil {
		t.Fatal("signed on with an address that is not verified", err)
	}
	b.does("user.verify", flow.Values{"verificationCode": h.town.last()}, bound)
	if b.User.ID != p.ID || !slices.Equal(b.AMR, []string{"pwd"}) {
		t.Errorf("verified as %+v by %v", b.User, b.AMR)
	}
	b.does("usernamePassword.check", flow.Values{"password": "strong"}, flow.Completed)
	b.signedOn("jane")
}

func TestATakenNameIsRegisteredLikeAFreeOne(t *testing.T) {
	for _, action := range []string{login, identifier} {
		h := newHouse(t, action)
		free, taken := h.open(""), h.open("")
		free.does("user.register", jane(), verifying)
		taken.does("user.register", jane("username", "ada"), verifying)
		same(t, "registered", free.View, taken.View)
		for try := range 6 {
			in := flow.Values{"verificationCode": string(rune('a' + try))}
			f, g := free.fails("user.verify", in, flow.InvalidData), taken.fails("user.verify", in, flow.InvalidData)
			if diff := cmp.Diff(f.Details, g.Details); diff != "" {
				t.Error(diff)
			}
			same(t, "refused", free.View, taken.View)
			if spent := f.Details[0].Message == "There were too many wrong codes and the last one sent is void. Ask for a new one."; spent != (try >= 4) {
				t.Errorf("try %d: %s", try+1, f.Details[0].Message)
			}
		}
		free.does("user.sendVerificationCode", nil, verifying)
		taken.does("user.sendVerificationCode", nil, verifying)
		same(t, "sent again", free.View, taken.View)
		if h.town.people["ada"].sent != 0 || h.town.people["jane"].sent != 1 {
			t.Error("the code of a taken name went to its owner")
		}
		taken.fails("user.verify", flow.Values{"verificationCode": h.town.last()}, flow.InvalidData)
		taken.does("session.reset", nil, newHouse(t, action).open("").Status)
		if taken.User != (flow.Subject{}) || taken.Address != "" {
			t.Errorf("after a reset: %+v at %q", taken.User, taken.Address)
		}
	}
}

func TestForgottenRecoveredAndOn(t *testing.T) {
	h := newHouse(t, login)
	known, unknown := h.open(""), h.open("")
	known.does("password.forgot", flow.Values{"username": " Ada"}, recovering)
	unknown.does("password.forgot", flow.Values{"username": "nobody"}, recovering)
	same(t, "forgotten", known.View, unknown.View)
	if known.User != (flow.Subject{Username: " Ada"}) || known.Address != "" || known.Population != "" {
		t.Errorf("shown as %+v at %q in %q", known.User, known.Address, known.Population)
	}
	if want := []string{"password.recover", "password.sendRecoveryCode", "session.reset"}; !slices.Equal(offered(known.View), want) {
		t.Errorf("offered %v", offered(known.View))
	}
	for try := range 6 {
		in := flow.Values{"recoveryCode": string(rune('a' + try)), "newPassword": "fresh"}
		f, g := known.fails("password.recover", in, flow.InvalidData), unknown.fails("password.recover", in, flow.InvalidData)
		if diff := cmp.Diff(f.Details, g.Details); diff != "" {
			t.Error(diff)
		}
		same(t, "refused", known.View, unknown.View)
	}
	unknown.does("password.sendRecoveryCode", nil, recovering)
	known.does("password.sendRecoveryCode", nil, recovering)
	same(t, "sent again", known.View, unknown.View)
	unknown.fails("password.recover", flow.Values{"recoveryCode": h.town.last(), "newPassword": "fresh"}, flow.InvalidData)

	f := known.fails("password.recover", flow.Values{"recoveryCode": h.town.last(), "newPassword": "weak"}, flow.InvalidData)
	if f.Details[0].Target != "newPassword" || known.Status != recovering {
		t.Errorf("details %v in %s", f.Details, known.Status)
	}
	known.does("password.recover", flow.Values{"recoveryCode": h.town.last(), "newPassword": "fresh"}, flow.Completed)
	known.signedOn("ada")
}

func TestACodeIsGoodForWhomItWasMeant(t *testing.T) {
	h := newHouse(t, login)
	ada, bea := h.open(""), h.open("")
	ada.does("password.forgot", flow.Values{"username": "ada"}, recovering)
	bea.does("password.forgot", flow.Values{"username": "bea"}, recovering)
	ada.fails("password.recover", flow.Values{"recoveryCode": h.town.last(), "newPassword": "fresh"}, flow.InvalidData)
	ada.does("session.reset", nil, anybody)
	ada.fails("password.recover", flow.Values{"recoveryCode": h.town.last(), "newPassword": "fresh"}, flow.InvalidRequest)
	ada.fails("usernamePassword.check", flow.Values{"username": "ada", "password": "fresh"}, flow.InvalidData)
	ada.does("usernamePassword.check", flow.Values{"username": "ada", "password": "correct"}, flow.Completed)
}

func TestForgottenByWhomTheSessionNames(t *testing.T) {
	h := newHouse(t, login)
	first := h.open("")
	first.does("usernamePassword.check", flow.Values{"username": "ada", "password": "correct"}, flow.Completed)
	b := h.open(first.cookie)
	if b.Status != bound || b.User.Username != "ada" || !slices.Equal(offered(b.View), []string{"usernamePassword.check", "password.forgot", "session.reset"}) {
		t.Fatalf("%s of %+v offers %v", b.Status, b.User, offered(b.View))
	}
	b.fails("password.forgot", flow.Values{"username": "bea"}, flow.InvalidData)
	b.does("password.forgot", nil, recovering)
	if b.User.Username != "ada" || b.User.ID == "" || h.town.people["bea"].recoveries != 0 {
		t.Errorf("recovers %+v", b.User)
	}
	b.does("password.recover", flow.Values{"recoveryCode": h.town.last(), "newPassword": "fresh"}, flow.Completed)
	b.signedOn("ada")
}
