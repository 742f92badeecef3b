package passkey

import (
	"encoding/base64"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"

	"doorward/runtime/document"
)

// leastChallenge is the least length of a challenge, in bytes. Source: WebAuthn level
// 3, 13.4.3.
const leastChallenge = 16

// question is what the client must have been asked.
type question struct {
	ceremony  protocol.CeremonyType
	party     Party
	challenge []byte
	origin    string // of the request; empty: not said
}

// judge reads client data and compares it with the question. The members are taken
// by their exact names and each once, whatever else stands beside them. Source:
// WebAuthn level 3, 5.8.1, 7.1 steps 5 to 11, 7.2 steps 7 to 14.
func (q question) judge(text []byte) (protocol.CollectedClientData, error) {
	var none protocol.CollectedClientData
	if q.party.ID == "" || len(q.challenge) < leastChallenge {
		return none, refused(ReasonSetup)
	}
	v, err := document.Decode(text, func(string) (any, error) { return struct{}{}, nil })
	all, ok := v.(map[string]any)
	if err != nil || !ok {
		return none, refused(ReasonClientData)
	}
	m := members{all, new(bool)}
	c := protocol.CollectedClientData{
		Type:      protocol.CeremonyType(m.text("type")),
		Challenge: m.text("challenge"),
		Origin:    m.textOrNone("origin"),
	}
	cross, isFlag := all["crossOrigin"].(bool)
	if *m.wrong || !isFlag && all["crossOrigin"] != nil {
		return none, refused(ReasonClientData)
	}
	switch {
	case c.Type != q.ceremony:
		return none, refused(ReasonType)
	case c.Challenge != base64.RawURLEncoding.EncodeToString(q.challenge): // nothing to learn from the time: the challenge is public
		return none, refused(ReasonChallenge)
	case !slices.Contains(q.party.Origins, c.Origin), q.origin != "" && q.origin != c.Origin, c.Origin == "":
		return none, refused(ReasonOrigin)
	case cross, all["topOrigin"] != nil:
		return none, refused(ReasonCrossOrigin)
	}
	return c, nil
}
