package directory_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/device"
	"doorward/runtime/flow"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// push asks a device for 40 seconds, without a limit.
func (b *bench) push(d device.Device) device.Push {
	b.t.Helper()
	p := device.Push{
		Env: env, ID: uuid.NewString(), UserID: d.UserID, Device: d.ID, Flow: "f", Number: "42", Client: "192.0.2.1", Application: "Shop",
		State: device.PushPending, CreatedAt: b.now.Now(), ExpiresAt: b.now.Now().Add(40 * time.Second),
	}
	kept, err := b.CreatePush(b.t.Context(), directory.NewPush{Push: p})
	if err != nil || !cmp.Equal(kept, p) {
		b.t.Fatal(cmp.Diff(p, kept), err)
	}
	return p
}

func (b *bench) mobile() device.Device {
	b.t.Helper()
	return b.create(b.user(), device.Mobile, func(n *directory.NewDevice) { n.Device.Key = []byte(uuid.NewString()) })
}

func (b *bench) state(p device.Push) device.PushState {
	b.t.Helper()
	got, err := b.Push(b.t.Context(), env, p.ID)
	if err != nil {
		b.t.Fatal(err)
	}
	return got.State
}

func (b *bench) use(p device.Push, effect string) bool {
	b.t.Helper()
	used, err := b.UsePush(b.t.Context(), env, p.ID, effect)
	if err != nil {
		b.t.Fatal(err)
	}
	return used
}

func (b *bench) answer(p device.Push, approve bool) device.PushState {
	b.t.Helper()
	got, err := b.AnswerPush(b.t.Context(), env, p.Device, p.ID, approve)
	if err != nil {
		b.t.Fatal(err)
	}
	return got.State
}

// stands fails unless an answer leaves a push as it is, and it proves nothing.
func (b *bench) stands(p device.Push, as device.PushState) {
	b.t.Helper()
	for _, approve := range []bool{true, false} {
		if s := b.answer(p, approve); s != as {
			b.t.Errorf("%s, want %s", s, as)
		}
	}
	if s := b.state(p); s != as || b.use(p, "") {
		b.t.Errorf("%s, want %s", s, as)
	}
}

func testPushes(t *testing.T, open opener) {
	b := newBench(t, open)
	d := b.mobile()
	t.Run("are approved once, and prove once", func(t *testing.T) {
		p := b.push(d)
		if list, err := b.Pushes(t.Context(), env, d.ID); err != nil || !cmp.Equal(list, []device.Push{p}) {
			t.Errorf("%+v %v", list, err)
		}
		if b.use(p, "") {
			t.Error("used before it is approved")
		}
		if s := b.answer(p, true); s != device.PushApproved {
			t.Error(s)
		}
		if s := b.answer(p, false); s != device.PushApproved {
			t.Error(s)
		}
		if list, err := b.Pushes(t.Context(), env, d.ID); err != nil || len(list) != 0 || b.state(p) != device.PushApproved {
			t.Errorf("%+v %v", list, err)
		}
		effect := p.ID + "/1"
		for n, of := range []string{effect, effect, effect + "1"} {
			if b.use(p, of) != (of == effect) {
				t.Errorf("%d: is good once, and for one effect", n)
			}
		}
		b.stands(p, device.PushApproved)
		if got, err := b.Push(t.Context(), env, p.ID); err != nil || !got.AnsweredAt.Equal(b.now.Now()) {
			t.Errorf("%+v %v", got, err)
		}
	})
	t.Run("are rejected once", func(t *testing.T) {
		p := b.push(d)
		b.answer(p, false)
		b.stands(p, device.PushRejected)
	})
	t.Run("are let pass", func(t *testing.T) {
		p := b.push(d)
		b.now.Move(40 * time.Second)
		b.stands(p, device.PushGone)
		if list, err := b.Pushes(t.Context(), env, d.ID); err != nil || len(list) != 0 {
			t.Errorf("%+v %v", list, err)
		}
	})
	testPushEnds(t, b, d)
}

func testPushEnds(t *testing.T, b *bench, d device.Device) {
	t.Helper()
	t.Run("prove for two minutes", func(t *testing.T) {
		for after, want := range map[time.Duration]bool{2*time.Minute - time.Second: true, 2 * time.Minute: false} {
			p := b.push(d)
			b.answer(p, true)
			b.now.Move(after)
			if got := b.state(p) == device.PushApproved; got != want || b.use(p, "") != want {
				t.Errorf("after %v: %v", after, got)
			}
		}
	})
	t.Run("are cancelled", func(t *testing.T) {
		waits, approved, used := b.push(d), b.push(d), b.push(d)
		b.answer(approved, true)
		b.answer(used, true)
		if !b.use(used, "u") {
			t.Fatal("is not used")
		}
		for p, want := range map[device.Push]device.PushState{waits: device.PushGone, approved: device.PushGone, used: device.PushApproved} {
			if err := b.CancelPush(t.Context(), env, p.ID); err != nil {
				t.Error(err)
			}
			b.stands(p, want)
		}
		if !b.use(used, "u") {
			t.Error("the effect that used it")
		}
	})
	testPushAsked(t, b, d)
}

func testPushAsked(t *testing.T, b *bench, d device.Device) {
	t.Helper()
	t.Run("are for the device that was asked", func(t *testing.T) {
		p, other := b.push(d), b.mobile()
		for _, of := range [][2]string{{other.ID, p.ID}, {d.ID, "none"}} {
			_, err := b.AnswerPush(t.Context(), env, of[0], of[1], true)
			fails(t, err, flow.ErrUnknown)
			_, err = b.PushOf(t.Context(), env, of[0], of[1])
			fails(t, err, flow.ErrUnknown)
		}
		if got, err := b.PushOf(t.Context(), env, d.ID, p.ID); err != nil || !cmp.Equal(got, p) {
			t.Errorf("%v %s", err, cmp.Diff(p, got))
		}
		if all, err := b.WaitingPushes(t.Context()); err != nil || !slices.Contains(all, device.WaitingPush{Env: env, Device: d.ID, ID: p.ID}) {
			t.Errorf("%+v %v", all, err)
		}
		if err := b.Block(t.Context(), env, d.UserID, d.ID); err != nil {
			t.Fatal(err)
		}
		if s := b.answer(p, true); s != device.PushPending {
			t.Errorf("a blocked device answers: %s", s)
		}
		asked := func(user, id string) error {
			p := p
			p.ID, p.UserID, p.Device = uuid.NewString(), user, id
			_, err := b.CreatePush(t.Context(), directory.NewPush{Push: p})
			return err
		}
		fails(t, asked(d.UserID, d.ID), flow.ErrUnknown)
		if err := errors.Join(b.Unblock(t.Context(), env, d.UserID, d.ID), asked(d.UserID, d.ID)); err != nil {
			t.Error(err)
		}
		fails(t, asked(other.UserID, d.ID), flow.ErrUnknown)
		fails(t, asked(d.UserID, b.create(d.UserID, device.Mobile, waiting).ID), flow.ErrUnknown)
		if err := b.Lock(t.Context(), env, d.UserID, d.ID, b.now.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		fails(t, asked(d.UserID, d.ID), flow.ErrUnknown)
	})
}

func testPushLimits(t *testing.T, open opener) {
	b := newBench(t, open)
	limit := directory.PushLimit{Count: 3, Period: 10 * time.Minute, Lock: 30 * time.Minute}
	ask := func(d device.Device) (device.Push, time.Time) {
		t.Helper()
		p := device.Push{Env: env, ID: uuid.NewString(), UserID: d.UserID, Device: d.ID, ExpiresAt: b.now.Now().Add(40 * time.Second)}
		_, err := b.CreatePush(t.Context(), directory.NewPush{Push: p, Limit: limit})
		if limited := (*directory.TooManyPushesError)(nil); errors.As(err, &limited) {
			return p, limited.Until
		}
		if err != nil {
			t.Fatal(err)
		}
		return p, time.Time{}
	}
	do := map[string]func(p device.Push) error{
		"waiting":   func(device.Push) error { return nil },
		"ignored":   func(device.Push) error { b.now.Move(time.Minute); return nil },
		"rejected":  func(p device.Push) error { _, err := b.AnswerPush(t.Context(), env, p.Device, p.ID, false); return err },
		"cancelled": func(p device.Push) error { return b.CancelPush(t.Context(), env, p.ID) },
		"approved": func(p device.Push) error {
			_, err := b.AnswerPush(t.Context(), env, p.Device, p.ID, true)
			return err
		},
		"used": func(p device.Push) error {
			_, err := b.AnswerPush(t.Context(), env, p.Device, p.ID, true)
			b.use(p, "")
			return err
		},
	}
	for name, what := range do {
		t.Run(name, func(t *testing.T) {
			d := b.mobile()
			for range 3 {
				p, until := ask(d)
				if err := what(p); err != nil || !until.IsZero() {
					t.Fatal(until, err)
				}
			}
			_, until := ask(d)
			if name == "approved" || name == "used" {
				if !until.IsZero() {
					t.Errorf("none until %v", until)
				}
				return
			}
			if want := b.now.Now().Add(30 * time.Minute); !until.Equal(want) {
				t.Errorf("none until %v, want %v", until, want)
			}
			b.now.Move(29 * time.Minute)
			if _, again := ask(d); !again.Equal(until) {
				t.Errorf("then none until %v", again)
			}
			if got := b.get(d); !got.Usable(b.now.Now()) {
				t.Errorf("the device itself is locked: %+v", got)
			}
			b.now.Move(time.Minute)
			if _, after := ask(d); !after.IsZero() {
				t.Errorf("after the lock none until %v", after)
			}
		})
	}
	t.Run("what counted for a lock does not count again", func(t *testing.T) {
		limit.Lock = time.Minute
		d := b.mobile()
		for range 3 {
			ask(d)
		}
		if _, until := ask(d); until.IsZero() {
			t.Error("no lock")
		}
		b.now.Move(time.Minute)
		for n := range 4 {
			if _, until := ask(d); until.IsZero() != (n < 3) {
				t.Errorf("%d: %v", n, until)
			}
		}
	})
	t.Run("the same effect is told the same", func(t *testing.T) {
		d := b.mobile()
		ask := func(effect string) (device.Push, error) {
			p := device.Push{Env: env, ID: uuid.NewString(), UserID: d.UserID, Device: d.ID, ExpiresAt: b.now.Now().Add(time.Minute)}
			return b.CreatePush(t.Context(), directory.NewPush{Push: p, Limit: directory.PushLimit{Count: 1, Period: time.Minute, Lock: time.Minute}, Effect: effect + d.ID})
		}
		first, err := ask("first")
		again, errAgain := ask("first")
		if err != nil || errAgain != nil || !cmp.Equal(first, again) {
			t.Errorf("%v %v %s", err, errAgain, cmp.Diff(first, again))
		}
		for range 2 {
			_, err := ask("second")
			if limited := (*directory.TooManyPushesError)(nil); !errors.As(err, &limited) || !limited.Until.Equal(b.now.Now().Add(time.Minute)) {
				t.Error(err)
			}
		}
	})
}
