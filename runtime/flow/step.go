package flow

import (
	"encoding/json"
	"slices"
)

// Secret is a password on its way from a form to the step that takes it. It
// rests sealed, is resolved only where a kind declares an input that takes one,
// and prints and encodes as nothing.
type Secret string

func (Secret) String() string { return "" }

// MarshalJSON keeps a secret out of whatever is encoded.
func (Secret) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// The triggers of flow definitions. Source: reference/management.md 2.2.
const (
	TriggerExperience   = "EXPERIENCE"
	TriggerSignOnPolicy = "SIGN_ON_POLICY"
)

// ErrorResult is the outlet that any step of a definition may have: where to go
// on when the step fails. No kind names a result so. Source:
// reference/management.md 2.3.
const ErrorResult = "ERROR"

// The outlets for calls of outside services that fail because of the service and
// not of what was asked. They are ours, and need not be drawn: ERROR takes what
// they do not.
const (
	TimeoutResult     = "TIMEOUT"     // it did not answer in time
	UnavailableResult = "UNAVAILABLE" // it was not asked: too many calls, or it has failed too often
)

// Stepper is a Kind that flow definitions are made of. Other kinds are for
// sign-on policies alone.
type Stepper interface {
	Kind
	// Step describes the kind: in general, or, where config is not nil, as a node
	// of that configuration (what Check returned) in a definition of the trigger.
	Step(trigger string, config any) Step
}

// Step describes a step of a flow definition: to whoever writes one, to the
// compiler and to the verifier. Schemas are JSON Schema, draft 2020-12, and lie
// beside the kind. Source: reference/management.md 2.7.
type Step struct {
	Title   string   // "Create User"
	Icon    string   // name of an icon of package static; empty: none
	Aliases []string // other names of the kind in definitions

	Configuration   json.RawMessage // schema; empty: takes none
	ConfigurationUI json.RawMessage // UI schema; empty: none
	Input           json.RawMessage // schema; empty: takes none
	InputUI         json.RawMessage // UI schema; empty: none

	// References are the members of the configuration that name a resource.
	References []Reference
	// Secrets are the inputs that take a password, by dotted path, of which the
	// last element is password, currentPassword or newPassword.
	Secrets []string
	// Markup are the inputs that hold HTML, by dotted path: what a placeholder puts
	// in there is escaped.
	Markup []string
	// Addresses are the inputs that hold a URL, by dotted path: it is written out as
	// far as its path, and what a placeholder puts in there is a segment of it or
	// the value of a parameter. See placeholder.Rules.
	Addresses []string
	// Documents are the inputs that may hold JSON as text, by dotted path: what a
	// placeholder puts in there is one value of it.
	Documents []string
	// CheckInput, unless it is nil, reports what Input cannot say of an input as it
	// is written, with its placeholders, when a definition is published.
	CheckInput func(input map[string]any) error
	// Reads are the variables that the configuration reads, such as
	// "steps.lookup.outputs.user.id".
	Reads   []string
	Results []StepResult
	// Failures are outlets that a failure may leave by, besides ERROR. They need not
	// be drawn.
	Failures []StepFailure
	// Waits says that the step asks a person, so that a loop through it costs a
	// submit a turn.
	Waits bool
	Ends  Ending
}

// Reference is a member of a step's configuration that holds the id of a resource.
type Reference struct {
	Member string // dotted: "form.id"
	Kind   string // of the resource, as configs names it: "form", "agreement", "population", "flowDefinition"
	// Pinned says that the resource becomes part of the plan's source: Check
	// finds its whole body where the id stood, the object that Member lies in.
	// Others are read live.
	Pinned bool
}

// StepResult is one way out of a step.
type StepResult struct {
	Name   string // outlet, never ERROR
	Title  string
	Doc    string
	Output json.RawMessage // schema of ${steps.KEY.outputs}; empty: none

	// Names says that a candidate is named: somebody the person says to be.
	Names bool
	// Takes is the proof that is taken of the candidate or the user: the one, or one
	// of several. It counts from the first result on that Confirms.
	Takes []Taken
	// Candidate says that Takes is of a candidate alone: of whoever is the user of
	// the execution already, nothing is taken.
	Candidate bool
	// Confirms says that the candidate becomes the user of the execution.
	Confirms bool
}

// StepFailure is an outlet for one sort of failure: TimeoutResult or
// UnavailableResult.
type StepFailure struct{ Name, Title, Doc string }

// FailsBy reports whether a failure of the step may leave by that outlet.
func (s *Step) FailsBy(outlet string) bool {
	return outlet == ErrorResult || slices.ContainsFunc(s.Failures, func(f StepFailure) bool { return f.Name == outlet })
}

// Taken is a proof as a kind declares it.
type Taken struct {
	Factors       Factor
	Authenticator string // kind of authenticator: "password", "email", "totp"
	AMR           string // its RFC 8176 value; empty: none
	// Rests names the channel that the proof rests on, for one that came about by
	// another: a password that was set with a mailed code rests on "email". Two
	// proofs of one authenticator or resting on one channel count once.
	Rests string
}

// Ending is how a step ends a definition.
type Ending uint8

// The endings. A step that Finishes has the results that the compiler leads on;
// one that Terminates has none.
const (
	GoesOn Ending = iota
	Finishes
	Terminates
)

// End is what a step that Finishes says the definition came to. The engine holds
// it against the ledger: a user who is not the execution's, or an AMR that no
// proof has, fails the execution.
type End struct {
	User       string            // id; empty: nobody is signed on by it
	AMR        []string          // RFC 8176 values that are claimed
	Parameters map[string]string // for the query of the redirect
}

// Input is a node's input with placeholders, compiled once with the plan.
type Input interface {
	// Resolve puts values in. find returns what a path such as ["steps", "form",
	// "outputs", "formData"] stands for, nil for nothing. A placeholder that is a
	// whole string keeps the type of its value; a member that resolves to nothing
	// is left out.
	Resolve(find func(path []string) any) map[string]any
	// Uses lists every placeholder.
	Uses() []Use
}

// Use is one placeholder of an input.
type Use struct {
	At    string   // JSON pointer into the input, "/user/id"
	Path  []string // what it stands for
	Whole bool     // it is the whole string, so that its type is kept
}

// Offerer is a Kind whose nodes offer actions of their own making, such as a form
// that is data. They stand before what Meta declares and replace those of the
// same names.
type Offerer interface {
	Offers(t *Turn) []Offer
}

// Link is another execution that a node leads to: one of a flow definition, that
// comes back when it is finished. Source: reference/flows.md 7.2.
type Link struct {
	Name       string // relation: "registration.experience"
	Prompt     Text
	Definition string   // id
	When       []string // statuses that offer it; none: all
	Next       string   // where to go on when it has come back with a user; empty ends the plan
}

// Offered reports whether the link is there in status.
func (l *Link) Offered(status string) bool {
	return len(l.When) == 0 || slices.Contains(l.When, status)
}
