package steps_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"doorward/runtime/flow"
	"doorward/steps/change"
	"doorward/steps/password"
	"doorward/steps/recover"
	"doorward/steps/register"
	"doorward/steps/verify"
)

// town is where the people of these tests live: a directory in a map, with the
// answers of the real one and none of its care. It is filled in for all five
// interfaces of the kinds.
type town struct {
	people map[string]*person // by username in lower case
	mail   []letter
	nth    int
}

type person struct {
	flow.Subject
	email, password  string
	state            password.State
	unverified       bool
	recovery, proof  string // codes; empty: none
	since            time.Time
	registered       *register.Registration
	recoveries, sent int
}

// letter is a code on its way; to is empty when it goes to nobody.
type letter struct{ to, code string }

func newTown() *town {
	t := &town{people: map[string]*person{}}
	t.add("ada", "ada@example.com", "correct")
	t.add("bea", "bea@example.com", "correct")
	return t
}

func (t *town) add(username, email, pass string) *person {
	t.nth++
	id := fmt.Sprintf("d0000000-0000-4000-8000-%012d", t.nth)
	p := &person{Subject: flow.Subject{ID: id, Username: username, Population: "d0000000-0000-4000-8000-0000000000b1"}, email: email, password: pass}
	t.people[strings.ToLower(username)] = p
	return p
}

func (t *town) find(id, username string) *person {
	for name, p := range t.people {
		if p.ID == id || id == "" && name == strings.ToLower(strings.TrimSpace(username)) {
			return p
		}
	}
	return nil
}

func (t *town) send(p *person, code *string) {
	t.nth++
	fresh := fmt.Sprintf("CODE%04d", t.nth)
	if p == nil {
		t.mail = append(t.mail, letter{"", fresh})
		return
	}
	*code = fresh
	t.mail = append(t.mail, letter{p.email, fresh})
}

// last is the code of the last letter.
func (t *town) last() string { return t.mail[len(t.mail)-1].code }

func (t *town) Check(_ context.Context, a password.Attempt) (password.Verdict, error) {
	p := t.find(a.UserID, a.Username)
	if p == nil || p.password != a.Password {
		return password.Verdict{Result: password.Refused}, nil
	}
	return password.Verdict{Result: password.Accepted, Subject: p.Subject, State: p.state, Unverified: p.unverified}, nil
}

func (t *town) Change(_ context.Context, a change.Attempt) (change.Verdict, error) {
	p := t.find(a.UserID, "")
	switch {
	case p.password != a.Current:
		return change.Verdict{Result: change.WrongPassword}, nil
	case a.Password == "weak":
		return change.Verdict{Result: change.Unsatisfying, Unsatisfied: []string{"length"}}, nil
	}
	p.password, p.state, p.since = a.Password, password.Current, a.At
	return change.Verdict{Result: change.Changed, Subject: p.Subject, Unverified: p.unverified}, nil
}

func (t *town) Start(_ context.Context, r recover.Request) (string, error) {
	p := t.find(r.UserID, r.Username)
	if p == nil {
		t.send(nil, nil)
		return "", nil
	}
	p.recoveries++
	t.send(p, &p.recovery)
	return p.ID, nil
}

func (t *town) Recover(_ context.Context, a recover.Attempt) (recover.Verdict, error) {
	p := t.find(a.UserID, a.Username)
	switch {
	case p == nil || p.recovery == "" || p.recovery != a.Code:
		return recover.Verdict{Result: recover.WrongCode}, nil
	case a.Password == "weak":
		return recover.Verdict{Result: recover.Unsatisfying, Unsatisfied: []string{"length"}}, nil
	}
	p.password, p.recovery, p.since = a.Password, "", a.At
	return recover.Verdict{Result: recover.Recovered, Subject: p.Subject, Address: p.email}, nil
}

func (t *town) Register(_ context.Context, r register.Registration) (register.Registered, error) {
	switch {
	case r.Password == "weak":
		return register.Registered{Unsatisfied: []string{"length"}}, nil
	case !strings.Contains(r.Email, "@"):
		return register.Registered{Invalid: "email"}, nil
	case t.find("", r.Username) != nil:
		t.send(nil, nil)
		return register.Registered{}, nil
	}
	p := t.add(r.Username, r.Email, r.Password)
	p.Given, p.Family, p.Population, p.unverified, p.registered = r.Given, r.Family, r.Population, true, &r
	t.send(p, &p.proof)
	return register.Registered{Subject: p.Subject}, nil
}

func (t *town) Send(_ context.Context, s verify.Sending) (string, error) {
	if s.UserID == "" {
		t.send(nil, nil)
		return "", nil
	}
	p := t.find(s.UserID, "")
	p.sent++
	t.send(p, &p.proof)
	return p.email, nil
}

func (t *town) Verify(_ context.Context, a verify.Attempt) (verify.Verdict, error) {
	if a.UserID == "" {
		return verify.Verdict{}, nil
	}
	p := t.find(a.UserID, "")
	if p.proof == "" || p.proof != a.Code {
		return verify.Verdict{}, nil
	}
	p.unverified, p.proof = false, ""
	return verify.Verdict{OK: true, Subject: p.Subject}, nil
}

func (t *town) Due(_ context.Context, _, id string) (bool, error) {
	return t.find(id, "").unverified, nil
}

// Standing and Facts are what the engine asks.
func (t *town) Standing(_ context.Context, _, id string) (flow.Standing, error) {
	p := t.find(id, "")
	return flow.Standing{Enabled: p != nil, Since: p.since}, nil
}

func (*town) Facts(context.Context, string, string) (map[string]any, error) { return nil, nil }
