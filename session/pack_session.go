package session

import "doorward/runtime/flow"

// sessionFormat is the format of sessions that is written and read.
const sessionFormat = 1

// Lengths of the arrays.
const (
	lenSession  = 10
	lenReplaced = 2
)

func (p *packer) session(s *flow.Session) {
	p.list(lenSession)
	p.uint(sessionFormat)
	p.name(s.ID)
	p.subject(&s.User)
	p.ledger(s.Proofs)
	p.time(s.CreatedAt)
	p.time(s.ActiveAt)
	p.time(s.ExpiresAt)
	p.str(s.RemoteIP)
	p.str(s.UserAgent)
	p.list(len(s.Replaced))
	for _, r := range s.Replaced {
		p.list(lenReplaced)
		p.digest(r.Hash)
		p.time(r.At)
	}
}

func (u *unpacker) session(s *flow.Session) {
	n := u.list(maxItems)
	u.format(1, sessionFormat)
	if n != lenSession {
		u.keep(errDamaged)
	}
	s.ID = u.name()
	u.subject(&s.User)
	s.Proofs = u.ledger()
	s.CreatedAt, s.ActiveAt, s.ExpiresAt = u.time(), u.time(), u.time()
	s.RemoteIP = u.str()
	s.UserAgent = u.str()
	for range u.list(maxItems) {
		if u.tuple(lenReplaced) {
			s.Replaced = append(s.Replaced, flow.Replaced{Hash: u.digest(), At: u.time()})
		}
	}
}
