package configs

import (
	"encoding/base64"

	"doorward/runtime/flow"
	"doorward/runtime/policy"
)

// originsMax is how many origins, and how many keys, one application may add.
// Source: reference/management.md 5.7 (corsSettings), for want of a number of its own.
const originsMax = 20

// passkeysDocument is who else may use the passkeys of the environment: pages of an
// application that draws its own sign-on, and an application for Android. Ours.
type passkeysDocument struct {
	Origins          []address `json:"origins"`
	AndroidKeyHashes []string  `json:"androidKeyHashes"`
}

func (d *passkeysDocument) check(f *policy.Faults, native bool) {
	if d == nil {
		return
	}
	at := root.Member("passkeys")
	if len(d.Origins) > originsMax {
		f.AddCode(at.Member("origins"), flow.SizeLimitExceeded, "takes at most 20")
	}
	for i, o := range d.Origins {
		say(f, at.Member("origins").Index(i), originFault(string(o)))
	}
	switch hashes := at.Member("androidKeyHashes"); {
	case len(d.AndroidKeyHashes) == 0:
	case !native:
		f.Add(hashes, "are for NATIVE_APP alone")
	case len(d.AndroidKeyHashes) > originsMax:
		f.AddCode(hashes, flow.SizeLimitExceeded, "takes at most 20")
	default:
		for i, h := range d.AndroidKeyHashes {
			if b, err := base64.RawURLEncoding.Strict().DecodeString(h); err != nil || len(b) != 32 {
				f.Add(hashes.Index(i), "takes the SHA-256 of the signing certificate as base64url without padding, 43 characters")
			}
		}
	}
}
