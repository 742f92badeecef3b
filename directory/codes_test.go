package directory_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/flow"

	"github.com/google/go-cmp/cmp"
)

func issued(t *testing.T, open opener) (*directory.Codes, *clock, directory.Code) {
	t.Helper()
	now := newClock()
	codes := directory.NewCodes(open(t, directory.Options{Now: now.Now}), now.Now)
	c := newCode(0, now.Now())
	if err := codes.Issue(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return codes, now, c
}

func redeem(t *testing.T, codes *directory.Codes, c directory.Code) directory.Redemption {
	t.Helper()
	_, r, err := codes.Redeem(t.Context(), c.Env, c.Hash)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func holds(t *testing.T, codes *directory.Codes, now *clock) bool {
	t.Helper()
	g, err := codes.Grant(t.Context(), env, "grant0")
	if err != nil {
		t.Fatal(err)
	}
	return g.Holds(now.Now())
}

func testCodes(t *testing.T, open opener) {
	t.Run("a code brings back what was issued", func(t *testing.T) {
		codes, now, c := issued(t, open)
		got, r, err := codes.Redeem(t.Context(), env, c.Hash)
		if err != nil || r != directory.First {
			t.Fatal(r, err)
		}
		if d := cmp.Diff(c, got); d != "" {
			t.Error(d)
		}
		g, err := codes.Grant(t.Context(), env, c.GrantID)
		want := directory.Grant{
			ID: c.GrantID, Env: env, Application: "app", Scope: "openid", UserID: "u", SessionID: "s", ACR: "Single_Factor",
			AMR: c.AMR, AuthTime: c.AuthTime, IssuedAt: c.IssuedAt, EndsAt: c.EndsAt,
		}
		if d := cmp.Diff(want, g); d != "" || err != nil || !g.Holds(now.Now()) || g.Holds(c.EndsAt) {
			t.Error(err, d)
		}
	})
	t.Run("the second redemption revokes the grant", func(t *testing.T) {
		codes, now, c := issued(t, open)
		if r := redeem(t, codes, c); r != directory.First || !holds(t, codes, now) {
			t.Fatal(r)
		}
		now.Move(10 * time.Minute) // also long after the code has expired
		if r := redeem(t, codes, c); r != directory.Again || holds(t, codes, now) {
			t.Error(r)
		}
		if r := redeem(t, codes, c); r != directory.Again {
			t.Error(r)
		}
	})
	t.Run("issuing again changes nothing", func(t *testing.T) {
		codes, _, c := issued(t, open)
		if err := codes.Issue(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		redeem(t, codes, c)
		if err := codes.Issue(t.Context(), c); !errors.Is(err, directory.ErrRedeemed) {
			t.Fatal(err)
		}
		late := c
		late.IssuedAt = c.IssuedAt.Add(flow.ResumeFor)
		if err := codes.Issue(t.Context(), late); !errors.Is(err, directory.ErrLate) {
			t.Fatal(err)
		}
		if r := redeem(t, codes, c); r != directory.Again {
			t.Error(r)
		}
		c.Hash = flow.Sum("another")
		if err := codes.Issue(t.Context(), c); err == nil {
			t.Error("one grant took two codes")
		}
	})
	testCodeLife(t, open)
	t.Run("of 16 racers one is first", func(t *testing.T) {
		codes, now, _ := issued(t, open)
		for n := 1; n <= 20; n++ {
			c := newCode(n, now.Now())
			if err := codes.Issue(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			var got [16]directory.Redemption
			var wg sync.WaitGroup
			for i := range got {
				wg.Go(func() {
					for tries := 1; ; tries++ { // a refusal on a busy machine changes nothing
						var err error
						if _, got[i], err = codes.Redeem(t.Context(), env, c.Hash); err == nil {
							return
						}
						if tries == 10 {
							t.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			times := map[directory.Redemption]int{}
			for _, r := range got {
				times[r]++
			}
			if times[directory.First] != 1 || times[directory.Again] != 15 {
				t.Errorf("round %d: %v", n, times)
			}
		}
	})
}

func testCodeLife(t *testing.T, open opener) {
	t.Run("a code lives 60 seconds", func(t *testing.T) {
		for after, want := range map[time.Duration]directory.Redemption{
			0: directory.First, 59 * time.Second: directory.First, 60 * time.Second: directory.Unknown, 599 * time.Second: directory.Unknown,
		} {
			codes, now, c := issued(t, open)
			now.Move(after)
			if r := redeem(t, codes, c); r != want {
				t.Errorf("after %v: %v", after, r)
			}
		}
	})
	t.Run("no code is longer lived, and one may be shorter", func(t *testing.T) {
		for life, want := range map[time.Duration]directory.Redemption{time.Hour: directory.Unknown, 5 * time.Second: directory.Unknown} {
			codes, now, c := issued(t, open)
			c.Hash, c.GrantID, c.ExpiresAt = flow.Sum("x"), "x", c.IssuedAt.Add(life)
			if err := codes.Issue(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			now.Move(min(life, directory.CodeLife))
			if r := redeem(t, codes, c); r != want {
				t.Errorf("life %v: %v", life, r)
			}
		}
	})
	t.Run("unknown elsewhere", func(t *testing.T) {
		codes, _, c := issued(t, open)
		c.Env = "other"
		if r := redeem(t, codes, c); r != directory.Unknown {
			t.Error(r)
		}
		if _, err := codes.Grant(t.Context(), "other", c.GrantID); !errors.Is(err, flow.ErrUnknown) {
			t.Error(err)
		}
	})
	t.Run("a revoked grant cannot be redeemed", func(t *testing.T) {
		for name, revoke := range map[string]func(*directory.Codes) error{
			"by id":      func(s *directory.Codes) error { return s.Revoke(t.Context(), env, "grant0") },
			"by session": func(s *directory.Codes) error { return s.RevokeBySession(t.Context(), env, "s") },
		} {
			codes, now, c := issued(t, open)
			if err := revoke(codes); err != nil {
				t.Fatal(err)
			}
			if r := redeem(t, codes, c); r != directory.Unknown || holds(t, codes, now) {
				t.Errorf("%s: %v", name, r)
			}
		}
	})
}
