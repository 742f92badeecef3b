package invoke

import (
	"crypto/tls"
	"net/http"
	"time"

	"doorward/runtime/flow"
)

// What one call may weigh, in bytes.
const (
	MaxHeader        = 32 << 10  // of an answer
	MaxBody          = 256 << 10 // of an answer, and of a request
	MaxRequestHeader = 8 << 10
	MaxURL           = 8 << 10
	maxDepth         = 32 // of JSON
	maxRedirects     = 3
)

// What may be under way at once, and how often. Source: reference/management.md 1.8
// for the environment; a third of it for one target, so that three slow services
// are needed to fill it.
const (
	PerEnvironment    = 45
	DefaultConcurrent = 15
	DefaultRate       = 100 // calls a second
	DefaultBurst      = 100
	// MaxTargets is how many targets of one environment are remembered.
	MaxTargets = 256
)

// Target is whom a call is for. Environment and name tell targets apart: each has
// connections, a rate, a bulkhead and a breaker of its own, shared with nobody.
type Target struct {
	Env, Name string
	// Origins are where its calls may go: "https://api.example", with a port that
	// is not the scheme's own. No origin: nowhere.
	Origins []string
	// Rate is how many calls a second it may get, and Burst how many at once after
	// a pause; 0: DefaultRate and DefaultBurst.
	Rate  float64
	Burst int
	// Concurrent is how many calls may be under way; 0: DefaultConcurrent.
	Concurrent int
	// TLS holds the target's own roots and client certificate; nil: the system's
	// roots. Verification is always on, TLS 1.2 the least, HTTP/1.1 what is spoken
	// over it. New connections are made once the pointer changes, so that a new
	// certificate is a new Config, and an unchanged one the same.
	TLS *tls.Config
	// Plain permits http. Without it, http goes only to networks that the operator
	// has opened.
	Plain bool
	// Timeout ends a call; 0 or more than flow.CallTimeout: flow.CallTimeout.
	Timeout time.Duration
}

// timeout is how long a whole call may take.
func (t *Target) timeout() time.Duration {
	if t.Timeout <= 0 || t.Timeout > flow.CallTimeout {
		return flow.CallTimeout
	}
	return t.Timeout
}

func (t *Target) concurrent() int {
	if t.Concurrent <= 0 {
		return DefaultConcurrent
	}
	return t.Concurrent
}

func (t *Target) rate() (perSecond float64, burst int) {
	perSecond, burst = t.Rate, t.Burst
	if perSecond <= 0 {
		perSecond = DefaultRate
	}
	if burst <= 0 {
		burst = DefaultBurst
	}
	return perSecond, burst
}

// Call is one call of a target.
type Call struct {
	Target  Target
	Request *http.Request // its body is always closed
	// IdempotencyKey is sent as Idempotency-Key. By it the target knows a repeat,
	// so that any method may be repeated.
	IdempotencyKey string
	// JSON takes only an answer that is one JSON value or empty: of type
	// application/json or +json, in UTF-8, at most 32 levels deep.
	JSON bool
}

// Answer is an answer as it came, whatever its status, but for redirects.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}
