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

func testConsents(t *testing.T, open opener) {
	agree := func(e *estate, name, agreement string) directory.Consent {
		return directory.Consent{Env: env, UserID: e.ids[name], Agreement: agreement, Language: "l1", Revision: "r1"}
	}
	t.Run("are the last word of a user", func(t *testing.T) {
		e := newEstate(t, open)
		s := directory.NewConsents(e.db, e.now.Now)
		first, want := agree(e, "ada", "b"), agree(e, "ada", "b")
		want.Status, want.ConsentedAt = directory.ConsentAccepted, e.now.Now()
		if got, err := s.Accept(t.Context(), first, ""); err != nil || got != want {
			t.Errorf("%v %s", err, cmp.Diff(want, got))
		}
		e.now.Move(time.Hour)
		first.Language, first.Revision, first.ConsentedAt, first.ExpiresAt = "l2", "r2", e.now.Now().Add(-time.Minute), e.now.Now().Add(time.Hour)
		want = first
		want.Status = directory.ConsentAccepted
		if got, err := s.Accept(t.Context(), first, ""); err != nil || got != want || !got.Holds(e.now.Now()) || got.Holds(first.ExpiresAt) {
			t.Errorf("%v %s", err, cmp.Diff(want, got))
		}
		other, err := s.Accept(t.Context(), agree(e, "ada", "a"), "")
		if err != nil {
			t.Fatal(err)
		}
		want.Status = directory.ConsentRevoked
		for range 2 {
			if got, err := s.Revoke(t.Context(), env, e.ids["ada"], "b", ""); err != nil || got != want || got.Holds(e.now.Now()) {
				t.Errorf("%v %s", err, cmp.Diff(want, got))
			}
		}
		if got, err := s.Read(t.Context(), env, e.ids["ada"], "b"); err != nil || got != want {
			t.Errorf("%v %s", err, cmp.Diff(want, got))
		}
		if got, err := s.List(t.Context(), env, e.ids["ada"]); err != nil || !cmp.Equal(got, []directory.Consent{other, want}) {
			t.Errorf("%+v %v", got, err)
		}
	})
	t.Run("are said once per effect", func(t *testing.T) {
		e := newEstate(t, open)
		s := directory.NewConsents(e.db, e.now.Now)
		c := agree(e, "ada", "a")
		made, err := s.Accept(t.Context(), c, "e")
		if err != nil {
			t.Fatal(err)
		}
		e.now.Move(time.Second)
		c.Revision = "r2"
		if again, err := s.Accept(t.Context(), c, "e"); err != nil || again != made {
			t.Errorf("%+v %v", again, err)
		}
		if _, err := s.Revoke(t.Context(), env, e.ids["ada"], "a", "f"); err != nil {
			t.Fatal(err)
		}
		if again, err := s.Accept(t.Context(), c, "e"); err != nil || again.Status != directory.ConsentRevoked {
			t.Errorf("the effect of before undoes what came after: %+v %v", again, err)
		}
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				if _, err := s.Accept(t.Context(), c, "g"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got, err := s.Read(t.Context(), env, e.ids["ada"], "a"); err != nil || got.Status != directory.ConsentAccepted || got.Revision != "r2" {
			t.Errorf("%+v %v", got, err)
		}
	})
	t.Run("are of users who are there", func(t *testing.T) {
		e := newEstate(t, open)
		s := directory.NewConsents(e.db, e.now.Now)
		nobody := agree(e, "ada", "a")
		nobody.Env = "other"
		_, accepting := s.Accept(t.Context(), nobody, "e")
		_, revoking := s.Revoke(t.Context(), env, e.ids["ada"], "a", "")
		_, reading := s.Read(t.Context(), env, e.ids["ada"], "a")
		for name, err := range map[string]error{"accept": accepting, "revoke": revoking, "read": reading} {
			if !errors.Is(err, flow.ErrUnknown) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if list, err := s.List(t.Context(), env, "nobody"); err != nil || len(list) != 0 {
			t.Errorf("%+v %v", list, err)
		}
		if n := rows(t, e.db, "effects"); n != 0 {
			t.Errorf("%d effects of nothing", n)
		}
	})
	t.Run("are counted", func(t *testing.T) {
		e := newEstate(t, open)
		s := directory.NewConsents(e.db, e.now.Now)
		for _, name := range []string{"ada", "bea", "locked"} {
			c := agree(e, name, "a")
			if name == "bea" {
				c.ExpiresAt = e.now.Now().Add(time.Hour)
			}
			if _, err := s.Accept(t.Context(), c, ""); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Revoke(t.Context(), env, e.ids["locked"], "a", ""); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Accept(t.Context(), agree(e, "ada", "b"), ""); err != nil {
			t.Fatal(err)
		}
		for _, expired := range []int{0, 1} {
			got, err := s.Totals(t.Context(), env, []string{"a", "b", "other"})
			want := map[string]directory.ConsentTotal{"a": {All: 2, Expired: expired}, "b": {All: 1}}
			if err != nil || !cmp.Equal(got, want) {
				t.Errorf("%v %v", got, err)
			}
			e.now.Move(time.Hour)
		}
		for place, of := range map[string][]string{env: nil, "other": {"a"}} {
			if got, err := s.Totals(t.Context(), place, of); err != nil || len(got) != 0 {
				t.Errorf("%s: %v %v", place, got, err)
			}
		}
	})
}
