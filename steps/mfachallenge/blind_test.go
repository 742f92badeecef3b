package mfachallenge_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/steps/mfachallenge"
)

// named is a visit of somebody who has typed a name and proven nothing.
func named(t *testing.T, town *town, name string, config string) *visit {
	t.Helper()
	v := visiting(t, town, config)
	v.turn.User, v.turn.Proven, v.turn.Person = flow.Subject{}, false, flow.Candidate{Username: name}
	return v
}

// Nobody learns of devices, or whether there is an account, before a first factor.
func TestWhoeverIsUnprovenIsAskedTheSame(t *testing.T) {
	results := `{"results":["NO_DEVICES","VERIFICATION_REQUIRED"]}`
	type seen struct {
		Status, Name, Code string
		Shows              map[string]string
		Offers, Calls      []string
		Events             []flow.EventType
	}
	look := func(name string, devices ...device.Device) []seen {
		town := newTown(devices...)
		v := named(t, town, name, results)
		var all []seen
		note := func(out flow.Outcome, err error) {
			if err != nil {
				t.Fatal(err)
			}
			s := seen{Status: out.Status, Name: out.Name, Shows: v.shows(), Offers: v.offers(), Calls: slices.Clone(town.calls), Events: out.Events}
			if out.Fault != nil {
				s.Code = string(out.Fault.Code)
			}
			all = append(all, s)
		}
		note(v.enter(), nil)
		note(v.does("otp.check", flow.Values{"otp": "000000"}))
		note(v.does("otp.resend", flow.Values{}))
		note(v.does("otp.check", flow.Values{"otp": "999999"}))
		if !town.last.Unproven {
			t.Error("the service is not told that nothing is proven")
		}
		return all
	}
	want := look("ada", sms("d1"))
	if s := want[0]; s.Status != "OTP_REQUIRED" || !cmp.Equal(s.Shows, map[string]string{"bypassAllowed": "false"}) || !cmp.Equal(s.Offers, []string{"otp.check", "otp.resend"}) {
		t.Fatalf("%+v", s)
	}
	for name, got := range map[string][]seen{
		"nobody":              look("nobody", sms("d1")),
		"somebody without":    look("ada"),
		"with a passkey":      look("ada", of(device.FIDO2, "d3")),
		"with several of all": look("ada", of(device.Mobile, "d4"), of(device.TOTP, "d2"), sms("d1")),
	} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s is told apart:\n%s", name, diff)
		}
	}
	locks := newTown(sms("d1"))
	locks.wrong.DeviceLocked, locks.wrong.AccountLocked = true, true
	v := named(t, locks, "ada", results)
	v.enter()
	if out, err := v.does("otp.check", flow.Values{"otp": "000000"}); err != nil || out.Verdict != flow.Rejects || out.Status != "OTP_REQUIRED" {
		t.Errorf("a lock is told: %v, %v", out, err)
	}
}

func TestARightCodeMakesTheCandidateTheUser(t *testing.T) {
	for name, tt := range map[string]struct {
		account mfachallenge.Account
		config  string
		want    string
	}{
		"who may sign on":          {mfachallenge.Account{}, `{}`, "SUCCEEDED"},
		"who may not":              {mfachallenge.Account{Disabled: true}, `{}`, "ACCOUNT_DISABLED"},
		"who is to verify":         {mfachallenge.Account{Unverified: true}, `{"results":["VERIFICATION_REQUIRED"]}`, "VERIFICATION_REQUIRED"},
		"who is to verify, nowise": {mfachallenge.Account{Unverified: true}, `{}`, "VERIFICATION_REQUIRED!"},
	} {
		t.Run(name, func(t *testing.T) {
			town := newTown(sms("d1"))
			tt.account.Subject = flow.Subject{ID: ada, Username: "ada"}
			town.accounts[ada] = tt.account
			v := named(t, town, "ada", tt.config)
			if out := v.enter(); out.Person == nil || out.Person.UserID != ada || out.Person.Username != "ada" {
				t.Fatalf("the candidate is %v", out.Person)
			}
			out, err := v.does("otp.check", flow.Values{"otp": "246810"})
			if err != nil {
				t.Fatal(err)
			}
			if out.Failure != nil {
				if out.Failure.Code+"!" != tt.want && out.Failure.Code != tt.want || len(out.Proofs)+len(out.Users) > 0 {
					t.Errorf("failed with %v", out)
				}
				return
			}
			if out.Name != tt.want || len(out.Users) != 1 || out.Users[0].ID != ada || len(out.Proofs) != 1 || out.Proofs[0].Subject != ada {
				t.Errorf("%+v", out)
			}
		})
	}
}

// What a definition has looked up is not looked up again: nobody stays nobody.
func TestADefinitionsCandidateIsWhoItFound(t *testing.T) {
	town := newTown(sms("d1"))
	v := named(t, town, "ada", `{}`)
	v.turn.Input = map[string]any{"user": map[string]any{"id": "decoy"}}
	if out := v.enter(); out.Status != "OTP_REQUIRED" || slices.Contains(town.calls, "find") {
		t.Fatal(out, town.calls)
	}
	if out, err := v.does("otp.check", flow.Values{"otp": "246810"}); err != nil || out.Verdict != flow.Rejects {
		t.Error("nobody has answered rightly", out, err)
	}
	v.turn.Person.UserID, v.turn.Input = ada, map[string]any{"user": map[string]any{"id": ada}}
	v.kept = nil
	v.enter()
	if out, err := v.does("otp.check", flow.Values{"otp": "246810"}); err != nil || out.Name != "SUCCEEDED" || len(out.Users) != 1 {
		t.Error(out, err)
	}
}

// liar accepts what is another's, nobody's, or no possession at all.
type liar struct {
	*town
	proof flow.Proof
}

func (l liar) CheckOTP(_ context.Context, in mfa.OTP) (mfa.Verdict, error) {
	return mfa.Verdict{OK: true, Proof: l.proof, Device: device.Device{UserID: in.UserID}}, nil
}

func TestAProofOfAnotherIsRefused(t *testing.T) {
	phone := sms("d1")
	right := phone.Proof(false)
	for name, change := range map[string]func(*flow.Proof){
		"of somebody else":   func(p *flow.Proof) { p.Subject = "u-bob" },
		"of nobody":          func(p *flow.Proof) { p.Subject = "" },
		"of what is known":   func(p *flow.Proof) { p.Factors = flow.Knowledge },
		"of nothing at all":  func(p *flow.Proof) { p.Factors = 0 },
		"by no device":       func(p *flow.Proof) { p.Authenticator = "" },
		"of what was proven": func(*flow.Proof) {},
	} {
		town := newTown(phone)
		v := visiting(t, town, `{}`)
		proof := right
		change(&proof)
		v.kind = mfachallenge.New(liar{town, proof}, town, town)
		v.enter()
		out, err := v.does("otp.check", flow.Values{"otp": "000000"})
		if taken := len(out.Proofs) > 0; taken != (name == "of what was proven") || taken == (err != nil) {
			t.Errorf("a proof %s: %v, %v", name, out, err)
		}
	}
}

// TestNoProofWithoutARightAnswer walks a node at random: whatever is sent, and
// whatever becomes of devices, a proof is of the user and comes of a right answer.
func TestNoProofWithoutARightAnswer(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		town := newTown(sms("d1"), of(device.TOTP, "d2"), of(device.FIDO2, "d3"), of(device.Mobile, "d4"))
		town.push = device.PushPending
		v := visiting(t, town, rapid.SampledFrom([]string{`{}`, `{"deviceSelection":"PROMPT_TO_SELECT"}`}).Draw(r, "config"))
		if rapid.Bool().Draw(r, "blind") {
			v = named(t, town, rapid.SampledFrom([]string{"ada", "nobody"}).Draw(r, "name"), `{}`)
		}
		if out := v.enter(); len(out.Proofs) > 0 {
			r.Fatal("entering proves")
		}
		for range rapid.IntRange(1, 8).Draw(r, "submits") {
			town.wrong.DeviceLocked = rapid.Bool().Draw(r, "locks")
			town.push = rapid.SampledFrom([]device.PushState{device.PushPending, device.PushApproved, device.PushRejected, device.PushGone}).Draw(r, "push")
			offers := v.offers()
			if v.status == "PUSH_CONFIRMATION_REQUIRED" {
				offers = append(offers, flow.PollAction)
			}
			name := rapid.SampledFrom(offers).Draw(r, "action")
			said := rapid.SampledFrom([]string{"246810", "000000", "", "24681"}).Draw(r, "said")
			in := map[string]flow.Values{
				"otp.check": {"otp": said}, "assertion.check": {"origin": "o", "assertion": said},
				"device.select": {"device.id": rapid.SampledFrom([]string{"d1", "d2", "d3", "d4", "d9"}).Draw(r, "device")},
			}[name]
			was := *v
			out, err := v.does(name, in)
			right := said == "246810" && (name == "otp.check" || name == "assertion.check") || name == flow.PollAction && town.push == device.PushApproved
			if (len(out.Proofs) > 0 || len(out.Users) > 0) && !right {
				r.Fatalf("%s with %v in %s proves %+v", name, in, was.status, out)
			}
			if right && was.turn.Person.Username == "nobody" && len(out.Proofs) > 0 {
				r.Fatal("nobody is proven")
			}
			for _, p := range out.Proofs {
				if p.Subject != ada {
					r.Fatalf("proof of %q", p.Subject)
				}
			}
			if err == nil && (out.Verdict == flow.Results || out.Verdict == flow.Fails) {
				return
			}
		}
	})
}
