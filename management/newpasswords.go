package management

import (
	"errors"
	"fmt"

	"doorward/directory"
	"doorward/directory/hash"
	"doorward/runtime/flow"
)

type recoverInput struct {
	Code     string `json:"recoveryCode" required:"true" max:"64"`
	Password string `json:"newPassword" type:"password" required:"true" max:"1024"`
}

func recoverPassword(c *call, u *directory.User) error {
	in, err := input[recoverInput](c)
	if err != nil {
		return err
	}
	v, err := c.api.Accounts.Recover(c.Context(), directory.Recovering{Env: c.env, UserID: u.ID, Code: in.Code, Password: in.Password})
	if err != nil {
		return err
	}
	return c.changed(u, v, "newPassword", flow.PasswordRecovered, flow.RecoverRefused)
}

type resetInput struct {
	Current  string `json:"currentPassword" type:"password" required:"true" max:"1024"`
	Password string `json:"newPassword" type:"password" required:"true" max:"1024"`
}

// resetPassword is the change that a person makes, with the password in use;
// without it, an administrator sets one.
func resetPassword(c *call, u *directory.User) error {
	in, err := input[resetInput](c)
	if err != nil {
		return err
	}
	if err := c.usable(u, false); err != nil {
		return err
	}
	v, err := c.api.Accounts.ChangePassword(c.Context(), directory.Change{Env: c.env, UserID: u.ID, Current: in.Current, Password: in.Password})
	if err != nil {
		return err
	}
	return c.changed(u, v, "newPassword", flow.PasswordChanged, flow.ChangeRefused)
}

// changed is what setting a password came to, which stood in the named member.
func (c *call) changed(u *directory.User, v directory.Changed, member string, done, refused flow.EventType) error {
	if v.Result != directory.Done {
		c.about(u.ID, refused)
	}
	wrong := func(name, message string) error {
		return flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: name, Pointer: "/" + name, Message: message})
	}
	switch v.Result {
	case directory.Done:
		c.api.Posted()
		c.about(u.ID, done)
		return nil
	case directory.WrongCode:
		return wrong("recoveryCode", "The code is wrong or no longer valid. Check it, or send a new one.")
	case directory.WrongPassword:
		return wrong("currentPassword", "The current password is wrong.")
	case directory.Locked:
		return failed(flow.Locked("currentPassword", v.UnlockIn))
	case directory.Unsatisfying:
		d := flow.Unsatisfied(member, v.Unsatisfied)
		d.Pointer = "/" + member
		return flow.Invalid(d)
	case directory.TooYoung:
		return flow.Invalid(flow.Detail{
			Code: flow.ConstraintViolation, Target: member, Pointer: "/" + member, Inner: map[string]any{"secondsUntilChange": seconds(v.UnlockIn)},
			Message: "The password was changed a short time ago and cannot be changed again yet.",
		})
	case directory.NotAllowed:
		return disabled()
	}
	return fmt.Errorf("password with result %q", v.Result)
}

type setInput struct {
	Value string `json:"value" type:"password" required:"true" max:"1024"`
	Force bool   `json:"forceChange"`
}

// setPassword gives a password, in clear or as it was hashed elsewhere.
func setPassword(c *call, u *directory.User) error {
	in, err := input[setInput](c)
	if err != nil {
		return err
	}
	v, err := c.api.Accounts.SetPassword(c.Context(), directory.PasswordSetting{Env: c.env, UserID: u.ID, Value: in.Value, ForceChange: in.Force})
	switch {
	case errors.Is(err, directory.ErrExternal):
		return keptElsewhere()
	case errors.Is(err, hash.ErrForm), errors.Is(err, hash.ErrCost):
		return flow.Invalid(hashFault("value", err))
	case err != nil:
		return err
	}
	return c.changed(u, v, "value", flow.PasswordChanged, flow.ChangeRefused)
}

// forceChange lets the user sign on once more with the password in use, to change
// it.
func forceChange(c *call, u *directory.User) error {
	if _, err := input[struct{}](c); err != nil {
		return err
	}
	err := c.api.Accounts.ForceChange(c.Context(), c.env, u.ID)
	switch {
	case errors.Is(err, directory.ErrExternal):
		return keptElsewhere()
	case errors.Is(err, directory.ErrNoPassword):
		return noPassword()
	case err != nil:
		return err
	}
	c.api.record(c, flow.Event{Type: flow.ManagementUpdated, User: u.ID, Reason: "user.password " + u.ID})
	return nil
}

// unlockPassword forgets wrong passwords and the lock that they led to.
func unlockPassword(c *call, u *directory.User) error {
	if _, err := input[struct{}](c); err != nil {
		return err
	}
	if err := c.api.Accounts.UnlockPassword(c.Context(), c.env, u.ID); err != nil {
		return err
	}
	c.about(u.ID, flow.PasswordUnlocked)
	return nil
}
