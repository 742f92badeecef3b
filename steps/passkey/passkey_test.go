package passkey_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	webauthn "doorward/runtime/passkey"
	"doorward/steps/passkey"
)

var (
	_ flow.Doorkeeper = (*passkey.Kind)(nil)
	_ flow.Shower     = (*passkey.Kind)(nil)

	_ passkey.Passkeys = (*mfa.Service)(nil)
)

const ada = "u-ada"

// town knows one passkey, which answers "right", or, having verified the person,
// "verified".
type town struct {
	off     bool
	proof   *flow.Proof // that is made of any answer
	account passkey.Account
	asked   mfa.Discovered
}

func newTown() *town {
	return &town{account: passkey.Account{Subject: flow.Subject{ID: ada, Username: "Ada"}}}
}

func (t *town) Discovers(string, string) bool { return !t.off }

func (t *town) Discover(_, _ string, bytes []byte) (webauthn.Options, bool, error) {
	if len(bytes) != 32 {
		return webauthn.Options{}, false, errors.New("nothing to sign")
	}
	return webauthn.Options{Standard: json.RawMessage(`{"allowCredentials":[]}`), Vendor: "vendor"}, !t.off, nil
}

func (t *town) CheckDiscovered(_ context.Context, in mfa.Discovered) (mfa.Verdict, error) {
	t.asked = in
	d := device.Device{UserID: ada, ID: "d3", Type: device.FIDO2}
	if t.proof != nil {
		return mfa.Verdict{OK: true, Device: d, Proof: *t.proof}, nil
	}
	if in.Assertion != "right" && in.Assertion != "verified" || in.UserID != "" && in.UserID != ada {
		return mfa.Verdict{Events: []flow.EventType{flow.DeviceRefused}}, nil
	}
	return mfa.Verdict{OK: true, Device: d, Proof: d.Proof(in.Assertion == "verified"), Events: []flow.EventType{flow.DeviceAccepted}}, nil
}

func (t *town) Account(context.Context, string, string) (passkey.Account, error) {
	return t.account, nil
}

func turn(k *passkey.Kind, status, config string) *flow.Turn {
	c, _ := k.Check(json.RawMessage(config))
	t := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "1.passkey", c, time.UnixMilli(0), nil, 3, flow.Digest{1})
	t.Status = status
	t.Derive = func(purpose string, parts ...string) [32]byte { return flow.Sum(purpose + "/" + parts[len(parts)-1]) }
	return t
}

func submit(t *testing.T, k *passkey.Kind, at *flow.Turn, assertion any) (flow.Outcome, error) {
	t.Helper()
	a := k.Meta().Actions[0]
	if !a.OfferedBeside(at.Status) || a.Offered(at.Status) {
		t.Fatalf("no door stands beside %s", at.Status)
	}
	return a.Run(t.Context(), at, flow.Values{"origin": "https://a.example", "assertion": assertion, "compatibility": "FULL"})
}

func TestTheDoorIsThereWherePasskeysAre(t *testing.T) {
	open, closed := newTown(), newTown()
	closed.off = true
	k := passkey.New(open, open)
	at := turn(k, "SIGN_ON_REQUIRED", ``)
	want := []flow.Member{
		{Name: "publicKeyCredentialRequestOptions", JSON: []byte(`"vendor"`)}, {Name: "publicKeyCredentialRequestOptionsJSON", JSON: []byte(`{"allowCredentials":[]}`)},
	}
	if diff := cmp.Diff(want, k.Show(at).Members); diff != "" || !k.Opens(at) {
		t.Error(diff)
	}
	for name, k := range map[string]*passkey.Kind{"off": passkey.New(closed, closed), "none": passkey.New(nil, nil)} {
		if k.Opens(at) || len(k.Show(at).Members) > 0 {
			t.Errorf("passkeys are %s, and there is a door", name)
		}
	}
	if _, err := k.Enter(t.Context(), at); err == nil {
		t.Error("the kind is entered")
	}
}

func TestWhoHasAPasskeySignsOn(t *testing.T) {
	for name, tt := range map[string]struct {
		status, config, assertion string
		change                    func(*town, *flow.Turn)
		want                      string
	}{
		"who was verified":                        {"SIGN_ON_REQUIRED", ``, "verified", nil, "AUTHENTICATED"},
		"beside the name and all":                 {"USERNAME_PASSWORD_REQUIRED", ``, "verified", nil, "AUTHENTICATED"},
		"who only has it":                         {"SIGN_ON_REQUIRED", ``, "right", nil, "PASSWORD_REQUIRED"},
		"who only has it, and enough":             {"SIGN_ON_REQUIRED", `{"alone":true}`, "right", nil, "AUTHENTICATED"},
		"whose name is typed":                     {"PASSWORD_REQUIRED", ``, "verified", func(_ *town, t *flow.Turn) { t.Person.Username = " ada" }, "AUTHENTICATED"},
		"whom the session knows":                  {"PASSWORD_REQUIRED", ``, "verified", func(_ *town, t *flow.Turn) { t.User.ID = ada }, "AUTHENTICATED"},
		"who has a lent password":                 {"SIGN_ON_REQUIRED", ``, "verified", func(s *town, _ *flow.Turn) { s.account.MustChange = true }, "MUST_CHANGE_PASSWORD"},
		"who is to verify":                        {"SIGN_ON_REQUIRED", ``, "verified", func(s *town, _ *flow.Turn) { s.account.Unverified = true }, "VERIFICATION_REQUIRED"},
		"who is to verify, by the password first": {"SIGN_ON_REQUIRED", ``, "right", func(s *town, _ *flow.Turn) { s.account.Unverified = true }, "PASSWORD_REQUIRED"},

		"nobody":                    {"SIGN_ON_REQUIRED", ``, "wrong", nil, "refused"},
		"somebody else than typed":  {"PASSWORD_REQUIRED", ``, "verified", func(_ *town, t *flow.Turn) { t.Person.Username = "bob" }, "refused"},
		"somebody else than signed": {"PASSWORD_REQUIRED", ``, "verified", func(_ *town, t *flow.Turn) { t.User.ID = "u-bob" }, "refused"},
		"who is locked":             {"SIGN_ON_REQUIRED", ``, "verified", func(s *town, _ *flow.Turn) { s.account.Locked = true }, "refused"},
		"who is disabled":           {"SIGN_ON_REQUIRED", ``, "verified", func(s *town, _ *flow.Turn) { s.account.Disabled = true }, "ACCOUNT_DISABLED"},
	} {
		t.Run(name, func(t *testing.T) {
			town := newTown()
			k := passkey.New(town, town)
			at := turn(k, tt.status, tt.config)
			if tt.change != nil {
				tt.change(town, at)
			}
			out, err := submit(t, k, at, tt.assertion)
			if err != nil {
				t.Fatal(err)
			}
			got := out.Name
			switch out.Verdict {
			case flow.Rejects:
				if got = "refused"; out.Status != tt.status || out.Fault.Details[0].Target != "assertion" {
					t.Errorf("%+v", out)
				}
			case flow.Fails:
				got = out.Failure.Code
			case flow.Results:
				if len(out.Users) != 1 || out.Users[0].ID != ada || len(out.Proofs) != 1 || out.Proofs[0].Factors.Has(flow.Inherence) != (tt.assertion == "verified") {
					t.Errorf("%+v", out)
				}
			case flow.Waits:
			}
			if got != tt.want || out.Verdict != flow.Results && len(out.Users)+len(out.Proofs) > 0 {
				t.Errorf("came to %q, want %q", got, tt.want)
			}
			if string(town.asked.Bytes) != string(at.Challenge()) || town.asked.UserID != at.User.ID || !slices.Contains([]string{"", "ada", "u-bob"}, town.asked.UserID) && town.asked.UserID != ada {
				t.Errorf("asked for %+v", town.asked)
			}
		})
	}
}

func TestAnAssertionMayBeAnObject(t *testing.T) {
	town := newTown()
	k := passkey.New(town, town)
	if out, err := submit(t, k, turn(k, "SIGN_ON_REQUIRED", ``), map[string]any{"id": "x"}); err != nil || out.Verdict != flow.Rejects || town.asked.Assertion != `{"id":"x"}` {
		t.Error(out, err, town.asked.Assertion)
	}
}

// TestNoProofOfAnother holds that whatever is accepted, it is the flow's own user's
// possession, or it is an error.
func TestNoProofOfAnother(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		town := newTown()
		town.proof = &flow.Proof{
			Subject:       rapid.SampledFrom([]string{"", ada, "u-bob"}).Draw(r, "subject"),
			Factors:       flow.Factor(rapid.IntRange(0, 7).Draw(r, "factors")),
			Authenticator: rapid.SampledFrom([]string{"", "d3"}).Draw(r, "device"),
		}
		k := passkey.New(town, town)
		at := turn(k, "PASSWORD_REQUIRED", ``)
		at.User.ID = rapid.SampledFrom([]string{"", ada, "u-bob"}).Draw(r, "user")
		out, err := submit(t, k, at, "any")
		right := town.proof.Subject == ada && (at.User.ID == "" || at.User.ID == ada) && town.proof.Factors.Has(flow.Possession) && town.proof.Authenticator != ""
		if (len(out.Proofs) == 1) != right || (err == nil) != right {
			r.Fatalf("%+v of %q: %+v, %v", town.proof, at.User.ID, out, err)
		}
	})
}
