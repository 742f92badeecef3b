package passkey

import (
	"math/big"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
)

// algorithms are those that are offered and taken, the best liked first. Source:
// WebAuthn level 3, 5.8.5; reference/flows.md 8.4.
func algorithms() []webauthncose.COSEAlgorithmIdentifier {
	return []webauthncose.COSEAlgorithmIdentifier{
		webauthncose.AlgES256, webauthncose.AlgEdDSA, webauthncose.AlgPS256, webauthncose.AlgRS256,
	}
}

// The keys of RSA that are taken: the smallest that is still held to be safe, and the
// largest that any authenticator makes. Source: NIST SP 800-131A 3.
const (
	leastModulus = 2048
	mostModulus  = 4096
)

// checkKey refuses what is no public key of an algorithm that was offered. The
// library takes RSA keys of any size and under any name, and reads no key at all when
// it has no attestation to verify.
func checkKey(cose []byte) error {
	key, err := webauthncose.ParsePublicKey(cose)
	if err != nil {
		return refused(ReasonKey)
	}
	var named int64
	rsa := false
	switch k := key.(type) {
	case webauthncose.EC2PublicKeyData:
		named = k.Algorithm
	case webauthncose.OKPPublicKeyData:
		named = k.Algorithm
	case webauthncose.RSAPublicKeyData:
		named, rsa = k.Algorithm, true
		if !goodRSA(k) {
			return refused(ReasonKey)
		}
	default:
		return refused(ReasonKey)
	}
	for _, a := range algorithms() {
		if int64(a) == named && rsa == (a == webauthncose.AlgPS256 || a == webauthncose.AlgRS256) {
			return nil
		}
	}
	return refused(ReasonKey)
}

func goodRSA(k webauthncose.RSAPublicKeyData) bool {
	n := new(big.Int).SetBytes(k.Modulus)
	e, err := webauthncose.ParseRSAPublicKeyDataExponent(&k)
	return err == nil && n.BitLen() >= leastModulus && n.BitLen() <= mostModulus && n.Bit(0) == 1 &&
		e >= 3 && e < 1<<31 && e&1 == 1
}

// parameters are the algorithms as the library wants them.
func parameters() []protocol.CredentialParameter {
	var out []protocol.CredentialParameter
	for _, a := range algorithms() {
		out = append(out, protocol.CredentialParameter{Type: protocol.PublicKeyCredentialType, Algorithm: a})
	}
	return out
}
