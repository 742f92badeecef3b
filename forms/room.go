package forms

import (
	"encoding/json"
	"slices"

	"doorward/runtime/flow"
)

// What pages about devices know by name. Source: reference/flows.md 3.1, 5.2, 7.4, 8.4.
const (
	selectAction = "device.select"
	createAction = "device.create"
	resendAction = "otp.resend"
	checkAction  = "otp.check"
	cancelAction = "cancel.push.authentication"

	deviceInput        = "device.id"
	applicationInput   = "application.id"
	nicknameInput      = "nickname"
	compatibilityInput = "compatibility"
	codeInput          = "otp"
	typeInput          = "type"
	reasonInput        = "reason"

	selecting = "DEVICE_SELECTION_REQUIRED"
	coding    = "OTP_REQUIRED"
	pushing   = "PUSH_CONFIRMATION_REQUIRED"
	timedOut  = "PUSH_CONFIRMATION_TIMED_OUT"
	pairing   = "PAIRING_REQUIRED"
	unpaired  = "MOBILE_PAIRING_FAILURE"
)

// mobile is the type of phones that have an app of ours.
const mobile = "MOBILE"

// recoveryCode is the type of device whose codes are on paper.
const recoveryCode = "RECOVERY_CODE"

// room is what an execution shows beside its offers where it is about devices.
type room struct {
	devices  []authenticator
	selected *authenticator // which is asked, or is being set up
	request  string         // what the browser is to be asked to sign, as JSON; empty: nothing
	creation string         // likewise, what it is to make
	number   string         // to be matched on a phone
	code     string         // what a QR code holds
	key      string         // the same, to be typed
	codes    []string       // shown once
	types    []string       // of devices that may be set up
	apps     []application
	named    []string // types of which the person is asked what to call the device
	email    string
	phone    string
	trouble  *flow.Failure // why another device must be taken
}

// authenticator is a device as the flow API shows it. Source: reference/flows.md 8.2.
type authenticator struct {
	ID       string          `json:"id"`
	Type     string          `json:"type"`
	Nickname string          `json:"nickname"`
	Name     string          `json:"name"`
	Phone    string          `json:"phone"`
	Email    string          `json:"email"`
	Lock     json.RawMessage `json:"lock"` // nil: it can be used
}

type application struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// enter reads what a view shows. Members that cannot be read count as not there:
// they are our own, and a page without them still has its form.
func enter(v *flow.View) room {
	var r room
	var chosen authenticator
	for _, members := range [][]flow.Member{v.Members, v.Embedded} {
		for i := range members {
			r.read(&members[i], &chosen)
		}
	}
	if chosen.ID == "" {
		return r
	}
	if at := slices.IndexFunc(r.devices, func(a authenticator) bool { return a.ID == chosen.ID }); at >= 0 {
		chosen = r.devices[at]
	}
	r.selected = &chosen
	return r
}

func (r *room) read(m *flow.Member, chosen *authenticator) {
	var into any
	switch m.Name {
	case "devices":
		if r.devices != nil {
			return // shown in two places
		}
		into = &r.devices
	case "selectedDevice", "device":
		into = chosen
	case "publicKeyCredentialRequestOptionsJSON":
		r.request = string(m.JSON)
	case "publicKeyCredentialCreationOptionsJSON":
		r.creation = string(m.JSON)
	case "publicKeyCredentialRequestOptions":
		r.request = older(r.request, m.JSON)
	case "publicKeyCredentialCreationOptions":
		r.creation = older(r.creation, m.JSON)
	case "push":
		into = &struct {
			Number *string `json:"number"`
		}{&r.number}
	case "totp":
		into = &struct {
			Secret *string `json:"secret"`
			URI    *string `json:"uri"`
		}{&r.key, &r.code}
	case "pairingKey":
		into = &struct {
			Code *string `json:"code"`
			URI  *string `json:"uri"`
		}{&r.key, &r.code}
	case "recoveryCodes":
		into = &r.codes
	case "allowedTypes":
		into = &r.types
	case "applications":
		into = &r.apps
	case "promptForNicknameOnPairing":
		into = &r.named
	case "email":
		into = &r.email
	case "mobilePhone":
		into = &r.phone
	case "error":
		into = &r.trouble
	}
	if into != nil {
		_ = json.Unmarshal(m.JSON, into)
	}
}

// older is the vendor's form of options, a string, where there is no other.
func older(standard string, quoted []byte) string {
	if standard == "" {
		_ = json.Unmarshal(quoted, &standard)
	}
	return standard
}

// others are the devices beside the one that is asked.
func (r *room) others() []authenticator {
	out := make([]authenticator, 0, len(r.devices))
	for i := range r.devices {
		if r.selected == nil || r.devices[i].ID != r.selected.ID {
			out = append(out, r.devices[i])
		}
	}
	return out
}

// kind is the type of the device that is asked; empty: there is none, or it is
// not told.
func (r *room) kind() string {
	if r.selected == nil {
		return ""
	}
	return family(r.selected.Type)
}

// family is the type under which a type has its words.
func family(t string) string {
	if t == "PLATFORM" || t == "SECURITY_KEY" {
		return "FIDO2"
	}
	return t
}

// asks reports whether something has to be typed or chosen for a device of the type
// before it can be set up.
func (r *room) asks(t string) bool {
	return isSent(t) || slices.Contains(r.named, t) || t == mobile && len(r.apps) > 1
}

// isSent reports whether codes of the type are sent by us.
func isSent(t string) bool { return t == "SMS" || t == "EMAIL" || t == "VOICE" }

// isLocked reports whether the device takes no answer now.
func (a *authenticator) isLocked() bool { return len(a.Lock) > 0 && string(a.Lock) != "null" }

// target is where codes of the device go, masked.
func (a *authenticator) target() string { return a.Phone + a.Email }

// Waits reports whether what a view waits for happens elsewhere, so that its page
// reads itself again.
func Waits(v *flow.View) bool { return v.Status == pushing || v.Status == pairing }

// isForMachines reports whether an action is for a program that signs somebody on, and
// not for a page: what it takes nobody types, and a page that waits reads itself again.
func isForMachines(action string) bool {
	return action == "authentication.poll" || action == "certificate.create" || action == "certificate.readPin"
}

// ShownOnce reports whether a view holds what no later one does: its page has to
// be drawn at once.
func ShownOnce(v *flow.View) bool {
	return slices.ContainsFunc(v.Members, func(m flow.Member) bool { return m.Name == "recoveryCodes" })
}
