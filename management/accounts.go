package management

import (
	"net/http"
	"time"

	"doorward/directory"
	"doorward/runtime/flow"
)

// accountActions are what can be done with an account, by POST and media type.
// Source: reference/management.md 5.3.
func accountActions() []operation {
	var out []operation
	for _, a := range []struct {
		name string
		run  func(c *call) (*answer, error)
	}{
		{"account.lock", lockAccount},
		{"account.unlock", unlockAccount},
		{"user.verify", verifyUser},
		{"user.sendVerificationCode", sendVerificationCode},
	} {
		out = append(out, operation{method: http.MethodPost, access: identities, types: action(a.name), run: a.run})
	}
	return out
}

// showUserNow is the answer to an action: the user as it is then.
func (c *call) showUserNow() (*answer, error) {
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	return ok(c.showUser(&u))
}

// about records what was done to a user.
func (c *call) about(user string, e flow.EventType) {
	c.api.record(c, flow.Event{Type: e, User: user, Reason: "management"})
}

type lockInput struct {
	UnlockAt string `json:"unlockAt" max:"64"`
}

// lockAccount locks until a time, or without one until somebody unlocks the
// account. A time that is over locks nothing, as documented.
func lockAccount(c *call) (*answer, error) {
	in, err := input[lockInput](c)
	if err != nil {
		return nil, err
	}
	var until time.Time
	if in.UnlockAt != "" {
		var err error
		if until, err = time.Parse(time.RFC3339, in.UnlockAt); err != nil {
			return nil, flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: "unlockAt", Pointer: "/unlockAt", Message: "unlockAt takes a time: 2030-01-31T12:00:00Z."})
		}
	}
	if in.UnlockAt != "" && !until.After(c.api.Now()) {
		return c.showUserNow()
	}
	id := c.PathValue("id")
	if err := c.api.Users.Lock(c.Context(), c.env, id, until); err != nil {
		return nil, absent(err)
	}
	c.about(id, flow.UserLocked)
	return c.showUserNow()
}

// unlockAccount lifts the lock of an account, and that of its devices together.
// Source: reference/management.md 5.3.
func unlockAccount(c *call) (*answer, error) {
	if _, err := input[struct{}](c); err != nil {
		return nil, err
	}
	id := c.PathValue("id")
	if err := c.api.Users.Unlock(c.Context(), c.env, id); err != nil {
		return nil, absent(err)
	}
	if err := c.api.Devices.UnlockAccount(c.Context(), c.env, id); err != nil {
		return nil, unserved(err)
	}
	c.about(id, flow.UserUnlocked)
	return c.showUserNow()
}

type verifyInput struct {
	Code string `json:"verificationCode" required:"true" max:"64"`
}

func verifyUser(c *call) (*answer, error) {
	in, err := input[verifyInput](c)
	if err != nil {
		return nil, err
	}
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	v, err := c.api.Accounts.Verify(c.Context(), directory.Verification{Env: c.env, UserID: u.ID, Code: in.Code})
	if err != nil {
		return nil, unserved(err)
	}
	if !v.OK {
		c.about(u.ID, flow.VerifyRefused)
		return nil, flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: "verificationCode", Pointer: "/verificationCode", Message: "The code is wrong or no longer valid. Check it, or send a new one."})
	}
	c.about(u.ID, flow.UserVerified)
	return c.showUserNow()
}

func sendVerificationCode(c *call) (*answer, error) {
	if _, err := input[struct{}](c); err != nil {
		return nil, err
	}
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	message := ""
	switch {
	case !u.Unverified:
		message = "The user's address needs no verification."
	case u.Email == "":
		message = "The user has no mail address to send a code to."
	case !u.Enabled || locked(&u, c.api.Now()):
		return nil, failed(flow.Detail{Code: flow.AccountNotUsable, Message: "The account is disabled or locked; enable or unlock it first."})
	}
	if message != "" {
		return nil, failed(flow.Detail{Code: flow.ConstraintViolation, Message: message})
	}
	if err := c.sendVerification(u.ID); err != nil {
		return nil, err
	}
	return ok(c.showUser(&u))
}

// sendVerification mails a code. Which languages count is the user's to say: the
// caller is no person.
func (c *call) sendVerification(user string) error {
	if _, err := c.api.Accounts.SendVerification(c.Context(), directory.Send{Env: c.env, UserID: user}); err != nil {
		return unserved(err)
	}
	c.verificationSent(user)
	return nil
}

// verificationSent has the mail delivered, and says so in the audit log.
func (c *call) verificationSent(user string) {
	c.api.Posted()
	c.about(user, flow.VerificationSent)
}
