package mfachallenge_test

import (
	"slices"
	"testing"

	"doorward/runtime/device"
	"doorward/runtime/flow"
)

// TestWhoIsNamedIsToldOfDevices: somebody answers for the name, so that the devices are
// listed and asked; it is no first factor, so that a browser is neither trusted for it
// nor becomes so.
func TestWhoIsNamedIsToldOfDevices(t *testing.T) {
	shown := flow.Sum("value")
	town := remembering()
	town.trusted = map[flow.Digest]bool{shown: true}
	v := visiting(t, town, `{}`)
	v.turn.Proven, v.turn.Named, v.turn.Browser = false, true, shown
	if out := v.enter(); out.Verdict != flow.Waits || v.status != "OTP_REQUIRED" || !slices.Contains(v.offers(), "device.select") {
		t.Fatalf("%+v, offers %v", out, v.offers())
	}
	if asksToRemember(v) {
		t.Error("the box is offered")
	}
	out, err := v.does("otp.check", flow.Values{"otp": "246810", "rememberBrowser": true})
	if err != nil || out.Name != "SUCCEEDED" || out.Trust != nil || len(out.Proofs) != 1 || out.Proofs[0].Subject != ada {
		t.Errorf("%+v, %v", out, err)
	}
}

// TestABrowserIsNotTrustedBlindly: neither is it where a code has come to somebody of
// whom nothing was proven.
func TestABrowserIsNotTrustedBlindly(t *testing.T) {
	v := visiting(t, remembering(), `{}`)
	v.turn.Proven = false
	v.enter()
	out, err := v.does("otp.check", flow.Values{"otp": "246810", "rememberBrowser": true})
	if err != nil || out.Name != "SUCCEEDED" || out.Trust != nil {
		t.Errorf("%+v, %v", out, err)
	}
}

// TestNobodyIsAskedInSilence: a start that must not ask sends nothing, and still says
// who has no device.
func TestNobodyIsAskedInSilence(t *testing.T) {
	for name, change := range map[string]func(*visit){
		"named":    func(v *visit) { v.turn.Named, v.turn.Proven = true, false },
		"proven":   func(*visit) {},
		"unproven": func(v *visit) { v.turn.Proven = false },
	} {
		town := newTown(sms("d1"))
		v := visiting(t, town, `{}`)
		change(v)
		v.turn.Silent = true
		if out := v.enter(); out.Verdict != flow.Waits || slices.Contains(town.calls, "challenge") || len(out.Events) > 0 {
			t.Errorf("%s: %+v after %v", name, out, town.calls)
		}
	}
	v := visiting(t, newTown(), `{"results":["NO_DEVICES"]}`)
	v.turn.Silent, v.turn.Named = true, true
	if out := v.enter(); out.Name != "NO_DEVICES" {
		t.Errorf("%+v", out)
	}
}

// TestOnlyTheDevicesOfAnApplication: of MOBILE devices those of one application are
// asked; what is no phone is asked as ever.
func TestOnlyTheDevicesOfAnApplication(t *testing.T) {
	mine, other := of(device.Mobile, "d1"), of(device.Mobile, "d2")
	mine.Application, other.Application = "app", "other"
	v := visiting(t, newTown(other, mine, sms("d3")), `{"application":"app","deviceSelection":"ALWAYS_DISPLAY_DEVICES"}`)
	v.enter()
	if _, err := v.does("device.select", flow.Values{"device": map[string]any{"id": "d2"}}); err == nil {
		t.Error("a device of another application is asked")
	}
	for _, id := range []string{"d1", "d3"} {
		if out, err := v.does("device.select", flow.Values{"device": map[string]any{"id": id}}); err != nil || out.Verdict != flow.Waits {
			t.Errorf("%s: %+v, %v", id, out, err)
		}
	}
}
