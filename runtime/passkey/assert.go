package passkey

import (
	"bytes"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"

	"doorward/runtime/device"
)

// Named is whose an assertion claims to be, before anything of it is judged: the id
// of its credential, and the handle of the person, nil when it has none.
func Named(assertion string) (credentialID, userHandle []byte, err error) {
	a, err := readAssertion(assertion)
	if err != nil {
		return nil, nil, err
	}
	return a.id, a.handle, nil
}

// Assert judges the answer to request options. Source: WebAuthn level 3, 7.2.
//
// It looks at nothing but what it is given: that a challenge is good once is the
// business of whoever stores the verdict.
func Assert(in Assertion) (Verdict, error) {
	d, err := demandsOf(in.Policy, in.Metadata)
	if err != nil {
		return Verdict{}, err
	}
	a, err := readAssertion(in.Assertion)
	if err != nil {
		return Verdict{}, err
	}
	client, err := question{protocol.AssertCeremony, in.Party, in.Challenge, in.Origin}.judge(a.clientData)
	if err != nil {
		return Verdict{}, err
	}
	c, err := owned(in, a)
	if err != nil {
		return Verdict{}, err
	}
	var data protocol.AuthenticatorData
	if data.Unmarshal(a.data) != nil || data.Flags.HasAttestedCredentialData() { // the latter is for registration. Source: 6.1
		return Verdict{}, refused(ReasonData)
	}
	if err := judgeAnswered(in.Party, d, c, data); err != nil {
		return Verdict{}, err
	}
	answered := protocol.ParsedCredentialAssertionData{
		Response: protocol.ParsedAssertionResponse{CollectedClientData: client, AuthenticatorData: data, Signature: a.signature},
	}
	answered.Raw.AssertionResponse.ClientDataJSON = a.clientData
	answered.Raw.AssertionResponse.AuthenticatorData = a.data
	err = answered.Verify(client.Challenge, in.Party.ID, "", in.Party.Origins, nil, nil, protocol.TopOriginExplicitVerificationMode,
		false, d.verified(true), true, c.PublicKey, protocol.SignaturePolicy{})
	if err != nil {
		return Verdict{}, refused(ReasonSignature)
	}
	return settle(c, data)
}

// owned finds the credential that has answered among those that may. Source: WebAuthn
// level 3, 7.2 steps 5 and 6.
func owned(in Assertion, a answer) (device.Credential, error) {
	at := slices.IndexFunc(in.Credentials, func(c device.Credential) bool { return bytes.Equal(c.ID, a.id) })
	if at < 0 || in.Credentials[at].RPID != in.Party.ID {
		return device.Credential{}, refused(ReasonCredential)
	}
	c := in.Credentials[at]
	if len(c.Handle) == 0 || a.handle == nil && in.Discoverable || a.handle != nil && !bytes.Equal(a.handle, c.Handle) {
		return device.Credential{}, refused(ReasonHandle)
	}
	return c, nil
}

// judgeAnswered holds authenticator data against the credential and the policy.
func judgeAnswered(p Party, d demands, c device.Credential, data protocol.AuthenticatorData) error {
	if err := judgeData(p, data, true, d.verified(true)); err != nil {
		return err
	}
	eligible := data.Flags.HasBackupEligible()
	switch {
	case eligible != c.BackupEligible, eligible && !d.backup(true):
		return refused(ReasonBackup)
	case !d.model(c.AAGUID, c.Format, true):
		return refused(ReasonAuthenticator)
	}
	return nil
}

// settle makes the verdict on an assertion that holds, but for its counter. Source:
// WebAuthn level 3, 6.1.1, 7.2 steps 22 to 24.
func settle(c device.Credential, data protocol.AuthenticatorData) (Verdict, error) {
	verified := data.Flags.HasUserVerified()
	v := Verdict{Verified: verified && c.Verified, Claimed: verified && !c.Verified}
	if (data.Counter != 0 || c.SignCount != 0) && data.Counter <= c.SignCount {
		c.Suspected = true
		v.Credential, v.Cloned = c, true
		return v, refused(ReasonCounter)
	}
	c.SignCount = data.Counter
	c.BackedUp = data.Flags.HasBackupState()
	v.Credential = c
	return v, nil
}
