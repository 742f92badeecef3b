package main_test

import (
	"bytes"
	"database/sql"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"doorward/internal/nodetest"
)

// handset is a paired phone: the device command, and where it keeps its key.
type handset struct {
	*caller
	state string
}

// pairs becomes a phone during a sign-on: by the picture, or where there are no
// scripts, by the key below it.
func (c *caller) pairs() handset {
	c.Helper()
	h := handset{c, filepath.Join(c.TempDir(), "devices.json")}
	c.journey()
	c.names()
	c.page("Add a second step")
	c.chooses("App on your phone")
	c.page("Pair your phone")
	if c.noScript {
		c.Follow("main a.button")
		c.page("Pair your phone") // nothing has happened yet
		h.device("pair", c.Text("#key"), "--environment", c.node.Base+"/"+nodetest.Env)
		c.Follow("main a.button")
	} else {
		c.Leads(func() { h.device("pair", c.scans()) })
	}
	c.arrived("Multi_Factor", "pwd", "swk", "mfa")
	return h
}

// device runs the device command.
func (h handset) device(args ...string) string {
	h.Helper()
	out := &bytes.Buffer{}
	cmd := exec.CommandContext(h.Context(), nodetest.Binary(h.T), append([]string{"device", "--state", h.state}, args...)...)
	cmd.Env, cmd.Stdout, cmd.Stderr = []string{"HOME=" + filepath.Dir(h.state)}, out, out
	if err := cmd.Run(); err != nil {
		h.Fatalf("doorward device %s: %v: %s", args, err, out)
	}
	return out.String()
}

// asked signs on as far as the phone has to answer, and returns the number to choose.
func (h handset) asked() string {
	h.Helper()
	h.journey()
	h.names()
	h.page("Look at your phone")
	return h.Text(".number")
}

// answers answers on the phone, and waits for the page to know.
func (h handset) answers(args ...string) string {
	h.Helper()
	var said string
	answer := func() { said = h.device(append([]string{"watch", "--once"}, args...)...) }
	if h.noScript {
		h.Follow("main a.button")
		h.page("Look at your phone")
		answer()
		h.Follow("main a.button")
	} else {
		h.Leads(answer)
	}
	return said
}

// playsPhone pairs a phone, approves a sign-on with it, lets another one go by, and
// has it sent again; then, offline, it shows a code.
func (c *caller) playsPhone() {
	h := c.pairs()
	c.leaves()
	if said := h.answers("--approve", "--number", h.asked()); !strings.Contains(said, "approved") || !strings.Contains(said, "as "+c.name) {
		c.Errorf("the phone says %s", said)
	}
	c.arrived("Multi_Factor", "pwd", "swk", "mfa")
	c.leaves()
	h.asked()
	c.expires()
	c.page("There was no answer")
	c.Follow(primary)
	c.page("Look at your phone")
	h.answers("--approve", "--number", c.Text(".number"))
	c.arrived("Multi_Factor", "pwd", "swk", "mfa")
	c.leaves()
	h.asked()
	c.expires()
	c.page("There was no answer")
	c.presses("Your phone is offline? Enter the code that the app shows")
	c.page("Enter the code")
	shown, _, _ := strings.Cut(h.device("code"), " ")
	c.code(other(shown))
	c.refused("That code is not right")
	c.code(shown)
	c.arrived("Multi_Factor", "pwd", "otp", "mfa")
}

// expires lets the time pass that a phone has for its answer.
func (c *caller) expires() {
	c.Helper()
	pass := func() {
		db, err := sql.Open("sqlite", "file:"+filepath.Join(c.node.Data, "doorward.db")+"?_pragma=busy_timeout(5000)")
		if err != nil {
			c.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		r, err := db.ExecContext(c.Context(), `UPDATE pushes SET expires_at = $1 WHERE user_id = $2 AND state = 'PENDING'`, time.Now().UnixMilli()-1, c.id)
		if err != nil {
			c.Fatal(err)
		}
		if n, _ := r.RowsAffected(); n != 1 {
			c.Fatalf("%d pushes wait", n)
		}
	}
	if c.noScript {
		pass()
		c.Follow("main a.button")
		return
	}
	c.Leads(pass)
}

// playsRefusal rejects one sign-on, and chooses the wrong number for another: both
// end there.
func (c *caller) playsRefusal() {
	h := c.pairs()
	c.leaves()
	for want, args := range map[string]func(number string) []string{
		"rejected": func(string) []string { return []string{"--reject"} },
		"rejected: that is not the number that the sign-on shows": func(number string) []string { return []string{"--approve", "--number", other(number)} },
	} {
		if said := h.answers(args(h.asked())...); !strings.Contains(said, want) {
			c.Errorf("the phone says %s", said)
		}
		c.page("We could not sign you on")
		c.says("The sign-on was refused on the phone. If it was not you, change your password.")
		c.Follow(primary)
		if got := c.Text("#error"); got != "access_denied" {
			c.Errorf("the application is told %s", got)
		}
	}
}
