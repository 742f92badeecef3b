package directory_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"doorward/directory"
	"doorward/keys"

	"pgregory.net/rapid"
)

func testSecretCodes(t *testing.T, open opener) {
	t.Run("look like nothing else and are not the same twice", func(t *testing.T) {
		e := newEstate(t, open)
		seen, letters := map[string]bool{}, map[rune]bool{}
		for range 200 {
			code := e.forgot("nobody").Params["code"]
			if len(code) != 8 || strings.Trim(code, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789") != "" || seen[code] {
				t.Fatalf("%q", code)
			}
			seen[code] = true
			for _, r := range code {
				letters[r] = true
			}
		}
		if len(letters) != 32 {
			t.Errorf("%d letters are used", len(letters))
		}
	})
	t.Run("outlive a rotation of the key ring", func(t *testing.T) {
		e := newEstate(t, open)
		code := e.forgot("ada").Params["code"]
		rotated, err := newRing().Rotate()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range []struct {
			ring *keys.Ring
			want directory.ChangeResult
		}{{mustGenerate(t), directory.WrongCode}, {rotated, directory.Done}} {
			a := directory.NewAccounts(e.db, directory.NewHasher(cheap(), 1, e.now.Now), row.ring, lock5, e.now.Now)
			got, err := a.Recover(t.Context(), directory.Recovering{Env: env, Username: "ada", Code: code, Password: newPassword})
			if err != nil || got.Result != row.want {
				t.Errorf("%+v %v", got, err)
			}
		}
	})
	t.Run("live as their model does", func(t *testing.T) {
		e := newEstate(t, open)
		rapid.Check(t, func(r *rapid.T) {
			m := &codeModel{estate: e, name: fmt.Sprint("user", len(e.ids))}
			made, err := e.users.Create(t.Context(), directory.User{Env: env, Username: m.name, Email: "a@example.com", Enabled: true}, oldPassword, "")
			if err != nil {
				t.Fatal(err)
			}
			e.ids[m.name] = made.ID
			r.Repeat(map[string]func(*rapid.T){
				"send": m.send, "guess": m.guess, "try the last": m.tryLast, "try one before": m.tryBefore,
				"try with a bad password": m.tryBad, "wait": m.wait,
			})
		})
	})
}

func mustGenerate(t *testing.T) *keys.Ring {
	t.Helper()
	ring, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// codeModel is what recovery codes of one account should do.
type codeModel struct {
	*estate
	name    string
	live    string // the code that was mailed last, until it is used or void
	expires time.Time
	wrong   int
	before  []string
	sent    int // of late
	sentAt  time.Time
}

func (m *codeModel) send(r *rapid.T) {
	got := m.forgot(m.name)
	if m.sent > 0 && m.now.Now().Sub(m.sentAt) >= time.Hour {
		m.sent = 0
	}
	if (got.To != "") != (m.sent < 5) {
		r.Fatalf("code %d went to %q", m.sent+1, got.To)
	}
	if got.To == "" {
		m.before = append(m.before, got.Params["code"]) // was never mailed
		return
	}
	if m.live != "" {
		m.before = append(m.before, m.live)
	}
	m.sent, m.sentAt = m.sent+1, m.now.Now()
	m.live, m.wrong, m.expires = got.Params["code"], 0, m.now.Now().Add(5*time.Minute)
}

func (m *codeModel) good() bool { return m.live != "" && m.wrong < 5 && m.now.Now().Before(m.expires) }

func (m *codeModel) wants(r *rapid.T, code, password string, want directory.ChangeResult) {
	got := m.recover(directory.Recovering{Username: m.name, Code: code, Password: password})
	if got.Result != want {
		r.Fatalf("%+v, want %s", got, want)
	}
	m.mail()
	if want == directory.WrongCode {
		m.wrong++
	}
}

func (m *codeModel) guess(r *rapid.T) { m.wants(r, "22222222", newPassword, directory.WrongCode) }

func (m *codeModel) tryLast(r *rapid.T) {
	if !m.good() {
		m.wants(r, m.live, newPassword, directory.WrongCode)
		return
	}
	m.wants(r, m.live, newPassword, directory.Done)
	m.before, m.live = append(m.before, m.live), ""
}

func (m *codeModel) tryBad(r *rapid.T) {
	if !m.good() {
		m.wants(r, m.live, "short", directory.WrongCode)
		return
	}
	m.wants(r, m.live, "short", directory.Unsatisfying)
}

func (m *codeModel) tryBefore(r *rapid.T) {
	if len(m.before) > 0 {
		m.wants(r, rapid.SampledFrom(m.before).Draw(r, "code"), newPassword, directory.WrongCode)
	}
}

func (m *codeModel) wait(r *rapid.T) {
	m.now.Move(time.Duration(rapid.SampledFrom([]int{1, 60, 299, 300, 1800, 3600}).Draw(r, "seconds")) * time.Second)
	if _, err := m.db.Sweep(m.t.Context()); err != nil {
		r.Fatal(err)
	}
}
