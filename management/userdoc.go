package management

import (
	"encoding/json"
	"strings"
	"time"

	"doorward/directory"
)

// userDocument is a user as every answer shows one, less the links.
// Source: reference/management.md 5.3, 8; examples/management doc-user-read.
func (c *call) userDocument(u *directory.User) object {
	now := c.api.Now()
	o := object{{"id", u.ID}, {"environment", relation(u.Env)}, {"account", account(u, now)}}
	o = o.time("createdAt", u.CreatedAt)
	p, _ := profileOf(u) // was checked when it was kept
	in := map[string]object{}
	for _, a := range attributes() {
		value := p.get(a.Name)
		if a.field != nil {
			value = *a.field(u)
		}
		if group, name, inside := strings.Cut(a.Name, "."); inside {
			in[group] = in[group].text(name, value)
		} else {
			o = o.text(a.Name, value)
		}
	}
	for _, group := range groups() {
		if in[group] != nil {
			o = o.with(group, in[group])
		}
	}
	if u.Email != "" {
		o = o.with("emailVerified", u.EmailVerified)
	}
	o = o.with("enabled", u.Enabled)
	provider := object{{"type", "PING_ONE"}}
	if u.Authority != "" {
		provider = relation(u.Authority)
	}
	status := "ACCOUNT_OK"
	if u.Unverified {
		status = "VERIFICATION_REQUIRED"
	}
	o = append(o, member{"identityProvider", provider}, member{"lifecycle", object{{"status", status}}}, member{"mfaEnabled", u.MFAEnabled}, member{"population", relation(u.Population)})
	if !u.LastSignOnAt.IsZero() {
		o = o.with("lastSignOn", object{}.time("at", u.LastSignOnAt).text("remoteIp", u.LastSignOnIP))
	}
	return o.time("updatedAt", u.UpdatedAt).with("verifyStatus", "NOT_INITIATED")
}

// account is whether the user may sign on. Source: reference/management.md 5.3.
func account(u *directory.User, now time.Time) object {
	if !locked(u, now) {
		return object{{"canAuthenticate", u.Enabled}, {"status", "OK"}}
	}
	o := object{{"canAuthenticate", false}, {"status", "LOCKED"}}.time("lockedAt", u.LockedAt).time("unlockAt", u.LockUntil)
	if !u.LockUntil.IsZero() {
		o = o.with("secondsUntilUnlock", seconds(u.LockUntil.Sub(now)))
	}
	return o
}

func locked(u *directory.User, now time.Time) bool {
	return !u.LockedAt.IsZero() && (u.LockUntil.IsZero() || u.LockUntil.After(now))
}

// seconds is a time to wait, whole and never too short.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// apply makes u what the document says. A replacement clears what it leaves out.
// Source: reference/management.md 7.1.
func (e *userEdit) apply(u *directory.User, m manner) error {
	profile, err := profileOf(u)
	if err != nil {
		return err
	}
	for _, a := range attributes() {
		value, set := e.set[a.Name]
		if !set && m == patching && !e.cleared[a.Name] {
			continue
		}
		if a.field != nil {
			*a.field(u) = value
			continue
		}
		profile.put(a.Name, value)
	}
	u.Profile = encode(profile)
	return nil
}

// profile is the attributes that have no field of their own, nested as in a
// document.
type profile map[string]any

func profileOf(u *directory.User) (profile, error) {
	p := profile{}
	if len(u.Profile) == 0 {
		return p, nil
	}
	return p, json.Unmarshal(u.Profile, &p)
}

// put sets a text; an empty one takes it away, and its group with the last of it.
func (p profile) put(path, value string) {
	group, name, inside := strings.Cut(path, ".")
	if !inside {
		if p[path] = value; value == "" {
			delete(p, path)
		}
		return
	}
	m, _ := p[group].(map[string]any)
	if m == nil {
		m = map[string]any{}
	}
	p[group] = m
	if m[name] = value; value == "" {
		delete(m, name)
	}
	if len(m) == 0 {
		delete(p, group)
	}
}

func (p profile) get(path string) string {
	group, name, inside := strings.Cut(path, ".")
	v := p[group]
	if inside {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	s, _ := v.(string)
	return s
}

// readUserDocument shows a user with how password and devices stand, and the
// population. Source: examples/management doc-user-read.
func readUserDocument(c *call) (*answer, error) {
	if _, err := c.oneOf("include", memberships()...); err != nil {
		return nil, err
	}
	if _, err := c.oneOf("expand", "population"); err != nil {
		return nil, err
	}
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	state, err := c.api.Passwords.State(c.Context(), c.env, u.ID)
	if err != nil {
		return nil, absent(err)
	}
	factors, err := c.api.Devices.Account(c.Context(), c.env, u.ID)
	if err != nil {
		return nil, unserved(err)
	}
	population := c.base() + "/populations/" + u.Population
	embedded := object{
		{"mfa", showMFA(factors)},
		{"password", object{{"status", state.State}}},
		{"population", object{{"_links", links("self", population, "environment", c.base())}, {"id", u.Population}}},
	}
	o := object{{"_links", c.userLinks(&u)}, {"_embedded", embedded}}
	return ok(append(o, c.userDocument(&u)...))
}

// showMFA is whether the devices of a user are locked together, which no password
// lifts. Ours.
func showMFA(m directory.MFAStanding) object {
	if m.LockedUntil.IsZero() {
		return object{{"status", "OK"}}
	}
	return object{{"status", "LOCKED"}}.time("unlockAt", m.LockedUntil)
}
