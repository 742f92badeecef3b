package passkey

import (
	"crypto/rsa"
	"crypto/x509"
	"slices"

	"github.com/go-webauthn/webauthn/metadata"
	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
)

// openAttestation reads an attestation object: a map of exactly three members, by
// their exact names. Source: WebAuthn level 3, 6.5.4.
func openAttestation(raw []byte) (*protocol.AttestationObject, error) {
	var exact map[string]webauthncbor.RawMessage
	if webauthncbor.Unmarshal(raw, &exact) != nil || len(exact) != 3 {
		return nil, refused(ReasonAttestation)
	}
	for _, name := range []string{"fmt", "attStmt", "authData"} {
		if m := exact[name]; len(m) == 0 || m[0] == 0xf6 || m[0] == 0xf7 { // null and undefined would pass for empty
			return nil, refused(ReasonAttestation)
		}
	}
	var o protocol.AttestationObject
	if webauthncbor.Unmarshal(raw, &o) != nil {
		return nil, refused(ReasonAttestation)
	}
	if o.AuthData.Unmarshal(o.RawAuthData) != nil || !o.AuthData.Flags.HasAttestedCredentialData() {
		return nil, refused(ReasonData)
	}
	return &o, nil
}

// The formats of credentials that say nothing of their maker: none, or their own key
// has signed. Source: WebAuthn level 3, 6.5.3.
const (
	FormatNone = "none"
	FormatSelf = "self" // of the format packed, by the credential's own key
)

// formats are those whose statements are verified. Others are no longer made, or not
// yet.
func formats() []string {
	return []string{"packed", "fido-u2f", "tpm", "apple", "android-key"}
}

// verifyCreated verifies the attestation, where the policy asks for one, and returns
// its format. Where it does not, what a statement says is neither verified nor kept.
// Roots of trust are known for Apple and Android, and of the models that Metadata has:
// the certificate of another one says which model it is and not by whose word.
func verifyCreated(in Registration, d demands, a answer, client protocol.CollectedClientData, o *protocol.AttestationObject) (string, error) {
	format := o.Format
	switch {
	case format == FormatNone && len(o.AttStatement) > 0:
		return "", refused(ReasonAttestation)
	case !d.direct(), !d.attested() && !slices.Contains(formats(), format):
		format, o.Format, o.AttStatement, o.SubStatements = FormatNone, FormatNone, nil, nil
	case !slices.Contains(formats(), format), !bearable(o.AttStatement):
		return "", refused(ReasonAttestation)
	}
	created := protocol.ParsedCredentialCreationData{
		ParsedPublicKeyCredential: protocol.ParsedPublicKeyCredential{RawID: a.id},
		Response:                  protocol.ParsedAttestationResponse{CollectedClientData: client, AttestationObject: *o},
	}
	created.Raw.AttestationResponse.ClientDataJSON = a.clientData
	_, err := created.Verify(client.Challenge, in.Party.ID, in.Party.Origins, nil, nil, protocol.TopOriginExplicitVerificationMode,
		false, !in.Conditional && d.verified(false), !in.Conditional, nil, parameters(), protocol.AttestationPolicy{}, protocol.SignaturePolicy{})
	if err != nil {
		return "", refused(ReasonAttestation)
	}
	if created.Response.AttestationObject.Type == string(metadata.BasicSurrogate) {
		format = FormatSelf
	}
	if !d.vouched([16]byte(o.AuthData.AttData.AAGUID), format, o.AttStatement) {
		return "", refused(ReasonAttestation)
	}
	if !d.model([16]byte(o.AuthData.AttData.AAGUID), format, false) {
		return "", refused(ReasonAuthenticator)
	}
	return format, nil
}

// mostCertificates is how long a chain may be. Those of Android have five.
const mostCertificates = 8

// bearable reports whether the certificates of a statement cost no more to verify than
// honest ones: the key of a single one may be made so large that it takes a while.
func bearable(statement map[string]any) bool {
	chain, _ := statement["x5c"].([]any)
	if len(chain) > mostCertificates {
		return false
	}
	for _, c := range chain {
		der, _ := c.([]byte)
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return false
		}
		if k, ok := cert.PublicKey.(*rsa.PublicKey); ok && k.N.BitLen() > mostModulus {
			return false
		}
	}
	return true
}
