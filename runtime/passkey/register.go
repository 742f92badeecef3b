package passkey

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"

	"doorward/runtime/device"
)

// Register judges the answer to creation options and makes the credential to store.
// Whether somebody else has one of the same id is left to whoever stores it. Source:
// WebAuthn level 3, 7.1.
func Register(in Registration) (device.Credential, error) {
	var none device.Credential
	d, err := demandsOf(in.Policy, in.Metadata)
	if err != nil {
		return none, err
	}
	if len(in.User.Handle) == 0 || len(in.User.Handle) > maxHandle {
		return none, refused(ReasonSetup)
	}
	a, err := readAttestation(in.Attestation)
	if err != nil {
		return none, err
	}
	client, err := question{protocol.CreateCeremony, in.Party, in.Challenge, in.Origin}.judge(a.clientData)
	if err != nil {
		return none, err
	}
	object, err := openAttestation(a.attestation)
	if err != nil {
		return none, err
	}
	if err := judgeCreated(in, d, a, object); err != nil {
		return none, err
	}
	format, err := verifyCreated(in, d, a, client, object)
	if err != nil {
		return none, err
	}
	made := device.Credential{
		ID: bytes.Clone(a.id), PublicKey: bytes.Clone(object.AuthData.AttData.CredentialPublicKey), SignCount: object.AuthData.Counter,
		Transports: a.transports, AAGUID: [16]byte(object.AuthData.AttData.AAGUID), Format: format,
		Handle: bytes.Clone(in.User.Handle), RPID: in.Party.ID, Attachment: a.attachment,
		Discoverable:   a.discoverable != nil && *a.discoverable,
		Verified:       object.AuthData.Flags.HasUserVerified() || in.Conditional,
		BackupEligible: object.AuthData.Flags.HasBackupEligible(), BackedUp: object.AuthData.Flags.HasBackupState(),
	}
	return made, nil
}

// judgeCreated holds what was made against what was asked for, all but the
// attestation.
func judgeCreated(in Registration, d demands, a answer, o *protocol.AttestationObject) error {
	if err := judgeData(in.Party, o.AuthData, !in.Conditional, !in.Conditional && d.verified(false)); err != nil {
		return err
	}
	switch {
	case o.AuthData.Flags.HasBackupEligible() && !d.backup(false):
		return refused(ReasonBackup)
	case !bytes.Equal(a.id, o.AuthData.AttData.CredentialID):
		return refused(ReasonData)
	case slices.ContainsFunc(in.Exclude, func(c device.Credential) bool { return bytes.Equal(c.ID, a.id) }):
		return refused(ReasonRegistered)
	case a.attachment != "" && a.attachment != platform && a.attachment != crossPlatform,
		d.attachment != "" && a.attachment != "" && a.attachment != d.attachment:
		return refused(ReasonAttachment)
	case d.residentKey == required && a.discoverable != nil && !*a.discoverable:
		return refused(ReasonDiscoverable)
	}
	return checkKey(o.AuthData.AttData.CredentialPublicKey)
}

// judgeData judges what both ceremonies have in authenticator data. Source: WebAuthn
// level 3, 6.1, 6.1.3, 7.1 steps 13 to 18, 7.2 steps 15 to 18.
func judgeData(p Party, data protocol.AuthenticatorData, present, verified bool) error {
	hash := sha256.Sum256([]byte(p.ID))
	switch {
	case !bytes.Equal(data.RPIDHash, hash[:]):
		return refused(ReasonParty)
	case present && !data.Flags.HasUserPresent():
		return refused(ReasonPresence)
	case verified && !data.Flags.HasUserVerified():
		return refused(ReasonVerification)
	case data.Flags.HasBackupState() && !data.Flags.HasBackupEligible():
		return refused(ReasonBackup)
	}
	return nil
}
