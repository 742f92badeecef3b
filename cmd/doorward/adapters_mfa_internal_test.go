package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/mfa"
	"doorward/runtime/passkey"
)

// TestAPersonIsReachedByTheNumberOfTheirProfile where an SMS can be sent: here it is kept
// to be looked at.
func TestAPersonIsReachedByTheNumberOfTheirProfile(t *testing.T) {
	m := newMobiles(t, "")
	u, err := m.users.Create(t.Context(), directory.User{
		Env: demoEnvironment, Username: "hopper", Email: "hopper@example.com", Profile: []byte(`{"mobilePhone":"+15550177"}`), Enabled: true,
	}, "", "")
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{u.ID: "+15550177", m.user.ID: ""} {
		if c, err := (contacts{m.house}).Contact(t.Context(), demoEnvironment, id); err != nil || c.Phone != want {
			t.Errorf("%+v, %v", c, err)
		}
	}
	m.phones.recent = nil // as of a node that is no demo
	if c, err := (contacts{m.house}).Contact(t.Context(), demoEnvironment, u.ID); err != nil || c.Phone != "" || c.Email == "" {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestAPhoneIsAskedWithoutAnApplication, as it is for the pages of an account.
func TestAPhoneIsAskedWithoutAnApplication(t *testing.T) {
	m := newMobiles(t, "")
	who := mfa.Who{Env: demoEnvironment, UserID: m.user.ID, Username: "lovelace", Flow: "f1", Effect: "f1/n/1"}
	c, err := m.factors.Challenge(t.Context(), mfa.Start{Who: who, Device: m.paired()})
	if err != nil || c.Status != mfa.PushRequired || !c.Codes {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestAFileOfModelsThatCannotBeReadIsSaidByItsFlag: what is in one is read elsewhere.
func TestAFileOfModelsThatCannotBeReadIsSaidByItsFlag(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none.jwt")
	other := filepath.Join(t.TempDir(), "other.jwt")
	if err := os.WriteFile(other, []byte("<html>"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{none: "no such file", other: "is no signed file of the FIDO Metadata Service"} {
		m, err := readModels(path, passkey.MetadataRoots, time.Now(), slog.New(slog.DiscardHandler))
		if m != nil || err == nil || !strings.HasPrefix(err.Error(), "--fido-metadata: ") || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%v", err)
		}
	}
	if m, err := readModels("", passkey.MetadataRoots, time.Now(), nil); m != nil || err != nil {
		t.Errorf("%v, %v", m, err)
	}
}
