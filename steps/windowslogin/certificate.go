package windowslogin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"doorward/runtime/certificate"
	"doorward/runtime/flow"
)

// mostReads is how often an execution may ask for PINs.
const mostReads = 5

type order struct {
	CSR string `json:"csr" required:"true" max:"16384" label:"certificate.csr.label=Certificate signing request"`
	PIN string `json:"pin" max:"128" type:"password" label:"certificate.pin.label=PIN"`
}

// create makes a certificate of the user, whatever name the request has. Each execution
// makes one.
func (k *Kind) create(ctx context.Context, t *flow.Turn, in order) (flow.Outcome, error) {
	s, err := proven(t)
	switch {
	case err != nil:
		return flow.Outcome{}, err
	case s.Certificate != nil:
		return flow.Outcome{}, errors.New("a second certificate is asked for")
	}
	b, err := k.certs.Issue(ctx, certificate.Order{
		Env: t.Ref.Env, UserID: t.User.ID, Username: t.User.Username, Device: s.Proven, Request: in.CSR, PIN: in.PIN, Effect: t.Effect(),
	})
	var unfit certificate.Unfit
	switch {
	case errors.As(err, &unfit):
		return flow.Outcome{}, flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: "csr", Message: string(unfit)})
	case err != nil:
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("make certificate: %w", err))
	}
	s.Certificate = &made{b.ID, b.Certificate, b.Chain, timestamp(b.ExpiresAt)}
	s.PINs = s.PINs || in.PIN != ""
	return flow.Wait(resuming).WithEvent(flow.CertificateIssued), t.Keep(s)
}

type wanted struct {
	Certificate string `json:"certificate.id" required:"true" max:"64" label:"certificate.id.label=Certificate"`
}

// readPIN gives the PIN of a certificate to its owner, in this one answer.
func (k *Kind) readPIN(ctx context.Context, t *flow.Turn, in wanted) (flow.Outcome, error) {
	s, err := proven(t)
	if err != nil {
		return flow.Outcome{}, err
	}
	if s.PINReads++; s.PINReads > mostReads {
		return flow.Reject(resuming, &flow.Fault{
			Code: flow.Limited, RetryAfter: flow.Idle, Message: "PINs were read too often here. Start again to read one.",
		}).WithEvent(flow.PINRefused), t.Keep(s)
	}
	pin, err := k.certs.PIN(ctx, t.Ref.Env, t.User.ID, in.Certificate)
	switch {
	case errors.Is(err, flow.ErrUnknown):
		return flow.Reject(resuming, flow.Invalid(flow.Detail{
			Code: flow.InvalidValue, Target: "certificate.id", Message: "You have no such certificate that is good and was made with a PIN. Make a new one.",
		})).WithEvent(flow.PINRefused), t.Keep(s)
	case err != nil:
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("read PIN: %w", err))
	}
	shown, err := json.Marshal(map[string]any{"certificate": reference{in.Certificate}, "value": pin})
	if err != nil {
		return flow.Outcome{}, err
	}
	return flow.Wait(resuming).WithEvent(flow.PINRead).WithOnce("pin", shown), t.Keep(s)
}
