package mfachallenge

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"doorward/runtime/device"
	"doorward/runtime/flow"
)

type choice struct {
	Device        string `json:"device.id" required:"true" max:"64" label:"device.select.device.label=Device"`
	Compatibility string `json:"compatibility" max:"32" label:"mfa.compatibility.label=What the browser can do"`
}

// Offers are the actions of a node as it stands: nothing is to be chosen by whoever
// is told of no devices, and only codes that are sent are sent again. In another
// order they would be read as if the last resort came first.
func (k *Kind) Offers(t *flow.Turn) []flow.Offer {
	s, err := flow.State[state](t)
	if err != nil {
		return nil
	}
	var out []flow.Offer
	for _, a := range k.Meta().Actions {
		switch {
		case !a.Offered(t.Status), a.Name == flow.PollAction:
			continue
		case a.Name == "device.select":
			if s.blind() {
				continue
			}
			a.Fields = flow.FieldsOf[choice]()
		case a.Name == "otp.check" && t.Status != coding && (s.Asked == nil || !s.Asked.Codes):
			continue
		case (a.Name == "otp.check" || a.Name == "assertion.check") && (s.blind() || !k.remembers(t)):
			a.Fields = slices.DeleteFunc(slices.Clone(a.Fields), func(f flow.Field) bool { return f.Name == "rememberBrowser" })
		case a.Name == "otp.resend" && !s.blind() && (s.Asked == nil || !s.Asked.Type.IsSent()):
			continue
		}
		out = append(out, flow.Offer{Name: a.Name, Prompt: a.Prompt, Fields: a.Fields})
	}
	return out
}

// choose asks another device, or the same one again.
func (k *Kind) choose(ctx context.Context, t *flow.Turn, v flow.Values) (flow.Outcome, error) {
	var in choice
	if f := flow.Bind(v, flow.FieldsOf[choice](), &in); f != nil {
		return flow.Outcome{}, f
	}
	if d := incompatible("compatibility", in.Compatibility); d != nil {
		return flow.Outcome{}, flow.Invalid(*d)
	}
	s, err := flow.State[state](t)
	if err != nil {
		return flow.Outcome{}, err
	}
	if s.blind() {
		return flow.Outcome{}, errors.New("a device is chosen by somebody who is told of none")
	}
	if in.Compatibility != "" {
		s.Compatibility = in.Compatibility
	}
	c, _ := t.Config.(Config)
	found, err := k.list(ctx, t, c, &s)
	if err != nil {
		return flow.Outcome{}, err
	}
	i := slices.IndexFunc(found.Devices, func(d device.Device) bool { return d.ID == in.Device })
	if i < 0 {
		return flow.Outcome{}, flow.Invalid(flow.Detail{
			Code: flow.InvalidValue, Target: "device.id", Message: "This device cannot be used now. Choose one of those that are listed.",
		})
	}
	return k.ask(ctx, t, s, found.Devices[i])
}

// resend sends a new code, where the last one went.
func (k *Kind) resend(ctx context.Context, t *flow.Turn, _ struct{}) (flow.Outcome, error) {
	s, err := flow.State[state](t)
	switch {
	case err != nil:
		return flow.Outcome{}, err
	case s.Asked == nil:
		return flow.Outcome{}, errors.New("a code is sent again, and none was sent")
	case s.blind():
		c, _ := t.Config.(Config)
		return k.blindly(ctx, t, c)
	}
	return k.choose(ctx, t, flow.Values{"device": map[string]any{"id": s.Asked.Device}})
}

type reason struct {
	Reason string `json:"reason" max:"64" label:"push.reason.label=Reason"`
}

// cancel calls the push back and asks which device it is to be instead.
func (k *Kind) cancel(ctx context.Context, t *flow.Turn, in reason) (flow.Outcome, error) {
	if in.Reason != "" && in.Reason != "CHANGE_DEVICE" {
		return flow.Outcome{}, flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: "reason", Message: "Send CHANGE_DEVICE."})
	}
	s, err := flow.State[state](t)
	if err != nil {
		return flow.Outcome{}, err
	}
	if s.Asked != nil {
		if err := k.mfa.Cancel(ctx, k.who(t), *s.Asked); err != nil {
			return flow.Outcome{}, flow.Unserved(fmt.Errorf("cancel push: %w", err))
		}
	}
	s.Asked = nil
	return flow.Wait(selecting), t.Keep(s)
}
