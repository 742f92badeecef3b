package directory_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/device"
	"doorward/runtime/flow"

	"github.com/google/uuid"
)

func testPasskeyOffers(t *testing.T, open opener) {
	b := newBench(t, open)
	const asking = 10 * time.Minute
	offer := func(user string) directory.PasskeyOffer {
		t.Helper()
		o, err := b.PasskeyOffer(t.Context(), env, user)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	ask := func(user string) {
		t.Helper()
		if err := b.OfferedPasskey(t.Context(), env, user, b.now.Now().Add(-asking)); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("are counted, and what is shown again is the same one", func(t *testing.T) {
		user, other := b.user(), b.user()
		if o := offer(user); o.Times != 0 || !o.LastAt.IsZero() || o.Answer != "" {
			t.Errorf("before any: %+v", o)
		}
		ask(user)
		first := b.now.Now()
		b.now.Move(asking - time.Second)
		ask(user)
		if o := offer(user); o.Times != 1 || !o.LastAt.Equal(first) || o.Answer != "" {
			t.Errorf("shown twice: %+v", o)
		}
		b.now.Move(time.Second)
		ask(user)
		if o := offer(user); o.Times != 2 || !o.LastAt.Equal(b.now.Now()) {
			t.Errorf("asked twice: %+v", o)
		}
		if o := offer(other); o.Times != 0 {
			t.Errorf("of somebody else: %+v", o)
		}
	})
	t.Run("are answered once", func(t *testing.T) {
		user := b.user()
		answer := func(a directory.OfferAnswer) {
			t.Helper()
			if err := b.AnswerPasskeyOffer(t.Context(), env, user, a); err != nil {
				t.Fatal(err)
			}
		}
		answer(directory.OfferNever) // nothing was asked
		ask(user)
		b.now.Move(time.Minute)
		answer(directory.OfferLater)
		answer(directory.OfferNever)
		if o := offer(user); o.Times != 1 || o.Answer != directory.OfferLater || !o.LastAt.Equal(b.now.Now()) {
			t.Errorf("answered: %+v", o)
		}
		ask(user) // however short after the answer, this is another one
		answer(directory.OfferNever)
		if o := offer(user); o.Times != 2 || o.Answer != directory.OfferNever {
			t.Errorf("answered again: %+v", o)
		}
	})
	t.Run("know which passkeys there are", func(t *testing.T) {
		user := b.user()
		for _, d := range []struct {
			rp, status string
		}{{"login.example", "ACTIVE"}, {"other.example", "ACTIVE"}, {"third.example", "ACTIVATION_REQUIRED"}} {
			b.create(user, device.FIDO2, func(n *directory.NewDevice) {
				n.Device.Credential, n.Device.Status = passkey(uuid.NewString(), 0), device.Status(d.status)
				n.Device.Credential.RPID = d.rp
			})
		}
		b.totp(user)
		ask(user)
		o := offer(user)
		slices.Sort(o.Parties)
		if !slices.Equal(o.Parties, []string{"login.example", "other.example"}) || o.Times != 1 {
			t.Errorf("%+v", o)
		}
	})
	t.Run("go with the user", func(t *testing.T) {
		user := b.user()
		ask(user)
		before := rows(t, b.db, "passkey_offers")
		if err := b.users.Delete(t.Context(), env, user); err != nil || rows(t, b.db, "passkey_offers") != before-1 {
			t.Errorf("%d rows, %v", rows(t, b.db, "passkey_offers"), err)
		}
		if _, err := b.PasskeyOffer(t.Context(), env, user); !errors.Is(err, flow.ErrUnknown) {
			t.Errorf("of nobody: %v", err)
		}
	})
}
