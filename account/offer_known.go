package account

import (
	"encoding/base64"
	"encoding/json"

	"doorward/forms"
	"doorward/runtime/device"
)

// known is what a page has its script tell the browser, so that it offers no passkey that
// is gone, and calls the person as they are called now. Whoever never had one has nothing
// to be told of; that the last one is gone is told by the page behind its removal.
// Source: WebAuthn level 3, 5.1.10.
func (f *Face) known(v *visit, page *forms.Account) {
	all, err := f.Factors.Devices(v.Context(), v.who(""))
	if err != nil {
		return // the page is not about that
	}
	rpID, handle, err := f.Passkeys.Party(v.Context(), v.env.ID, v.user.ID, page.Done == "removed" || hasPasskey(all))
	if err != nil || len(handle) == 0 {
		return
	}
	ids := []string{}
	for i := range all {
		if c := all[i].Credential; all[i].Status == device.Active && c != nil && c.RPID == rpID {
			ids = append(ids, base64.RawURLEncoding.EncodeToString(c.ID))
		}
	}
	who := v.who("")
	name := who.DisplayName
	if name == "" {
		name = who.Username
	}
	told, err := json.Marshal(map[string]any{
		"rpId": rpID, "userId": base64.RawURLEncoding.EncodeToString(handle), "ids": ids, "name": who.Username, "displayName": name,
	})
	if err == nil {
		page.Known = string(told)
	}
}

func hasPasskey(all []device.Device) bool {
	for i := range all {
		if all[i].Credential != nil {
			return true
		}
	}
	return false
}
