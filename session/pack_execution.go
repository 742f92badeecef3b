package session

import (
	"maps"
	"slices"

	"doorward/runtime/flow"
)

// oldestExecution is the oldest format that is read: the one before flow.Format,
// once there is one.
const oldestExecution = max(1, flow.Format-1)

// Lengths of the arrays.
const (
	lenExecution = 27
	lenForeign   = 28 // of one whose person has signed on elsewhere and is nobody here yet
	lenFormat2   = 26 // of an execution before anybody could be named
	lenJourney   = 7
	lenNeed      = 2
	lenCandidate = 4
	lenRequest   = 8
	lenNamed     = 3
	lenAccount   = 2
	lenMark      = 6
)

// execution writes the body of x: all of it but Ref, which is the key, and
// Version and Binding, which are in the header.
func (p *packer) execution(x *flow.Execution) {
	foreign := x.Foreign != flow.ForeignAccount{}
	if foreign {
		p.list(lenForeign)
	} else {
		p.list(lenExecution)
	}
	p.uint(flow.Format)
	p.digest(x.Plan)
	p.list(len(x.Others))
	for _, d := range x.Others {
		p.digest(d)
	}
	p.str(x.Node)
	p.uint(uint64(x.Attempt))
	p.str(x.Status)
	p.failure(x.Failure)
	p.subject(&x.User)
	p.candidate(&x.Person)
	p.steps(x.Steps)
	p.ledger(x.Proofs)
	p.list(len(x.Demand.Needs))
	for _, n := range x.Demand.Needs {
		p.list(lenNeed)
		p.uint(uint64(n.Factors))
		p.time(n.NotBefore)
	}
	p.time(x.Demand.NotBefore)
	p.str(x.Demand.ACR)
	p.digest(x.Token)
	p.bool(x.Accepted)
	p.uint(x.Rotated)
	p.uint(x.TokenAt)
	p.name(x.SessionID)
	p.digest(x.SessionHash)
	p.mark(&x.Repeat)
	p.request(&x.Request)
	p.time(x.CreatedAt)
	p.time(x.ExpiresAt)
	p.time(x.EndsAt)
	p.journey(x)
	p.named(x)
	if foreign {
		p.list(lenAccount)
		p.name(x.Foreign.Provider)
		p.str(x.Foreign.ID)
	}
}

func (u *unpacker) execution(x *flow.Execution) {
	n := u.list(maxItems)
	x.Format = u.format(oldestExecution, flow.Format)
	if n != lenExecution && n != lenForeign && (x.Format != 2 || n != lenFormat2) {
		u.keep(errDamaged)
	}
	x.Plan = u.digest()
	for range u.list(maxItems) {
		x.Others = append(x.Others, u.digest())
	}
	x.Node = u.str()
	x.Attempt = u.word()
	x.Status = u.str()
	x.Failure = u.failure()
	u.subject(&x.User)
	u.candidate(&x.Person)
	x.Steps = u.steps()
	x.Proofs = u.ledger()
	for range u.list(maxItems) {
		if u.tuple(lenNeed) {
			x.Demand.Needs = append(x.Demand.Needs, flow.Need{Factors: flow.Factor(u.small()), NotBefore: u.time()})
		}
	}
	x.Demand.NotBefore = u.time()
	x.Demand.ACR = u.str()
	x.Token = u.digest()
	x.Accepted = u.bool()
	x.Rotated = u.uint()
	x.TokenAt = u.uint()
	x.SessionID = u.name()
	x.SessionHash = u.digest()
	u.mark(&x.Repeat)
	u.request(&x.Request)
	x.CreatedAt, x.ExpiresAt, x.EndsAt = u.time(), u.time(), u.time()
	u.journey(x)
	if n >= lenExecution {
		u.named(x)
	}
	if n == lenForeign && u.tuple(lenAccount) {
		x.Foreign = flow.ForeignAccount{Provider: u.name(), ID: u.str()}
	}
}

// journey writes what only executions of flow definitions have, and null for
// every other one.
func (p *packer) journey(x *flow.Execution) {
	if len(x.Inputs) == 0 && len(x.Outputs) == 0 && len(x.Secrets) == 0 && !x.Named && x.Return == "" && x.Request.Definition == "" && x.Request.For == "" {
		p.null()
		return
	}
	p.list(lenJourney)
	p.blob(x.Inputs)
	p.steps(x.Outputs)
	p.steps(x.Secrets)
	p.bool(x.Named)
	p.str(x.Return)
	p.name(x.Request.Definition)
	p.name(x.Request.For)
}

func (u *unpacker) journey(x *flow.Execution) {
	if !u.null() && u.tuple(lenJourney) {
		x.Inputs, x.Outputs, x.Secrets = u.blob(), u.steps(), u.steps()
		x.Named, x.Return = u.bool(), u.str()
		x.Request.Definition, x.Request.For = u.name(), u.name()
	}
}

// named writes null where nobody was named when the execution began.
func (p *packer) named(x *flow.Execution) {
	if x.Request.User == (flow.Subject{}) && x.Request.Owner == "" && !x.Demand.Vouched {
		p.null()
		return
	}
	p.list(lenNamed)
	p.subject(&x.Request.User)
	p.name(x.Request.Owner)
	p.bool(x.Demand.Vouched)
}

func (u *unpacker) named(x *flow.Execution) {
	if !u.null() && u.tuple(lenNamed) {
		u.subject(&x.Request.User)
		x.Request.Owner, x.Demand.Vouched = u.name(), u.bool()
	}
}

// format reads a format number from oldest to newest.
func (u *unpacker) format(oldest, newest int64) int {
	n := u.int()
	switch {
	case u.err != nil:
	case n > newest:
		u.keep(flow.ErrNewer)
	case n < oldest:
		u.keep(flow.ErrOlder)
	}
	return int(n)
}

func (p *packer) steps(steps map[string][]byte) {
	p.list(2 * len(steps))
	for _, key := range sorted(steps) {
		p.str(key)
		p.blob(steps[key])
	}
}

// sorted makes equal maps equal bytes.
func sorted[V any](m map[string]V) []string {
	if len(m) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(m))
}

func (u *unpacker) steps() map[string][]byte {
	steps := map[string][]byte{}
	n := u.list(maxItems)
	if n%2 != 0 {
		u.keep(errDamaged)
	}
	for range n / 2 {
		key := u.str()
		steps[key] = u.blob()
	}
	return steps
}

// candidate writes null while nobody is named.
func (p *packer) candidate(c *flow.Candidate) {
	if c.IsZero() {
		p.null()
		return
	}
	p.list(lenCandidate)
	p.str(c.Username)
	p.str(c.Address)
	p.name(c.UserID)
	p.ledger(c.Proofs)
}

func (u *unpacker) candidate(c *flow.Candidate) {
	if !u.null() && u.tuple(lenCandidate) {
		*c = flow.Candidate{Username: u.str(), Address: u.str(), UserID: u.name(), Proofs: u.ledger()}
	}
}

func (p *packer) request(r *flow.Request) {
	p.list(lenRequest)
	p.name(r.Application)
	p.bool(r.PiFlow)
	p.str(r.ReturnTo)
	p.bool(r.Fresh)
	p.int(r.MaxAge)
	p.str(r.LoginHint)
	p.str(r.Locales)
	p.blob(r.Payload)
}

func (u *unpacker) request(r *flow.Request) {
	if u.tuple(lenRequest) {
		*r = flow.Request{
			Application: u.name(), PiFlow: u.bool(), ReturnTo: u.str(), Fresh: u.bool(),
			MaxAge: u.int(), LoginHint: u.str(), Locales: u.str(), Payload: u.blob(),
		}
	}
}

// mark writes null before the first submit.
func (p *packer) mark(m *flow.Mark) {
	if *m == (flow.Mark{}) {
		p.null()
		return
	}
	p.list(lenMark)
	p.digest(m.Submit)
	p.digest(m.Key)
	p.digest(m.Binding)
	p.uint(m.Version)
	p.time(m.At)
	p.fault(m.Fault)
}

func (u *unpacker) mark(m *flow.Mark) {
	if !u.null() && u.tuple(lenMark) {
		*m = flow.Mark{Submit: u.digest(), Key: u.digest(), Binding: u.digest(), Version: u.uint(), At: u.time(), Fault: u.fault()}
	}
}
