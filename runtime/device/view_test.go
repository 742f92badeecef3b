package device_test

import (
	"encoding/json"
	"testing"
	"time"

	"doorward/runtime/device"
)

// Source: reference/flows.md 8.2.
func TestWhatIsShownOfADevice(t *testing.T) {
	now := time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC)
	for want, d := range map[string]device.Device{
		`{"id":"d1","type":"SMS","status":"ACTIVE","nickname":"my phone","phone":"*******00"}`:                      {ID: "d1", Type: device.SMS, Status: device.Active, Nickname: "my phone", Phone: "+15550100"},
		`{"id":"d2","type":"EMAIL","status":"ACTIVATION_REQUIRED","email":"j•••@example.com"}`:                      {ID: "d2", Type: device.Email, Status: device.ActivationRequired, Email: "jane@example.com"},
		`{"id":"d3","type":"MOBILE","status":"ACTIVE","name":"iPhone","application":{"id":"app"}}`:                  {ID: "d3", Type: device.Mobile, Status: device.Active, Name: "iPhone", Application: "app", Key: []byte("key"), Alert: "token"},
		`{"id":"d4","type":"TOTP","status":"ACTIVE","lock":{"status":"LOCKED","expiresAt":"2026-10-20T12:02:00Z"}}`: {ID: "d4", Type: device.TOTP, Status: device.Active, LockedUntil: now.Add(2 * time.Minute)},
		`{"id":"d5","type":"FIDO2","status":"ACTIVE"}`:                                                              {ID: "d5", Type: device.FIDO2, Status: device.Active, LockedUntil: now, Credential: &device.Credential{ID: []byte("id")}},
	} {
		if got, err := json.Marshal(d.Shown(now)); err != nil || string(got) != want {
			t.Errorf("%s, %v", got, err)
		}
	}
}
