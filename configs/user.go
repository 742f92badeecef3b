package configs

import (
	"errors"
	"time"
	"unicode/utf8"

	"doorward/directory/hash"
	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/passwordpolicy"
	"doorward/runtime/policy"
)

// Source: reference/management.md 5.3.
type userDocument struct {
	ID            string `json:"id" required:"true"`
	Username      string `json:"username" required:"true"`
	Email         string `json:"email"`
	EmailVerified bool   `json:"emailVerified"`
	Enabled       *bool  `json:"enabled"`
	Name          struct {
		Given  string `json:"given"`
		Family string `json:"family"`
	} `json:"name"`
	Population        *reference         `json:"population"`
	Type              string             `json:"type"`
	Locale            string             `json:"locale"`
	PreferredLanguage string             `json:"preferredLanguage"`
	Lifecycle         *lifecycleDocument `json:"lifecycle"`
	Password          *passwordDocument  `json:"password"`
	Devices           []deviceDocument   `json:"devices"`
}

// deviceDocument is an address or a number that somebody else answers for: it is
// active at once. Ours; as reference/management.md 5.10.
type deviceDocument struct {
	Type     string `json:"type" required:"true"`
	Email    string `json:"email"`
	Phone    string `json:"phone"`
	Nickname string `json:"nickname"`
}

func (d *deviceDocument) check(at policy.Path, f *policy.Faults) {
	switch d.Type {
	case string(device.Email):
		if d.Email == "" || d.Phone != "" {
			f.Add(at, "takes the address that codes are sent to, as email")
		}
	case string(device.SMS), string(device.Voice):
		if !flow.E164(d.Phone) || d.Email != "" {
			f.Add(at, "takes the number that codes are sent to, as phone, such as +14155550101")
		}
	default:
		f.Add(at.Member("type"), choice([]string{string(device.Email), string(device.SMS), string(device.Voice)}))
	}
}

type lifecycleDocument struct {
	Status string `json:"status" required:"true"`
}

// stranger says why a documented member is not taken.
func (lifecycleDocument) stranger(name string) string {
	if name == "suppressVerificationCode" {
		return "is not taken: files send no mail; who must verify an address is sent the code at sign-on"
	}
	return ""
}

// passwordDocument may be written as its value alone. changedAt is ours.
type passwordDocument struct {
	Value       string `json:"value" required:"true"`
	ForceChange bool   `json:"forceChange"`
	ChangedAt   string `json:"changedAt"`
}

func (d *userDocument) key() (string, string) { return d.ID, d.Username }

func (d *userDocument) check(f *policy.Faults) {
	if utf8.RuneCountInString(d.Username) > 128 {
		f.Add(root.Member("username"), "takes at most 128 characters")
	}
	say(f, root.Member("preferredLanguage"), languageFault(d.PreferredLanguage))
	if d.Lifecycle != nil {
		at := root.Member("lifecycle").Member("status")
		if d.Lifecycle.Status != "ACCOUNT_OK" && d.Lifecycle.Status != "VERIFICATION_REQUIRED" {
			f.Add(at, choice([]string{"ACCOUNT_OK", "VERIFICATION_REQUIRED"}))
		}
		if d.unverified() && (d.Email == "" || d.EmailVerified) {
			f.Add(at, "needs an email that is not verified yet")
		}
	}
	if d.Password != nil {
		d.Password.check(f)
	}
	for i := range d.Devices {
		d.Devices[i].check(root.Member("devices").Index(i), f)
	}
}

func (d *userDocument) unverified() bool {
	return d.Lifecycle != nil && d.Lifecycle.Status == "VERIFICATION_REQUIRED"
}

func (d *passwordDocument) check(f *policy.Faults) {
	at := root.Member("password")
	if _, err := d.changed(); err != nil {
		f.Add(at.Member("changedAt"), "takes a time as 2026-01-31T12:00:00Z")
	}
	if !hash.Encoded(d.Value) {
		return
	}
	switch _, err := hash.Parse(d.Value); {
	case errors.Is(err, hash.ErrCost):
		f.Add(at, "is encoded at a cost that this server does not spend on a sign-on")
	case err != nil:
		f.Add(at, "begins like an encoded password, and is none that this server reads")
	}
}

// changed is when the password was set; zero when that is not said.
func (d *passwordDocument) changed() (time.Time, error) {
	if d.ChangedAt == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, d.ChangedAt)
	return at.UTC(), err
}

// breaks are the rules of a policy that the user's password breaks. What is
// encoded cannot be judged. Source: reference/management.md 5.4.
func (d *userDocument) breaks(p passwordpolicy.Policy) []string {
	if d.Password == nil || d.Password.Value == "" || hash.Encoded(d.Password.Value) {
		return nil
	}
	profile := []string{d.Username, d.Email, d.Name.Given, d.Name.Family, d.Type, d.Locale, d.PreferredLanguage}
	return p.Unsatisfied(passwordpolicy.Candidate{Password: d.Password.Value, Profile: profile})
}

// User is a seed: it is created when there is nobody with its id yet.
type User struct {
	Env, ID, Username string
	Email             string
	EmailVerified     bool
	Enabled           bool
	Given, Family     string
	Population        string // UUID, never empty
	Type, Locale      string
	PreferredLanguage string          // Accept-Language syntax; empty for the population's
	Unverified        bool            // must verify Email before anything else
	Password          string          // empty for a user without one
	Encoded           bool            // Password is a hash that hash.Parse reads, and not in clear
	ForceChange       bool            // Password must be changed at the next sign-on
	PasswordChangedAt time.Time       // zero: when the user is created
	Devices           []device.Device // in the order in which they are tried
}

func (d *userDocument) user(env, population string) User {
	u := User{
		Env: env, ID: d.ID, Username: d.Username, Email: d.Email, EmailVerified: d.EmailVerified,
		Enabled: d.Enabled == nil || *d.Enabled, Given: d.Name.Given, Family: d.Name.Family,
		Population: population, Type: d.Type, Locale: d.Locale, PreferredLanguage: d.PreferredLanguage, Unverified: d.unverified(),
	}
	for _, of := range d.Devices {
		u.Devices = append(u.Devices, device.Device{
			Env: env, UserID: d.ID, Type: device.Type(of.Type), Status: device.Active, Email: of.Email, Phone: of.Phone, Nickname: of.Nickname,
		})
	}
	if d.Password != nil {
		u.Password, u.Encoded, u.ForceChange = d.Password.Value, hash.Encoded(d.Password.Value), d.Password.ForceChange
		u.PasswordChangedAt, _ = d.Password.changed() // was checked
	}
	return u
}
