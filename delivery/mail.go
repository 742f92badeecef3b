package delivery

import (
	"context"
	"time"

	"doorward/runtime/flow"
)

// Mail is one message as it leaves.
type Mail struct {
	To        string
	From      string // name that it is sent under; the address is the Sender's
	Subject   string // one line
	Text      string // lines end in \n
	HTML      string
	Language  string // BCP 47
	Template  string
	MessageID string // of the flow.Message, so that a repeat is known as one
	At        time.Time
}

// Place is what a mail says of the environment that it comes from.
type Place struct {
	Name      string
	Logo      string   // shown when it is an https address
	SignOnURL string   // page of the message's flow, with a query; empty without one
	Languages []string // that it speaks, the first for whom none suits; empty: all, English first
}

// Text is one SMS, what a call says, or what an app shows of a push.
type Text struct {
	Env       string
	Channel   flow.Channel // flow.SMS, flow.Voice or flow.Push
	To        string       // as flow.E164; of a push the id of the device
	Content   string
	Language  string // BCP 47
	Template  string
	MessageID string // of the flow.Message, so that a repeat is known as one
	At        time.Time
}

// Queue is the outbox.
type Queue interface {
	// Claim hands out up to n messages of the channels and of no environment in except,
	// those first that have been due the longest.
	// Nobody gets one of them again before lease is over, unless Later says so.
	Claim(ctx context.Context, n int, lease time.Duration, except []string, channels ...flow.Channel) ([]flow.Message, error)
	Sent(ctx context.Context, id string) error
	Later(ctx context.Context, id string, at time.Time, why string) error
	Dropped(ctx context.Context, id, why string) error
}

// Sender hands a mail on. It returns a *Failure when it knows that the mail was
// not taken; after any other error the mail may be on its way, and is not sent
// again. It ends soon after ctx does.
type Sender interface {
	Send(ctx context.Context, m Mail) error
}

// Phone hands SMS, calls and pushes on, as Sender does mail.
type Phone interface {
	SendText(ctx context.Context, t Text) error
}

// Why a message was not sent, as it stands in events.
const (
	Nobody        = "NOBODY"        // it had no address
	Expired       = "EXPIRED"       // not worth sending any more, or not at the next try
	Refused       = "REFUSED"       // the server will never take it
	Unaddressed   = "ADDRESS"       // the address cannot be one
	Exhausted     = "ATTEMPTS"      // tried too often
	Uncertain     = "UNCERTAIN"     // perhaps taken
	Unwritten     = "TEMPLATE"      // no text for it
	NoEnvironment = "ENVIRONMENT"   // its environment is not known here
	Unconfigured  = "CONFIGURATION" // nothing says how to send it, or what does cannot be followed
	Unreachable   = "UNREACHABLE"   // no server that could be talked to
	Busy          = "BUSY"          // the server takes it later
	Stopped       = "STOPPED"       // the process ends
)

// Failure is that a message was not taken, or perhaps was.
type Failure struct {
	Reason  string        // one of the constants
	Final   bool          // trying again is of no use
	Perhaps bool          // it may have been taken by one who, sent it again, can tell by its id
	After   time.Duration // not to be tried again before; 0: not said
	Cause   string        // for the log; never an address, a credential or what the message says
}

func (f *Failure) Error() string { return f.Reason + ": " + f.Cause }
