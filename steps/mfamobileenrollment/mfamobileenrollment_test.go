package mfamobileenrollment_test

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/steps/mfamobileenrollment"
)

var (
	_ flow.Stepper                = (*mfamobileenrollment.Kind)(nil)
	_ mfamobileenrollment.Service = (*mfa.Service)(nil)
)

type town struct {
	may, ok bool
	err     error
	asked   mfa.AppEnrolment
}

func (t *town) MayChange(context.Context, mfa.Who, flow.Ledger) (bool, error) { return t.may, nil }

func (t *town) EnrolApp(_ context.Context, in mfa.AppEnrolment) (device.Device, bool, error) {
	t.asked = in
	return device.Device{UserID: in.UserID, ID: "d4"}, t.ok, t.err
}

func TestAnAppEnrolsItself(t *testing.T) {
	payload := `{"publicKey":"` + base64.RawURLEncoding.EncodeToString([]byte("key")) + `","name":"Phone","alertToken":"t"}`
	wrong := flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: "mobile.payload"})
	for name, tt := range map[string]struct {
		user, payload string
		proven        bool
		town          town
		want          string
	}{
		"of somebody who has signed on":  {"u1", payload, true, town{may: true, ok: true}, "ENROLLMENT_INITIATED"},
		"in base64url":                   {"u1", base64.URLEncoding.EncodeToString([]byte(payload)), true, town{may: true, ok: true}, "ENROLLMENT_INITIATED"},
		"that may not":                   {"u1", payload, true, town{may: true}, "NOT_APPLICABLE"},
		"of somebody who has not":        {"u1", payload, false, town{may: true, ok: true}, "USER_NOT_PROVEN"},
		"of somebody else":               {"u2", payload, true, town{may: true, ok: true}, "USER_MISMATCH"},
		"beside another, long ago":       {"u1", payload, true, town{ok: true}, "STEP_UP_REQUIRED"},
		"that says nothing of itself":    {"u1", "x y", true, town{may: true, ok: true}, "INVALID_DATA"},
		"with a key that is none":        {"u1", `{"publicKey":"*"}`, true, town{may: true, ok: true}, "INVALID_DATA"},
		"with a key of no use":           {"u1", payload, true, town{may: true, err: wrong}, "INVALID_DATA"},
		"where the directory is away":    {"u1", payload, true, town{may: true, err: context.DeadlineExceeded}, "SERVICE_UNAVAILABLE"},
		"where the directory says so":    {"u1", payload, true, town{may: true, err: flow.Busy(nil)}, "SERVICE_UNAVAILABLE"},
		"with a payload that is too big": {"u1", strings.Repeat("x", 9000), true, town{may: true, ok: true}, "INVALID_DATA"},
	} {
		t.Run(name, func(t *testing.T) {
			at := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "enrol", nil, time.UnixMilli(0), nil, 0, flow.Digest{1})
			at.User, at.Proven = flow.Subject{ID: "u1"}, tt.proven
			at.Input = map[string]any{"user": map[string]any{"id": tt.user}, "application": map[string]any{"id": "app"}, "mobile": map[string]any{"payload": tt.payload}}
			out, err := mfamobileenrollment.New(&tt.town).Enter(t.Context(), at)
			got := out.Name
			if out.Failure != nil {
				got = out.Failure.Code
			}
			if err != nil {
				got = string(flow.AsFault(err).Code)
			}
			if got != tt.want || len(out.Proofs)+len(out.Users) > 0 {
				t.Errorf("came to %q, want %q: %+v", got, tt.want, out)
			}
			if got == "ENROLLMENT_INITIATED" && (string(tt.town.asked.Key) != "key" || tt.town.asked.Name != "Phone" || tt.town.asked.Application != "app" || tt.town.asked.Alert != "t") {
				t.Errorf("asked for %+v", tt.town.asked)
			}
		})
	}
}
