package device

import "time"

// View is a device as its owner may see it, in the words of the wire: where codes go
// is masked, and what it is verified by is not there. Source: reference/flows.md 8.2.
type View struct {
	ID          string     `json:"id"`
	Type        Type       `json:"type"`
	Status      Status     `json:"status"`
	Nickname    string     `json:"nickname,omitempty"`
	Name        string     `json:"name,omitempty"`
	Phone       string     `json:"phone,omitempty"`
	Email       string     `json:"email,omitempty"`
	Application *Reference `json:"application,omitempty"`
	Lock        *Lock      `json:"lock,omitempty"` // nil: it is not locked
}

// Reference names a resource.
type Reference struct {
	ID string `json:"id"`
}

// Lock says until when a device takes no answer. Source: reference/management.md 5.10.
type Lock struct {
	Status    string    `json:"status"` // always LOCKED
	ExpiresAt time.Time `json:"expiresAt"`
}

// Shown is the device as it is at now.
func (d *Device) Shown(now time.Time) View {
	v := View{ID: d.ID, Type: d.Type, Status: d.Status, Nickname: d.Nickname, Name: d.Name}
	switch {
	case d.Phone != "":
		v.Phone = d.Masked()
	case d.Email != "":
		v.Email = d.Masked()
	}
	if d.Application != "" {
		v.Application = &Reference{d.Application}
	}
	if d.LockedUntil.After(now) {
		v.Lock = &Lock{"LOCKED", d.LockedUntil.UTC()}
	}
	return v
}
