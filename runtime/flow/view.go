package flow

import "time"

// View is an execution as its owner may see it. Package wire turns it into HAL,
// the hosted pages into HTML.
type View struct {
	Ref         Ref
	Status      string
	Version     uint64
	Token       string // step token: the ETag, and the hidden field of a form
	Offers      []Offer
	User        Subject // without an ID: who the person claims to be
	Address     string  // masked, of where a code went
	Population  string  // whose password policy holds; empty: the default one's
	Locales     string  // what the application asked for, then what the user prefers, as Accept-Language
	Application string  // id
	SessionID   string  // empty while there is no session
	PiFlow      bool
	ReturnTo    string
	Payload     []byte // Request.Payload, for the face that resumes a failed execution; never encoded
	LoginHint   string
	AMR         []string
	// Authenticator is what the last proof was made by, of an execution that an
	// application owns; empty: there is none.
	Authenticator string
	Failure       *Failure
	CreatedAt     time.Time
	ExpiresAt     time.Time

	// Of a flow definition, or of a policy that leads to one.
	Definition string // id; empty: a sign-on
	Redirect   string // where a finished one leads, with its parameters
	Links      []Link
	Form       any // *form.Form or form.Terms that waits; nil: neither does
	Values     Values
	Members    []Member
	Embedded   []Member
	External   *External // where somebody is to sign on elsewhere; nil: nowhere

	// Cookie is the ST value the browser must hold from now on, FlowToken the
	// Flow-Token a client without a cookie jar must send; empty when unchanged.
	Cookie    string
	FlowToken string
	// Trust is what the browser must hold to be a trusted one; nil: nothing new.
	Trust *Trust
}

// Offer is one action that may be submitted now.
type Offer struct {
	Name   string
	Prompt Text
	Fields []Field
	Open   bool // the values are judged by a form that is data
}

// Find returns the named offer.
func (v *View) Find(name string) (Offer, bool) {
	for _, o := range v.Offers {
		if o.Name == name {
			return o, true
		}
	}
	return Offer{}, false
}

// Completion is a satisfied execution: everything that is needed to issue a code
// or a token, and the only thing from which one may be issued. The engine alone
// makes one, after Ledger.Satisfies.
type Completion struct {
	Ref       Ref
	User      Subject
	SessionID string
	AMR       []string
	ACR       string
	AuthTime  time.Time // youngest proof
	Request   Request
	Code      string // derived, 256 bits, base64url; the same on every repeat
}
