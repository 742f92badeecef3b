package mfa_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/runtime/mfapolicy"
)

// store is what lasts, in memory: it holds the contract of mfa.Store as the directory
// does, for one environment.
type store struct {
	mu         sync.Mutex
	now        func() time.Time
	trusted    map[string]mfa.Browser // by user and digest
	devices    []device.Device
	seeds      map[string][]byte
	steps      map[string]int64
	codes      map[string][][32]byte
	tallies    map[string]*tally
	challenges map[[32]byte]bool
	pushes     map[string]*device.Push
	used       map[string]string // push, by what
	pairings   []device.Pairing
	done       map[string]any // by effect
	notices    []*flow.Message
	compared   int
	made       int
	away       error
}

type tally struct {
	count int
	until time.Time
}

func newStore(now func() time.Time) *store {
	return &store{
		now: now, seeds: map[string][]byte{}, steps: map[string]int64{}, codes: map[string][][32]byte{}, tallies: map[string]*tally{},
		challenges: map[[32]byte]bool{}, pushes: map[string]*device.Push{}, used: map[string]string{}, done: map[string]any{},
	}
}

// once answers the repeat of an effect as the first time.
func once[T any](s *store, kind, effect string, do func() (T, error)) (T, error) {
	if effect == "" {
		return do()
	}
	key := kind + "/" + effect
	if v, is := s.done[key].(T); is {
		return v, nil
	}
	v, err := do()
	if err == nil {
		s.done[key] = v
	}
	return v, err
}

func (s *store) find(userID, id string) (*device.Device, bool) {
	for i := range s.devices {
		if d := &s.devices[i]; d.ID == id && (userID == "" || d.UserID == userID) {
			return d, true
		}
	}
	return nil, false
}

func (s *store) List(_ context.Context, env, userID string) ([]device.Device, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []device.Device
	for _, d := range s.devices {
		if d.UserID == userID && d.Env == env {
			out = append(out, s.shown(d))
		}
	}
	return device.Order(out, nil), s.away
}

// shown is a device with its tally.
func (s *store) shown(d device.Device) device.Device {
	if t := s.tallies["device/"+d.ID]; t != nil {
		d.Wrong, d.LockedUntil = t.count, t.until
	}
	return d
}

func (s *store) Get(_ context.Context, _, userID, id string) (device.Device, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, found := s.find(userID, id); found {
		return s.shown(*d), s.away
	}
	return device.Device{}, flow.ErrUnknown
}

func (s *store) Answering(ctx context.Context, env, userID, id string) (device.Device, error) {
	d, err := s.Get(ctx, env, userID, id)
	if d.Type == device.Mobile {
		return d, err
	}
	return device.Device{
		Env: d.Env, UserID: d.UserID, ID: d.ID, Type: d.Type, Status: d.Status, Nickname: d.Nickname, Phone: d.Phone, Email: d.Email,
		Wrong: d.Wrong, WrongOfAll: d.WrongOfAll, LockedUntil: d.LockedUntil, BlockedAt: d.BlockedAt, LastUsedAt: d.LastUsedAt,
	}, err
}

func (s *store) AnsweringCredential(_ context.Context, _ string, id []byte) (device.Device, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.devices {
		if d.Credential != nil && bytes.Equal(d.Credential.ID, id) {
			return s.shown(d), nil
		}
	}
	return device.Device{}, flow.ErrUnknown
}

func (s *store) Handle(_ context.Context, env, userID string) ([]byte, error) {
	return bytes.Repeat([]byte(env + userID + "-handle-")[:8], 8), s.away
}

func (s *store) Seed(_ context.Context, _, userID, id string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, found := s.find(userID, id)
	if !found || d.Status == device.Active || s.seeds[id] == nil {
		return nil, flow.ErrUnknown
	}
	return s.seeds[id], nil
}

func (s *store) Create(_ context.Context, n mfa.NewDevice) (device.Device, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return once(s, "create", n.Effect, func() (device.Device, error) {
		d, held := n.Device, 0
		s.devices = slices.DeleteFunc(s.devices, func(o device.Device) bool {
			return o.UserID == d.UserID && o.Type == d.Type && (o.Type == device.Recovery || o.Status != device.Active && o.Phone == d.Phone && o.Email == d.Email)
		})
		for _, o := range s.devices {
			if o.UserID != d.UserID {
				continue
			}
			held++
			if o.Type == d.Type && (o.Phone != "" && o.Phone == d.Phone || o.Email != "" && o.Email == d.Email) {
				return device.Device{}, mfa.ErrDuplicate
			}
		}
		if held >= n.Most && d.Type != device.Recovery {
			return device.Device{}, mfa.ErrTooMany
		}
		s.made++
		if d.ID == "" {
			d.ID = fmt.Sprintf("device-%d", s.made)
		}
		if d.CreatedAt = s.now(); d.Status == device.Active {
			d.ActivatedAt = d.CreatedAt
		}
		s.devices = append(s.devices, d)
		s.seeds[d.ID], s.codes[d.ID], s.steps[d.ID] = n.Seed, slices.Clone(n.Codes), -1
		s.notice(n.Notice)
		return d, nil
	})
}

func (s *store) notice(m *flow.Message) {
	if m != nil {
		s.notices = append(s.notices, m)
	}
}

func (s *store) Activate(_ context.Context, a mfa.Activated) (device.Device, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return once(s, "activate", a.Effect, func() (device.Device, error) {
		d, found := s.find(a.UserID, a.ID)
		switch {
		case !found:
			return device.Device{}, flow.ErrUnknown
		case d.Status == device.Active:
			return device.Device{}, mfa.ErrActivated
		}
		d.Status, d.ActivatedAt, d.Credential = device.Active, s.now(), a.Credential
		if a.Nickname != "" {
			d.Nickname = a.Nickname
		}
		s.steps[d.ID] = max(s.steps[d.ID], a.Step)
		s.notice(a.Notice)
		return *d, nil
	})
}

func (s *store) Delete(_ context.Context, _, userID, id string, notice *flow.Message, _ string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, found := s.find(userID, id); !found {
		return flow.ErrUnknown
	}
	s.devices = slices.DeleteFunc(s.devices, func(d device.Device) bool { return d.ID == id })
	s.notice(notice)
	return nil
}

// judge counts, compares, and forgets what was counted when it was right.
func (s *store) judge(kind string, j mfa.Judged, compare func(d *device.Device, v *mfa.Standing)) (mfa.Standing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away != nil {
		return mfa.Standing{}, s.away
	}
	return once(s, kind, j.Effect, func() (mfa.Standing, error) {
		account, own := s.tally("mfa/"+j.UserID), s.tally("device/"+j.ID)
		d, found := s.find(j.UserID, j.ID)
		if !found {
			d = &device.Device{}
		}
		v := mfa.Standing{Blocked: !d.BlockedAt.IsZero(), Wrong: own.count}
		if lock(&v, j, account, own, s.now()); v.Blocked || v.DeviceLocked || v.AccountLocked {
			return v, nil
		}
		accountWas, ownWas := *account, *own
		account.add(j.Account, s.now())
		own.add(j.Failure, s.now())
		v.Counted, v.Wrong, v.Left = true, own.count, max(0, j.Failure.Count-own.count)
		lock(&v, j, account, own, s.now())
		compare(d, &v)
		if v.OK {
			*account, *own = tally{until: accountWas.until}, tally{until: ownWas.until}
			return mfa.Standing{OK: true, Counted: true}, nil
		}
		return v, nil
	})
}

func (s *store) tally(key string) *tally {
	if s.tallies[key] == nil {
		s.tallies[key] = &tally{}
	}
	return s.tallies[key]
}

func (t *tally) add(f mfapolicy.Failure, now time.Time) {
	if t.count++; f.Count > 0 && f.CoolDown > 0 && t.count%f.Count == 0 {
		t.until = now.Add(f.CoolDown)
	}
}

func lock(v *mfa.Standing, j mfa.Judged, account, own *tally, now time.Time) {
	v.DeviceLocked, v.AccountLocked = own.until.After(now), account.until.After(now) && !j.IgnoreLock
	if v.DeviceLocked {
		v.Until = own.until
	}
	if v.AccountLocked && account.until.After(v.Until) {
		v.Until = account.until
	}
}

func (s *store) Try(_ context.Context, t mfa.Try) (mfa.Standing, error) {
	return s.judge("try", t.Judged, func(d *device.Device, v *mfa.Standing) {
		s.compared++
		step, ok := t.Compare(s.seeds[d.ID], s.steps[d.ID])
		switch {
		case !ok || d.Status != device.Active:
		case step <= s.steps[d.ID]:
			v.Replayed = true
		default:
			v.OK, s.steps[d.ID] = true, step
		}
	})
}

func (s *store) TryRecovery(_ context.Context, t mfa.RecoveryTry) (mfa.Standing, error) {
	return s.judge("recovery", t.Judged, func(d *device.Device, v *mfa.Standing) {
		s.compared++
		if i := slices.Index(s.codes[d.ID], t.Hash(s.seeds[d.ID])); i >= 0 {
			v.OK, s.codes[d.ID] = true, slices.Delete(s.codes[d.ID], i, i+1)
		}
	})
}

func (s *store) Fail(_ context.Context, f mfa.Failing) (mfa.Standing, error) {
	if v, is := s.done["succeed/"+f.Effect].(mfa.Standing); is && f.Suspect && v.OK {
		return v, nil
	}
	return s.judge("fail", f.Judged, func(d *device.Device, _ *mfa.Standing) {
		if f.Suspect {
			d.Credential.Suspected = true
		}
	})
}

func (s *store) Succeed(_ context.Context, a mfa.Success) (mfa.Standing, error) {
	return s.judge("succeed", a.Judged, func(d *device.Device, v *mfa.Standing) {
		if a.Challenge != [32]byte{} && s.challenges[a.Challenge] {
			v.Replayed = true
			return
		}
		s.challenges[a.Challenge] = true
		if v.OK = d.Status == device.Active; v.OK && a.Credential != nil {
			d.Credential = a.Credential
		}
	})
}

func (s *store) CreatePush(_ context.Context, n mfa.NewPush) (device.Push, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return once(s, "push", n.Effect, func() (device.Push, error) {
		unanswered := 0
		for _, p := range s.pushes {
			if p.State != device.PushApproved && s.now().Sub(p.CreatedAt) < n.Limit.Period {
				unanswered++
			}
		}
		if unanswered >= n.Limit.Count {
			return device.Push{}, &mfa.PushLimitError{Until: s.now().Add(n.Limit.Lock)}
		}
		p := n.Push
		s.pushes[p.ID] = &p
		return p, nil
	})
}

func (s *store) Push(_ context.Context, _, id string) (device.Push, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.pushes[id]; p != nil {
		return *p, s.away
	}
	return device.Push{}, flow.ErrUnknown
}

func (s *store) UsePush(_ context.Context, _, id, effect string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pushes[id]
	if p == nil || p.State != device.PushApproved || s.used[id] != "" && s.used[id] != effect {
		return false, nil
	}
	s.used[id] = effect
	return true, nil
}

func (s *store) CancelPush(_ context.Context, _, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pushes[id] == nil {
		return flow.ErrUnknown
	}
	s.pushes[id].State = device.PushGone
	return nil
}

func (s *store) CreatePairing(_ context.Context, p device.Pairing) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pairings = append(s.pairings, p)
	return nil
}

func (s *store) DropPairing(_ context.Context, _, user, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.pairings)
	s.pairings = slices.DeleteFunc(s.pairings, func(p device.Pairing) bool { return p.UserID == user && p.ID == id })
	if len(s.pairings) == before {
		return flow.ErrUnknown
	}
	return nil
}

var errAway = errors.New("away")

func (s *store) Trust(_ context.Context, b mfa.Browser) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.trusted == nil {
		s.trusted = map[string]mfa.Browser{}
	}
	s.trusted[b.UserID+b.Hash.String()] = b
	return nil
}

func (s *store) Trusted(_ context.Context, _, userID string, hash flow.Digest) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, is := s.trusted[userID+hash.String()]
	return is && s.now().Before(b.ExpiresAt), nil
}
