package engine_test

import (
	"errors"
	"testing"
	"time"

	"doorward/runtime/flow"
)

// What a session proved before the password was changed counts no more, and a
// user who may not sign on has no session.
func TestASessionIsWorthWhatItsUserStillIs(t *testing.T) {
	changed := monday().Add(30 * time.Minute)
	for name, tt := range map[string]struct {
		standing flow.Standing
		err      error
		status   string
		user     string
	}{
		"nothing changed":                  {flow.Standing{Enabled: true}, nil, flow.Completed, "ada"},
		"the password was changed before":  {flow.Standing{Enabled: true, Since: monday()}, nil, flow.Completed, "ada"},
		"the password was changed later":   {flow.Standing{Enabled: true, Since: changed}, nil, asks, "ada"},
		"the user was disabled or deleted": {flow.Standing{}, nil, asks, ""},
		"the directory is away":            {flow.Standing{}, errors.New("connection refused"), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, guarded(knows("a"), signedOnLongerAgo(8*time.Hour)))
			b := h.browser()
			b.signOn("ada")
			h.pass(time.Hour)
			h.standing = func(string) (flow.Standing, error) { return tt.standing, tt.err }
			v, done, err := b.begin()
			if tt.err != nil {
				if flow.AsFault(err).Code != flow.Unavailable {
					t.Fatalf("answered %v", err)
				}
				return
			}
			if err != nil || v.Status != tt.status || v.User.ID != tt.user || (done != nil) != (tt.status == flow.Completed) {
				t.Errorf("status %s, user %q, completion %v, error %v", v.Status, v.User.ID, done, err)
			}
		})
	}
}

// A sign-on that was finished with a password that has been changed since hands
// nothing back.
func TestAFinishedSignOnEndsWithItsCredential(t *testing.T) {
	for name, standing := range map[string]flow.Standing{
		"changed":  {Enabled: true, Since: monday().Add(time.Second)},
		"disabled": {},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, knows("a"))
			b := h.browser()
			v := b.signOn("ada")
			h.standing = func(string) (flow.Standing, error) { return standing, nil }
			_, done, err := h.Resume(t.Context(), v.Ref, b.caller())
			if done != nil || flow.AsFault(err).Code != flow.AccessFailed {
				t.Errorf("completion %v, error %v", done, err)
			}
		})
	}
}

// The pages of a session speak the language that its user has chosen since.
func TestASessionSpeaksItsUsersLanguage(t *testing.T) {
	h := newHouse(t, guarded(knows("a"), signedOnLongerAgo(8*time.Hour)))
	b := h.browser()
	b.signOn("ada")
	h.pass(time.Hour)
	h.standing = func(string) (flow.Standing, error) {
		return flow.Standing{Enabled: true, Since: monday().Add(30 * time.Minute), Locales: "es"}, nil
	}
	if v, _, err := b.begin(); err != nil || v.Status != asks || v.Locales != "es" {
		t.Errorf("status %s in %q, error %v", v.Status, v.Locales, err)
	}
}
