package mfaenrollment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
)

// Enter asks which device it is to be. Only whoever has signed on may set one up, and
// who has one already has proven it a short time ago.
func (k *Kind) Enter(ctx context.Context, t *flow.Turn) (flow.Outcome, error) {
	c, ok := t.Config.(Config)
	if !ok {
		return flow.Outcome{}, fmt.Errorf("MFA_ENROLLMENT is configured with %T", t.Config)
	}
	s, failure := given(t)
	switch {
	case failure != nil:
		return *failure, nil
	case t.Named && !t.SignedOn() && c.StepUp: // the first factor comes first
		return flow.Result(stepUp).WithEvent(flow.StepUpRequired), nil
	case !t.SignedOn():
		return flow.Fail("USER_NOT_PROVEN", flow.UnprovenMessage), nil
	}
	if out, may, err := k.mayChange(ctx, t, c, s); !may || err != nil {
		return out, err
	}
	return k.offer(ctx, t, c, s)
}

// given is what a flow definition hands over, or what the account says: whose device
// it is, and where codes could go.
func given(t *flow.Turn) (s state, failure *flow.Outcome) {
	refuse := func(o flow.Outcome) (state, *flow.Outcome) { return state{}, &o }
	if t.Input != nil {
		if _, ok := t.Account(text(t.Input, "user", "id")); !ok {
			return refuse(flow.Fail("USER_MISMATCH", flow.MismatchMessage).WithEvent(flow.UsernameMismatch))
		}
		s.Compatibility = text(t.Input, "webauthn", "compatibility")
		s.Email, s.Phone = text(t.Input, "user", "email"), text(t.Input, "user", "mobilePhone")
		if !slices.Contains([]string{"", mfa.Full, mfa.SecurityKeyOnly, mfa.NoWebAuthn}, s.Compatibility) {
			return refuse(flow.FailWith(flow.Failure{Code: string(flow.InvalidData), Message: flow.InvalidMessage, Details: []flow.Detail{{
				Code: flow.InvalidValue, Target: "webauthn.compatibility", Message: "Send FULL, SECURITY_KEY_ONLY or NONE, or leave it out.",
			}}}))
		}
	}
	if s.Email == "" {
		s.Email = fact(t, "user.email")
	}
	if s.Phone == "" {
		s.Phone = fact(t, "user.mobilePhone")
	}
	return s, nil
}

// fact is what is known of the user by a name.
func fact(t *flow.Turn, name string) string {
	if t.Fact == nil {
		return ""
	}
	v, _ := t.Fact(name).(string)
	return v
}

// text is a string inside an input; empty where there is none.
func text(in map[string]any, path ...string) string {
	for _, name := range path[:len(path)-1] {
		in, _ = in[name].(map[string]any)
	}
	s, _ := in[path[len(path)-1]].(string)
	return s
}

func (*Kind) who(t *flow.Turn) mfa.Who {
	w := mfa.Who{
		Env: t.Ref.Env, UserID: t.User.ID, Username: t.User.Username, DisplayName: strings.TrimSpace(t.User.Given + " " + t.User.Family),
		Flow: t.Ref.ID, Locales: t.Locales, Effect: t.Effect(), Client: t.Client,
	}
	if l := text(t.Input, "template", "locale"); l != "" {
		w.Locales = l + "," + w.Locales
	}
	return w
}

// mayChange reports whether the user may change their devices now; for whoever may
// not, out is how the step ends.
func (k *Kind) mayChange(ctx context.Context, t *flow.Turn, c Config, s state) (out flow.Outcome, may bool, err error) {
	may, err = k.mfa.MayChange(ctx, k.who(t), t.Proofs)
	if err != nil {
		return flow.Outcome{}, false, flow.Unserved(fmt.Errorf("read proofs of devices: %w", err))
	}
	if may || !c.StepUp {
		return mustStepUp(), may, nil
	}
	found, err := k.mfa.Choose(ctx, k.who(t), c.Policy, s.Compatibility)
	switch {
	case err != nil:
		return flow.Outcome{}, false, flow.Unserved(fmt.Errorf("list devices: %w", err))
	case found.Held:
		return mustStepUp(), false, nil
	}
	return flow.Result(stepUp).WithEvent(flow.StepUpRequired), false, nil
}

// mayActivate reports whether the device that is being set up may be taken yet.
func (k *Kind) mayActivate(ctx context.Context, t *flow.Turn, s state) (out flow.Outcome, may bool, err error) {
	may, err = k.mfa.MayActivate(ctx, k.who(t), t.Proofs, s.Device.ID)
	if err != nil {
		return flow.Outcome{}, false, flow.Unserved(fmt.Errorf("read proofs of devices: %w", err))
	}
	return mustStepUp(), may, nil
}

func mustStepUp() flow.Outcome {
	return flow.Fail("STEP_UP_REQUIRED", "Confirm with a device that you already have before you add or remove one. The pages of your account ask for it, also in a browser that you trust.").WithEvent(flow.StepUpRequired)
}

// offer asks which device it is to be.
func (k *Kind) offer(ctx context.Context, t *flow.Turn, c Config, s state) (flow.Outcome, error) {
	types, err := k.mfa.Types(ctx, k.who(t), c.Policy, s.Compatibility)
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("list types of devices: %w", err))
	}
	s = s.empty()
	s.Types = slices.DeleteFunc(slices.Clone(types), func(d device.Type) bool { return !c.takes(d) })
	if len(s.Types) == 0 {
		return flow.Fail("NO_USABLE_DEVICES", "None of the ways to confirm that it is you can be used now. Try again later, or ask your administrator."), nil
	}
	return flow.Wait(choosing), t.Keep(s)
}

// skip goes on without a device, where that is let.
func (*Kind) skip(_ context.Context, t *flow.Turn, _ struct{}) (flow.Outcome, error) {
	if c, ok := t.Config.(Config); !ok || c.Required {
		return flow.Outcome{}, errors.New("an enrolment is skipped that is required")
	}
	return flow.Result(skipped).WithEvent(flow.EnrollmentSkipped), nil
}

// Offers are the actions of a node as it stands: only codes that are sent are sent
// again, and nobody skips what is required.
func (k *Kind) Offers(t *flow.Turn) []flow.Offer {
	s, err := flow.State[state](t)
	c, ok := t.Config.(Config)
	if err != nil || !ok {
		return nil
	}
	var out []flow.Offer
	for _, a := range k.Meta().Actions {
		switch {
		case !a.Offered(t.Status), a.Name == flow.PollAction,
			a.Name == "device.skipEnrollment" && c.Required,
			a.Name == "otp.resend" && (s.Device == nil || !s.Device.Type.IsSent()):
			continue
		}
		out = append(out, flow.Offer{Name: a.Name, Prompt: a.Prompt, Fields: a.Fields})
	}
	return out
}
