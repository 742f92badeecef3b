package flow

import "time"

// PasswordState is how a user's password stands, as definitions read it. It holds
// nothing of the password. Source: reference/management.md 2.6, 5.4.
type PasswordState struct {
	User      string    // id
	Policy    string    // id of the password policy; empty: not told
	Status    string    // "OK", "PASSWORD_EXPIRED", ...; empty: not told
	ChangedAt time.Time // zero: never, or not told
	ExpiresAt time.Time // set when that is soon
}

// Outputs are the outputs of a step that tells the state.
func (s PasswordState) Outputs() map[string]any {
	state := map[string]any{"user": map[string]any{"id": s.User}}
	if s.Policy != "" {
		state["passwordPolicy"] = map[string]any{"id": s.Policy}
	}
	if s.Status != "" {
		state["status"] = s.Status
	}
	if !s.ChangedAt.IsZero() {
		state["lastChangedAt"] = s.ChangedAt.UTC().Format(time.RFC3339)
	}
	if !s.ExpiresAt.IsZero() {
		state["warnings"] = map[string]any{"expires": s.ExpiresAt.UTC().Format(time.RFC3339)}
	}
	return map[string]any{"passwordState": state}
}
