package engine_test

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"

	"doorward/runtime/flow"
)

// elsewhere is a kind that sends people to sign on elsewhere: who comes back with the
// code "good" is ada, with "bad" nobody, and with any other one somebody who is nobody
// here.
type elsewhere struct{ judged atomic.Int32 }

func (e *elsewhere) Meta() flow.Meta {
	return flow.Meta{Name: "ELSEWHERE", Results: []string{"DONE", "UNLINKED"}, Actions: []flow.Action{flow.On(flow.CallbackAction, e.answered).In(asks)}}
}

func (*elsewhere) Check(json.RawMessage) (any, error) { return nil, nil }

func (*elsewhere) Enter(context.Context, *flow.Turn) (flow.Outcome, error) {
	return flow.Wait(asks), nil
}

func (*elsewhere) Show(t *flow.Turn) flow.Show {
	at := &flow.External{Provider: "p1", LoginHint: t.Person.Username}
	copy(at.Challenge[:], t.Challenge())
	return flow.Show{External: at}
}

func (e *elsewhere) answered(_ context.Context, _ *flow.Turn, in struct {
	Code string `json:"code"`
},
) (flow.Outcome, error) {
	e.judged.Add(1)
	switch in.Code {
	case "good":
		return flow.Result("DONE").WithUser(flow.Subject{ID: "ada", Username: "ada"}).WithProof(flow.ExternalProof("ada", "p1")), nil
	case "bad":
		return flow.Reject(asks, flow.Invalid()), nil
	}
	return flow.Result("UNLINKED").WithForeign(flow.ForeignAccount{Provider: "p1", ID: in.Code}), nil
}

func elsewhereHouse(t *testing.T) (*house, *elsewhere) {
	t.Helper()
	e := &elsewhere{}
	h := newHouse(t, &flow.Node{Key: "e", Kind: "ELSEWHERE", Outlets: map[string]string{"DONE": "", "UNLINKED": "a"}}, knows("a"))
	h.more = []flow.Kind{e}
	h.build()
	return h, e
}

// What a provider sent comes by the face that has judged whose it is, and by nobody else.
func TestACallbackIsOurs(t *testing.T) {
	h, e := elsewhereHouse(t)
	b := h.browser()
	v := b.start(func(s *flow.Start) { s.Request.Fresh, s.Request.MaxAge, s.Request.Locales = true, 60, "de" })
	if _, offered := v.Find(flow.CallbackAction); offered {
		t.Error("clients are offered to call back")
	}
	if x := v.External; x == nil || x.Provider != "p1" || !x.Fresh || x.MaxAge != 60 || x.Locales != "de" || x.Challenge == [32]byte{} {
		t.Errorf("it shows %+v", x)
	}
	_, err := b.send(v.Ref, flow.Submit{Action: flow.CallbackAction, Values: flow.Values{"code": "good"}})
	wants(t, err, flow.InvalidRequest)
	if _, err := h.Callback(t.Context(), v.Ref, h.browser().caller(), flow.Values{"code": "good"}); flow.AsFault(err).Code != flow.NotFound {
		t.Errorf("a stranger brought an answer: %v", err)
	}
	if e.judged.Load() != 0 {
		t.Error("an answer that nobody may bring was judged")
	}

	refused, err := h.Callback(t.Context(), v.Ref, b.caller(), flow.Values{"code": "bad"})
	wants(t, err, flow.InvalidData)
	if refused.External == nil || refused.External.Challenge == v.External.Challenge {
		t.Error("after an answer another one is good for the same challenge")
	}

	var all sync.WaitGroup
	before, answers := b.caller(), make([]flow.View, 8)
	for i := range answers {
		all.Go(func() { answers[i], _ = h.Callback(t.Context(), v.Ref, before, flow.Values{"code": "good"}) })
	}
	all.Wait()
	for _, a := range answers {
		if a.Status != flow.Completed || a.Cookie != answers[0].Cookie {
			t.Errorf("one of eight came to %s", a.Status)
		}
	}
	if n := e.judged.Load(); n != 2 {
		t.Errorf("%d answers were judged, want 2", n)
	}
	if x := h.record(v); len(x.Proofs) != 1 || x.Proofs[0].Origin != flow.FromIDP || len(answers[0].AMR) != 0 {
		t.Errorf("proofs %+v, amr %v", x.Proofs, answers[0].AMR)
	}
}

// An account that is nobody's here waits for its owner's proof, and not for that of the
// next person.
func TestAnAccountElsewhereIsForgottenWithWhoHasIt(t *testing.T) {
	h, _ := elsewhereHouse(t)
	b := h.browser()
	v := b.start()
	v, err := h.Callback(t.Context(), v.Ref, b.caller(), flow.Values{"code": "s9"})
	if err != nil {
		t.Fatal(err)
	}
	b.keep(v, nil)
	if x := h.record(v); x.Foreign != (flow.ForeignAccount{Provider: "p1", ID: "s9"}) {
		t.Errorf("it keeps %+v", x.Foreign)
	}
	v = b.reset(v)
	if x := h.record(v); x.Foreign != (flow.ForeignAccount{}) {
		t.Errorf("after a reset it keeps %+v", x.Foreign)
	}
	v, err = h.Callback(t.Context(), v.Ref, b.caller(), flow.Values{"code": "s9"})
	if err != nil {
		t.Fatal(err)
	}
	b.keep(v, nil)
	v = b.answer(v, "ada", "right")
	if x := h.record(v); v.Status != flow.Completed || x.Foreign != (flow.ForeignAccount{}) {
		t.Errorf("at its end, %s, it keeps %+v", v.Status, x.Foreign)
	}
}
