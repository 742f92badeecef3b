package oidc

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
)

// payload is what the provider keeps of an authorization request in the
// execution, until a code is issued from it. The redirect URI is kept by
// flow.Request.
type payload struct {
	State     string
	Nonce     string
	Scope     string // granted, space separated
	Challenge string // S256, 43 characters; empty without PKCE
	Subject   string // of the id_token_hint: nobody else gets the answer; empty: anybody may
}

// The formats of a payload. The subject is in the second alone, which is written
// where there is one.
const (
	anybodys  = 1
	somebodys = 2
)

var errPayload = errors.New("payload of an authorization request is damaged")

// encode writes the format number, then each field after its length; the
// challenge as its 32 bytes. It lies in every execution, so it is short.
func (p payload) encode() ([]byte, error) {
	challenge, err := base64.RawURLEncoding.DecodeString(p.Challenge)
	if err != nil {
		return nil, errPayload
	}
	format, fields := byte(anybodys), []string{p.State, p.Nonce, p.Scope, string(challenge)}
	if p.Subject != "" {
		format, fields = somebodys, append(fields, p.Subject)
	}
	b := []byte{format}
	for _, s := range fields {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b, nil
}

// decodePayload reads what encode wrote, and nothing else.
func decodePayload(b []byte) (payload, error) {
	if len(b) == 0 || b[0] != anybodys && b[0] != somebodys {
		return payload{}, errPayload
	}
	n := 4
	if b[0] == somebodys {
		n = 5
	}
	b = b[1:]
	var fields [5]string
	for i := range n {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) { //nolint:gosec // Uvarint read size of the len(b) bytes
			return payload{}, errPayload
		}
		end := size + int(n) //nolint:gosec // n is at most len(b)
		fields[i], b = string(b[size:end]), b[end:]
	}
	if len(b) != 0 {
		return payload{}, errPayload
	}
	challenge := base64.RawURLEncoding.EncodeToString([]byte(fields[3]))
	return payload{State: fields[0], Nonce: fields[1], Scope: fields[2], Challenge: challenge, Subject: fields[4]}, nil
}
