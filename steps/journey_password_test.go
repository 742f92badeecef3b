package steps_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/steps/password"
)

func TestExpiredChangedAndOn(t *testing.T) {
	for status, state := range map[string]password.State{"PASSWORD_EXPIRED": password.Expired, "MUST_CHANGE_PASSWORD": password.MustChange} {
		t.Run(status, func(t *testing.T) {
			h := newHouse(t, login)
			h.town.people["ada"].state = state
			b := h.open("")
			b.does("usernamePassword.check", flow.Values{"username": "ada", "password": "correct"}, status)
			if diff := cmp.Diff([]string{"password.reset", "session.reset"}, offered(b.View)); diff != "" {
				t.Error(diff)
			}
			if _, done, _ := h.Resume(t.Context(), b.Ref, b.caller()); done != nil {
				t.Fatal("signed on with a password that must not be kept")
			}
			b.fails("password.reset", flow.Values{"currentPassword": "wrong", "newPassword": "fresh"}, flow.InvalidData)
			f := b.fails("password.reset", flow.Values{"currentPassword": "correct", "newPassword": "weak"}, flow.InvalidData)
			if diff := cmp.Diff(map[string]any{"unsatisfiedRequirements": []string{"length"}}, f.Details[0].Inner); diff != "" || b.Status != status {
				t.Error(b.Status, diff)
			}
			b.does("password.reset", flow.Values{"currentPassword": "correct", "newPassword": "fresh"}, flow.Completed)
			b.signedOn("ada") // by the new password: the proof of the old one counts no more
		})
	}
}

func TestAnUnverifiedPersonVerifiesBeforeGoingOn(t *testing.T) {
	for name, state := range map[string]password.State{"at once": password.Current, "after a change": password.MustChange} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, login)
			p := h.town.people["ada"]
			p.unverified, p.state = true, state
			b := h.open("")
			right := flow.Values{"username": "ada", "password": "correct"}
			if state == password.MustChange {
				b.does("usernamePassword.check", right, "MUST_CHANGE_PASSWORD")
				b.does("password.reset", flow.Values{"currentPassword": "correct", "newPassword": "fresh"}, verifying)
			} else {
				b.does("usernamePassword.check", right, verifying)
			}
			if p.sent != 1 || b.Address != "a•••@example.com" || b.User.ID != p.ID {
				t.Errorf("%d codes sent to %q of %+v", p.sent, b.Address, b.User)
			}
			first := h.town.last()
			b.does("user.sendVerificationCode", nil, verifying)
			b.fails("user.verify", flow.Values{"verificationCode": first}, flow.InvalidData)
			b.does("user.verify", flow.Values{"verificationCode": h.town.last()}, flow.Completed)
			b.signedOn("ada")
		})
	}
}

// TestAnIdentifierTellsNothing goes the same way with a name that is somebody's
// and one that is nobody's; neither ends in a failed state.
func TestAnIdentifierTellsNothing(t *testing.T) {
	h := newHouse(t, identifier)
	known, unknown := h.open(""), h.open("")
	if known.Status != unnamed {
		t.Fatalf("begins in %s", known.Status)
	}
	known.does("user.lookup", flow.Values{"username": "ada"}, bound)
	unknown.does("user.lookup", flow.Values{"username": "nobody"}, bound)
	same(t, "named", known.View, unknown.View)
	if known.User != (flow.Subject{Username: "ada"}) || known.Population != "" {
		t.Errorf("shown as %+v in %q", known.User, known.Population)
	}
	if diff := cmp.Diff([]string{"usernamePassword.check", "password.forgot", "session.reset"}, offered(known.View)); diff != "" {
		t.Error(diff)
	}
	for try := range 8 {
		in := flow.Values{"password": string(rune('a' + try))}
		f, g := known.fails("usernamePassword.check", in, flow.InvalidData), unknown.fails("usernamePassword.check", in, flow.InvalidData)
		if diff := cmp.Diff(f.Details, g.Details); diff != "" {
			t.Error(diff)
		}
		same(t, "refused", known.View, unknown.View)
	}
	for _, b := range []*browser{known, unknown} {
		f := b.fails("usernamePassword.check", flow.Values{"username": "bea", "password": "correct"}, flow.InvalidData)
		if f.Details[0].Target != "username" {
			t.Errorf("details %v", f.Details)
		}
		b.fails("user.lookup", flow.Values{"username": "bea"}, flow.InvalidRequest)
		b.fails("user.register", jane(), flow.InvalidRequest)
	}
	known.does("usernamePassword.check", flow.Values{"password": "correct"}, flow.Completed)
	known.signedOn("ada")

	unknown.does("password.forgot", nil, recovering)
	if unknown.User != (flow.Subject{Username: "nobody"}) || h.town.mail[0].to != "" {
		t.Errorf("recovers %+v with mail %+v", unknown.User, h.town.mail)
	}
}

func TestANameOnceTypedRecoversAndRegisters(t *testing.T) {
	h := newHouse(t, identifier)
	b := h.open("")
	b.does("user.lookup", flow.Values{"username": "ada"}, bound)
	b.does("password.forgot", flow.Values{"username": " ADA "}, recovering)
	b.does("password.recover", flow.Values{"recoveryCode": h.town.last(), "newPassword": "fresh"}, flow.Completed)
	b.signedOn("ada")

	b = h.open("")
	b.does("user.register", jane(), verifying)
	b.does("user.verify", flow.Values{"verificationCode": h.town.last()}, flow.Completed)
	b.signedOn("jane")
}

// TestADoorThatRefusesLeavesOneWhereOneStood: what was refused is saved and
// counted, and everything that was offered still is.
func TestADoorThatRefusesLeavesOneWhereOneStood(t *testing.T) {
	for _, action := range []string{login, identifier} {
		h := newHouse(t, action)
		b := h.open("")
		before := b.View
		for n, tt := range []struct {
			in     flow.Values
			target string
		}{
			{jane("password", "weak"), "password"},
			{jane("email", "nowhere"), "email"},
		} {
			f := b.fails("user.register", tt.in, flow.InvalidData)
			if f.Details[0].Code != flow.InvalidValue || f.Details[0].Target != tt.target || int(b.Version-before.Version) != n+1 {
				t.Errorf("details %v at version %d", f.Details, b.Version)
			}
			b.Version = before.Version
			same(t, "refused", before, b.View)
			b.Version += uint64(n + 1)
		}
		b.does("user.register", jane(), verifying)
	}
}

func TestWhatNoUserHasIsRefusedWhole(t *testing.T) {
	h := newHouse(t, login)
	b := h.open("")
	f := b.fails("user.register", jane("role", "admin", "enabled", false), flow.InvalidData)
	if len(f.Details) != 1 || f.Details[0].Target != "role" || len(h.town.people) != 2 || b.Status != anybody {
		t.Errorf("details %v, %d people, %s", f.Details, len(h.town.people), b.Status)
	}
	v := b.Version
	b.fails("user.register", jane("password", ""), flow.InvalidData)
	if b.Version != v {
		t.Error("what does not fit the form was counted")
	}
}
