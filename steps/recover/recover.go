// Package recover is the step kind RECOVER: whoever forgot the password gets a
// code by mail, and sets a new password with it.
package recover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"doorward/runtime/flow"
)

// Recoveries sends recovery codes and takes them. Both cost the same for every
// name, also one that is nobody's; an error says that nothing was done.
type Recoveries interface {
	// Start sends a code to the owner of the account when it may be recovered;
	// the code before it is void. It returns the user's id, empty for nobody's.
	Start(ctx context.Context, r Request) (userID string, err error)
	// Recover sets the password of whose code it is. Every try counts against
	// the code, and is judged before the password is.
	Recover(ctx context.Context, a Attempt) (Verdict, error)
}

// Request asks for a code: for UserID when the flow knows who signs on, else for
// Username, with the UserID that an earlier Start found for it.
type Request struct {
	Env      string
	UserID   string
	Username string // as typed
	Locales  string // flow.Turn.Locales
	Flow     string // execution id
	Effect   string // flow.Turn.Effect: the same request sends once
}

// Attempt is one code with the password to be set, for whom Request was.
type Attempt struct {
	Env      string
	UserID   string
	Username string
	Code     string
	Password string
	Effect   string
	At       time.Time // what was proven before no longer counts
}

// Verdict is what came of an attempt.
type Verdict struct {
	Result      Result
	Subject     flow.Subject // of Recovered
	Address     string       // of Recovered: where the code went
	Unsatisfied []string     // of Unsatisfying: the rules that the password breaks
}

// Result is one of the ends of an attempt.
type Result uint8

// The results. The zero Result is none of them.
const (
	Recovered    Result = iota + 1
	WrongCode           // or one that is void, or of somebody who may not recover
	Unsatisfying        // right code; the password breaks rules, nothing was changed
	TooYoung            // right code; the password may not be changed so soon again
)

// The statuses. Source: reference/flows.md 3.1.
const (
	anybody  = "USERNAME_PASSWORD_REQUIRED"
	unnamed  = "SIGN_ON_REQUIRED"
	bound    = "PASSWORD_REQUIRED"
	linking  = "ACCOUNT_LINKING_REQUIRED"
	required = "RECOVERY_CODE_REQUIRED"
)

// tries is how many wrong codes void one. Source: reference/flows.md 5.4.
const tries = 5

// Kind is the step kind.
type Kind struct{ recoveries Recoveries }

// New makes the kind.
func New(recoveries Recoveries) *Kind { return &Kind{recoveries} }

// Meta describes the kind.
func (k *Kind) Meta() flow.Meta {
	const forgot, key, label = "password.forgot", "password.forgot.submit", "Forgot your password?"
	return flow.Meta{
		Name:    "RECOVER",
		Doc:     "mails a code to whoever forgot the password, and sets a new one with it",
		Source:  "reference/flows.md 3.1, 4, 5.2, 5.4",
		Results: []string{"RECOVERED"},
		Sends:   true,
		Actions: []flow.Action{
			flow.On("password.recover", k.recover).In(required).Labelled("password.recover.submit", "Set password"),
			flow.On("password.sendRecoveryCode", k.resend).In(required).Every().Labelled("password.sendRecoveryCode.submit", "Send a new code"),
			flow.On(forgot, k.forgot).Opening(anybody, unnamed, linking).Labelled(key, label),
			flow.On(forgot, k.forgotBound).Opening(bound).Labelled(key, label),
		},
		Factors: flow.Knowledge,
	}
}

// Check takes no configuration.
func (*Kind) Check(config json.RawMessage) (any, error) {
	return flow.Unconfigured("RECOVER", config)
}

// Enter sends the code when the execution is led here; through the doors it has
// been sent.
func (k *Kind) Enter(ctx context.Context, t *flow.Turn) (flow.Outcome, error) {
	if t.User.ID == "" && t.Person.Username == "" {
		return flow.Outcome{}, errors.New("RECOVER is entered for nobody")
	}
	return k.send(ctx, t, t.Person.Username)
}

// Show names the default password policy, whoever is meant: that of the
// account's own population would tell that there is an account.
func (*Kind) Show(*flow.Turn) flow.Show { return flow.Show{} }

type somebody struct {
	Username string `json:"username" required:"true" max:"128" autocomplete:"username" label:"recover.username.label=Username"`
}

func (k *Kind) forgot(ctx context.Context, t *flow.Turn, in somebody) (flow.Outcome, error) {
	return k.send(ctx, t, in.Username)
}

type known struct {
	Username string `json:"username" max:"128" autocomplete:"username" label:"recover.username.label=Username"`
}

// forgotBound is for whom the flow is already, known or said to be. Another
// username sends nothing.
func (k *Kind) forgotBound(ctx context.Context, t *flow.Turn, in known) (flow.Outcome, error) {
	who := t.User.Username
	if t.User.ID == "" {
		who = t.Person.Username
	}
	if in.Username != "" && !strings.EqualFold(strings.TrimSpace(in.Username), strings.TrimSpace(who)) {
		return flow.Reject(t.Status, flow.Invalid(flow.Detail{
			Code: flow.InvalidValue, Target: "username",
			Message: "The sign-on is for another user. Leave the username out, or reset the session to recover somebody else's password.",
		})).WithEvent(flow.UsernameMismatch), nil
	}
	return k.send(ctx, t, who)
}

// resend sends a new code to whom the first one was for.
func (k *Kind) resend(ctx context.Context, t *flow.Turn, _ struct{}) (flow.Outcome, error) {
	return k.send(ctx, t, t.Person.Username)
}

// state counts the wrong tries since the last code, for the words alone: what
// counts is counted with the code.
type state struct {
	Wrong int `json:"wrong,omitempty"`
}

// send asks for a code and waits for it, the same way for everybody.
func (k *Kind) send(ctx context.Context, t *flow.Turn, username string) (flow.Outcome, error) {
	r := Request{Env: t.Ref.Env, UserID: t.User.ID, Locales: t.Locales, Flow: t.Ref.ID, Effect: t.Effect()}
	if r.UserID == "" {
		r.UserID, r.Username = t.Person.UserID, username
	}
	id, err := k.recoveries.Start(ctx, r)
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("start recovery: %w", err))
	}
	out := flow.Wait(required).WithEvent(flow.RecoverySent)
	if id == "" {
		out = flow.Wait(required).WithEvent(flow.RecoverRefused)
	}
	if t.User.ID == "" {
		out = out.WithCandidate(flow.Candidate{Username: username, UserID: id})
	}
	return out, t.Keep(state{})
}

type renewal struct {
	Code     string `json:"recoveryCode" required:"true" max:"32" type:"code" autocomplete:"one-time-code" label:"recover.code.label=Recovery code"`
	Password string `json:"newPassword" required:"true" max:"255" type:"password" autocomplete:"new-password" label:"recover.newPassword.label=New password"`
}

func (k *Kind) recover(ctx context.Context, t *flow.Turn, in renewal) (flow.Outcome, error) {
	a := Attempt{Env: t.Ref.Env, UserID: t.User.ID, Code: in.Code, Password: in.Password, Effect: t.Effect(), At: t.Now}
	if a.UserID == "" {
		a.UserID, a.Username = t.Person.UserID, t.Person.Username
	}
	v, err := k.recoveries.Recover(ctx, a)
	if err != nil {
		return flow.Outcome{}, flow.Unserved(fmt.Errorf("recover password: %w", err))
	}
	switch v.Result {
	case Recovered:
		return recovered(t, a, v)
	case WrongCode:
		return wrong(t)
	case Unsatisfying:
		return reject(flow.Unsatisfied("newPassword", v.Unsatisfied)), nil
	case TooYoung:
		return reject(flow.Detail{
			Code: flow.ConstraintViolation, Target: "newPassword",
			Message: "The password was changed a short time ago and cannot be changed again yet. Sign on with it, or wait.",
		}), nil
	}
	return flow.Outcome{}, fmt.Errorf("password recovery with result %d", v.Result)
}

func wrong(t *flow.Turn) (flow.Outcome, error) {
	s, err := flow.State[state](t)
	if err != nil {
		return flow.Outcome{}, err
	}
	s.Wrong++
	return reject(flow.WrongCode("recoveryCode", s.Wrong, tries)), t.Keep(s)
}

func reject(d flow.Detail) flow.Outcome {
	return flow.Reject(required, flow.Invalid(d)).WithEvent(flow.RecoverRefused)
}

// recovered makes the proof: of knowing the new password, which rests on the
// mailbox that the code went to. A mailbox that opens the account is no second
// factor beside the password that it sets. A store that recovers the password of
// nobody, or of another user than the code was for, is refused here.
func recovered(t *flow.Turn, a Attempt, v Verdict) (flow.Outcome, error) {
	u := v.Subject
	if u.ID == "" || u.ID != a.UserID {
		return flow.Outcome{}, fmt.Errorf("password of user %q recovered for user %q", u.ID, a.UserID)
	}
	proof := flow.PasswordProof(u.ID, t.Now)
	proof.Address = v.Address
	return flow.Result("RECOVERED").WithUser(u).WithProof(proof).WithEvent(flow.PasswordRecovered), nil
}
