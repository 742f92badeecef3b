package windowslogin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
)

type input struct {
	Username string `json:"user.username" required:"true" max:"128"`
}

// Enter asks for a phone. Of somebody of whom nothing is proven nothing is told.
func (k *Kind) Enter(ctx context.Context, t *flow.Turn) (flow.Outcome, error) {
	in, failure := flow.Given[input](t)
	if failure != nil {
		return flow.FailWith(*failure), nil
	}
	who := k.who(t)
	if t.User.ID != "" || t.Person.Username != in.Username { // else a step before has looked
		id, err := k.users.Find(ctx, t.Ref.Env, in.Username)
		if err != nil {
			return flow.Outcome{}, flow.Unserved(fmt.Errorf("find user: %w", err))
		}
		if t.Proven && id != t.User.ID {
			return flow.Fail("USER_MISMATCH", flow.MismatchMessage).WithEvent(flow.UsernameMismatch), nil
		}
		who.UserID, who.Username = id, in.Username
	}
	known := t.User.ID != "" && who.UserID == t.User.ID
	s := state{Blind: !known || !t.SignedOn()}
	who.Unproven = s.Blind
	if !s.Blind {
		return k.openly(ctx, t, s)
	}
	out, err := k.blindly(ctx, t, s, who, "")
	if err == nil && !known {
		out = out.WithCandidate(flow.Candidate{Username: in.Username, UserID: who.UserID, Proofs: proofsOf(t, who.UserID)})
	}
	return out, err
}

// proofsOf are those that were taken of the candidate, if it stays the same.
func proofsOf(t *flow.Turn, user string) flow.Ledger {
	if user == "" || user != t.Person.UserID {
		return nil
	}
	return t.Person.Proofs
}

// who is whose devices they are.
func (*Kind) who(t *flow.Turn) mfa.Who {
	w := mfa.Who{
		Env: t.Ref.Env, UserID: t.User.ID, Username: t.User.Username, Flow: t.Ref.ID, Locales: t.Locales, Effect: t.Effect(),
		DisplayName: strings.TrimSpace(t.User.Given + " " + t.User.Family), Application: t.Application, Client: t.Client,
	}
	if w.UserID == "" {
		w.UserID, w.Username, w.DisplayName = t.Person.UserID, t.Person.Username, ""
	}
	return w
}

// alias is the id under which whatever is asked is shown to somebody of whom nothing is
// proven: it is another one in every execution, and everybody has one.
func alias(t *flow.Turn) string {
	sum := t.Derive("windowslogin.device", t.Ref.Env, t.Ref.ID)
	sum[6], sum[8] = sum[6]&0x0f|0x40, sum[8]&0x3f|0x80 // version 4, as those of devices
	return uuid.UUID(sum[:16]).String()
}

// blindly asks whoever it is, by the device that they name, or by any.
func (k *Kind) blindly(ctx context.Context, t *flow.Turn, s state, who mfa.Who, wanted string) (flow.Outcome, error) {
	return k.ask(ctx, t, s, who, device.Device{ID: wanted})
}

// openly asks somebody who has proven themselves before, and tells them their devices.
func (k *Kind) openly(ctx context.Context, t *flow.Turn, s state) (flow.Outcome, error) {
	choice, err := k.list(ctx, t, &s)
	switch {
	case err != nil:
		return flow.Outcome{}, err
	case len(choice.Devices) == 0:
		return unusable(), nil
	case choice.Asked && len(choice.Devices) > 1:
		return flow.Wait(selecting), t.Keep(s)
	}
	return k.ask(ctx, t, s, k.who(t), choice.Devices[0])
}

func unusable() flow.Outcome {
	return flow.Fail("NO_USABLE_DEVICES", "None of the ways to confirm that it is you can be used now. Try again later, or ask your administrator.")
}

// list reads anew what the user may be asked for, and keeps how it is shown.
func (k *Kind) list(ctx context.Context, t *flow.Turn, s *state) (mfa.Choice, error) {
	choice, err := k.phones.Choose(ctx, k.who(t), "", mfa.NoWebAuthn)
	if err != nil {
		return mfa.Choice{}, flow.Unserved(fmt.Errorf("list devices: %w", err))
	}
	choice.Devices = slices.DeleteFunc(slices.Clone(choice.Devices), func(d device.Device) bool { return !mfa.IsPhone(d.Type) })
	s.Devices = nil
	for i := range choice.Devices {
		s.Devices = append(s.Devices, choice.Devices[i].Shown(t.Now))
	}
	return choice, nil
}

// ask puts the question to one device.
func (k *Kind) ask(ctx context.Context, t *flow.Turn, s state, who mfa.Who, d device.Device) (flow.Outcome, error) {
	asked, err := k.phones.ChallengePhone(ctx, mfa.Start{Who: who, Device: d, Compatibility: mfa.NoWebAuthn, Instead: s.Asked})
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("ask device: %w", err))
	}
	if s.Blind != asked.Unproven || asked.Status != coding && asked.Status != pushing {
		return flow.Outcome{}, fmt.Errorf("a phone is asked with status %q, unproven %v", asked.Status, asked.Unproven)
	}
	event := flow.DeviceChallenged
	if asked.Status == pushing {
		event = flow.PushSent
	}
	s.Asked, s.Trouble = &asked, nil
	return flow.Wait(asked.Status).WithEvent(event), t.Keep(s)
}

type choice struct {
	Device string `json:"device.id" required:"true" max:"64" label:"device.select.device.label=Device"`
}

// choose asks another device, or the same one again. One that is not the person's is
// asked like any other of somebody of whom nothing is proven.
func (k *Kind) choose(ctx context.Context, t *flow.Turn, in choice) (flow.Outcome, error) {
	s, err := flow.State[state](t)
	if err != nil {
		return flow.Outcome{}, err
	}
	if s.Blind {
		who := k.who(t)
		who.Unproven = true
		if in.Device == alias(t) {
			in.Device = ""
		}
		return k.blindly(ctx, t, s, who, in.Device)
	}
	found, err := k.list(ctx, t, &s)
	if err != nil {
		return flow.Outcome{}, err
	}
	i := slices.IndexFunc(found.Devices, func(d device.Device) bool { return d.ID == in.Device })
	if i < 0 {
		return flow.Outcome{}, flow.Invalid(flow.Detail{
			Code: flow.InvalidValue, Target: "device.id", Message: "This device cannot be used now. Choose one of those that are listed.",
		})
	}
	return k.ask(ctx, t, s, k.who(t), found.Devices[i])
}

// asked is the state of a step that has asked something, and who is asked.
func (k *Kind) asked(t *flow.Turn) (state, mfa.Who, error) {
	s, err := flow.State[state](t)
	if err == nil && s.Asked == nil {
		err = errors.New("a phone has an answer, and was asked nothing")
	}
	who := k.who(t)
	who.Unproven = s.Blind // a read does not know what is proven
	return s, who, err
}
