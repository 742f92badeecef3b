package management

import (
	"net/http"

	"doorward/directory"
	"doorward/runtime/flow"
)

// passwordRoute is the password of a user.
// Source: reference/management.md 5.4.
func passwordRoute() route {
	put := func(name string, run func(c *call, u *directory.User) error) operation {
		return passwordAction(http.MethodPut, name, run)
	}
	post := func(name string, run func(c *call, u *directory.User) error) operation {
		return passwordAction(http.MethodPost, name, run)
	}
	return route{userPath + "/password", []operation{
		{method: http.MethodGet, access: identities, params: []string{"expand"}, run: readPassword},
		post("password.check", checkPassword),
		post("password.recover", recoverPassword),
		post("password.sendRecoveryCode", sendRecoveryCode),
		post("password.unlock", unlockPassword),
		put("password.set", setPassword),
		put("password.reset", resetPassword),
		put("password.forceChange", forceChange),
		post("password.forceChange", forceChange),
	}}
}

// passwordAction does something with the password of the user that the path
// names, and answers with how the password then stands.
func passwordAction(method, name string, run func(c *call, u *directory.User) error) operation {
	return operation{method: method, access: identities, types: action(name), run: func(c *call) (*answer, error) {
		u, err := c.user()
		if err != nil {
			return nil, err
		}
		if err := run(c, &u); err != nil {
			return nil, absent(err)
		}
		s, err := c.api.Passwords.State(c.Context(), c.env, u.ID)
		if err != nil {
			return nil, absent(err)
		}
		return ok(c.passwordState(&u, s))
	}}
}

// passwordState is how a password stands. Source: reference/management.md 5.4,
// examples/management doc-password-state.
func (c *call) passwordState(u *directory.User, s directory.PasswordStatus) object {
	policy := c.bundle.PasswordPolicy(u.Population)
	self := c.userURL(u.ID) + "/password"
	l := links("self", self, "environment", c.base(), "user", c.userURL(u.ID), "passwordPolicy", c.base()+"/passwordPolicies/"+policy.ID)
	for _, rel := range []string{"password.check", "password.reset", "password.set", "password.recover"} {
		l = l.link(rel, self)
	}
	o := object{
		{"_links", l}, {"environment", relation(c.env)}, {"user", relation(u.ID)}, {"passwordPolicy", relation(policy.ID)}, {"status", s.State},
	}
	o = o.time("lastChangedAt", s.ChangedAt)
	if s.UnlockIn > 0 {
		o = o.with("secondsUntilUnlock", seconds(s.UnlockIn))
	}
	if s.ExpiresIn > 0 {
		o = o.with("warnings", object{}.time("expires", s.ChangedAt.Add(policy.MaxAge)))
	}
	return o
}

func readPassword(c *call) (*answer, error) {
	expand, err := c.oneOf("expand", "passwordPolicy")
	if err != nil {
		return nil, err
	}
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	s, err := c.api.Passwords.State(c.Context(), c.env, u.ID)
	if err != nil {
		return nil, absent(err)
	}
	o := c.passwordState(&u, s)
	if len(expand) > 0 {
		policy, err := c.resource("passwordPolicy", nil, c.bundle.PasswordPolicy(u.Population).ID)
		if err != nil {
			return nil, err
		}
		o = o.with("_embedded", object{{"passwordPolicy", resourcesOf{kindNamed("passwordPolicy")}.show(c, nil, policy)}})
	}
	return ok(o)
}

type checkInput struct {
	Password string `json:"password" type:"password" required:"true" max:"1024"`
}

// checkPassword judges a password as a sign-on does, with the same count of wrong
// ones.
func checkPassword(c *call, u *directory.User) error {
	in, err := input[checkInput](c)
	if err != nil {
		return err
	}
	if err := c.usable(u, true); err != nil {
		return err
	}
	v, err := c.api.Passwords.Check(c.Context(), directory.Check{Env: c.env, UserID: u.ID, Password: in.Password, NoSignOn: true})
	if err != nil {
		return err
	}
	switch v.Result {
	case directory.Accepted:
		c.about(u.ID, flow.PasswordAccepted)
		return nil
	case directory.LockedOut:
		c.about(u.ID, flow.PasswordLocked)
		return failed(flow.Locked("password", v.UnlockIn))
	case directory.Disabled:
		return disabled()
	case directory.Refused:
	}
	c.about(u.ID, flow.PasswordRefused)
	return flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: "password", Pointer: "/password", Message: "The password is wrong."})
}

func disabled() error {
	return failed(flow.Detail{Code: flow.AccountNotUsable, Message: "The account is disabled or locked; enable or unlock it first."})
}

// usable says what keeps a user from using a password: there is none here, it is
// locked by wrong ones, or, unless only the password counts, the account is not
// to be used.
func (c *call) usable(u *directory.User, passwordOnly bool) error {
	s, err := c.api.Passwords.State(c.Context(), c.env, u.ID)
	switch {
	case err != nil:
		return err
	case s.State == directory.StateNone:
		return noPassword()
	case s.State == directory.StateExternal:
		return keptElsewhere()
	case s.State == directory.StateLockedOut:
		return failed(flow.Locked("password", s.UnlockIn))
	case !passwordOnly && (!u.Enabled || locked(u, c.api.Now())):
		return disabled()
	}
	return nil
}

func noPassword() error {
	return failed(flow.Detail{Code: flow.NoPassword, Message: "The user has no password. Send PUT with password.set to give one."})
}

// keptElsewhere is the fault of a password that is kept elsewhere.
// Source: reference/management.md 5.3 (identityProvider).
func keptElsewhere() error {
	return failed(flow.Detail{Code: flow.ConstraintViolation, Message: "An identity provider has the user's password; it is changed there."})
}

// sendRecoveryCode mails a code; see recoverPassword.
func sendRecoveryCode(c *call, u *directory.User) error {
	if _, err := input[struct{}](c); err != nil {
		return err
	}
	if err := c.usable(u, false); err != nil {
		return err
	}
	if u.Email == "" {
		return failed(flow.Detail{Code: flow.ConstraintViolation, Message: "The user has no mail address to send a code to."})
	}
	if _, err := c.api.Accounts.StartRecovery(c.Context(), directory.Recovery{Env: c.env, UserID: u.ID}); err != nil {
		return err
	}
	c.api.Posted()
	c.about(u.ID, flow.RecoverySent)
	return nil
}
