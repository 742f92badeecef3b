package demo

import (
	"sync"
	"time"
)

// maxSessions is how many people the demo remembers; past it the oldest is
// forgotten.
const maxSessions = 1000

// session is what the demo learnt of one person.
type session struct {
	IDToken  table
	UserInfo table
	raw      string // the id token itself, as a hint when it ends
	endsAt   time.Time
}

// table is claims as a page shows them.
type table struct {
	Title, ID string
	Rows      []claim
}

type claim struct{ Name, Value string }

// sessions are the people signed on to the demo, by cookie value.
type sessions struct {
	now  func() time.Time
	mu   sync.Mutex
	byID map[string]session
}

func (s *sessions) start(one session) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	var oldest string
	for id, old := range s.byID {
		if !now.Before(old.endsAt) {
			delete(s.byID, id)
		} else if oldest == "" || old.endsAt.Before(s.byID[oldest].endsAt) {
			oldest = id
		}
	}
	if len(s.byID) >= maxSessions {
		delete(s.byID, oldest)
	}
	one.endsAt = now.Add(sessionLife)
	id := random()
	s.byID[id] = one
	return id
}

func (s *sessions) find(id string) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one, ok := s.byID[id]
	return one, ok && s.now().Before(one.endsAt)
}

// end forgets a session and returns what it was.
func (s *sessions) end(id string) (session, bool) {
	one, ok := s.find(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, id)
	return one, ok
}
