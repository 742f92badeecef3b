package devices

import (
	"encoding/base32"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode"

	"doorward/devices/proof"
	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/wire"
)

// Why a device is not paired, beside flow.ErrUnknown.
var (
	ErrTooMany = errors.New("the person has as many devices as they may have")
	ErrPaired  = errors.New("a device with that key is paired here")
)

// pairing is what a device sends to be paired.
type pairing struct {
	Code  string `json:"code" required:"true" max:"64"`
	Name  string `json:"name" required:"true" max:"100"`
	Alert string `json:"alertToken" max:"4096"`
}

// pair takes a device that shows a pairing key, and that it holds the key which it is
// to be known by.
func (f *Face) pair(c *call) (*answer, error) {
	if c.proof.Key == nil {
		return nil, unproven()
	}
	id, err := c.proof.Verify(c.proof.Key, c.asked, f.Now())
	if err != nil {
		return nil, refused(err)
	}
	if err := f.once(c, "pair", id, flow.Limit{Key: "devicepair:" + c.env + ":" + addressOf(c.Request), Max: pairsByAddress, Window: time.Minute}); err != nil {
		return nil, err
	}
	in, err := input[pairing](c)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(in.Name) == "" || strings.ContainsFunc(in.Name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return nil, flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: "name", Message: "name takes 1 to 100 printable characters."})
	}
	if strings.ContainsFunc(in.Alert, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: "alertToken", Message: "alertToken takes printable characters of ASCII without blanks."})
	}
	code, is := device.NormalPairingKey(in.Code)
	if !is {
		return nil, wrongCode()
	}
	if len(code) == 12 { // what is longer is not guessed
		if err := f.count(c, "", flow.Limit{Key: "devicepair:" + c.env, Max: pairsByAll, Window: time.Minute}); err != nil {
			return nil, err
		}
	}
	key, err := proof.MarshalKey(c.proof.Key)
	if err != nil {
		return nil, err
	}
	d, err := f.Devices.Pair(c.Context(), Claim{Env: c.env, Hash: f.Keys.Derive(device.PairingPurpose, c.env, code), Key: key, Name: in.Name, Alert: in.Alert})
	if err != nil {
		return nil, f.unpaired(c, err)
	}
	c.device = d
	f.record(c, flow.Event{Type: flow.DeviceActivated, Application: d.Application, Reason: string(device.Mobile)})
	shown, err := f.shown(c)
	if err != nil {
		return nil, err
	}
	if shown.OTP != nil {
		seed, err := f.Codes.FreshSeed(c.Context(), c.env, d.ID)
		if err != nil && !errors.Is(err, flow.ErrUnknown) { // a code of it was accepted: nobody is told again
			return nil, flow.Unserved(err)
		}
		shown.OTP.Secret = base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(seed)
	}
	return &answer{http.StatusCreated, shown}, nil
}

// unpaired is why a device is not.
func (f *Face) unpaired(c *call, err error) error {
	switch {
	case errors.Is(err, flow.ErrUnknown):
		f.record(c, flow.Event{Type: flow.DeviceRefused, Reason: "pairing key"})
		return wrongCode()
	case errors.Is(err, ErrTooMany):
		return &flow.Fault{Code: flow.RequestFailed, Message: "The person has as many devices as they may have. Remove one of them, then pair this one."}
	case errors.Is(err, ErrPaired):
		return &flow.Fault{Code: flow.RequestFailed, Message: "A device with this key is paired here. Make a new key, or unpair that device first."}
	}
	return flow.Unserved(err)
}

func wrongCode() *flow.Fault {
	return flow.Invalid(flow.Detail{
		Code: flow.InvalidValue, Target: "code",
		Message: "The pairing key is wrong, has expired or has been used. Check it, or ask for a new one.",
	})
}

// registration is a device as it is shown to itself.
type registration struct {
	ID          string       `json:"id"`
	Status      string       `json:"status"`
	Name        string       `json:"name,omitempty"`
	Nickname    string       `json:"nickname,omitempty"`
	Environment named        `json:"environment"`
	User        person       `json:"user"`
	Application *application `json:"application,omitempty"`
	Blocked     bool         `json:"blocked"`
	LockedUntil string       `json:"lockedUntil,omitempty"`
	PairedAt    string       `json:"pairedAt"`
	OTP         *computed    `json:"otp,omitempty"`
}

// computed is how the device computes its codes.
type computed struct {
	Enabled   bool   `json:"enabled"`          // they are taken
	Secret    string `json:"secret,omitempty"` // base32; to the device that is being paired
	Algorithm string `json:"algorithm"`
	Digits    int    `json:"digits"`
	Period    int    `json:"period"` // in seconds
}

type named struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

type person struct {
	Username string `json:"username"`
}

type application struct {
	Name string `json:"name"`
}

// show tells a device what is known of it.
func (f *Face) show(c *call) (*answer, error) {
	shown, err := f.shown(c)
	return &answer{http.StatusOK, shown}, err
}

func (f *Face) shown(c *call) (registration, error) {
	d, e := &c.device, c.bundle.Environment()
	username, err := f.Names.Username(c.Context(), c.env, d.UserID)
	if err != nil {
		return registration{}, flow.Unserved(err)
	}
	out := registration{
		ID: d.ID, Status: string(d.Status), Name: d.Name, Nickname: d.Nickname, Environment: named{e.ID, e.Name},
		User: person{username}, Blocked: !d.BlockedAt.IsZero(), PairedAt: wire.Timestamp(d.ActivatedAt),
	}
	if app, known := c.bundle.Application(d.Application); known {
		out.Application = &application{app.Name}
	}
	if is, ok := f.Codes.Computed(d); ok {
		out.OTP = &computed{Enabled: is.Taken, Algorithm: is.Algorithm, Digits: is.Digits, Period: int(is.Period / time.Second)}
	}
	if d.LockedUntil.After(f.Now()) {
		out.LockedUntil = wire.Timestamp(d.LockedUntil)
	}
	return out, nil
}

// unpair removes the device. One that is blocked stays: without any device its owner
// would be led to a first one, and the block would be gone.
func (f *Face) unpair(c *call) (*answer, error) {
	if err := blocked(c); err != nil {
		return nil, err
	}
	if err := f.Devices.Unpair(c.Context(), c.device); err != nil {
		return nil, flow.Unserved(err)
	}
	f.record(c, flow.Event{Type: flow.DeviceDeleted, Application: c.device.Application, Reason: string(device.Mobile)})
	return &answer{status: http.StatusNoContent}, nil
}
