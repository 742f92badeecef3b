package account

import (
	"context"
	"net/http"
	"time"

	"doorward/configs"
	"doorward/directory"
	"doorward/forms"
	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/runtime/policy"
)

// Tenants turns a request into its environment, and names plans of it.
type Tenants interface {
	Resolve(host, path string) (b *configs.Bundle, rest string, err error)
	Plan(ctx context.Context, env string, hash flow.Digest) (*flow.Plan, error)
	// Errand names the plan of an errand, which is published by then.
	Errand(ctx context.Context, env string, e policy.Errand) (flow.Digest, error)
}

// Engine says who is signed on, and asks people who they are.
type Engine interface {
	Present(ctx context.Context, env string, c flow.Caller) (*flow.Session, error)
	Start(ctx context.Context, s flow.Start) (flow.View, *flow.Completion, error)
	Resume(ctx context.Context, ref flow.Ref, c flow.Caller) (flow.View, *flow.Completion, error)
	SignOff(ctx context.Context, env string, c flow.Caller, session string) (string, error)
}

// Factors knows the devices of a person, and who may change them.
type Factors interface {
	Devices(ctx context.Context, w mfa.Who) ([]device.Device, error)
	MayChange(ctx context.Context, w mfa.Who, proofs flow.Ledger) (bool, error)
	Regenerate(ctx context.Context, in mfa.Enrolment) (mfa.Enrolling, error)
	Delete(ctx context.Context, w mfa.Who, id string) error
}

// Devices keeps what needs no proof: names, order and trust.
type Devices interface {
	Nickname(ctx context.Context, env, userID, id, nickname string) error
	Reorder(ctx context.Context, env, userID string, ids []string) error
	Browsers(ctx context.Context, env, userID string) ([]directory.Browser, error)
	Revoke(ctx context.Context, env, userID, id string) error
	RevokeAll(ctx context.Context, env, userID string) error
}

// Users are read live.
type Users interface {
	Get(ctx context.Context, env, id string) (directory.User, error)
	Update(ctx context.Context, env, id string, change func(*directory.User) error) (directory.User, error)
	Standing(ctx context.Context, env, id string) (flow.Standing, error)
}

// Addresses keeps new addresses of people until they have proven them.
type Addresses interface {
	PendingAddress(ctx context.Context, env, userID string, kind directory.AddressKind) (directory.PendingAddress, error)
	Propose(ctx context.Context, p directory.Proposal) (directory.Proposed, error)
	Prove(ctx context.Context, p directory.AddressProof) (bool, error)
	Withdraw(ctx context.Context, env, userID string, kind directory.AddressKind) error
	RemovePhone(ctx context.Context, env, userID string) (bool, error)
}

// Phones says whether an environment can send messages of a channel.
type Phones interface {
	Reaches(env string, channel flow.Channel) bool
}

// Sessions lists where somebody is signed on.
type Sessions interface {
	SessionsOf(ctx context.Context, env, userID string) ([]flow.Session, error)
}

// Grants end with the session that they came from.
type Grants interface {
	RevokeBySession(ctx context.Context, env, session string) error
}

// Deriver makes and checks the tokens of forms.
type Deriver interface {
	Derive(purpose string, parts ...string) [32]byte
	Matches(purpose string, sum [32]byte, parts ...string) bool
}

// Pages draws.
type Pages interface {
	Page(w http.ResponseWriter, b *configs.Bundle, status int, languages []string, draw func(*forms.Pages, forms.Setting) []byte)
	// PageToward is Page, of which the forms may lead on to an application at returnTo.
	PageToward(w http.ResponseWriter, b *configs.Bundle, status int, returnTo string, languages []string, draw func(*forms.Pages, forms.Setting) []byte)
	ProblemIn(w http.ResponseWriter, r *http.Request, b *configs.Bundle, f *flow.Fault, languages []string)
}

// Parts is what a Face is made of; all of it is needed.
type Parts struct {
	Tenants   Tenants
	Engine    Engine
	Factors   Factors
	Devices   Devices
	Users     Users
	Addresses Addresses
	Phones    Phones
	Sessions  Sessions
	Grants    Grants
	Forms     Deriver
	Pages     Pages
	Events    flow.Recorder
	Now       func() time.Time
	// Posted is told when a message has been written.
	Posted func()

	Passkeys   Passkeys
	Offers     Offers
	Executions Executions
}

// Face serves the pages of every environment.
type Face struct{ Parts }

// New makes a Face.
func New(parts Parts) *Face { return &Face{parts} }

// Router takes routes, as the server's does.
type Router interface {
	Handle(method, path string, h http.Handler)
}

// Register puts the pages on rt. What matters asks first who it is.
func (f *Face) Register(rt Router) {
	const base = "/:env/account"
	rt.Handle(http.MethodGet, base+"/return", f.serve(f.comeBack))
	f.registerOffer(rt, base)
	for _, p := range []struct {
		path      string
		show, act handler
	}{
		{"", f.home, nil},
		{"/devices", f.devices, nil},
		{"/devices/:device", f.device, f.changeDevice},
		{"/devices/:device/remove", f.confirmed(f.removal), f.confirmed(f.remove)},
		{"/add", f.confirmed(f.errand(policy.AddDevice, "/devices")), nil},
		{"/codes", f.confirmed(f.codes), f.confirmed(f.makeCodes)},
		{"/browsers", f.browsers, f.forget},
		{"/sessions", f.sessions, f.end},
		{"/password", f.confirmed(f.errand(policy.ChangePassword, "?done=password")), nil},
		{"/profile", f.profile, f.saveProfile},
		{"/email", f.confirmed(f.address(directory.MailAddress)), f.confirmed(f.changeAddress(directory.MailAddress))},
		{"/phone", f.confirmed(f.address(directory.PhoneNumber)), f.confirmed(f.changeAddress(directory.PhoneNumber))},
	} {
		rt.Handle(http.MethodGet, base+p.path, f.serve(f.signedOn(p.show)))
		if p.act != nil {
			rt.Handle(http.MethodPost, base+p.path, f.serve(f.signedOn(f.posted(p.act))))
		}
	}
}
