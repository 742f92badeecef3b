package device_test

import (
	"testing"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"

	"github.com/google/go-cmp/cmp"
)

func TestMasked(t *testing.T) {
	tests := map[string]struct {
		device device.Device
		want   string
	}{
		"a number":        {device.Device{Phone: "+14155550101"}, "**********01"},
		"an address":      {device.Device{Email: "jane@example.com"}, "j•••@example.com"},
		"nowhere":         {device.Device{Type: device.TOTP}, ""},
		"hardly a number": {device.Device{Phone: "1"}, "1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.device.Masked(); got != tt.want {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestUsable(t *testing.T) {
	now := time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		device device.Device
		want   bool
	}{
		"active":         {device.Device{Status: device.Active}, true},
		"not yet":        {device.Device{Status: device.ActivationRequired}, false},
		"blocked":        {device.Device{Status: device.Active, BlockedAt: now.Add(-time.Hour)}, false},
		"locked":         {device.Device{Status: device.Active, LockedUntil: now.Add(time.Second)}, false},
		"locked earlier": {device.Device{Status: device.Active, LockedUntil: now}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.device.Usable(now); got != tt.want {
				t.Errorf("%t", got)
			}
		})
	}
}

func TestProof(t *testing.T) {
	synced := &device.Credential{BackupEligible: true}
	tests := map[string]struct {
		device   device.Device
		verified bool
		want     flow.Proof
	}{
		"a code by SMS": {
			device.Device{Type: device.SMS, Phone: "+14155550101"},
			false,
			flow.Proof{Factors: flow.Possession, Method: "sms", AMR: "otp", Address: "+14155550101"},
		},
		"a code by mail": {
			device.Device{Type: device.Email, Email: "jane@example.com"},
			false,
			flow.Proof{Factors: flow.Possession, Method: "email", AMR: "otp", Address: "jane@example.com"},
		},
		"a push":                          {device.Device{Type: device.Mobile}, false, flow.Proof{Factors: flow.Possession, Method: "mobile", AMR: "swk"}},
		"a computed code verifies nobody": {device.Device{Type: device.TOTP}, true, flow.Proof{Factors: flow.Possession, Method: "totp", AMR: "otp"}},
		"a key that is touched":           {device.Device{Type: device.FIDO2, Credential: &device.Credential{}}, false, flow.Proof{Factors: flow.Possession, Method: "fido2", AMR: "hwk"}},
		"a key that asks for a PIN":       {device.Device{Type: device.SecurityKey}, true, flow.Proof{Factors: flow.Possession | flow.Inherence, Method: "fido2", AMR: "hwk"}},
		"a passkey in several places":     {device.Device{Type: device.Platform, Credential: synced}, true, flow.Proof{Factors: flow.Possession | flow.Inherence, Method: "fido2", AMR: "swk"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.device.UserID, tt.device.ID = "ada", "d1"
			tt.want.Subject, tt.want.Authenticator = "ada", "d1"
			if diff := cmp.Diff(tt.want, tt.device.Proof(tt.verified)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEveryTypeNamesItsMethod(t *testing.T) {
	for _, typ := range device.Types() {
		d := device.Device{Type: typ, ID: "d", UserID: "u"}
		if p := d.Proof(false); p.Method == "" || p.AMR == "" || p.Factors != flow.Possession {
			t.Errorf("%s proves %+v", typ, p)
		}
	}
}

func TestOrder(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2031, 5, n, 0, 0, 0, 0, time.UTC) }
	devices := []device.Device{{ID: "new", ActivatedAt: day(3)}, {ID: "old", ActivatedAt: day(1)}, {ID: "mid", ActivatedAt: day(2)}}
	tests := map[string]struct{ listed, want []string }{
		"oldest first":             {nil, []string{"old", "mid", "new"}},
		"as the person has put it": {[]string{"new"}, []string{"new", "old", "mid"}},
		"a device that is gone":    {[]string{"gone", "mid"}, []string{"mid", "old", "new"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, d := range device.Order(devices, tt.listed) {
				got = append(got, d.ID)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A device proves by other names than another, and a mailbox is what its codes rest on.
func TestTaken(t *testing.T) {
	taken := func(amr, rests string) flow.Taken {
		return flow.Taken{Factors: flow.Possession, Authenticator: "device", AMR: amr, Rests: rests}
	}
	for name, tt := range map[string]struct {
		of   []device.Type
		want []flow.Taken
	}{
		"codes":        {[]device.Type{device.TOTP, device.SMS}, []flow.Taken{taken("otp", "")}},
		"mail":         {[]device.Type{device.Email}, []flow.Taken{taken("otp", "email"), taken("otp", "")}},
		"an app":       {[]device.Type{device.Mobile}, []flow.Taken{taken("swk", ""), taken("otp", "")}},
		"passkeys":     {[]device.Type{device.FIDO2}, []flow.Taken{taken("hwk", ""), taken("swk", ""), taken("otp", "")}},
		"all there is": {nil, []flow.Taken{taken("otp", ""), taken("otp", "email"), taken("swk", ""), taken("hwk", "")}},
	} {
		if diff := cmp.Diff(tt.want, device.Taken(tt.of...)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
