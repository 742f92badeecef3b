package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Kind is a type of step. One folder under steps/ implements it, and no file
// outside that folder but steps/steps.go knows it.
type Kind interface {
	Meta() Meta
	// Check reports every fault in a node's configuration, and returns it in
	// the form that Turn.Config hands to the kind. It runs when a plan is
	// compiled.
	Check(config json.RawMessage) (any, error)
	// Enter runs when the execution arrives at the node, before any input.
	Enter(ctx context.Context, t *Turn) (Outcome, error)
}

// Unconfigured is the Check of a kind that takes no configuration.
func Unconfigured(kind string, config json.RawMessage) (any, error) {
	if len(config) > 0 && string(config) != "{}" {
		return nil, errors.New(kind + " takes no configuration")
	}
	return nil, nil
}

// Meta describes a kind to the engine, the compiler and the documentation.
type Meta struct {
	Name    string   // "PASSWORD"
	Doc     string   // one sentence
	Source  string   // the document that fixes the behaviour
	Results []string // outlets, in upper case
	Actions []Action
	Factors Factor // classes a node of this kind proves; 0: does not authenticate
	Sends   bool   // is of no use where no messages can be sent
}

// Shower is a Kind that shows more of where it waits than its status and actions.
type Shower interface {
	// Show is asked whenever the execution is viewed while a node of the kind
	// waits. It reads the turn and changes nothing.
	Show(t *Turn) Show
}

// Show is what a step adds to a view.
type Show struct {
	Address    string // masked, of where a code went
	Population string // whose password policy holds while nobody is known; empty: the default one's
	Form       any    // *form.Form of a form that is data, form.Terms of what is to be agreed to; nil: there is neither
	Values     Values // what its fields are filled with; never a secret
	Members    []Member
	Embedded   []Member
	External   *External // nil: nobody is to sign on elsewhere
}

// CallbackAction is the action by which a node takes what an external provider sent the
// browser back with. A face makes it from that answer; no client is offered it or may
// send it.
const CallbackAction = "externalAuthentication.callback"

// PollAction is the action by which a node looks whether what it waits for has
// happened. It is declared with Every, and no client is offered it.
const PollAction = "poll"

// Poller is a Kind that waits for something that happens elsewhere, such as an
// answer on a telephone.
type Poller interface {
	// Due is asked whenever the execution is read while a node of the kind waits,
	// and changes nothing. When it is due the engine runs PollAction of the node.
	Due(ctx context.Context, t *Turn) (bool, error)
}

// Doorkeeper is a Kind whose doors are not there for everybody.
type Doorkeeper interface {
	// Opens is asked whenever a node waits that has one of the kind beside it, with
	// what of the turn is there for a Show.
	Opens(t *Turn) bool
}

// Member is one more member of the flow resource. JSON is taken as it is.
type Member struct {
	Name string
	JSON []byte
}

// Repeat says what a second, equal submit of an action means.
type Repeat uint8

const (
	// Once is for actions of which a repeat gets the first answer and is not evaluated.
	Once Repeat = iota
	// Each is for actions of which every call is evaluated, under its own limits (resend, select, poll).
	Each
)

// Action is one thing a client can submit. Name is the link relation and the
// middle of the media type at once.
type Action struct {
	Name   string
	Prompt Text // label of the button
	Repeat Repeat
	When   []string // statuses that offer it; empty: every status of the kind
	Fields []Field  // from the input type
	Open   bool     // the fields are a node's own; see OnValues

	// Opens says that the action is offered beside the nodes that name this one
	// in Node.Beside, in the statuses Doors; none: in all of them.
	Opens bool
	Doors []string
	// Ignores are names that the action knows and does not take: they are
	// dropped and recorded, so that nobody sets what was not asked for.
	Ignores []string

	run func(context.Context, *Turn, Values) (Outcome, error)
}

// Run binds the values to the action's input type and evaluates them.
func (a *Action) Run(ctx context.Context, t *Turn, v Values) (Outcome, error) {
	taken, dropped := v, false
	if !a.Open {
		taken, dropped = v.flat(a.Fields).without(a.Ignores)
	}
	out, err := a.run(ctx, t, taken)
	if dropped && err == nil {
		out = out.WithEvent(InputIgnored)
	}
	return out, err
}

// On declares an action whose input is the struct In. The tags of In's fields
// (see Fields) are the one declaration from which posts are checked and forms
// are described. It panics when In cannot be described, which a test of the kind
// meets at once.
func On[In any](name string, fn func(context.Context, *Turn, In) (Outcome, error)) Action {
	fields := FieldsOf[In]()
	return Action{Name: name, Fields: fields, run: func(ctx context.Context, t *Turn, v Values) (Outcome, error) {
		var in In
		if f := Bind(v, fields, &in); f != nil {
			return Outcome{}, f
		}
		return fn(ctx, t, in)
	}}
}

// OnValues declares an action whose input is described by the configuration of a
// node, and whose values the kind judges itself: a form that is data. Its offer
// is made by an Offerer.
func OnValues(name string, fn func(context.Context, *Turn, Values) (Outcome, error)) Action {
	return Action{Name: name, Open: true, run: fn}
}

// Sometimes makes the action one that is offered where the node's state allows it: its
// offer is made by an Offerer.
func (a Action) Sometimes() Action { a.Open = true; return a }

// In limits the action to the named statuses.
func (a Action) In(statuses ...string) Action { a.When = statuses; return a }

// Labelled sets the button's text.
func (a Action) Labelled(key, text string) Action { a.Prompt = Text{Key: key, Default: text}; return a }

// Every makes each call of the action count. The one that leads on to another node is
// the last, and is answered again as every other.
func (a Action) Every() Action { a.Repeat = Each; return a }

// Opening makes the action a door to its node: it is offered where another node
// waits, in the named statuses (none: in all). It runs with the status of that
// node as Turn.Status. Wait and Result move the execution to the node of the
// action; Reject leaves it where it is. In the own node it is offered only when
// In says so.
func (a Action) Opening(statuses ...string) Action { a.Opens, a.Doors = true, statuses; return a }

// Ignoring names members of the input that are known and not taken.
func (a Action) Ignoring(names ...string) Action { a.Ignores = names; return a }

// Offered reports whether the action is offered in status while its own node
// waits.
func (a *Action) Offered(status string) bool {
	return slices.Contains(a.When, status) || len(a.When) == 0 && !a.Opens
}

// OfferedBeside reports whether the action is offered in status while another
// node waits that has this one beside it.
func (a *Action) OfferedBeside(status string) bool {
	return a.Opens && (len(a.Doors) == 0 || slices.Contains(a.Doors, status))
}

// Text is what a person reads: a stable key for translation and the English
// default.
type Text struct {
	Key     string
	Default string
	Params  map[string]string
}

// Turn is what a step sees during one call: its configuration, its own state,
// the clock, who is known so far. It sees no other step and no store.
type Turn struct {
	Ref    Ref
	Key    string // the node
	Config any    // what Kind.Check returned
	Now    time.Time
	Client Client
	Status string // status the node waits in; empty on Enter
	// Browser is the digest of what the browser shows to be a trusted one; zero: it
	// shows nothing.
	Browser Digest
	Silent  bool // nobody is asked anything: what would ask has no effects either

	User        Subject        // who signs on, if a step has said so
	Proofs      Ledger         // of User, with those of the session before
	Proven      bool           // User was proven in this execution, and not only in the session before
	Named       bool           // User is Request.User: somebody answers for the name, and nothing is proven by it
	Person      Candidate      // who is said to, if a step has taken a name
	Foreign     ForeignAccount // who has signed on elsewhere in this execution, and is nobody here yet
	SessionUser Subject        // whom the browser's session names, if anybody
	LoginHint   string
	Application string // id of the application that is signed on to; empty: none
	Locales     string // languages of the person, best first, as Accept-Language

	// Of a flow definition.
	Trigger string
	Input   map[string]any        // resolved; secrets are of type Secret
	Before  func() map[string]any // outputs of this node when it was left last; nil when it was not
	Failed  *Failure              // what led here by an ERROR outlet in this turn; nil: nothing did
	Fact    func(name string) any // what a condition reads by a name; nil: nothing is known

	// Derive makes values that nobody has to keep; the engine gives it its key ring.
	Derive func(purpose string, parts ...string) [32]byte

	attempt uint32
	submit  Digest
	state   []byte
}

// NewTurn is used by the engine, and by tests of steps.
func NewTurn(ref Ref, key string, config any, now time.Time, state []byte, attempt uint32, submit Digest) *Turn {
	return &Turn{Ref: ref, Key: key, Config: config, Now: now, state: state, attempt: attempt, submit: submit}
}

// Visit takes a turn that only looks to another node of its execution.
func (t *Turn) Visit(key string, config any, state []byte) {
	t.Key, t.Config, t.state = key, config, state
}

// Effect is the key that every call with a lasting effect takes: execution,
// step, attempt and submit. The directory performs an effect once per key and
// returns the first result when the same submit is evaluated again, which
// happens only when a node died between the effect and the save.
func (t *Turn) Effect() string {
	return t.Ref.ID + "/" + t.Key + "/" + strconv.FormatUint(uint64(t.attempt), 10) + "/" + t.submit.String()[:16]
}

// Challenge is 32 bytes for an authenticator to sign. They are the same for whoever
// is shown the node and for the action that answers, and others after every submit
// that was evaluated: a challenge ends with its first verdict, and is kept nowhere.
func (t *Turn) Challenge() []byte {
	sum := t.Derive("flow.challenge", t.Ref.Env, t.Ref.ID, t.Key, strconv.FormatUint(uint64(t.attempt), 10))
	return sum[:]
}

// State decodes the step's own state; the zero T when there is none yet.
func State[T any](t *Turn) (T, error) {
	var v T
	if len(t.state) == 0 {
		return v, nil
	}
	if err := json.Unmarshal(t.state, &v); err != nil {
		return v, fmt.Errorf("state of node %q: %w", t.Key, err)
	}
	return v, nil
}

// Keep replaces the step's own state.
func (t *Turn) Keep(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("state of node %q: %w", t.Key, err)
	}
	t.state = b
	return nil
}

// Kept is the state after the call, for the engine to store.
func (t *Turn) Kept() []byte { return t.state }

// Outcome is a step's answer. Make one with Wait, Result, Reject or Fail; add
// effects with the With methods.
type Outcome struct {
	Verdict Verdict
	Status  string   // of Wait and Reject
	Name    string   // of Result
	Fault   *Fault   // of Reject
	Failure *Failure // of Fail
	Outlet  string   // of Fail: one of Step.Failures to leave by, where it is drawn; empty: ERROR
	Users   []Subject
	Person  *Candidate
	Foreign *ForeignAccount
	Proofs  []Proof
	Events  []EventType
	Outputs map[string]any // of Result; Secret values are kept sealed
	End     *End           // of a Result that finishes a definition
	Trust   *Trust         // what the browser is to show from now on; nil: nothing new
	Once    []Member       // shown in the answer to this submit and never again
}

// Trust makes a browser a trusted one: it shows Value, of which only the digest is
// kept, for as long as Life.
type Trust struct {
	Value string
	Life  time.Duration
}

// Verdict is which of the four answers an Outcome is.
type Verdict uint8

// The verdicts. The zero Outcome is none of them, so that a forgotten answer is
// an error and not a pass.
const (
	Waits Verdict = iota + 1
	Results
	Rejects
	Fails
)

// Wait keeps the execution at this node, showing status.
func Wait(status string) Outcome { return Outcome{Verdict: Waits, Status: status} }

// Result leaves the node by the named outlet.
func Result(name string) Outcome { return Outcome{Verdict: Results, Name: name} }

// Reject refuses the submit and saves what the step kept, so that a wrong guess
// counts. The node goes on waiting in status.
func Reject(status string, f *Fault) Outcome {
	return Outcome{Verdict: Rejects, Status: status, Fault: f}
}

// Fail ends the execution.
func Fail(code, message string) Outcome {
	return Outcome{Verdict: Fails, Failure: &Failure{Code: code, Message: message}}
}

// FailWith ends the execution, or leaves by the ERROR outlet, with what was wrong
// with single inputs.
func FailWith(f Failure) Outcome { return Outcome{Verdict: Fails, Failure: &f} }

// WithOutputs says what ${steps.KEY.outputs} holds from now on.
func (o Outcome) WithOutputs(v map[string]any) Outcome { o.Outputs = v; return o }

// WithEnd says what the definition came to.
func (o Outcome) WithEnd(e End) Outcome { o.End = &e; return o }

// WithUser says who signs on.
func (o Outcome) WithUser(u Subject) Outcome { o.Users = append(o.Users, u); return o }

// WithCandidate says who the person claims to be.
func (o Outcome) WithCandidate(c Candidate) Outcome { o.Person = &c; return o }

// WithForeign says which account elsewhere the person has, which is nobody's here; the
// zero one, that it is somebody's now.
func (o Outcome) WithForeign(a ForeignAccount) Outcome { o.Foreign = &a; return o }

// WithEvent has a security event recorded once the outcome is saved.
func (o Outcome) WithEvent(t EventType) Outcome { o.Events = append(o.Events, t); return o }

// WithTrust has the browser remember that it is trusted. A repeat of the submit is
// not given the value again: then the person is asked again the next time.
func (o Outcome) WithTrust(t Trust) Outcome { o.Trust = &t; return o }

// WithOnce shows a member in the answer to this submit alone: a secret that is kept
// nowhere, for the person to write down. A repeat of the submit is not shown it again.
func (o Outcome) WithOnce(name string, json []byte) Outcome {
	o.Once = append(o.Once, Member{Name: name, JSON: json})
	return o
}

// WithProof adds a proof that the step has just taken.
func (o Outcome) WithProof(p Proof) Outcome { o.Proofs = append(o.Proofs, p); return o }
