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

// several reports whether f holds more than one class.
func (f Factor) several() bool { return f&(f-1) != 0 }

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
	Method        string // the authenticator as sessions and conditions name it: pwd, email, fido2, ...; empty: they do not count it
	AMR           string // its RFC 8176 value
	Authenticator string // which authenticator, e.g. "password" or a device id
	Address       string // the channel address a code went to, if any
	At            time.Time
	Origin        Origin
}

// PasswordProof is that of a password, checked or set just now. However often and
// wherever it is taken, it is one authenticator.
func PasswordProof(subject string, at time.Time) Proof {
	return Proof{Subject: subject, Factors: Knowledge, Method: "pwd", AMR: "pwd", Authenticator: "password", At: at, Origin: FromFlow}
}

// Need is one thing that must be proven.
type Need struct {
	Factors   Factor
	NotBefore time.Time // zero: any time
}

// Demand is what an execution has to prove before anything is issued. It is
// never empty in effect: one authentication of the subject is always needed, but
// where it is Vouched.
type Demand struct {
	Needs     []Need
	NotBefore time.Time // of every proof that counts; from prompt=login and max_age
	ACR       string    // name of the policy being served
	// Vouched says that an application answers for the subject, and that the policy
	// lets those of its users pass whom it could ask for nothing. Then Needs is all
	// that is needed, as long as nothing is said of when. Source:
	// reference/management.md 4.3, noDevicesMode.
	Vouched bool
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
// A proof counts when it is the subject's, was not taken in the future (beyond
// Skew), and is young enough. Every need must be covered by a proof, and no two
// of the covering proofs may share an authenticator or an address: such proofs
// count once. One proof may carry several classes (a passkey with user
// verification). More proofs never spoil what fewer have satisfied.
func (l Ledger) Satisfies(d Demand, subject string, now time.Time) bool {
	if subject == "" {
		return false
	}
	var counting Ledger
	for _, p := range l {
		if p.Subject == subject && p.Factors != 0 && !p.At.After(now.Add(Skew)) && !p.At.Before(d.NotBefore) {
			counting = append(counting, p)
		}
	}
	spared := d.Vouched && d.NotBefore.IsZero()
	return (len(counting) > 0 || spared) && counting.cover(d.Needs, nil)
}

// cover tries every choice of a proof for each need. Executions hold a handful
// of both, so the tree is small.
func (l Ledger) cover(needs []Need, taken Ledger) bool {
	if len(needs) == 0 {
		return true
	}
	for _, p := range l {
		if !p.meets(needs[0].Factors) || p.At.Before(needs[0].NotBefore) {
			continue
		}
		if !slices.Contains(taken, p) && slices.ContainsFunc(taken, p.sameSource) {
			continue
		}
		if l.cover(needs[1:], append(taken[:len(taken):len(taken)], p)) {
			return true
		}
	}
	return false
}

// meets reports whether p proves all that is wanted. A multi-factor authenticator has
// been unlocked by what the person knows or is, and does not say by which: it stands
// for a password as well. Source: NIST SP 800-63B-4 3.1.6, 3.1.7.
func (p Proof) meets(want Factor) bool {
	return p.Factors.Has(want) || want == Knowledge && p.Factors.several()
}

// sameSource reports whether p and q may be one act of the person.
func (p Proof) sameSource(q Proof) bool {
	return p.Authenticator == q.Authenticator || (p.Address != "" && p.Address == q.Address)
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

// Since returns the proofs that were not taken before t.
func (l Ledger) Since(t time.Time) Ledger {
	return slices.DeleteFunc(slices.Clone(l), func(p Proof) bool { return p.At.Before(t) })
}

// Last is the time of the youngest proof made by method, or by any when method
// is empty; zero when there is none. "mfa" is every authenticator that the person
// has; "pwd" is also one that stands for a password. Source: reference/flows.md 11.2.
func (l Ledger) Last(method string) time.Time {
	var t time.Time
	for _, p := range l {
		if p.by(method) && p.At.After(t) {
			t = p.At
		}
	}
	return t
}

func (p Proof) by(method string) bool {
	switch method {
	case "", p.Method:
		return true
	case MultiFactor:
		return p.Method != "" && p.Factors.Has(Possession)
	case "pwd":
		return p.Factors.several()
	}
	return false
}

// MultiFactor is the RFC 8176 value of proofs of several factor classes.
const MultiFactor = "mfa"

// AMR lists the RFC 8176 values of the proofs, each once, in the order taken, and
// MultiFactor behind them where they are of several classes and no two of these are
// one act. What an external provider asserts is not ours to repeat.
func (l Ledger) AMR() []string {
	var out []string
	var own Ledger
	for _, p := range l {
		if p.AMR == "" || p.Origin == FromIDP {
			continue
		}
		own = append(own, p)
		if !slices.Contains(out, p.AMR) {
			out = append(out, p.AMR)
		}
	}
	if own.multiFactor() {
		out = append(out, MultiFactor)
	}
	return out
}

// multiFactor reports whether one proof has several factor classes, or two of one
// subject, and not of one source, have different ones.
func (l Ledger) multiFactor() bool {
	for i, p := range l {
		if p.Factors.several() {
			return true
		}
		for _, q := range l[:i] {
			if p.Subject == q.Subject && !p.sameSource(q) && p.Factors != q.Factors {
				return true
			}
		}
	}
	return false
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
