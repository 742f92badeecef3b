package directory

import (
	"encoding/json"
	"fmt"

	"doorward/runtime/device"
)

// storedCredential is what is kept of a credential beside its id and its counter,
// which have columns of their own.
type storedCredential struct {
	Version        int      `json:"v"` // 1
	PublicKey      []byte   `json:"publicKey"`
	Transports     []string `json:"transports,omitempty"`
	AAGUID         []byte   `json:"aaguid"`
	Format         string   `json:"format,omitempty"`
	Handle         []byte   `json:"handle,omitempty"`
	RPID           string   `json:"rpId"`
	Attachment     string   `json:"attachment,omitempty"`
	Discoverable   bool     `json:"discoverable,omitempty"`
	Verified       bool     `json:"verified,omitempty"`
	BackupEligible bool     `json:"backupEligible,omitempty"`
	BackedUp       bool     `json:"backedUp,omitempty"`
	Suspected      bool     `json:"suspected,omitempty"`
}

const credentialVersion = 1

// writeCredential is c as it is kept; empty for none.
func writeCredential(c *device.Credential) (string, error) {
	if c == nil {
		return "", nil
	}
	b, err := json.Marshal(storedCredential{
		credentialVersion, c.PublicKey, c.Transports, c.AAGUID[:], c.Format, c.Handle, c.RPID, c.Attachment,
		c.Discoverable, c.Verified, c.BackupEligible, c.BackedUp, c.Suspected,
	})
	return string(b), err
}

// readCredential is writeCredential undone.
func readCredential(id []byte, text string, count int64) (*device.Credential, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // a device need not have one
	}
	var s storedCredential
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return nil, fmt.Errorf("credential: %w", err)
	}
	if s.Version != credentialVersion || len(s.AAGUID) != 16 {
		return nil, fmt.Errorf("credential of version %d", s.Version)
	}
	return &device.Credential{
		ID: id, PublicKey: s.PublicKey, SignCount: uint32(count), //nolint:gosec // was one
		Transports: s.Transports, AAGUID: [16]byte(s.AAGUID), Format: s.Format, Handle: s.Handle, RPID: s.RPID,
		Attachment: s.Attachment, Discoverable: s.Discoverable, Verified: s.Verified,
		BackupEligible: s.BackupEligible, BackedUp: s.BackedUp, Suspected: s.Suspected,
	}, nil
}
