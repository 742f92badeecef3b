package mfachallenge_test

import (
	"slices"
	"testing"
	"time"

	"doorward/runtime/flow"
)

// remembering is a town whose policy lets people trust their browsers.
func remembering() *town {
	t := newTown(sms("d1"))
	t.policy.RememberMe.Enabled, t.policy.RememberMe.Life = true, 30*24*time.Hour
	return t
}

func asksToRemember(v *visit) bool {
	for _, o := range v.kind.Offers(v.begin()) {
		if slices.ContainsFunc(o.Fields, func(f flow.Field) bool { return f.Name == "rememberBrowser" }) {
			return true
		}
	}
	return false
}

func TestABrowserIsTrustedAndNotAskedAgain(t *testing.T) {
	town := remembering()
	v := visiting(t, town, `{}`)
	v.enter()
	if !asksToRemember(v) {
		t.Error("the box is not offered")
	}
	out, err := v.does("otp.check", flow.Values{"otp": "246810", "rememberBrowser": true})
	if err != nil || out.Trust == nil || len(out.Trust.Value) != 43 || out.Trust.Life != 30*24*time.Hour || !slices.Contains(out.Events, flow.BrowserTrusted) {
		t.Fatalf("%+v, %v", out, err)
	}
	again := visiting(t, town, `{}`)
	again.turn.Browser = flow.Sum(out.Trust.Value)
	out = again.enter()
	if out.Verdict != flow.Results || out.Name != "SUCCEEDED" || len(out.Proofs) != 1 || slices.Contains(town.calls[len(town.calls)-1:], "challenge") {
		t.Fatalf("%+v after %v", out, town.calls)
	}
	p := out.Proofs[0]
	if p.Subject != ada || p.Factors != flow.Possession || p.AMR != "" || p.Method != "" {
		t.Errorf("proves %+v", p)
	}
	if !(flow.Ledger{p}).Last("mfa").IsZero() {
		t.Error("conditions take it for a second factor")
	}
}

func TestWhatIsNotTrusted(t *testing.T) {
	shown := flow.Sum("value")
	tests := map[string]struct {
		change func(*town, *visit)
		config string
	}{
		"another browser":              {func(t *town, v *visit) { v.turn.Browser = flow.Sum("other") }, `{}`},
		"a browser that shows nothing": {func(t *town, v *visit) { v.turn.Browser = flow.Digest{} }, `{}`},
		"a policy that forgets":        {func(t *town, _ *visit) { t.policy.RememberMe.Enabled = false }, `{}`},
		"a transaction":                {func(*town, *visit) {}, `{"template":{"name":"TRANSACTION"}}`},
		"a flow definition": {func(_ *town, v *visit) {
			v.turn.Input = map[string]any{"user": map[string]any{"id": ada}, "template": map[string]any{"locale": "en"}}
		}, `{}`},
		"somebody who has proven nothing": {func(_ *town, v *visit) { v.turn.Proven = false }, `{}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			town := remembering()
			town.trusted = map[flow.Digest]bool{shown: true}
			v := visiting(t, town, tt.config)
			v.turn.Browser = shown
			tt.change(town, v)
			if out := v.enter(); out.Verdict != flow.Waits {
				t.Errorf("%+v", out)
			}
		})
	}
}

func TestABrowserIsNotTrusted(t *testing.T) {
	tests := map[string]struct {
		in     flow.Values
		change func(*town)
	}{
		"unless the person wants it":              {flow.Values{"otp": "246810"}, func(*town) {}},
		"for a wrong code":                        {flow.Values{"otp": "111111", "rememberBrowser": true}, func(*town) {}},
		"where the policy says so":                {flow.Values{"otp": "246810", "rememberBrowser": true}, func(t *town) { t.policy.RememberMe.Enabled = false }},
		"once the password was changed meanwhile": {flow.Values{"otp": "246810", "rememberBrowser": true}, func(t *town) { t.revoked = true }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			town := remembering()
			v := visiting(t, town, `{}`)
			v.enter()
			tt.change(town)
			if out, err := v.does("otp.check", tt.in); err != nil || out.Trust != nil {
				t.Errorf("%+v, %v", out, err)
			}
		})
	}
}

func TestADeviceWhoseAddressHasProvenAlreadyIsNotAsked(t *testing.T) {
	town := newTown(sms("d1"))
	v := visiting(t, town, `{}`)
	recovered := flow.PasswordProof(ada, now())
	recovered.Address = "+15550100"
	v.turn.Proofs = flow.Ledger{recovered}
	if out := v.enter(); out.Verdict != flow.Fails || out.Failure.Code != "NO_USABLE_DEVICES" || slices.Contains(town.calls, "challenge") {
		t.Errorf("%+v after %v", out, town.calls)
	}
}
