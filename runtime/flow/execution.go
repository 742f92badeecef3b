package flow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Format is the execution record format this binary writes. It reads Format and
// Format-1; a newer one is answered with Unavailable (another node is ahead of
// us), an older one fails the flow with a link to start again.
const Format = 3

// The lives of an execution. Source: reference/flows.md 0 rule 4; design promise
// that nothing lives for ever.
const (
	// Idle is how long an execution may rest between two submits. A submit
	// slides it, a read does not.
	Idle = 15 * time.Minute
	// Life is the longest an execution lives, however busy it is.
	Life = 60 * time.Minute
	// RepeatFor is how long the answer to a submit is given again.
	RepeatFor = 60 * time.Second
	// ResumeFor is how long after its code was issued an execution may be
	// resumed again by the same browser, for the same answer.
	ResumeFor = 10 * time.Second
	// ResumedLife is how long a finished execution is kept from its first
	// resume on: longer than ResumeFor, since the code may not have been issued
	// when the database was away.
	ResumedLife = 5 * time.Minute
	// ReplacedFor is how long a session remembers a cookie value it replaced,
	// so that other tabs live on.
	ReplacedFor = 15 * time.Minute
	// ReplacedKept is how many replaced values a session remembers.
	ReplacedKept = 4
)

// Skew is how far the clocks of two nodes may be apart.
const Skew = 5 * time.Second

// Deadlines of one request; each leaves room for the one inside it.
const (
	RequestTimeout = 12 * time.Second // whole request
	TurnTimeout    = 10 * time.Second // all external calls of one turn
	CallTimeout    = 8 * time.Second  // one external call
	LeaseTime      = 15 * time.Second // longer than any request
)

// The statuses that belong to the engine itself; every other one is declared by
// a step kind. Source: reference/flows.md 3.1.
const (
	Completed = "COMPLETED"
	Failed    = "FAILED"
)

// ContinueRequired is the status of a step that calls an outside service and came
// to its turn when the turn had no whole call left. Its action "continue" begins
// another one.
const ContinueRequired = "CONTINUE_REQUIRED"

// CallTime reports whether a whole call of an outside service fits into what is
// left of the turn, whose deadline ctx has.
func CallTime(ctx context.Context) bool {
	until, limited := ctx.Deadline()
	return !limited || time.Until(until) >= CallTimeout //nolint:forbidigo // deadlines are of the real clock
}

// Ref names one execution inside one environment; both are UUIDs in lower case.
type Ref struct{ Env, ID string }

// Digest is a SHA-256. The zero Digest matches nothing.
type Digest [sha256.Size]byte

// Sum digests a secret the client holds, so that stores keep only the digest.
func Sum(secret string) Digest {
	if secret == "" {
		return Digest{}
	}
	var b [64]byte // as long as our secrets are
	return sha256.Sum256(append(b[:0], secret...))
}

// IsZero reports whether d was never set.
func (d Digest) IsZero() bool { return d == Digest{} }

// String is the lower-case hexadecimal form.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// Subject is what an execution and a session remember of a user: enough to show
// who is signing on, and the id by which everything else is read live.
type Subject struct {
	ID         string // UUID; empty when nobody is known
	Username   string
	Given      string
	Family     string
	Population string // UUID
	Locales    string // preferred languages, as Accept-Language; empty: not known
}

// Standing is what holds of a user at this moment, whatever was proven earlier.
type Standing struct {
	Enabled bool      // false also for a user who is not there
	Since   time.Time // what was proven before counts no more: the password was changed then
	Locales string    // preferred languages, as Accept-Language; empty: not known
}

// Candidate is whom a person says to be, before anything proves it. A view shows
// the Username, which is what was typed, and nothing else: whether the name is
// anybody's is not told.
type Candidate struct {
	Username string // as typed
	Address  string // where a code went because the person typed it, masked; empty: not told
	UserID   string // whose account a step found; empty: nobody's
	// Proofs are what was taken of that account. They count from the moment a
	// step says, with WithUser, that the candidate is the user.
	Proofs Ledger
}

// IsZero reports whether nobody was named yet.
func (c *Candidate) IsZero() bool {
	return c.Username == "" && c.Address == "" && c.UserID == "" && len(c.Proofs) == 0
}

// Execution is the whole persisted state of one run of a plan. The store encodes
// it; Ref is its key and not part of the record.
type Execution struct {
	Ref Ref

	Format  int
	Version uint64   // raised by one on every save, 1 at creation
	Plan    Digest   // of the plan's source closure
	Others  []Digest // plans to go on with, in order, should this one fail
	Node    string   // the node that waits; empty once terminal
	Attempt uint32   // evaluated submits, resets included; never goes back
	Status  string
	Failure *Failure // of a failed execution; of a waiting one, what its last ERROR outlet was taken for

	User   Subject           // who signs on, once a step has said so
	Person Candidate         // who is said to, until then
	Steps  map[string][]byte // node key to that step's own state
	Proofs Ledger
	Demand Demand

	// Binding is the digest of the ST cookie of the browser that owns the
	// execution; Token that of its Flow-Token, zero when none is accepted.
	Binding Digest
	Token   Digest
	// Accepted says that a credential was accepted under Binding, after which
	// no other cookie value of the session may adopt the execution.
	Accepted bool
	// Rotated is the version whose derived ST is Binding; 0 when Binding was
	// brought along by the browser. TokenAt is the version whose derived
	// Flow-Token is Token.
	Rotated uint64
	TokenAt uint64

	SessionID   string // UUID of the sign-on session, empty while there is none
	SessionHash Digest // the cookie digest under which that session lies

	Repeat  Mark
	Request Request

	// Of a flow definition.
	Inputs  []byte            // JSON object: the parameters that it was started with
	Outputs map[string][]byte // JSON by the key of the node that made them
	Secrets map[string][]byte // sealed, by node key, NUL and dotted path in its outputs
	Named   bool              // its end named a user
	Return  string            // query of the redirect that it ends with

	Foreign ForeignAccount // who has signed on elsewhere and is nobody here yet

	CreatedAt time.Time // millisecond precision, UTC, as are all times here
	ExpiresAt time.Time // last submit + Idle, never past EndsAt
	EndsAt    time.Time // CreatedAt + Life
}

// Terminal reports whether the execution takes no more actions.
func (x *Execution) Terminal() bool { return x.Status == Completed || x.Status == Failed }

// IsNamed reports whether the user is the one whom the face named that started the
// execution.
func (x *Execution) IsNamed() bool { return x.User.ID != "" && x.User.ID == x.Request.User.ID }

// Request is what started the execution and what its end goes back to. Payload
// belongs to the face that started it; nobody else reads it.
type Request struct {
	Application string // UUID of the application, the client_id
	PiFlow      bool   // started with response_mode=pi.flow
	ReturnTo    string // validated redirect URI; empty for pi.flow without one
	Fresh       bool   // prompt=login: nothing of the session counts
	MaxAge      int64  // seconds; -1 when not asked for
	LoginHint   string
	Locales     string // ui_locales as Accept-Language; empty: not asked for
	Payload     []byte
	Definition  string // id of the flow definition that is run by itself; empty: a sign-on
	For         string // id of the execution that it comes back to; empty: none

	// User is whom the face names that starts it, because somebody answers for that: an
	// application that has shown who it is. Nobody else signs on in the execution, and
	// nothing of them is proven by it. Without an ID: nobody is named.
	User Subject
	// Owner is the application that the execution is for in a browser's place, as the
	// Caller that started it had it; empty: it is a browser's.
	Owner string
}

// IsSignOn reports whether a browser is to be signed on by it, which is handed back to
// the application: a flow definition that is run by itself ends at its own redirect, and
// what an application owns signs nobody on.
func (r *Request) IsSignOn() bool { return r.Definition == "" && r.Owner == "" }

// Mark remembers the last evaluated submit, so that its repeat gets the same
// answer. It keeps no byte of the answer: everything in it can be derived again.
type Mark struct {
	Submit  Digest    // HMAC of action, values, step token and Idempotency-Key
	Key     Digest    // of the Idempotency-Key; zero when none was sent
	Binding Digest    // cookie digest the submit came with
	Version uint64    // version that the submit led to
	At      time.Time // when
	Fault   *Fault    // what it was refused with, nil when it was not
}

// Failure is why an execution failed, as shown to the client, or why a step of a
// definition did.
// Source: reference/flows.md 2.1 (error.code, error.message).
type Failure struct {
	Code, Message string
	Details       []Detail // of single inputs
	HTML          string   // Message with links, lists and emphasis, sanitised; empty: it has none
}

// Session is one browser's sign-on, shared by all applications of an
// environment. It lies in the store under the digest of its cookie value.
// Source: reference/flows.md 11.1.
type Session struct {
	ID        string // UUID, the sid claim; stays while the subject stays
	User      Subject
	Proofs    Ledger // empty while nobody has completed a sign-on in it
	CreatedAt time.Time
	ActiveAt  time.Time
	ExpiresAt time.Time
	RemoteIP  string // of the last sign-on
	UserAgent string
	Replaced  []Replaced // youngest first, at most ReplacedKept
}

// Replaced is a cookie value that a session has given up.
type Replaced struct {
	Hash Digest
	At   time.Time
}

// HasReplaced reports whether the session gave up the cookie value with digest d
// less than ReplacedFor ago.
func (s *Session) HasReplaced(d Digest, now time.Time) bool {
	if s == nil || d.IsZero() {
		return false
	}
	for _, r := range s.Replaced {
		if r.Hash == d && now.Sub(r.At) < ReplacedFor {
			return true
		}
	}
	return false
}

// Limit is one counter that a request moves: at most Max in Window. Over it the
// request is refused; when it cannot be read the request is refused as well.
type Limit struct {
	Key    string // what is counted and for whom, e.g. "act:<env>:<address>"
	Max    int
	Window time.Duration
}
