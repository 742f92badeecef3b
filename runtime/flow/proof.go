package flow

import (
	"slices"
	"time"
)

// Factor is a set of authentication factor classes. Source: NIST SP 800-63B-4
// section 2.
type Factor uint8

// The three classes.
const (
	Knowledge  Factor = 1 << iota // something only the person knows
	Possession                    // something only the person has
	Inherence                     // something the person is
)

// Has reports whether f holds every class of want.
func (f Factor) Has(want Factor) bool { return f&want == want }

// Origin says where a proof was taken.
type Origin uint8

// The origins.
const (
	FromFlow    Origin = iota // by a step of this execution
	FromSession               // copied from the browser's session, with its own time
	FromIDP                   // asserted by an external identity provider
)

// Proof is one successful authentication of a subject. Only a step kind makes
// one.
type Proof struct {
	Subject       string // user id
	Factors       Factor
	Method        string // the authenticator as sessions and conditions name it: pwd, mfa, email, ...
	AMR           string // its RFC 8176 value
	Authenticator string // which authenticator, e.g. "password" or a device id
	Address       string // the channel address a code went to, if any
	At            time.Time
	Origin        Origin
}

// Need is one thing that must be proven.
type Need struct {
	Factors   Factor
	NotBefore time.Time // zero: any time
}

// Demand is what an execution has to prove before anything is issued. It is
// never empty in effect: one authentication of the subject is always needed.
type Demand struct {
	Needs     []Need
	NotBefore time.Time // of every proof that counts; from prompt=login and max_age
	ACR       string    // name of the policy being served
}

// Add records a need once.
func (d *Demand) Add(n Need) {
	if !slices.Contains(d.Needs, n) {
		d.Needs = append(d.Needs, n)
	}
}

// Ledger is the proofs an execution holds.
type Ledger []Proof

// Satisfies is the only judge: it reports whether the proofs of subject meet the
// demand at now. It is asked before any code, session or token is issued.
//
// A proof counts when it is the subject's, was not taken in the future (beyond Skew), and is
// young enough. Proofs by one authenticator or to one address count once: of
// each such group one proof is taken, and the taken ones must cover every need.
// One proof may carry several classes (a passkey with user verification).
func (l Ledger) Satisfies(d Demand, subject string, now time.Time) bool {
	if subject == "" {
		return false
	}
	var groups []Ledger
	for _, p := range l {
		if p.Subject != subject || p.Factors == 0 || p.At.After(now.Add(Skew)) || p.At.Before(d.NotBefore) {
			continue
		}
		groups = join(groups, p)
	}
	return len(groups) > 0 && covered(groups, d.Needs, nil)
}

// join puts p into the group it shares an authenticator or an address with,
// merging groups that p connects.
func join(groups []Ledger, p Proof) []Ledger {
	mine := Ledger{p}
	rest := groups[:0:0]
	for _, g := range groups {
		if slices.ContainsFunc(g, func(q Proof) bool {
			return q.Authenticator == p.Authenticator || (p.Address != "" && q.Address == p.Address)
		}) {
			mine = append(mine, g...)
		} else {
			rest = append(rest, g)
		}
	}
	return append(rest, mine)
}

// covered tries every choice of one proof per group. Executions hold a handful
// of proofs, so the tree is small.
func covered(groups []Ledger, needs []Need, taken Ledger) bool {
	if len(groups) == 0 {
		for _, n := range needs {
			if !slices.ContainsFunc(taken, func(p Proof) bool {
				return p.Factors.Has(n.Factors) && !p.At.Before(n.NotBefore)
			}) {
				return false
			}
		}
		return true
	}
	for _, p := range groups[0] {
		if covered(groups[1:], needs, append(taken[:len(taken):len(taken)], p)) {
			return true
		}
	}
	return false
}

// Of returns the proofs of one subject.
func (l Ledger) Of(subject string) Ledger {
	var out Ledger
	for _, p := range l {
		if p.Subject == subject && subject != "" {
			out = append(out, p)
		}
	}
	return out
}

// Last is the time of the youngest proof made by method, or by any when method
// is empty; zero when there is none.
func (l Ledger) Last(method string) time.Time {
	var t time.Time
	for _, p := range l {
		if (method == "" || p.Method == method) && p.At.After(t) {
			t = p.At
		}
	}
	return t
}

// AMR lists the RFC 8176 values of the proofs, each once, in the order taken.
// What an external provider asserts is not ours to repeat.
func (l Ledger) AMR() []string {
	var out []string
	for _, p := range l {
		if p.AMR != "" && p.Origin != FromIDP && !slices.Contains(out, p.AMR) {
			out = append(out, p.AMR)
		}
	}
	return out
}

// Youngest keeps, for each authenticator and address, only the youngest proof:
// what a session needs to remember.
func (l Ledger) Youngest() Ledger {
	var out Ledger
	for _, p := range l {
		i := slices.IndexFunc(out, func(q Proof) bool {
			return q.Authenticator == p.Authenticator && q.Address == p.Address && q.Method == p.Method
		})
		switch {
		case i < 0:
			out = append(out, p)
		case p.At.After(out[i].At):
			out[i] = p
		}
	}
	return out
}
