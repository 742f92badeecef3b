package mfa_test

import (
	"strings"
	"testing"

	"doorward/runtime/device"
	"doorward/runtime/mfa"
)

// TestADeviceIsNamedWhenItIsActivated, and keeps the name that it had where none is said.
func TestADeviceIsNamedWhenItIsActivated(t *testing.T) {
	for name, row := range map[string]struct{ before, said, want string }{
		"with a name":               {"", " Work ", "Work"},
		"with another":              {"Old", "New", "New"},
		"without one":               {"Old", "", "Old"},
		"not with two lines":        {"Old", "a\nb", "refused"},
		"not with so many letters":  {"Old", strings.Repeat("x", 101), "refused"},
		"not with what turns it up": {"Old", "a\u202eb", "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			made, err := r.Enrol(t.Context(), mfa.Enrolment{Who: r.who("f1"), Type: device.OathToken, Seed: seed(), Nickname: row.before})
			if err != nil {
				t.Fatal(err)
			}
			v, err := r.Activate(t.Context(), mfa.Activation{Who: r.who("f1"), Device: made.Device.ID, OTP: code(t, r.clock), Nickname: row.said})
			if err != nil || v.OK != (row.want != "refused") {
				t.Fatalf("%+v, %v", v, err)
			}
			if !v.OK {
				if detail(t, v.Fault).Target != "nickname" {
					t.Error(v.Fault)
				}
				return
			}
			if d, _ := r.store.find(user, made.Device.ID); d.Nickname != row.want {
				t.Errorf("it is called %q", d.Nickname)
			}
		})
	}
}

// TestAPasskeyIsShownWithWhatThePolicySays of a person. Source: reference/management.md
// 5.10 (userDisplayNameAttributes).
func TestAPasskeyIsShownWithWhatThePolicySays(t *testing.T) {
	for name, row := range map[string]struct {
		says [][]string
		has  map[string]any
		want string
	}{
		"an attribute":                {[][]string{{"email"}}, map[string]any{"email": "ada@example.com", "name.given": "Ada"}, "ada@example.com"},
		"the first that there is":     {[][]string{{"nickname"}, {"email"}}, map[string]any{"email": "ada@example.com"}, "ada@example.com"},
		"parts of one together":       {[][]string{{"name.given", "name.family"}}, map[string]any{"name.given": "Ada", "name.family": "Lovelace"}, "Ada Lovelace"},
		"those that there are":        {[][]string{{"name.given", "name.family"}, {"email"}}, map[string]any{"name.family": "Lovelace", "email": "e"}, "Lovelace"},
		"the username without any":    {[][]string{{"email"}}, map[string]any{"email": 7}, "ada"},
		"what is said without a rule": {nil, nil, "Ada L."},
		"no more than can be shown":   {[][]string{{"email"}}, map[string]any{"email": strings.Repeat("ä", 70)}, strings.Repeat("ä", 64)},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.fido.DisplayName, r.attributes = row.says, row.has
			made, err := r.Enrol(t.Context(), mfa.Enrolment{Who: r.who("f1"), Type: device.FIDO2})
			if err != nil {
				t.Fatal(err)
			}
			o, err := r.CreationOptions(env, *made.Creation, []byte("0123456789abcdef0123456789abcdef"))
			if err != nil || !strings.Contains(string(o.Standard), `"displayName":"`+row.want+`"`) {
				t.Errorf("%s, %v", o.Standard, err)
			}
		})
	}
}
