package flow

import (
	"errors"
	"net/netip"
	"strings"
)

// Caller is what a request brings along to show that an execution is its own.
type Caller struct {
	Cookie    string // value of the ST cookie; empty when there is none
	FlowToken string // value of the Flow-Token header; counts only without a cookie
	Browser   string // value of the cookie of a trusted browser; empty: there is none
	Client    Client
	// Application is the id of the application that has shown who it is. Only a face that
	// has judged its token sets it. It owns what it has started, and nothing else: what a
	// browser shows counts for nothing beside it. Empty: a browser, or nobody.
	Application string
}

// Client is who sent the request, as far as the transport can tell.
type Client struct {
	RemoteIP  netip.Addr
	UserAgent string
	Locales   string // Accept-Language
}

// fieldKept is how many bytes are kept of a User-Agent, by which people recognise
// a browser, and of an Accept-Language.
const fieldKept = 512

// ClientOf is a client with the fields of its request as far as they are kept.
func ClientOf(ip netip.Addr, userAgent, acceptLanguage string) Client {
	kept := func(s string) string { return strings.ToValidUTF8(s[:min(len(s), fieldKept)], "") }
	return Client{RemoteIP: ip, UserAgent: kept(userAgent), Locales: kept(acceptLanguage)}
}

// Start asks the engine for a new execution.
type Start struct {
	Env       string
	Plans     []Digest // the first that does not fail is the one; never empty
	Request   Request
	Caller    Caller
	Silent    bool   // prompt=none: complete without a question or not at all
	FlowToken bool   // the application allows its clients to hold a Flow-Token
	Inputs    []byte // Execution.Inputs
}

// Submit is one action sent to an execution.
type Submit struct {
	Action string
	Values Values
	Token  string // step token (If-Match, or a form's hidden field); empty: not sent
	Key    string // Idempotency-Key; empty: not sent
	// Form is a posted form that only the fields which are offered can read; nil: the
	// Values are known.
	Form *Form
}

// Form is what a person has typed. It is told from others by its bytes, so that its
// repeat is known when the step that could read it is over.
type Form struct {
	Body []byte
	Read func(fields []Field) (Values, error) // an error is a *Fault
}

// Claim takes the lease of an execution.
type Claim struct {
	Holder  string // 128 random bits of this request; also the id of its save
	Submit  Digest // what is being submitted, for others to compare theirs with
	Session Digest // look up the session under this cookie digest too; zero: none
}

// What the stores report. They are for the engine; no client sees them.
var (
	// ErrUnknown says there is no such record, or that it has expired.
	ErrUnknown = errors.New("unknown record")
	// ErrLost says that a save found another version or another lease holder.
	ErrLost = errors.New("lease or version lost")
	// ErrNewer says that the record was written by a later format.
	ErrNewer = errors.New("record of a newer format")
	// ErrOlder says that the record's format is no longer read.
	ErrOlder = errors.New("record of a format no longer read")
	// ErrFull says that the store takes no more.
	ErrFull = errors.New("store is full")
	// ErrTooLarge says that an encoded record is over 16 KiB.
	ErrTooLarge = errors.New("record over 16 KiB")
	// ErrInteractionRequired says that a silent start would have to ask.
	ErrInteractionRequired = errors.New("interaction required")
)

// HeldError says that another request holds the lease, for Submit.
type HeldError struct{ Submit Digest }

func (*HeldError) Error() string { return "lease held by another request" }

// LimitError says which limit was passed; RetryAfter is in seconds.
type LimitError struct {
	Limit      Limit
	RetryAfter int
}

func (e *LimitError) Error() string { return "limit passed: " + e.Limit.Key }
