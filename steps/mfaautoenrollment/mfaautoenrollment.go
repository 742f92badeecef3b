// Package mfaautoenrollment is the step kind MFA_AUTO_ENROLLMENT: it makes numbers and
// addresses that are known of somebody devices of theirs, without asking them.
package mfaautoenrollment

import (
	"bytes"
	"context"
	_ "embed" // the schemas
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
)

var (
	//go:embed config.schema.json
	configSchema []byte
	//go:embed input.schema.json
	inputSchema []byte
	//go:embed output.schema.json
	outputSchema []byte
)

// Service adds and removes devices.
type Service interface {
	Changes
	MayChange(ctx context.Context, who mfa.Who, proofs flow.Ledger) (bool, error)
	// Made reports whether this turn, run before, has made the device.
	Made(who mfa.Who, d device.Device) bool
	Types(ctx context.Context, who mfa.Who, policy, compatibility string) ([]device.Type, error)
}

// Changes are what is done with devices.
type Changes interface {
	Devices(ctx context.Context, who mfa.Who) ([]device.Device, error)
	NormalAddress(t device.Type, typed string) string
	Enrol(ctx context.Context, in mfa.Enrolment) (mfa.Enrolling, error)
	Delete(ctx context.Context, who mfa.Who, id string) error
}

// The results.
const (
	enrolled      = "ENROLLED"
	notApplicable = "NOT_APPLICABLE"
)

// What becomes of the devices that there are. Source: reference/management.md 2.6.
const (
	create    = "CREATE"   // they stay
	overrides = "OVERRIDE" // those of the type go
	replaces  = "REPLACE"  // the one with the old address goes
)

// Kind is the step kind.
type Kind struct{ mfa Service }

// New makes the kind.
func New(service Service) *Kind { return &Kind{service} }

// Meta describes the kind.
func (*Kind) Meta() flow.Meta {
	return flow.Meta{
		Name:    "MFA_AUTO_ENROLLMENT",
		Doc:     "makes numbers and addresses of somebody who has signed on devices of theirs",
		Source:  "reference/management.md 2.5, 2.6; reference/flows.md 7.4",
		Results: []string{enrolled, notApplicable},
	}
}

// Step describes the kind to flow definitions.
func (*Kind) Step(string, any) flow.Step {
	return flow.Step{
		Title: "MFA Auto Enrollment", Configuration: configSchema, Input: inputSchema,
		Results: []flow.StepResult{
			{Name: enrolled, Title: "Enrolled", Output: outputSchema, Doc: "There is a device for every address that was given. They prove nothing yet."},
			{Name: notApplicable, Title: "Not applicable", Doc: "No address was given for what is switched on, or the policy does not have it."},
		},
	}
}

// method is one of sms, voice and email.
type method struct {
	name          string
	of            device.Type
	mode          string
	value, before string // input members of the address and of the old one
}

func methods() []method {
	return []method{
		{"sms", device.SMS, "", "mobilePhone", "oldMobilePhone"},
		{"voice", device.Voice, "", "mobilePhone", "oldMobilePhone"},
		{"email", device.Email, "", "email", "oldEmail"},
	}
}

// Check takes {"sms":{"enabled":true,"mode":"CREATE"},...}.
func (*Kind) Check(config json.RawMessage) (any, error) {
	var c map[string]struct {
		Enabled bool   `json:"enabled"`
		Mode    string `json:"mode"`
	}
	if len(config) > 0 {
		d := json.NewDecoder(bytes.NewReader(config))
		d.DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			return nil, fmt.Errorf("MFA_AUTO_ENROLLMENT takes sms, voice and email, each with enabled and mode: %w", err)
		}
	}
	var on []method
	for _, m := range methods() {
		said := c[m.name]
		if delete(c, m.name); !said.Enabled {
			continue
		}
		if m.mode = said.Mode; m.mode == "" {
			m.mode = create
		}
		if !slices.Contains([]string{create, overrides, replaces}, m.mode) {
			return nil, fmt.Errorf("%s.mode takes CREATE, OVERRIDE or REPLACE, not %q", m.name, m.mode)
		}
		on = append(on, m)
	}
	for name := range c {
		return nil, fmt.Errorf("MFA_AUTO_ENROLLMENT takes sms, voice and email, not %q", name)
	}
	return on, nil
}

// job is one device to be made.
type job struct {
	method
	address, old string
}

// Enter makes the devices. Only whoever has signed on gets any, and who has one has
// proven it a short time ago.
func (k *Kind) Enter(ctx context.Context, t *flow.Turn) (flow.Outcome, error) {
	user, _ := t.Input["user"].(map[string]any)
	id, _ := user["id"].(string)
	switch _, ok := t.Account(id); {
	case !ok:
		return flow.Fail("USER_MISMATCH", flow.MismatchMessage).WithEvent(flow.UsernameMismatch), nil
	case !t.SignedOn():
		return flow.Fail("USER_NOT_PROVEN", flow.UnprovenMessage), nil
	}
	who := mfa.Who{Env: t.Ref.Env, UserID: t.User.ID, Username: t.User.Username, Flow: t.Ref.ID, Locales: t.Locales, Effect: t.Effect(), Client: t.Client}
	jobs, err := k.jobs(ctx, t, who, user)
	switch {
	case err != nil:
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("list types of devices: %w", err))
	case len(jobs) == 0:
		return flow.Result(notApplicable), nil
	}
	switch may, err := k.mfa.MayChange(ctx, who, t.Proofs); {
	case err != nil:
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("read proofs of devices: %w", err))
	case !may:
		return flow.Fail("STEP_UP_REQUIRED", "Confirm with a device that you already have before you add or remove one. The pages of your account ask for it, also in a browser that you trust.").WithEvent(flow.StepUpRequired), nil
	}
	return k.run(ctx, who, jobs)
}

// jobs are the devices that are asked for, known of and allowed.
func (k *Kind) jobs(ctx context.Context, t *flow.Turn, who mfa.Who, user map[string]any) ([]job, error) {
	on, _ := t.Config.([]method)
	types, err := k.mfa.Types(ctx, who, "", mfa.NoWebAuthn)
	if err != nil {
		return nil, err
	}
	var out []job
	for _, m := range on {
		in, _ := user[m.name].(map[string]any)
		address, _ := in[m.value].(string)
		old, _ := in[m.before].(string)
		if address != "" && slices.Contains(types, m.of) {
			out = append(out, job{m, address, old})
		}
	}
	return out, nil
}

// run makes one device after another, each of another type.
func (k *Kind) run(ctx context.Context, who mfa.Who, jobs []job) (flow.Outcome, error) {
	made := map[string]any{}
	out := flow.Result(enrolled)
	for _, j := range jobs {
		d, fresh, err := k.make(ctx, who, j)
		f := (*flow.Fault)(nil)
		if errors.As(err, &f) && f.Code != flow.Unavailable {
			return flow.FailWith(flow.Failure{Code: string(f.Code), Message: f.Message, Details: f.Details}), nil
		}
		if err != nil {
			return flow.Outcome{}, flow.Unserved(fmt.Errorf("enrol %s: %w", j.name, err))
		}
		if fresh {
			out = out.WithEvent(flow.DeviceCreated).WithEvent(flow.DeviceActivated)
		}
		told := map[string]any{"id": d.ID, "type": string(d.Type)}
		if d.Phone != "" {
			told["phone"] = d.Phone
		} else {
			told["email"] = d.Email
		}
		made[j.name] = told
	}
	return out.WithOutputs(map[string]any{"devices": made}), nil
}

// make makes one device, unless there is one of the address, and removes what the mode
// says.
func (k *Kind) make(ctx context.Context, who mfa.Who, j job) (d device.Device, fresh bool, err error) {
	all, err := k.mfa.Devices(ctx, who)
	if err != nil {
		return device.Device{}, false, err
	}
	is := func(typed string) func(device.Device) bool {
		address := k.mfa.NormalAddress(j.of, typed)
		return func(d device.Device) bool {
			return d.Type == j.of && d.Status == device.Active && address != "" && (d.Email == address || d.Phone == address)
		}
	}
	if i := slices.IndexFunc(all, is(j.address)); i >= 0 {
		d, fresh = all[i], k.mfa.Made(who, all[i])
	} else {
		made, err := k.mfa.Enrol(ctx, mfa.Enrolment{Who: who, Type: j.of, Email: j.address, Phone: j.address, Active: true})
		if err != nil {
			return device.Device{}, false, err
		}
		d, fresh = made.Device, true
	}
	former := is(j.old)
	for _, o := range all {
		goes := j.mode == overrides && o.Type == j.of || j.mode == replaces && former(o)
		if o.ID == d.ID || !goes {
			continue
		}
		as := who
		as.Effect += "/" + o.ID
		if err := k.mfa.Delete(ctx, as, o.ID); err != nil && !errors.Is(err, flow.ErrUnknown) {
			return device.Device{}, false, err
		}
	}
	return d, fresh, nil
}
