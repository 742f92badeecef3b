package mfa

import (
	"context"
	"crypto/sha256"

	"doorward/runtime/device"
	"doorward/runtime/flow"
)

// asserted is the part of a secret's name that says that it is an assertion's.
const asserted = "assertion"

// open lets one assertion answer a question: the first that is right. As with a code that
// was sent, what says so is void when the store may have forgotten that it was used.
func (s *Service) open(ctx context.Context, w Who, c Challenge) (Challenge, error) {
	salt, err := draw(s.source(s.making(w, asserted)), saltAlphabet, saltLength)
	if err != nil {
		return Challenge{}, err
	}
	c.Salt = salt
	return c, s.o.Secrets.PutSecret(ctx, secretName(w.Env, w.Flow, asserted), s.question(w, &c), 1, flow.Life)
}

const (
	saltAlphabet = "abcdefghijklmnopqrstuvwxyz234567"
	saltLength   = 26 // 130 bits
)

// answer uses a question up, and reports whether it could be answered still.
func (s *Service) answer(ctx context.Context, w Who, c *Challenge) (bool, error) {
	v, err := s.o.Secrets.UseSecret(ctx, secretName(w.Env, w.Flow, asserted), s.question(w, c), w.Effect)
	return v.OK, err
}

// question is what is kept of one.
func (s *Service) question(w Who, c *Challenge) [32]byte {
	return s.o.Keys.Derive("mfa.question", w.Env, w.Flow, c.Salt)
}

// signs is what an authenticator signs: bytes of the turn that shows the question, which
// no other question has.
func (c *Challenge) signs(bytes []byte) []byte {
	sum := sha256.Sum256(append([]byte(c.Salt+"\x00"), bytes...))
	return sum[:]
}

// askAgain refuses an answer to a question that was answered, or that the store has lost
// sight of, and asks anew. Nothing was wrong about it, so that nothing is counted.
func (s *Service) askAgain(ctx context.Context, a asserting, d *device.Device) (Verdict, error) {
	again, err := s.open(ctx, a.Who, *a.asked)
	return Verdict{Device: *d, Events: []flow.EventType{flow.DeviceRefused, flow.DeviceReplayed}, Fault: wrongAssertion(), Again: &again}, err
}
