package engine_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"doorward/runtime/engine"
	"doorward/runtime/flow"
)

// The user of these tests, as a face names her, and the application that asks.
const worker = "d0000000-0000-4000-8000-0000000000a9"

func ada() flow.Subject { return flow.Subject{ID: "ada", Username: "ada"} }

func of(application string) flow.Caller { return flow.Caller{Application: application} }

// named starts an execution for a caller, about ada.
func (h *house) named(c flow.Caller) (flow.View, *flow.Completion, error) {
	return h.Start(h.t.Context(), flow.Start{
		Env: env, Plans: h.plans(), Caller: c, Request: flow.Request{Application: worker, MaxAge: -1, User: ada()},
	})
}

func (h *house) owned() flow.View {
	h.t.Helper()
	v, done, err := h.named(of(worker))
	if err != nil || done != nil || v.Cookie != "" || v.FlowToken != "" {
		h.t.Fatalf("start: %+v, completion %v, error %v", v, done, err)
	}
	return v
}

func (h *house) does(c flow.Caller, v flow.View, s flow.Submit) (flow.View, error) {
	return h.Act(h.t.Context(), v.Ref, c, s)
}

// An application has nobody signed on: neither the end nor anything on the way there
// makes a session, a cookie or a code.
func TestAnApplicationSignsNobodyOn(t *testing.T) {
	h := newHouse(t, knows("a"), has("b"))
	v := h.owned()
	for _, answer := range []string{"wrong", "right", "right"} {
		submit := say("", answer)
		submit.Key = answer + v.Token // each is another one
		next, err := h.does(of(worker), v, submit)
		if answer == "wrong" {
			wants(t, err, flow.InvalidData)
		} else if v = next; err != nil {
			t.Fatal(err)
		}
		if next.Cookie != "" || next.FlowToken != "" || next.SessionID != "" {
			t.Errorf("%q was answered with %+v", answer, next)
		}
	}
	if v.Status != flow.Completed || v.Authenticator != "otp" || len(h.store.sessions) != 0 {
		t.Errorf("ended in %s by %q with %d sessions", v.Status, v.Authenticator, len(h.store.sessions))
	}
	for _, c := range []flow.Caller{of(worker), {}, of(app)} {
		if _, done, err := h.Resume(t.Context(), v.Ref, c); done != nil || flow.AsFault(err).Code != flow.NotFound {
			t.Errorf("resumed by %+v: %v, %v", c, done, err)
		}
	}
}

// Whatever a browser holds, it does not open what an application has started; nor does
// another application. What an application shows opens nothing of a browser's.
func TestApplicationsAndBrowsersDoNotMeet(t *testing.T) {
	h := newHouse(t, knows("a"))
	signedOn := h.browser()
	signedOn.signOn("ada")
	owned := h.owned()
	anonymous := h.browser()
	browsers := anonymous.start(pi)
	session := h.record(owned)
	strangers := map[string]flow.Caller{
		"nobody":                          {},
		"the user's own browser":          signedOn.caller(),
		"another browser":                 anonymous.caller(),
		"a flow token":                    {FlowToken: "x"},
		"the id of the application":       {Cookie: worker},
		"the binding":                     {Cookie: session.Binding.String()},
		"the binding as a token":          {FlowToken: string(session.Binding[:])},
		"another application":             of(app),
		"another one with the cookie too": {Application: app, Cookie: signedOn.cookie},
	}
	for name, c := range strangers {
		_, viewed := h.View(t.Context(), owned.Ref, c)
		_, acted := h.does(c, owned, say("", "right"))
		_, reset := h.does(c, owned, flow.Submit{Action: engine.ResetAction})
		_, _, resumed := h.Resume(t.Context(), owned.Ref, c)
		_, returned := h.Return(t.Context(), owned.Ref, browsers.Ref.ID, c)
		for _, err := range []error{viewed, acted, reset, resumed, returned} {
			if f := wants(t, err, flow.NotFound); f.View != nil || f.Message != flow.Gone().Message {
				t.Errorf("%s: %+v", name, f)
			}
		}
	}
	for _, c := range []flow.Caller{of(worker), {Application: worker, Cookie: anonymous.cookie}, {Application: worker, FlowToken: anonymous.token}} {
		_, viewed := h.View(t.Context(), browsers.Ref, c)
		_, acted := h.does(c, browsers, say("ada", "right"))
		_, _, resumed := h.Resume(t.Context(), browsers.Ref, c)
		for _, err := range []error{viewed, acted, resumed} {
			wants(t, err, flow.NotFound)
		}
	}
	if x := h.record(owned); x.Version != 1 || len(x.Proofs) != 0 {
		t.Errorf("a stranger has moved it to version %d", x.Version)
	}
}

// A repeat is answered to the application alone, whose credential has no digest that
// could be compared.
func TestARepeatIsTheApplications(t *testing.T) {
	h := newHouse(t, knows("a"), has("b"))
	v := h.owned()
	first, err := h.does(of(worker), v, say("", "right"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := h.does(of(worker), v, say("", "right"))
	if err != nil || again.Version != first.Version {
		t.Errorf("repeated: version %d, %v", again.Version, err)
	}
	for _, c := range []flow.Caller{{}, of(app), {Cookie: "x"}} {
		_, err := h.does(c, v, say("", "right"))
		wants(t, err, flow.NotFound)
	}
}

// Of the browser's session nothing is taken over, also where the face would show one:
// whoever is named has proven nothing.
func TestWhoIsNamedHasProvenNothing(t *testing.T) {
	h := newHouse(t, guarded(knows("a"), signedOnLongerAgo(time.Hour)))
	b := h.browser()
	b.signOn("ada")
	v, done, err := h.named(flow.Caller{Application: worker, Cookie: b.cookie})
	if err != nil || done != nil || v.Status != asks || v.AMR != nil || v.SessionID != "" {
		t.Fatalf("%+v, %v, %v", v, done, err)
	}
	if x := h.record(v); len(x.Proofs) != 0 || x.SessionHash != (flow.Digest{}) || x.User != ada() {
		t.Errorf("kept %+v", x)
	}
	if _, err := h.does(of(worker), v, say("bob", "right")); err == nil {
		t.Error("somebody else has proven it")
	}
	if v, err = h.does(of(worker), v, flow.Submit{Action: engine.ResetAction}); err != nil || v.User.ID != "ada" {
		t.Errorf("after a reset it is about %q: %v", v.User.ID, err)
	}
}

// A user who may not sign on is not asked, and one who may no longer has proven nothing.
func TestWhoIsNamedMaySignOn(t *testing.T) {
	h := newHouse(t, knows("a"))
	v := h.owned()
	h.standing = func(string) (flow.Standing, error) { return flow.Standing{}, nil }
	if v, err := h.does(of(worker), v, say("", "right")); err != nil || v.Status != flow.Failed || v.AMR != nil {
		t.Errorf("%s with %v: %v", v.Status, v.AMR, err)
	}
	for _, c := range []flow.Caller{of(worker), {}} {
		_, _, err := h.named(c)
		wants(t, err, flow.AccessFailed)
	}
	h.standing = func(string) (flow.Standing, error) { return flow.Standing{}, errors.New("away") }
	_, _, err := h.named(of(worker))
	wants(t, err, flow.Unavailable)
}

func TestAnApplicationNamesSomebodyAndWaits(t *testing.T) {
	h := newHouse(t, knows("a"))
	for name, s := range map[string]flow.Start{
		"nobody":      {Env: env, Plans: h.plans(), Caller: of(worker)},
		"in silence":  {Env: env, Plans: h.plans(), Caller: of(worker), Silent: true, Request: flow.Request{User: ada()}},
		"for another": {Env: env, Plans: h.plans(), Caller: flow.Caller{}, Silent: true, Request: flow.Request{User: ada(), Owner: worker}},
	} {
		if _, _, err := h.Start(t.Context(), s); err == nil {
			t.Errorf("%s: started", name)
		}
	}
	if len(h.store.executions) != 0 {
		t.Error("something was kept")
	}
}

// Where a browser's execution is about somebody whom its face names, nobody else signs
// on in it, and what another's session has proven is not theirs.
func TestABrowsersExecutionAboutSomebody(t *testing.T) {
	h := newHouse(t, knows("a"))
	for name, user := range map[string]string{"no session": "", "the session of the same user": "ada", "the session of another": "bob"} {
		t.Run(name, func(t *testing.T) {
			b := h.browser()
			if user != "" {
				b.signOn(user)
				h.pass(time.Hour)
			}
			v := b.start(func(s *flow.Start) { s.Request.User = ada() })
			x := h.record(v)
			if v.User.ID != "ada" || len(x.Proofs) != map[string]int{"ada": 1}[user] {
				t.Fatalf("about %q with %v", v.User.ID, x.Proofs)
			}
			if _, err := b.send(v.Ref, say("bob", "right")); err == nil {
				t.Error("somebody else has signed on")
			}
			if v = b.answer(v, "", "right"); v.Status != flow.Completed {
				t.Fatal(v.Status)
			}
			if _, done, err := b.resume(v); err != nil || done == nil || done.User.ID != "ada" {
				t.Errorf("%+v, %v", done, err)
			}
		})
	}
}

// A candidate beside the user who was named is a fault of the request, and changes
// nothing; the very user is no other one.
func TestACandidateBesideWhoIsNamed(t *testing.T) {
	for id, taken := range map[string]bool{"bob": false, "": false, "ada": true} {
		h := newHouse(t, knows("a"), does("b", func(*flow.Turn) flow.Outcome {
			return flow.Result("DONE").WithCandidate(flow.Candidate{Username: "typed", UserID: id})
		}))
		h.plan.Entry = "b"
		h.plan.Nodes["b"].Outlets["DONE"] = "a"
		h.plan.Nodes["a"].Outlets["DONE"] = ""
		v, _, err := h.browser().begin(func(s *flow.Start) { s.Request.User = ada() })
		if !taken {
			wants(t, err, flow.InvalidData)
			continue
		}
		if err != nil || v.User.ID != "ada" {
			t.Errorf("%q: %q, %v", id, v.User.ID, err)
		}
	}
}

// However the requests of applications and browsers fall, each sees its own and nothing
// else, and only browsers have sessions.
func TestWhateverHappensApplicationsSeeTheirOwn(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := newHouse(t, knows("a"), has("b"))
		callers := []flow.Caller{of(worker), of(app), {}}
		jars := []*browser{h.browser(), h.browser()}
		type started struct {
			v     flow.View
			owner int // of callers, or behind them of jars
		}
		var all []started
		sessions := func() map[place]bool {
			out := map[place]bool{}
			for at := range h.store.sessions {
				out[at] = true
			}
			return out
		}
		for range rapid.IntRange(1, 24).Draw(rt, "steps") {
			who := rapid.IntRange(0, len(callers)+len(jars)-1).Draw(rt, "who")
			caller := func() flow.Caller {
				if who < len(callers) {
					return callers[who]
				}
				return jars[who-len(callers)].caller()
			}
			was := sessions()
			switch rapid.SampledFrom([]string{"start", "act", "act", "see", "resume"}).Draw(rt, "what") {
			case "start":
				if who >= len(callers) {
					v, _, err := jars[who-len(callers)].begin()
					if err != nil {
						rt.Fatal(err)
					}
					if v.Status == asks {
						all = append(all, started{v, who})
					}
				} else if callers[who].Application != "" {
					v, _, err := h.named(callers[who])
					if err != nil || v.Cookie != "" {
						rt.Fatal(err, v.Cookie)
					}
					all = append(all, started{v, who})
				}
			case "act", "see", "resume":
				if len(all) == 0 {
					continue
				}
				i := rapid.IntRange(0, len(all)-1).Draw(rt, "which")
				s, c := all[i], caller()
				answer := rapid.SampledFrom([]string{"right", "wrong", "reset"}).Draw(rt, "answer")
				submit := say("", answer)
				if s.owner >= len(callers) {
					submit = say("ada", answer)
				}
				if answer == "reset" {
					submit = flow.Submit{Action: engine.ResetAction}
				}
				var v flow.View
				var err error
				switch who >= len(callers) {
				case true:
					v, err = jars[who-len(callers)].send(s.v.Ref, submit)
				case false:
					v, err = h.Act(t.Context(), s.v.Ref, c, submit)
				}
				f := flow.AsFault(err)
				if mine := s.owner == who; !mine && (err == nil || f.Code != flow.NotFound || f.View != nil || v.Ref.ID != "") {
					rt.Fatalf("%d was shown what is %d's: %v", who, s.owner, err)
				} else if mine && s.owner < len(callers) && (err != nil && f.Code == flow.NotFound || v.Cookie != "" || v.SessionID != "") {
					rt.Fatalf("its owner: %v, %+v", err, v)
				}
			}
			if who < len(callers) {
				for at := range sessions() {
					if !was[at] {
						rt.Fatal("an application has made a session")
					}
				}
			}
		}
	})
}
