package mfa

import (
	"context"
	"io"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfapolicy"
	"doorward/runtime/passkey"
)

// Secrets keeps one-time secrets by name, as keyed hashes. A second one of a name voids
// the first. UseSecret counts a try before it compares, and the right one uses the
// secret up; the same effect with the same hash again is answered as the first time.
type Secrets interface {
	PutSecret(ctx context.Context, name string, hash [32]byte, tries int, ttl time.Duration) error
	UseSecret(ctx context.Context, name string, hash [32]byte, effect string) (SecretVerdict, error)
}

// SecretVerdict is what became of a try: right, wrong with Left more to come, or
// neither, when there is no such secret any more.
type SecretVerdict struct {
	OK, Wrong bool
	Left      int
}

// Tries counts in a fixed window. Count fails with a *flow.LimitError over a limit, and
// has counted then too. Uncount takes one back; it never leads below nothing.
type Tries interface {
	Count(ctx context.Context, limits []flow.Limit) error
	Uncount(ctx context.Context, limits []flow.Limit) error
}

// Messages are sent in the background. Post returns no id where one of the limits does
// not allow the message.
type Messages interface {
	Post(ctx context.Context, m Message) (id string, err error)
}

// Message is what is to be sent. One without an address is counted like any other, and
// reaches nobody.
type Message struct {
	flow.Message
	Limits []Most
	Effect string // the same again posts nothing
}

// Most is how many messages of a kind somebody gets in an hour.
type Most struct {
	Kind, Of string
	Number   int
}

// People knows users beside their devices.
type People interface {
	// Contact is how to reach one.
	Contact(ctx context.Context, env, userID string) (Contact, error)
	// Attributes are those of one, by their names, such as "email" and "name.given".
	Attributes(ctx context.Context, env, userID string) (map[string]any, error)
}

// Contact is a user as messages need them.
type Contact struct {
	Email, Given, Username, Locales string
	Phone                           string // where SMS reach them; empty: nowhere, or the environment sends none
}

// Policies are read live. An empty id is the default one's.
type Policies interface {
	Policy(env, id string) (*mfapolicy.Policy, error)
	FIDO2(env, id string) (*mfapolicy.FIDO2Policy, error)
	Settings(env string) *mfapolicy.Settings
	Party(env string) passkey.Party
}

// Keys derives what nobody else can.
type Keys interface {
	Derive(purpose string, parts ...string) [32]byte
}

// Options is what a Service is made of; all of it is needed but what says otherwise.
type Options struct {
	Store    Store
	Secrets  Secrets
	Tries    Tries
	Messages Messages
	People   People
	Policies Policies
	Keys     Keys
	// NormalEmail is the one form of a mail address; an error for what is none.
	NormalEmail func(address string) (string, error)
	// NormalName is the one form of a username; an error for what is none.
	NormalName func(name string) (string, error)
	Random     io.Reader
	Now        func() time.Time
	// Metadata is what is known of models of authenticators; nil: nothing.
	Metadata *passkey.Metadata
}

// Service holds the rules.
type Service struct{ o Options }

// KnowsModels reports whether it is known which models of authenticators there are.
func (s *Service) KnowsModels() bool { return s.o.Metadata != nil }

// New makes a Service.
func New(o Options) *Service { return &Service{o} }

// Who is whose devices they are, and who asks.
type Who struct {
	Env, UserID           string // no UserID: nobody's, and no answer is right
	Username, DisplayName string // the username also where it is nobody's, as typed
	Flow                  string // execution; empty: outside of any
	Application           string // id of what is signed on to
	Locales, Effect       string // flow.Turn.Locales, flow.Turn.Effect
	Client                flow.Client
	// Unproven says that no factor of the person has been proven yet. Then nothing is
	// told of their devices, not even whether there are any: they are asked for a code,
	// whoever they are. Source: docs/decisions/0012-devices.md.
	Unproven bool
}

// account is by what tries are counted: the user, or the name of nobody, which is one
// in whatever case it is typed, as users' are.
func (s *Service) account(w Who) string {
	if w.UserID != "" {
		return w.UserID
	}
	name := w.Username
	if key, err := s.o.NormalName(name); err == nil {
		name = key
	}
	sum := s.o.Keys.Derive("mfa.nobody", w.Env, name)
	return encode(sum[:16])
}

// Compatibility is what a client can do with WebAuthn.
type Compatibility = string

// The compatibilities. Nothing said is Full. Source: reference/flows.md 8.4.
const (
	Full            Compatibility = "FULL"
	SecurityKeyOnly Compatibility = "SECURITY_KEY_ONLY" // only what is carried
	NoWebAuthn      Compatibility = "NONE"
)

// The statuses in which a device is waited for. Source: reference/flows.md 3.1, 7.4.
const (
	OTPRequired       = "OTP_REQUIRED"
	AssertionRequired = "ASSERTION_REQUIRED"
	PushRequired      = "PUSH_CONFIRMATION_REQUIRED"
	PushTimedOut      = "PUSH_CONFIRMATION_TIMED_OUT"
)

// Verdict is what an answer comes to.
type Verdict struct {
	OK            bool
	Proof         flow.Proof    // of OK
	Device        device.Device // of OK: as it was before the answer, but for its credential
	Wrong, Left   int           // of a wrong code: in a row, and how many more are compared
	LockedUntil   time.Time     // of a locked device or account; zero: it is not, or until somebody lifts it
	DeviceLocked  bool
	AccountLocked bool
	Events        []flow.EventType
	Fault         *flow.Fault // of not OK: what to tell
	Again         *Challenge  // that is asked from now on, where the one before can be answered no more

	alarming bool // a lock began with it
}
