package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"doorward/runtime/flow"
)

// Actions of the plans below: one asks for what is known, the others for a device and,
// of whoever has none, for a new one, for nothing (where somebody answers for the user),
// or for nobody.
const (
	asksPassword = 'K'
	asksDevice   = 'M'
	bypasses     = 'B'
	blocks       = 'X'
)

// actions makes a plan as package policy does.
func actions(list string, devices bool) []*flow.Node {
	var out []*flow.Node
	key := func(i int, part string) string {
		if i == len(list) {
			return ""
		}
		if part == "" {
			part = "identify"
		}
		return fmt.Sprintf("%d.%s", i, part)
	}
	for i, kind := range list {
		next := key(i+1, "")
		to := func(n *flow.Node, next string) *flow.Node {
			n.Outlets = map[string]string{"DONE": next}
			return n
		}
		if kind == asksPassword {
			out = append(out, to(knows(key(i, "")), next))
			continue
		}
		entry := passes(key(i, ""))
		entry.Factors = flow.Possession
		challenge := does(key(i, "challenge"), func(*flow.Turn) flow.Outcome { return flow.Result("DONE") })
		switch {
		case devices:
			challenge = has(key(i, "challenge"))
			challenge.Factors = 0
			to(challenge, next)
		case kind == blocks:
			challenge = to(does(key(i, "challenge"), func(*flow.Turn) flow.Outcome { return flow.Fail("NO_USABLE_DEVICES", "None.") }), "")
		default:
			to(challenge, key(i, "enroll"))
		}
		enroll := has(key(i, "enroll"))
		enroll.Factors = 0
		if kind == bypasses {
			enroll.Waives, enroll.Skip = entry.Key, next
		}
		out = append(out, to(entry, challenge.Key), challenge, to(enroll, next))
	}
	return out
}

// lists are all lists of at most three actions.
func lists() (out []string) {
	level := []string{""}
	for range 3 {
		var next []string
		for _, l := range level {
			for _, a := range []rune{asksPassword, asksDevice, bypasses, blocks} {
				next = append(next, l+string(a))
			}
		}
		out = append(out, next...)
		level = next
	}
	return out
}

// Of every policy, whoever is asked for what, and whether somebody answers for them: a
// device is spared exactly where the action says so, the user was named and has none;
// what the sign-on then tells holds nothing that was not proven, and a browser that has
// proven nothing is signed on nowhere.
func TestADeviceIsSparedWhereItMayBeAndNowhereElse(t *testing.T) {
	for _, list := range lists() {
		for bits := range 16 {
			devices, named, fresh, answers := bits&1 != 0, bits&2 != 0, bits&4 != 0, bits&8 != 0
			name := fmt.Sprintf("%s devices=%v named=%v fresh=%v answers=%v", list, devices, named, fresh, answers)
			h := newHouse(t, actions(list, devices)...)
			b := h.browser()
			v, done, err := b.begin(func(s *flow.Start) {
				s.Request.Fresh = fresh
				if named {
					s.Request.User = ada()
				}
			})
			for err == nil && done == nil && v.Status == asks && answers {
				user := "ada"
				if named {
					user = ""
				}
				s := say(user, "right")
				s.Token = v.Token
				v, err = b.send(v.Ref, s)
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if done == nil && v.Status == flow.Completed {
				_, done, err = b.resume(v)
			}
			spared := !devices && named && strings.ContainsRune(list, bypasses) // if it comes so far
			asked := strings.ContainsRune(list, asksPassword) || strings.ContainsFunc(list, func(a rune) bool { return a != asksPassword && (devices || !named || a == asksDevice) })
			want := (answers || !asked) && (devices || !strings.ContainsRune(list, blocks))
			if spared && !asked && fresh {
				want = false // nothing says when they proved what
			}
			switch {
			case (done != nil) != want:
				t.Errorf("%s: completion %v, status %s, error %v", name, done, v.Status, err)
			case done == nil:
			case slices.Contains(done.AMR, "pwd") != strings.ContainsRune(list, asksPassword):
				t.Errorf("%s: amr %v", name, done.AMR)
			case !spared && strings.Trim(list, "K") != "" && !slices.Contains(done.AMR, "otp"):
				t.Errorf("%s: amr %v, and nothing was spared", name, done.AMR)
			case spared && !strings.ContainsRune(list, asksDevice) && slices.Contains(done.AMR, "otp"):
				t.Errorf("%s: amr %v, and it was spared", name, done.AMR)
			case (done.ACR == "") != spared:
				t.Errorf("%s: acr %q", name, done.ACR)
			case spared && !asked && (len(done.AMR) > 0 || !done.AuthTime.IsZero() || len(h.store.sessions) > 0 || done.SessionID == ""):
				t.Errorf("%s: %+v with %d sessions", name, done, len(h.store.sessions))
			case done.User.ID != "ada":
				t.Errorf("%s: %q", name, done.User.ID)
			}
			if heard := slices.Contains(h.heard(), flow.FactorWaived); heard && !spared || done != nil && spared && !heard {
				t.Errorf("%s: the log says it was waived: %v", name, heard)
			}
		}
	}
}

// The session of somebody else stays what it is, and theirs, where a user signs on by
// nothing but an application's word.
func TestAnotherBrowserSessionOutlivesAWord(t *testing.T) {
	h := newHouse(t, actions("B", false)...)
	b := h.browser()
	h.plan = planOf(knows("a"))
	b.signOn("bob")
	cookie := b.cookie
	h.plan = planOf(actions("B", false)...)
	v, done, err := b.begin(func(s *flow.Start) { s.Request.User = ada() })
	if err != nil || done == nil || done.User.ID != "ada" || v.Cookie != "" || b.cookie != cookie {
		t.Fatalf("%+v, %+v, %v", v, done, err)
	}
	if s, err := h.Present(t.Context(), env, b.caller()); err != nil || s == nil || s.User.ID != "bob" || s.ID == done.SessionID {
		t.Errorf("%+v, %v", s, err)
	}
}

// What one action has waived, a reset and the next policy demand anew.
func TestAWaiverEndsWithItsPlan(t *testing.T) {
	h := newHouse(t, actions("BK", false)...)
	b := h.browser()
	v := b.start(func(s *flow.Start) { s.Request.User = ada() })
	if d := h.record(v).Demand; !d.Vouched || d.ACR != "" || len(d.Needs) != 1 || d.Needs[0].Factors != flow.Knowledge {
		t.Fatalf("%+v", d)
	}
	h.plan = planOf(actions("MK", false)...)
	v = b.reset(v)
	if d := h.record(v).Demand; d.Vouched || d.ACR != "Single_Factor" || len(d.Needs) != 1 || d.Needs[0].Factors != flow.Possession {
		t.Errorf("%+v", d)
	}
}

// reads is a kind that shows something and proves nothing.
type reads struct{}

func (reads) Meta() flow.Meta {
	return flow.Meta{Name: "READS", Results: []string{"DONE"}, Actions: []flow.Action{
		flow.On("read", func(context.Context, *flow.Turn, struct{}) (flow.Outcome, error) { return flow.Result("DONE"), nil }),
	}}
}
func (reads) Check(json.RawMessage) (any, error) { return nil, nil }
func (reads) Enter(context.Context, *flow.Turn) (flow.Outcome, error) {
	return flow.Wait("READING"), nil
}

// Also where something was asked, and nothing proven by it, no browser is signed on.
func TestAWordSignsOnNowhere(t *testing.T) {
	h := newHouse(t, actions("B", false)...)
	h.more = []flow.Kind{reads{}}
	h.build()
	h.plan.Nodes["read"] = &flow.Node{Key: "read", Kind: "READS", Outlets: map[string]string{"DONE": ""}}
	h.plan.Nodes["0.enroll"].Skip = "read"
	b := h.browser()
	v := b.start(func(s *flow.Start) { s.Request.User = ada() })
	cookie := b.cookie
	v, err := b.send(v.Ref, flow.Submit{Action: "read"})
	if err != nil || v.Status != flow.Completed || v.Cookie != "" || len(h.store.sessions) != 0 {
		t.Fatalf("%s, cookie %q, %d sessions, %v", v.Status, v.Cookie, len(h.store.sessions), err)
	}
	_, done, err := b.resume(v)
	if err != nil || done == nil || done.SessionID == "" || len(done.AMR) != 0 || b.cookie != cookie {
		t.Fatalf("%+v, %v", done, err)
	}
	if _, again, err := b.resume(v); err != nil || again.SessionID != done.SessionID || again.Code != done.Code {
		t.Errorf("resumed again: %+v, %v", again, err)
	}
}
