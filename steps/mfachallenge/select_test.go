package mfachallenge_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
)

func TestAnotherDeviceMayBeChosen(t *testing.T) {
	town := newTown(sms("d1"), of(device.Mobile, "d4"))
	v := visiting(t, town, `{}`)
	v.enter()
	out, err := v.does("device.select", flow.Values{"device": map[string]any{"id": "d4"}, "compatibility": "NONE"})
	if err != nil || out.Status != "PUSH_CONFIRMATION_REQUIRED" || !slices.Contains(out.Events, flow.PushSent) || town.started.Compatibility != "NONE" {
		t.Fatal(out, err)
	}
	if out, err = v.does("cancel.push.authentication", flow.Values{"reason": "CHANGE_DEVICE"}); err != nil || out.Status != "DEVICE_SELECTION_REQUIRED" || !slices.Contains(town.calls, "cancel") {
		t.Fatal(out, err)
	}
	if out, err = v.does("device.select", flow.Values{"device.id": "d4"}); err != nil || town.started.Compatibility != "NONE" {
		t.Fatal("the browser became another one", out, err)
	}
	if out, err = v.does("device.select", flow.Values{"device.id": "d1"}); err != nil || town.started.Instead == nil || town.started.Instead.Push != "p1" {
		t.Fatal("a push is left open", out, err)
	}
	before := len(town.calls)
	if out, err = v.does("otp.resend", flow.Values{}); err != nil || out.Status != "OTP_REQUIRED" || !slices.Contains(town.calls[before:], "challenge") {
		t.Fatal("nothing is sent again", out, err)
	}
	for name, in := range map[string]flow.Values{
		"of somebody else":         {"device.id": "d9"},
		"of nobody":                {},
		"by a browser of no sort":  {"device.id": "d1", "compatibility": "SOME"},
		"with more than is asked":  {"device.id": "d1", "admin": true},
		"that is locked meanwhile": {"device.id": "d4"},
	} {
		if name == "that is locked meanwhile" {
			town.choice[ada] = mfa.Choice{Devices: []device.Device{sms("d1")}, Held: true}
		}
		var f *flow.Fault
		if out, err := v.does("device.select", in); !errors.As(err, &f) || f.Code != flow.InvalidData {
			t.Errorf("a device %s: %v, %v", name, out, err)
		}
	}
	for _, a := range v.kind.Meta().Actions {
		if each := a.Name == "device.select" || a.Name == "otp.resend" || a.Name == flow.PollAction; (a.Repeat == flow.Each) != each {
			t.Errorf("a repeat of %s counts: %v", a.Name, a.Repeat == flow.Each)
		}
	}
}

func TestTooManyMessagesAreNoDeadEnd(t *testing.T) {
	town := newTown(sms("d1"), of(device.TOTP, "d2"))
	town.limited["d1"] = true
	v := visiting(t, town, `{}`)
	if out := v.enter(); out.Status != "DEVICE_SELECTION_REQUIRED" || !strings.Contains(v.shows()["error"], "REQUEST_LIMITED") {
		t.Errorf("came to %v, showing %v", out, v.shows())
	}
	alone := newTown(sms("d1"))
	alone.limited["d1"] = true
	v = visiting(t, alone, `{}`)
	var f *flow.Fault
	if _, err := v.kind.Enter(t.Context(), v.begin()); !errors.As(err, &f) || f.Code != flow.Limited || f.RetryAfter == 0 {
		t.Errorf("the only device: %v", err)
	}
}

func TestPushesArePolled(t *testing.T) {
	for state, tt := range map[device.PushState]struct {
		due  bool
		want string
	}{
		device.PushPending:  {false, "PUSH_CONFIRMATION_REQUIRED"},
		device.PushApproved: {true, "SUCCEEDED"},
		device.PushRejected: {true, "PUSH_REJECTED"},
		device.PushGone:     {true, "PUSH_CONFIRMATION_TIMED_OUT"},
	} {
		town := newTown(of(device.Mobile, "d4"))
		town.push = state
		v := visiting(t, town, `{}`)
		v.enter()
		if due, err := v.kind.Due(t.Context(), v.begin()); err != nil || due != tt.due {
			t.Errorf("%s is due: %v, %v", state, due, err)
		}
		out, err := v.does(flow.PollAction, flow.Values{})
		got := out.Status + out.Name
		if out.Failure != nil {
			got = out.Failure.Code
		}
		if err != nil || got != tt.want || (len(out.Proofs) == 1) != (state == device.PushApproved) {
			t.Errorf("%s comes to %q with %v, %v", state, got, out.Proofs, err)
		}
	}
	v := visiting(t, newTown(sms("d1")), `{}`)
	v.enter()
	if due, err := v.kind.Due(t.Context(), v.begin()); due || err != nil {
		t.Errorf("a code is due: %v, %v", due, err)
	}
}

func TestAPushMayBeAnsweredByACode(t *testing.T) {
	for state, status := range map[device.PushState]string{device.PushPending: "PUSH_CONFIRMATION_REQUIRED", device.PushGone: "PUSH_CONFIRMATION_TIMED_OUT"} {
		d := of(device.Mobile, "d5")
		d.Codes = true
		town := newTown(d)
		town.push = state
		v := visiting(t, town, `{}`)
		v.enter()
		if _, err := v.does(flow.PollAction, flow.Values{}); err != nil || v.status != status || v.offers()[0] != "otp.check" {
			t.Errorf("%s comes to %s with %v, %v", state, v.status, v.offers(), err)
		}
		if out, err := v.does("otp.check", flow.Values{"otp": "000000"}); err != nil || out.Verdict != flow.Rejects || v.status != status {
			t.Errorf("a wrong code in %s: %+v, %v", status, out, err)
		}
		if out, err := v.does("otp.check", flow.Values{"otp": town.right}); err != nil || out.Name != "SUCCEEDED" || len(out.Proofs) != 1 {
			t.Errorf("a right code in %s: %+v, %v", status, out, err)
		}
	}
}
