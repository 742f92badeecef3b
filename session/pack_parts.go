package session

import (
	"time"

	"doorward/runtime/flow"
)

// Lengths of the arrays.
const (
	lenSubject = 6
	lenProof   = 8
	lenFault   = 5
	lenDetail  = 5
	lenDetail1 = 4 // of one before it had a pointer
	lenFailure = 4
	lenFailed1 = 2 // of a failure before it had details
)

func (p *packer) subject(s *flow.Subject) {
	p.list(lenSubject)
	p.name(s.ID)
	p.str(s.Username)
	p.str(s.Given)
	p.str(s.Family)
	p.name(s.Population)
	p.str(s.Locales)
}

func (u *unpacker) subject(s *flow.Subject) {
	if u.tuple(lenSubject) {
		s.ID, s.Username, s.Given, s.Family = u.name(), u.str(), u.str(), u.str()
		s.Population, s.Locales = u.name(), u.str()
	}
}

func (p *packer) ledger(l flow.Ledger) {
	p.list(len(l))
	for i := range l {
		p.list(lenProof)
		p.name(l[i].Subject)
		p.uint(uint64(l[i].Factors))
		p.str(l[i].Method)
		p.str(l[i].AMR)
		p.name(l[i].Authenticator)
		p.str(l[i].Address)
		p.time(l[i].At)
		p.uint(uint64(l[i].Origin))
	}
}

func (u *unpacker) ledger() flow.Ledger {
	var l flow.Ledger
	for range u.list(maxItems) {
		if u.tuple(lenProof) {
			l = append(l, flow.Proof{
				Subject: u.name(), Factors: flow.Factor(u.small()), Method: u.str(), AMR: u.str(),
				Authenticator: u.name(), Address: u.str(), At: u.time(), Origin: flow.Origin(u.small()),
			})
		}
	}
	return l
}

// fault writes what a client is told again. View is made anew for each answer and
// Err is for the log: neither is kept.
func (p *packer) fault(f *flow.Fault) {
	if f == nil {
		p.null()
		return
	}
	p.list(lenFault)
	p.str(string(f.Code))
	p.str(f.Message)
	p.details(f.Details)
	p.int(int64(f.RetryAfter))
	p.bool(f.Restart)
}

func (u *unpacker) fault() *flow.Fault {
	if u.null() || !u.tuple(lenFault) {
		return nil
	}
	f := &flow.Fault{Code: flow.Code(u.str()), Message: u.str(), Details: u.details()}
	f.RetryAfter = time.Duration(u.int())
	f.Restart = u.bool()
	return f
}

func (p *packer) details(list []flow.Detail) {
	p.list(len(list))
	for i := range list {
		d := &list[i]
		p.list(lenDetail)
		p.str(d.Code)
		p.str(d.Target)
		p.str(d.Message)
		p.list(2 * len(d.Inner))
		for _, key := range sorted(d.Inner) {
			p.str(key)
			p.value(d.Inner[key])
		}
		p.str(d.Pointer)
	}
}

func (u *unpacker) details() (list []flow.Detail) {
	for range u.list(maxItems) {
		n := u.list(lenDetail)
		if n < lenDetail1 {
			u.keep(errDamaged)
			return nil
		}
		d := flow.Detail{Code: u.str(), Target: u.str(), Message: u.str(), Inner: u.inner()}
		if n == lenDetail {
			d.Pointer = u.str()
		}
		list = append(list, d)
	}
	return list
}

func (u *unpacker) inner() map[string]any {
	n := u.list(maxItems)
	if n%2 != 0 {
		u.keep(errDamaged)
	}
	if n == 0 || u.err != nil {
		return nil
	}
	inner := make(map[string]any, n/2)
	for range n / 2 {
		key := u.str()
		inner[key] = u.value()
	}
	return inner
}

func (p *packer) failure(f *flow.Failure) {
	if f == nil {
		p.null()
		return
	}
	p.list(lenFailure)
	p.str(f.Code)
	p.str(f.Message)
	p.details(f.Details)
	p.str(f.HTML)
}

func (u *unpacker) failure() *flow.Failure {
	if u.null() {
		return nil
	}
	n := u.list(lenFailure)
	if n < lenFailed1 {
		u.keep(errDamaged)
		return nil
	}
	f := &flow.Failure{Code: u.str(), Message: u.str()}
	if n == lenFailure {
		f.Details, f.HTML = u.details(), u.str()
	}
	return f
}
