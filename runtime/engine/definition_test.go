package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"doorward/runtime/engine"
	"doorward/runtime/flow"
)

// template is an input whose strings "$a.b" stand for a path.
type template map[string]any

func (in template) Resolve(find func([]string) any) map[string]any {
	out := map[string]any{}
	for name, v := range in {
		switch v := v.(type) {
		case string:
			if path, is := strings.CutPrefix(v, "$"); is {
				if x := find(strings.Split(path, ".")); x != nil {
					out[name] = x
				}
				continue
			}
			out[name] = v
		case template:
			out[name] = v.Resolve(find)
		}
	}
	return out
}

func (template) Uses() []flow.Use { return nil }

// fill is a step that asks for values and hands them on, "password" as a secret.
type fill struct{}

const fills = "FORM_REQUIRED"

func (fill) Meta() flow.Meta {
	return flow.Meta{Name: "FILL", Results: []string{"SUBMITTED"}, Actions: []flow.Action{
		flow.OnValues("form.submit", func(_ context.Context, _ *flow.Turn, v flow.Values) (flow.Outcome, error) {
			out := map[string]any{}
			for name, x := range v {
				out[name] = x
				if s, is := x.(string); is && name == "password" {
					out[name] = flow.Secret(s)
				}
			}
			return flow.Result("SUBMITTED").WithOutputs(map[string]any{"formData": out}), nil
		}).In(fills),
		flow.OnValues("form.action", func(context.Context, *flow.Turn, flow.Values) (flow.Outcome, error) {
			return flow.Result("SUBMITTED"), nil
		}).In(fills),
	}}
}

func (fill) Check(json.RawMessage) (any, error) { return nil, nil }

func (fill) Step(string, any) flow.Step { return flow.Step{Waits: true} }

func (fill) Offers(*flow.Turn) []flow.Offer {
	return []flow.Offer{{Name: "form.submit", Open: true, Fields: []flow.Field{{Name: "name"}}}}
}

func (fill) Enter(_ context.Context, t *flow.Turn) (flow.Outcome, error) {
	return flow.Wait(fills), t.Keep(t.Before())
}

// step is a step of a definition that runs the function it is configured with;
// the input "user.password" takes a secret.
type step struct{}

func (step) Meta() flow.Meta                    { return flow.Meta{Name: "STEP", Results: []string{"DONE", "LEFT"}} }
func (step) Check(json.RawMessage) (any, error) { return nil, nil }
func (step) Step(string, any) flow.Step         { return flow.Step{Secrets: []string{"user.password"}} }

func (step) Enter(_ context.Context, t *flow.Turn) (flow.Outcome, error) {
	return t.Config.(func(*flow.Turn) flow.Outcome)(t), nil
}

func stepping(key string, in template, outlets map[string]string, do func(*flow.Turn) flow.Outcome) *flow.Node {
	n := &flow.Node{Key: key, Kind: "STEP", Config: do, Outlets: outlets}
	if in != nil {
		n.Input = in
	}
	return n
}

func filling(key, next string) *flow.Node {
	return &flow.Node{Key: key, Kind: "FILL", Outlets: map[string]string{"SUBMITTED": next}}
}

func fillsIn(values flow.Values) flow.Submit {
	return flow.Submit{Action: "form.submit", Values: values}
}

// experience starts a definition by itself.
func experience(s *flow.Start) {
	s.Request.Definition, s.Request.ReturnTo = "def", "https://app.example/back?x=1"
	s.Inputs = []byte(`{"plan":"gold"}`)
}

func isUser(id string) flow.Outcome {
	return flow.Result("DONE").WithUser(flow.Subject{ID: id, Username: id}).WithProof(flow.PasswordProof(id, monday()))
}

func TestASecretReachesTheInputThatTakesItAndNothingElse(t *testing.T) {
	var seen, other map[string]any
	h := newHouse(t,
		filling("form", "other"),
		stepping("other", template{"name": "$steps.form.outputs.formData.name", "password": "$steps.form.outputs.formData.password"}, map[string]string{"DONE": "wait"}, func(t *flow.Turn) flow.Outcome {
			other = t.Input
			return flow.Result("DONE")
		}),
		filling("wait", "takes"),
		stepping("takes", template{"user": "$steps.form.outputs.formData", "plain": "$steps.form.outputs.formData"}, map[string]string{"DONE": "last"}, func(t *flow.Turn) flow.Outcome {
			seen = t.Input
			return flow.Result("DONE").WithOutputs(map[string]any{"got": "it"})
		}),
		filling("last", ""),
	)
	b := h.browser()
	v := b.start(experience)
	v, err := b.send(v.Ref, fillsIn(flow.Values{"name": "ada", "password": "Correct-Horse-9"}))
	if err != nil {
		t.Fatal(err)
	}
	same(t, map[string]any{"name": "ada"}, other)
	x := h.store.execution(v.Ref)
	record, _ := json.Marshal(x)
	if len(x.Secrets) != 1 || bytes.Contains(record, []byte("Correct-Horse-9")) {
		t.Errorf("the record holds %d secrets: %s", len(x.Secrets), record)
	}
	if v, err = b.send(v.Ref, fillsIn(nil)); err != nil {
		t.Fatal(err)
	}
	same(t, map[string]any{
		"user":  map[string]any{"name": "ada", "password": flow.Secret("Correct-Horse-9")},
		"plain": map[string]any{"name": "ada"},
	}, seen)
	if x = h.store.execution(v.Ref); len(x.Secrets) != 0 {
		t.Errorf("a secret that was taken is kept: %v", x.Secrets)
	}
}

func TestPlaceholdersFindWhatStepsPutOut(t *testing.T) {
	tests := map[string]struct {
		path string
		want any
	}{
		"an output":                {"steps.form.outputs.formData.name", "ada"},
		"an object":                {"steps.form.outputs.formData", map[string]any{"name": "ada", "adult": true}},
		"a truth":                  {"steps.form.outputs.formData.adult", true},
		"nothing there":            {"steps.form.outputs.formData.age", nil},
		"a step that did not run":  {"steps.never.outputs.x", nil},
		"a parameter":              {"flow.inputs.parameters.plan", "gold"},
		"a header":                 {"flow.inputs.headers.user-agent", "test"},
		"the definition":           {"flow.definition.id", "def"},
		"the address":              {"flow.request.http.remoteIp", "192.0.2.1"},
		"nobody":                   {"flow.context.user.id", nil},
		"a root alone":             {"flow", nil},
		"a root that there is not": {"keys.secret", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var seen map[string]any
			h := newHouse(t, filling("form", "look"), stepping("look", template{"v": "$" + tt.path}, map[string]string{"DONE": ""}, func(t *flow.Turn) flow.Outcome {
				seen = t.Input
				return flow.Result("DONE")
			}))
			b := h.browser()
			if _, err := b.send(b.start(experience).Ref, fillsIn(flow.Values{"name": "ada", "adult": true})); err != nil {
				t.Fatal(err)
			}
			same(t, tt.want, seen["v"])
		})
	}
}

// A number of somebody else's service is handed on digit by digit; only what is
// compared is a double.
func TestANumberStaysAsItWasWritten(t *testing.T) {
	for written, compared := range map[string]any{
		"1.50": 1.5, "9007199254740993": 9007199254740992.0, "1234567890123456789012": 1234567890123456789012.0, "1e400": nil,
	} {
		t.Run(written, func(t *testing.T) {
			var seen map[string]any
			var fact any
			h := newHouse(t,
				stepping("api", nil, map[string]string{"DONE": "look"}, func(*flow.Turn) flow.Outcome {
					return flow.Result("DONE").WithOutputs(map[string]any{"id": json.Number(written)})
				}),
				stepping("look", template{"id": "$steps.api.outputs.id", "start": "$flow.inputs.parameters.start"}, map[string]string{"DONE": ""}, func(t *flow.Turn) flow.Outcome {
					seen, fact = t.Input, t.Fact("steps.api.outputs.id")
					return flow.Result("DONE")
				}),
			)
			h.browser().start(experience, func(s *flow.Start) { s.Inputs = []byte(`{"start":` + written + `}`) })
			same(t, map[string]any{"id": json.Number(written), "start": json.Number(written)}, seen)
			same(t, compared, fact)
		})
	}
}

func TestAFailureTakesTheErrorOutlet(t *testing.T) {
	why := flow.Failure{Code: "INVALID_DATA", Message: "Taken.", Details: []flow.Detail{{Code: flow.UniquenessViolation, Target: "user.username"}}}
	fails := func(*flow.Turn) flow.Outcome { return flow.FailWith(why) }
	h := newHouse(t, filling("form", "make"), stepping("make", nil, map[string]string{"DONE": "", flow.ErrorResult: "form"}, fails))
	b := h.browser()
	v, err := b.send(b.start(experience).Ref, fillsIn(flow.Values{"name": "ada"}))
	if err != nil {
		t.Fatal(err)
	}
	if v.Status != fills || v.Failure == nil || v.Failure.Message != "Taken." {
		t.Errorf("status %s, failure %+v", v.Status, v.Failure)
	}
	if kept := h.store.execution(v.Ref).Steps["form"]; !bytes.Contains(kept, []byte(`"name":"ada"`)) {
		t.Errorf("what was typed is gone: %s", kept)
	}

	h = newHouse(t, filling("form", "make"), stepping("make", nil, map[string]string{"DONE": ""}, fails))
	b = h.browser()
	v, err = b.send(b.start(experience).Ref, fillsIn(nil))
	if err != nil || v.Status != flow.Failed || v.Redirect != "https://app.example/back?x=1&error=INVALID_DATA" {
		t.Errorf("without an outlet: status %s, redirect %q, error %v", v.Status, v.Redirect, err)
	}
	if x := h.store.execution(v.Ref); x.Outputs != nil || x.Inputs != nil {
		t.Error("an execution that is at its end keeps what was typed")
	}
}

func TestAFailureTakesTheOutletForItsSort(t *testing.T) {
	to := func(names ...string) map[string]string {
		outlets := map[string]string{"DONE": "", flow.ErrorResult: flow.ErrorResult}
		for _, name := range names {
			outlets[name] = name
		}
		return outlets
	}
	for name, tt := range map[string]struct {
		outlet string
		drawn  []string
		want   string
	}{
		"drawn":                         {flow.TimeoutResult, []string{flow.TimeoutResult, flow.UnavailableResult}, flow.TimeoutResult},
		"not drawn":                     {flow.TimeoutResult, []string{flow.UnavailableResult}, flow.ErrorResult},
		"of no sort, with others drawn": {"", []string{flow.TimeoutResult}, flow.ErrorResult},
	} {
		t.Run(name, func(t *testing.T) {
			went := ""
			notes := func(name string) *flow.Node {
				return stepping(name, nil, map[string]string{"DONE": ""}, func(*flow.Turn) flow.Outcome { went = name; return flow.Result("DONE") })
			}
			h := newHouse(t, filling("form", "call"), stepping("call", nil, to(tt.drawn...), func(*flow.Turn) flow.Outcome {
				out := flow.Fail("X", "No.")
				out.Outlet = tt.outlet
				return out
			}), notes(flow.ErrorResult), notes(flow.TimeoutResult), notes(flow.UnavailableResult))
			b := h.browser()
			if _, err := b.send(b.start(experience).Ref, fillsIn(nil)); err != nil || went != tt.want {
				t.Errorf("went to %q, error %v", went, err)
			}
		})
	}
}

// What services answer may be more than a record holds, although each answer is not.
func TestAnswersThatAreTooMuchTogetherAreAFailure(t *testing.T) {
	answers := func(*flow.Turn) flow.Outcome {
		return flow.Result("DONE").WithOutputs(map[string]any{"a": strings.Repeat("a", flow.MostAnswer-20)})
	}
	h := newHouse(t, filling("form", "one"),
		stepping("one", nil, map[string]string{"DONE": "two"}, answers), stepping("two", nil, map[string]string{"DONE": "three"}, answers),
		stepping("three", nil, map[string]string{"DONE": "", flow.ErrorResult: "form"}, answers))
	b := h.browser()
	v, err := b.send(b.start(experience).Ref, fillsIn(nil))
	if err != nil || v.Status != fills || v.Failure == nil || v.Failure.Code != "OUTPUT_TOO_LARGE" {
		t.Errorf("status %s, failure %+v, error %v", v.Status, v.Failure, err)
	}
}

func TestAnEndIsHeldAgainstTheLedger(t *testing.T) {
	tests := map[string]struct {
		proven string
		end    flow.End
		status string
		user   string // of the session afterwards
	}{
		"nobody named":          {"", flow.End{}, flow.Completed, ""},
		"somebody proven":       {"ada", flow.End{User: "ada", AMR: []string{"pwd"}}, flow.Completed, "ada"},
		"proven, but not named": {"ada", flow.End{}, flow.Completed, ""},
		"somebody else":         {"ada", flow.End{User: "bob"}, flow.Failed, ""},
		"somebody unproven":     {"", flow.End{User: "ada"}, flow.Failed, ""},
		"a method not taken":    {"ada", flow.End{User: "ada", AMR: []string{"pwd", "otp"}}, flow.Failed, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, filling("form", "prove"),
				stepping("prove", nil, map[string]string{"DONE": "end"}, func(*flow.Turn) flow.Outcome {
					if tt.proven == "" {
						return flow.Result("DONE")
					}
					return isUser(tt.proven)
				}),
				stepping("end", nil, map[string]string{"DONE": ""}, func(*flow.Turn) flow.Outcome {
					tt.end.Parameters = map[string]string{"a": "b&c"}
					return flow.Result("DONE").WithEnd(tt.end)
				}))
			b := h.browser()
			v, err := b.send(b.start(experience).Ref, fillsIn(nil))
			if err != nil || v.Status != tt.status {
				t.Fatalf("status %s, error %v", v.Status, err)
			}
			if tt.status == flow.Completed && v.Redirect != "https://app.example/back?x=1&a=b%26c" {
				t.Errorf("redirect %q", v.Redirect)
			}
			who := ""
			if s := h.store.session(env, flow.Sum(b.cookie)); s != nil {
				who = s.User.ID
			}
			if who != tt.user {
				t.Errorf("the session is that of %q", who)
			}
			if _, done, err := b.resume(v); err == nil && done != nil {
				t.Error("a code can be had for an experience")
			}
		})
	}
}

func TestADefinitionThatAsksNothingIsKept(t *testing.T) {
	h := newHouse(t, stepping("end", nil, map[string]string{"DONE": ""}, func(*flow.Turn) flow.Outcome {
		return flow.Result("DONE").WithEnd(flow.End{Parameters: map[string]string{"id": "1"}})
	}))
	b := h.browser()
	v, done, err := b.begin(experience)
	if err != nil || done != nil || v.Status != flow.Completed {
		t.Fatalf("status %s, completion %v, error %v", v.Status, done, err)
	}
	if got, err := b.see(v); err != nil || got.Redirect != "https://app.example/back?x=1&id=1" {
		t.Errorf("redirect %q, error %v", got.Redirect, err)
	}
	if _, err := h.browser().see(v); err == nil {
		t.Error("anybody can see it")
	}
}

// Who signs on in a definition may be another than whom the browser's session
// knows. Whoever was proven in the execution stays its user.
func TestASessionMakesRoomForSomebodyElse(t *testing.T) {
	names := func(who string) func(*flow.Turn) flow.Outcome {
		return func(*flow.Turn) flow.Outcome {
			return flow.Result("DONE").WithCandidate(flow.Candidate{Username: who, UserID: who})
		}
	}
	h := newHouse(t, knows("a"))
	b := h.browser()
	b.signOn("ada")
	h.plan = planOf(stepping("name", nil, map[string]string{"DONE": "form"}, names("bob")), filling("form", "prove"),
		stepping("prove", nil, map[string]string{"DONE": "again"}, func(*flow.Turn) flow.Outcome { return isUser("bob") }),
		stepping("again", nil, map[string]string{"DONE": ""}, names("cyd")))
	v := b.start(experience)
	if v.User.ID != "" || v.User.Username != "bob" {
		t.Errorf("the execution is that of %+v", v.User)
	}
	if _, err := b.send(v.Ref, fillsIn(nil)); err == nil {
		t.Error("a user who was proven gave way to a candidate")
	}
}

func TestOnlyWhatTheNodeOffersIsTaken(t *testing.T) {
	h := newHouse(t, filling("form", ""))
	b := h.browser()
	v := b.start(experience)
	if _, there := v.Find("form.action"); there {
		t.Error("an action that the node does not offer is shown")
	}
	if _, err := b.send(v.Ref, flow.Submit{Action: "form.action"}); err == nil {
		t.Error("and taken")
	}
	if _, err := b.send(v.Ref, flow.Submit{Action: engine.ReturnAction}); err == nil {
		t.Error("a client brings itself back")
	}
}

// leading is a sign-on that asks, or leads to the definition "def" and comes back.
func leading(t *testing.T) *house {
	t.Helper()
	n := knows("a")
	n.Outlets = map[string]string{"DONE": ""}
	n.Links = []flow.Link{{Name: "registration.experience", Definition: "def", When: []string{asks}}}
	return newHouse(t, n)
}

func TestAnExperienceComesBackToTheSignOnThatLedToIt(t *testing.T) {
	tests := map[string]struct {
		end    *flow.End // nil: it fails
		other  func(*flow.Start)
		status string // of the sign-on
	}{
		"with a user":                     {&flow.End{User: "ada", AMR: []string{"pwd"}}, nil, flow.Completed},
		"with nobody":                     {&flow.End{}, nil, asks},
		"failed":                          {nil, nil, asks},
		"of another definition":           {&flow.End{User: "ada"}, func(s *flow.Start) { s.Request.Definition = "other" }, "refused"},
		"that was to come back elsewhere": {&flow.End{User: "ada"}, func(s *flow.Start) { s.Request.For = "elsewhere" }, "refused"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := leading(t)
			b := h.browser()
			v := b.start()
			if len(v.Links) != 1 || v.Links[0].Name != "registration.experience" {
				t.Fatalf("links %+v", v.Links)
			}
			signOn := h.plan
			h.plan = planOf(filling("form", "end"), stepping("end", nil, map[string]string{"DONE": ""}, func(*flow.Turn) flow.Outcome {
				if tt.end == nil {
					return flow.Fail("NO", "No.")
				}
				out := isUser("ada").WithEnd(*tt.end)
				return out
			}))
			h.plan.Hash = flow.Sum("definition")
			h.others = []*flow.Plan{signOn}
			x := b.start(experience, func(s *flow.Start) { s.Request.For, s.Plans = v.Ref.ID, s.Plans[:1] }, func(s *flow.Start) {
				if tt.other != nil {
					tt.other(s)
				}
			})
			if _, err := b.h.Return(t.Context(), v.Ref, x.Ref.ID, b.caller()); err == nil {
				t.Error("an execution that has not ended came back")
			}
			x, err := b.send(x.Ref, fillsIn(nil))
			if err != nil {
				t.Fatal(err)
			}
			before := b.caller()
			got, err := b.h.Return(t.Context(), v.Ref, x.Ref.ID, before)
			b.keep(got, err)
			if tt.status == "refused" {
				if err == nil {
					t.Errorf("status %s", got.Status)
				}
				return
			}
			if err != nil || got.Status != tt.status {
				t.Fatalf("status %s, error %v", got.Status, err)
			}
			if tt.status != flow.Completed {
				return
			}
			for name, c := range map[string]flow.Caller{"second click": before, "reload": b.caller()} {
				if again, err := b.h.Return(t.Context(), v.Ref, x.Ref.ID, c); err != nil || again.Status != flow.Completed {
					t.Errorf("after a %s: status %s, error %v", name, again.Status, err)
				}
			}
			n := h.record(x).Version
			for name, c := range map[string]flow.Caller{"sent before": before, "sent after": b.caller()} {
				again, err := h.Act(t.Context(), x.Ref, c, fillsIn(nil))
				if err != nil || again.Status != flow.Completed || again.Cookie != "" || h.record(x).Version != n || h.store.session(env, flow.Sum(b.cookie)) == nil {
					t.Errorf("a second click on the last form, after it all, %s: status %s, cookie %q, error %v", name, again.Status, again.Cookie, err)
				}
			}
			if _, err := h.Act(t.Context(), x.Ref, b.caller(), fillsIn(flow.Values{"answer": "another"})); err == nil {
				t.Error("another submit was answered as well")
			}
			if _, done, err := b.resume(got); err != nil || done == nil || done.User.ID != "ada" {
				t.Errorf("completion %+v, error %v", done, err)
			}
			if _, err := h.browser().h.Return(t.Context(), v.Ref, x.Ref.ID, h.browser().caller()); err == nil {
				t.Error("a stranger brought it back")
			}
			if _, err := b.h.SignOff(t.Context(), env, b.caller(), ""); err != nil {
				t.Fatal(err)
			}
			for name, c := range map[string]flow.Caller{"before": before, "after": b.caller()} {
				if _, err := h.Act(t.Context(), x.Ref, c, fillsIn(nil)); err == nil {
					t.Errorf("a form of before the sign-off is answered, with the cookie of %s", name)
				}
			}
		})
	}
}

// A posted form is told by its bytes: its second arrival gets the answer of the first,
// although the step that could read it is over, and the session that it came with.
func TestAFormThatIsPostedTwiceIsReadOnce(t *testing.T) {
	h := newHouse(t, filling("form", "prove"),
		stepping("prove", nil, map[string]string{"DONE": "more"}, func(*flow.Turn) flow.Outcome { return isUser("ada") }),
		filling("more", ""))
	b := h.browser()
	v := b.start(experience)
	read := 0
	posted := func(body string) flow.Submit {
		return flow.Submit{Action: "form.submit", Token: v.Token, Form: &flow.Form{Body: []byte(body), Read: func([]flow.Field) (flow.Values, error) {
			read++
			if body == "" {
				return nil, flow.Invalid(flow.Detail{Code: flow.RequiredValue, Target: "name"})
			}
			return flow.Values{"name": body}, nil
		}}}
	}
	var f *flow.Fault
	if _, err := b.send(v.Ref, posted("")); !errors.As(err, &f) || f.View == nil || f.View.Version != v.Version {
		t.Errorf("a form that cannot be read: %v", err)
	}
	before := b.caller()
	first, err := b.send(v.Ref, posted("name=Ada"))
	if err != nil || first.Version != v.Version+1 || b.cookie == before.Cookie {
		t.Fatalf("version %d, error %v", first.Version, err)
	}
	for name, c := range map[string]flow.Caller{"with the old cookie": before, "with the new one": b.caller()} {
		if again, err := h.Act(t.Context(), v.Ref, c, posted("name=Ada")); err != nil || again.Version != first.Version {
			t.Errorf("the second %s: version %d, error %v", name, again.Version, err)
		}
	}
	if _, err := h.Act(t.Context(), v.Ref, before, posted("name=Bob")); !errors.As(err, &f) || f.Code != flow.NotFound {
		t.Errorf("another form with the old cookie: %v", err)
	}
	if read != 2 {
		t.Errorf("it was read %d times", read)
	}
}
