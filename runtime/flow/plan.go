package flow

import "time"

// Plan is a compiled definition: an immutable graph of nodes. It is named by the
// digest of the source it was compiled from, and an execution is pinned to it.
type Plan struct {
	Hash  Digest
	Name  string // of the sign-on policy or definition; becomes the acr
	Entry string
	Nodes map[string]*Node

	Definition string // id of the flow definition; empty: of a sign-on policy
	Trigger    string // of the definition
}

// MostNodes is how many nodes one submit may pass, the end of the plan counted as
// one, so that a plan that loops fails instead of spinning.
const MostNodes = 64

// Node is one configured use of a step kind.
type Node struct {
	Key     string
	Kind    string
	Config  any               // what Kind.Check returned
	Guard   Guard             // nil: always entered
	Skip    string            // where to go when Guard does not hold; empty ends the plan
	Outlets map[string]string // result to next node; an empty next ends the plan
	Beside  []string          // nodes whose opening actions are offered while this one waits
	Sends   bool              // is of no use where no messages can be sent
	Factors Factor            // what running it (or having run it in the session) must have proven

	// Waives is the node whose Factors are needed no more where an application answers
	// for the user: then this node is passed by, to Skip. Empty: it is entered like any.
	Waives string

	Input Input  // nil: takes none
	As    string // key that its outputs are kept under; empty: Key
	Links []Link // executions of definitions that are offered while it waits
}

// Place is the key under which the node's outputs are kept.
func (n *Node) Place() string {
	if n.As != "" {
		return n.As
	}
	return n.Key
}

// Guard decides at arrival whether a node is entered.
type Guard interface {
	// Holds evaluates against named facts ("session.lastSignOn.at",
	// "flow.request.http.remoteIp", "user.population.id"); fact returns nil
	// for what is not known. Times are time.Time, addresses netip.Addr.
	Holds(now time.Time, fact func(name string) any) bool
}

// Message is something to be delivered to a person. Params are what its template
// puts in, among them codes, so that they are sealed wherever they rest.
type Message struct {
	ID, Env   string
	Channel   Channel // empty: Email
	Template  string  // "verification", "recovery", ...
	Locales   string  // languages of the person, best first, as Accept-Language
	To        string  // address; of SMS and Voice number as E164, of Push id of a device; empty: nobody's, and the message is dropped
	Flow      string  // execution that it belongs to; empty: none
	Params    map[string]string
	Attempt   int // tries so far
	CreatedAt time.Time
	ExpiresAt time.Time // not worth sending afterwards
}

// Resource is one configuration document as the directory keeps it.
type Resource struct {
	Env  string
	Kind string // "application", "signOnPolicy", ...
	ID   string
	Body []byte // canonical JSON (RFC 8785) without secrets

	CreatedAt, UpdatedAt time.Time // made by the directory
}
