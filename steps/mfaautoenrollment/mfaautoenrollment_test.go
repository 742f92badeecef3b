package mfaautoenrollment_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/steps/mfaautoenrollment"
)

var (
	_ flow.Stepper              = (*mfaautoenrollment.Kind)(nil)
	_ mfaautoenrollment.Service = (*mfa.Service)(nil)
)

type town struct {
	devices []device.Device
	locked  bool // they may not be changed
	types   []device.Type
	err     error
	effects []string
}

func (t *town) MayChange(context.Context, mfa.Who, flow.Ledger) (bool, error) { return !t.locked, nil }

func (*town) Made(_ mfa.Who, d device.Device) bool { return strings.HasPrefix(d.ID, "new-") }

func (t *town) Types(context.Context, mfa.Who, string, string) ([]device.Type, error) {
	return t.types, nil
}

func (t *town) Devices(context.Context, mfa.Who) ([]device.Device, error) {
	return slices.Clone(t.devices), nil
}

func (*town) NormalAddress(_ device.Type, typed string) string {
	return strings.ToLower(strings.ReplaceAll(typed, "-", ""))
}

func (t *town) Enrol(_ context.Context, in mfa.Enrolment) (mfa.Enrolling, error) {
	if t.err != nil || !in.Active {
		return mfa.Enrolling{}, t.err
	}
	t.effects = append(t.effects, in.Effect+"/"+string(in.Type)) // as devices are made
	d := device.Device{UserID: in.UserID, ID: "new-" + string(in.Type), Type: in.Type, Status: device.Active}
	if in.Type == device.Email {
		d.Email = t.NormalAddress(in.Type, in.Email)
	} else {
		d.Phone = t.NormalAddress(in.Type, in.Phone)
	}
	t.devices = append(t.devices, d)
	return mfa.Enrolling{Device: d}, nil
}

func (t *town) Delete(_ context.Context, w mfa.Who, id string) error {
	t.effects = append(t.effects, w.Effect)
	t.devices = slices.DeleteFunc(t.devices, func(d device.Device) bool { return d.ID == id })
	return nil
}

func (t *town) left() string {
	var out []string
	for _, d := range t.devices {
		out = append(out, d.ID)
	}
	return strings.Join(out, " ")
}

func TestKnownAddressesBecomeDevices(t *testing.T) {
	const old, fresh = "+15550100", "+15550199"
	phone := device.Device{UserID: "u1", ID: "old", Type: device.SMS, Status: device.Active, Phone: old}
	other := device.Device{UserID: "u1", ID: "other", Type: device.SMS, Status: device.Active, Phone: "+15550133"}
	post := device.Device{UserID: "u1", ID: "post", Type: device.Email, Status: device.Active, Email: "ada@example.com"}
	call := device.Device{UserID: "u1", ID: "call", Type: device.Voice, Status: device.Active, Phone: old}
	const user = `{"id":"u1","sms":{"mobilePhone":"` + fresh + `","oldMobilePhone":"` + old + `"}`
	for name, tt := range map[string]struct {
		config, user string
		town         town
		want, left   string
	}{
		"one more":                                 {`{"sms":{"enabled":true}}`, user + `}`, town{devices: []device.Device{phone, other}}, "ENROLLED", "old other new-SMS"},
		"instead of all":                           {`{"sms":{"enabled":true,"mode":"OVERRIDE"}}`, user + `}`, town{devices: []device.Device{phone, other, call}}, "ENROLLED", "call new-SMS"},
		"instead of one":                           {`{"sms":{"enabled":true,"mode":"REPLACE"}}`, user + `}`, town{devices: []device.Device{phone, other, call}}, "ENROLLED", "other call new-SMS"},
		"that is there":                            {`{"sms":{"enabled":true,"mode":"OVERRIDE"}}`, `{"id":"u1","sms":{"mobilePhone":"` + old + `"}}`, town{devices: []device.Device{phone, other}}, "ENROLLED", "old"},
		"that is there, written in another way":    {`{"sms":{"enabled":true}}`, `{"id":"u1","sms":{"mobilePhone":"+1-555-0100"}}`, town{devices: []device.Device{phone}}, "ENROLLED", "old"},
		"instead of one, written in another way":   {`{"sms":{"enabled":true,"mode":"REPLACE"}}`, `{"id":"u1","sms":{"mobilePhone":"+1-555-0199","oldMobilePhone":"+1-555-0100"}}`, town{devices: []device.Device{phone, other}}, "ENROLLED", "other new-SMS"},
		"an address there, written in another way": {`{"email":{"enabled":true}}`, `{"id":"u1","email":{"email":"Ada@Example.com"}}`, town{devices: []device.Device{post}}, "ENROLLED", "post"},
		"instead of no address":                    {`{"sms":{"enabled":true,"mode":"REPLACE"}}`, `{"id":"u1","sms":{"mobilePhone":"+1-555-0199","oldMobilePhone":""}}`, town{devices: []device.Device{phone, post}}, "ENROLLED", "old post new-SMS"},
		"several":                                  {`{"sms":{"enabled":true},"email":{"enabled":true},"voice":{"enabled":true}}`, user + `,"email":{"email":"ada@example.com"}}`, town{}, "ENROLLED", "new-SMS new-EMAIL"},
		"none given":                               {`{"email":{"enabled":true}}`, user + `}`, town{}, "NOT_APPLICABLE", ""},
		"none switched on":                         {`{"sms":{"enabled":false}}`, user + `}`, town{}, "NOT_APPLICABLE", ""},
		"none that the policy is":                  {`{"voice":{"enabled":true}}`, `{"id":"u1","voice":{"mobilePhone":"` + fresh + `"}}`, town{types: []device.Type{device.SMS}}, "NOT_APPLICABLE", ""},
		"of somebody else":                         {`{"sms":{"enabled":true}}`, strings.Replace(user, "u1", "u2", 1) + `}`, town{}, "USER_MISMATCH", ""},
		"without a step-up":                        {`{"sms":{"enabled":true}}`, user + `}`, town{devices: []device.Device{phone}, locked: true}, "STEP_UP_REQUIRED", "old"},
		"that is no address":                       {`{"sms":{"enabled":true}}`, user + `}`, town{err: flow.Invalid(flow.Detail{Target: "phone"})}, "INVALID_DATA", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.town.types == nil {
				tt.town.types = device.Types()
			}
			k := mfaautoenrollment.New(&tt.town)
			config, err := k.Check(json.RawMessage(tt.config))
			if err != nil {
				t.Fatal(err)
			}
			at := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "enrol", config, time.UnixMilli(0), nil, 0, flow.Digest{1})
			at.User, at.Proven, at.Input = flow.Subject{ID: "u1"}, true, map[string]any{}
			if err := json.Unmarshal([]byte(`{"user":`+tt.user+`}`), &at.Input); err != nil {
				t.Fatal(err)
			}
			out, err := k.Enter(t.Context(), at)
			if err != nil {
				t.Fatal(err)
			}
			got := out.Name
			if out.Failure != nil {
				got = out.Failure.Code
			}
			if got != tt.want || tt.town.left() != tt.left || len(out.Proofs)+len(out.Users) > 0 {
				t.Errorf("came to %q with %q, want %q with %q", got, tt.town.left(), tt.want, tt.left)
			}
			slices.Sort(tt.town.effects)
			if len(slices.Compact(slices.Clone(tt.town.effects))) != len(tt.town.effects) {
				t.Errorf("two effects are one: %v", tt.town.effects)
			}
			if name == "several" {
				want := map[string]any{"devices": map[string]any{
					"sms": map[string]any{"id": "new-SMS", "type": "SMS", "phone": fresh}, "email": map[string]any{"id": "new-EMAIL", "type": "EMAIL", "email": "ada@example.com"},
				}}
				if diff := cmp.Diff(want, out.Outputs); diff != "" {
					t.Error(diff)
				}
			}
			at.Proven = false
			if out, err := k.Enter(t.Context(), at); tt.want != "USER_MISMATCH" && (err != nil || out.Failure == nil || out.Failure.Code != "USER_NOT_PROVEN") {
				t.Error("who has not signed on gets a device", out, err)
			}
		})
	}
}

func TestConfigurations(t *testing.T) {
	for config, want := range map[string]string{
		``: "", `{}`: "", `{"sms":{"enabled":true,"mode":"REPLACE"}}`: "",
		`{"sms":{"enabled":true,"mode":"ADD"}}`: "takes CREATE, OVERRIDE or REPLACE",
		`{"fax":{"enabled":true}}`:              "takes sms, voice and email",
		`{"sms":true}`:                          "takes sms, voice and email",
	} {
		_, err := mfaautoenrollment.New(nil).Check(json.RawMessage(config))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", config, err, want)
		}
	}
}
