package devices

import (
	"context"
	"net/http"
	"time"

	"doorward/configs"
	"doorward/runtime/device"
	"doorward/runtime/flow"
)

// Router is where the routes go. Paths name a segment with a colon.
type Router interface {
	Handle(method, path string, h http.Handler)
}

// Tenants turns a request into an environment; a *flow.Fault when it cannot.
type Tenants interface {
	Resolve(host, path string) (b *configs.Bundle, rest string, err error)
}

// Devices are the devices that are paired.
type Devices interface {
	// Mobile is an active MOBILE device by its id alone; flow.ErrUnknown.
	Mobile(ctx context.Context, env, id string) (device.Device, error)
	// Pair uses a pairing key up. The same again, with the same key of the device, is
	// answered as the first time. It fails with flow.ErrUnknown when there is no such
	// pairing, or none any more, and with ErrTooMany or ErrPaired.
	Pair(ctx context.Context, c Claim) (device.Device, error)
	// Unpair deletes a device; that there is none is no failure.
	Unpair(ctx context.Context, d device.Device) error
}

// Claim is a device that shows a pairing key.
type Claim struct {
	Env   string
	Hash  [32]byte // of the pairing key; see device.Pairing
	Key   []byte   // public key, PKIX DER
	Name  string   // what it calls itself
	Alert string   // see device.Device
}

// Codes are those that devices compute.
type Codes interface {
	// FreshSeed is that of a device, until a code of it was accepted; flow.ErrUnknown.
	FreshSeed(ctx context.Context, env, id string) ([]byte, error)
	// Computed says how a device computes its codes; not ok: it does not.
	Computed(d *device.Device) (device.Computed, bool)
}

// Pushes are the questions that devices are asked.
type Pushes interface {
	// Pushes are those that wait for a device, oldest first.
	Pushes(ctx context.Context, env, device string) ([]device.Push, error)
	// Push is one of a device, whatever has become of it; flow.ErrUnknown.
	Push(ctx context.Context, env, device, id string) (device.Push, error)
	// AnswerPush answers one that waits, and returns it as it stands then, also where
	// somebody else has answered it before.
	AnswerPush(ctx context.Context, env, device, id string, approve bool) (device.Push, error)
}

// Board are all pushes that wait for devices, of all environments.
type Board interface {
	WaitingPushes(ctx context.Context) ([]device.WaitingPush, error)
}

// Names knows whom a device belongs to.
type Names interface {
	Username(ctx context.Context, env, userID string) (string, error)
}

// Tries counts requests, and fails with a *flow.LimitError over a limit.
type Tries interface {
	Count(ctx context.Context, limits []flow.Limit) error
}

// Keys derives what nobody else can.
type Keys interface {
	Derive(purpose string, parts ...string) [32]byte
}

// Problems writes a fault with its status and logs it. b is nil when the environment is
// unknown.
type Problems interface {
	Problem(w http.ResponseWriter, r *http.Request, b *configs.Bundle, f *flow.Fault)
}

// Parts is what a Face is made of; all of it is needed.
type Parts struct {
	Tenants  Tenants
	Devices  Devices
	Codes    Codes
	Pushes   Pushes
	Board    Board
	Names    Names
	Tries    Tries
	Keys     Keys
	Problems Problems
	Events   flow.Recorder
	Now      func() time.Time
	// Stopping is closed when the process is to end: whoever waits is answered.
	Stopping <-chan struct{}
}

// Face serves the devices of every environment.
type Face struct {
	Parts
	waiters waiters
}

// New returns a Face of the parts.
func New(parts Parts) *Face {
	return &Face{Parts: parts, waiters: waiters{of: map[place]map[chan struct{}]bool{}}}
}

// Register puts the routes on rt.
func (f *Face) Register(rt Router) {
	const base = "/:env/devices/v1"
	rt.Handle(http.MethodPost, base+"/pairings", f.serve(f.pair))
	rt.Handle(http.MethodGet, base+"/device", f.serve(f.paired(f.show)))
	rt.Handle(http.MethodDelete, base+"/device", f.serve(f.paired(f.unpair)))
	rt.Handle(http.MethodGet, base+"/pushes", f.serve(f.paired(f.list)))
	rt.Handle(http.MethodPost, base+"/pushes/:id", f.serve(f.paired(f.answer)))
}

// Ring tells a device that waits on this node that something has changed for it.
func (f *Face) Ring(env, device string) { f.waiters.ring(place{env, device}) }
