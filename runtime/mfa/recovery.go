package mfa

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"io"

	"github.com/google/uuid"

	"doorward/runtime/device"
)

// Recovery codes are ten, each good once, of ten letters and digits none of which looks
// like another: 50 bits.
const (
	recoveryCodes    = 10
	recoveryLength   = 10
	recoveryAlphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
)

// Regenerate makes new recovery codes, which are shown once; the ones before are void.
func (s *Service) Regenerate(ctx context.Context, in Enrolment) (Enrolling, error) {
	in.Type = device.Recovery
	policy, err := s.o.Policies.Policy(in.Env, in.Policy)
	if err != nil {
		return Enrolling{}, err
	}
	n, fault := s.planned(policy, in)
	if fault != nil {
		return Enrolling{}, fault
	}
	from := s.source(s.making(in.Who, "recovery"))
	n.Seed = make([]byte, 32)
	if _, err := io.ReadFull(s.source(s.making(in.Who, "recovery key")), n.Seed); err != nil {
		return Enrolling{}, err
	}
	var shown []string
	for range recoveryCodes {
		code, err := draw(from, recoveryAlphabet, recoveryLength)
		if err != nil {
			return Enrolling{}, err
		}
		shown = append(shown, code[:recoveryLength/2]+"-"+code[recoveryLength/2:])
		n.Codes = append(n.Codes, recoveryHash(n.Seed, code))
	}
	n.Device.Status = device.Active
	if n.Notice, err = s.notice(ctx, in.Who, addedMessage, &n.Device); err != nil {
		return Enrolling{}, err
	}
	d, err := s.create(ctx, in.Who, n)
	if err != nil {
		return Enrolling{}, err
	}
	return Enrolling{Device: d, Codes: shown}, nil
}

// recoveryHash is what a recovery code is kept as. Its key is the seed of the device,
// which is sealed anew when the key ring is rotated: codes on paper outlive that.
func recoveryHash(seed []byte, code string) (sum [32]byte) {
	m := hmac.New(sha256.New, seed)
	m.Write([]byte(code))
	m.Sum(sum[:0])
	return sum
}

// identity is an id: that of a submit is the same when it is evaluated again.
func (s *Service) identity(w Who, of string) (string, error) {
	id, err := uuid.NewRandomFromReader(s.source(s.making(w, of)))
	return id.String(), err
}
