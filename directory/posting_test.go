package directory_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"doorward/directory"
	"doorward/runtime/flow"
)

const number = "+4930123456"

func testPostings(t *testing.T, open opener) {
	text := func(e *estate) directory.Posting {
		return directory.Posting{
			Message: flow.Message{
				Env: env, Channel: flow.SMS, Template: "notification.test", To: number, Locales: "de", Flow: "f",
				Params: map[string]string{"code": "123456"}, ExpiresAt: e.now.Now().Add(5 * time.Minute),
			},
			Limits: []directory.Most{{Kind: "test", Of: number, Number: 2}, {Kind: "tests", Of: env, Number: 3}},
		}
	}
	posted := func(e *estate, p directory.Posting) string {
		e.t.Helper()
		id, err := e.outbox.Post(e.t.Context(), p)
		if err != nil {
			e.t.Fatal(err)
		}
		return id
	}
	t.Run("is handed out as it was posted, to those who send by its channel", func(t *testing.T) {
		e := newEstate(t, open)
		id := posted(e, text(e))
		if _, err := e.StartRecovery(t.Context(), directory.Recovery{Env: env, Username: "ada"}); err != nil {
			t.Fatal(err)
		}
		claim := func(channels ...flow.Channel) []flow.Message {
			got, err := e.outbox.Claim(t.Context(), 9, time.Minute, nil, channels...)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		if got := claim(flow.Voice); len(got) != 0 {
			t.Errorf("a call: %+v", got)
		}
		if got, err := e.outbox.Claim(t.Context(), 9, time.Minute, []string{"another", env}); err != nil || len(got) != 0 {
			t.Errorf("of an environment that is left out: %+v %v", got, err)
		}
		got := claim(flow.SMS, flow.Voice)
		if len(got) != 1 || got[0].ID != id || got[0].Channel != flow.SMS || got[0].To != number || got[0].Params["code"] != "123456" ||
			got[0].Locales != "de" || got[0].Flow != "f" || !got[0].CreatedAt.Equal(e.now.Now()) {
			t.Errorf("%+v", got)
		}
		if got = claim(flow.Email); len(got) != 1 || got[0].Channel != flow.Email || got[0].Template != "recovery" {
			t.Errorf("%+v", got)
		}
	})
	t.Run("is posted once for an effect", func(t *testing.T) {
		e := newEstate(t, open)
		p := text(e)
		p.Effect = "flow/step/1"
		if one, two := posted(e, p), posted(e, p); one != two || one == "" {
			t.Errorf("%q, %q", one, two)
		}
		if n := e.number(`SELECT COUNT(*) FROM outbox`); n != 1 {
			t.Errorf("%d messages", n)
		}
	})
	t.Run("is counted for everybody together, and not when it is refused", func(t *testing.T) {
		e := newEstate(t, open)
		var mu sync.Mutex
		var all sync.WaitGroup
		sent := 0
		for range 6 {
			all.Go(func() {
				id, err := e.outbox.Post(context.Background(), text(e))
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				if id != "" {
					sent++
				}
			})
		}
		all.Wait()
		if sent != 2 {
			t.Errorf("%d messages to one number", sent)
		}
		other := text(e)
		other.To, other.Limits[0].Of = "+4930999999", "+4930999999"
		if one, two := posted(e, other), posted(e, other); one == "" || two != "" {
			t.Errorf("the third of the environment %q, the fourth %q", one, two)
		}
		e.now.Move(61 * time.Minute)
		if posted(e, text(e)) == "" {
			t.Error("an hour later still none")
		}
		if n := e.number(`SELECT COUNT(*) FROM mail_counts WHERE account LIKE '%4930%' OR account LIKE '%' || $1 || '%'`, env); n != 0 {
			t.Error("a number lies in the counts")
		}
	})
	t.Run("says what became of it", func(t *testing.T) {
		e := newEstate(t, open)
		look := func(id string) directory.Delivery {
			d, err := e.outbox.Delivery(t.Context(), env, "notification.test", id)
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		id, dropped := posted(e, text(e)), posted(e, text(e))
		if d := look(id); d.Done || d.Sent || d.Reason != "" || d.Tries != 0 || d.Channel != flow.SMS || !d.ExpiresAt.Equal(e.now.Now().Add(5*time.Minute)) {
			t.Errorf("%+v", d)
		}
		if _, err := e.outbox.Claim(t.Context(), 9, time.Minute, nil); err != nil {
			t.Fatal(err)
		}
		if err := e.outbox.Later(t.Context(), id, e.now.Now(), "BUSY"); err != nil {
			t.Fatal(err)
		}
		if d := look(id); d.Done || d.Reason != "BUSY" || d.Tries != 1 {
			t.Errorf("%+v", d)
		}
		if err := errors.Join(e.outbox.Sent(t.Context(), id), e.outbox.Dropped(t.Context(), dropped, "REFUSED"), e.outbox.Dropped(t.Context(), id, "REFUSED")); err != nil {
			t.Fatal(err)
		}
		if d := look(id); !d.Done || !d.Sent || d.Reason != "" || !d.DoneAt.Equal(e.now.Now()) {
			t.Errorf("%+v", d)
		}
		if d := look(dropped); !d.Done || d.Sent || d.Reason != "REFUSED" {
			t.Errorf("%+v", d)
		}
		for _, of := range [][3]string{{env, "recovery", id}, {"d0000000-0000-4000-8000-000000000002", "notification.test", id}, {env, "notification.test", "unknown"}} {
			if _, err := e.outbox.Delivery(t.Context(), of[0], of[1], of[2]); !errors.Is(err, flow.ErrUnknown) {
				t.Errorf("%v: %v", of, err)
			}
		}
	})
}
