package account

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"doorward/configs"
	"doorward/directory"
	"doorward/forms"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
)

// Passkeys makes those that people are offered.
type Passkeys interface {
	// Offers is read from memory.
	Offers(env string) (rpID string, ok bool)
	OfferPasskey(ctx context.Context, w mfa.Who) (mfa.Offering, error)
	Party(ctx context.Context, env, userID string, handle bool) (rpID string, known []byte, err error)
	Activate(ctx context.Context, in mfa.Activation) (mfa.Verdict, error)
}

// Offers keeps how often people were offered a passkey, and what they said.
type Offers interface {
	PasskeyOffer(ctx context.Context, env, userID string) (directory.PasskeyOffer, error)
	OfferedPasskey(ctx context.Context, env, userID string, since time.Time) error
	AnswerPasskeyOffer(ctx context.Context, env, userID string, a directory.OfferAnswer) error
}

// Executions shows whoever owns one how it stands.
type Executions interface {
	View(ctx context.Context, ref flow.Ref, c flow.Caller) (flow.View, error)
}

const (
	// asking is for how long a page that is shown again is the same offer.
	asking = 10 * time.Minute
	// typed is how long ago the password may be from which the offer comes.
	typed = 10 * time.Minute
)

// pauses are for how long nobody is asked again after each offer. After the last of
// them comes one more.
func pauses() []time.Duration {
	const day = 24 * time.Hour
	return []time.Duration{day, 7 * day, 30 * day, 90 * day}
}

// due reports whether somebody may be asked, or may go on being asked.
func due(o *directory.PasskeyOffer, rpID string, now time.Time) bool {
	all := pauses()
	switch {
	case slices.Contains(o.Parties, rpID), o.Answer == directory.OfferNever:
		return false
	case o.Times == 0, o.Answer == "" && now.Before(o.LastAt.Add(asking)):
		return true
	case o.Times > len(all):
		return false
	}
	return !now.Before(o.LastAt.Add(all[o.Times-1]))
}

// Offer is the page that whoever has completed v is led over, on their way to the
// application; empty: none. It implements httpapi.Offers. Whether they may really add a
// passkey is judged by that page.
func (f *Face) Offer(ctx context.Context, b *configs.Bundle, v *flow.View) string {
	env := b.Environment()
	rpID, on := f.Passkeys.Offers(env.ID)
	if !on {
		return ""
	}
	o, err := f.Offers.PasskeyOffer(ctx, env.ID, v.User.ID)
	if err != nil || !due(&o, rpID, f.Now()) { // an offer that cannot be made holds nobody up
		return ""
	}
	return env.AccountURL("/passkey?flow=" + v.Ref.ID)
}

// offer is a visit to that page.
type offer struct {
	*visit
	view flow.View // of the execution that has ended
}

// onward goes where the sign-on was going: by the execution, never by an address that
// came with the request.
func (o *offer) onward() error {
	o.lead(o.env.ResumeURL(o.view.Ref.ID), http.StatusSeeOther)
	return nil
}

// registerOffer puts the page on rt.
func (f *Face) registerOffer(rt Router, base string) {
	rt.Handle(http.MethodGet, base+"/passkey", f.serve(f.offered(f.makeOffer)))
	rt.Handle(http.MethodPost, base+"/passkey", f.serve(f.offered(func(o *offer) error {
		return f.posted(func(*visit) error { return f.answered(o) })(o.visit)
	})))
}

// offered lets somebody in whose sign-on to an application has just ended. Anybody else
// goes on, as they would have done without the page.
func (f *Face) offered(h func(o *offer) error) handler {
	return func(v *visit) error {
		ids := v.URL.Query()["flow"]
		if len(ids) != 1 {
			return flow.Gone()
		}
		if id, err := uuid.Parse(ids[0]); err != nil || id.String() != ids[0] {
			return flow.Gone()
		}
		o := &offer{visit: v}
		o.view.Ref = flow.Ref{Env: v.env.ID, ID: ids[0]}
		var err error
		if v.session, err = f.Engine.Present(v.Context(), v.env.ID, v.caller); err != nil {
			return err
		}
		view, err := f.Executions.View(v.Context(), o.view.Ref, v.caller)
		ended := err == nil && view.Status == flow.Completed && view.Application != "" && view.Definition == ""
		if v.session == nil || !ended || view.User.ID != v.session.User.ID {
			return o.onward() // which says what is wrong, if anything is
		}
		if v.user, err = f.Users.Get(v.Context(), v.env.ID, view.User.ID); err != nil {
			return missing(err)
		}
		o.view = view
		return h(o)
	}
}

// mayAdd reports whether the person may add a passkey now, and has come with a password.
func (f *Face) mayAdd(o *offer) (bool, error) {
	young := o.session.Proofs.Of(o.session.User.ID).Since(f.Now().Add(-typed))
	if !slices.ContainsFunc(young, func(p flow.Proof) bool { return p.Authenticator == flow.PasswordProof("", p.At).Authenticator }) {
		return false, nil
	}
	may, err := f.Factors.MayChange(o.Context(), o.who(""), o.session.Proofs)
	if err != nil {
		return false, flow.Busy(err)
	}
	return may, nil
}

// mayAsk reports whether they may be asked, too.
func (f *Face) mayAsk(o *offer) (bool, error) {
	rpID, on := f.Passkeys.Offers(o.env.ID)
	if !on {
		return false, nil
	}
	if may, err := f.mayAdd(o); err != nil || !may {
		return false, err
	}
	before, err := f.Offers.PasskeyOffer(o.Context(), o.env.ID, o.session.User.ID)
	if err != nil {
		return false, missing(err)
	}
	return due(&before, rpID, f.Now()), nil
}

// makeOffer shows the page, to whom it may be shown.
func (f *Face) makeOffer(o *offer) error {
	switch may, err := f.mayAsk(o); {
	case err != nil:
		return err
	case !may:
		return o.onward()
	}
	f.record(o.visit, flow.Event{Type: flow.PasskeyOffered})
	return f.showOffer(o, true, nil)
}

// showOffer draws the page. quiet lets the browser try first without asking; fault is why
// what it made was not taken.
func (f *Face) showOffer(o *offer, quiet bool, fault *flow.Fault) error {
	who := o.who("")
	who.Effect = "account/offer/" + o.session.ID + "/" + o.view.Ref.ID // the same passkey, however often it is shown
	made, err := f.Passkeys.OfferPasskey(o.Context(), who)
	refused := (*flow.Fault)(nil)
	switch {
	case errors.As(err, &refused): // such as that there are as many devices as are allowed
		return o.onward()
	case err != nil:
		return flow.Busy(err)
	}
	if err := f.Offers.OfferedPasskey(o.Context(), o.env.ID, o.session.User.ID, f.Now().Add(-asking)); err != nil {
		return flow.Busy(err)
	}
	page := forms.PasskeyOffer{Account: f.account(o.visit), Flow: o.view.Ref.ID, Device: made.Device, Options: string(made.Asked.Standard)}
	page.Done = ""
	status := http.StatusOK
	if fault != nil {
		page.Fault, status = fault, http.StatusBadRequest
	}
	if quiet {
		page.Quiet = string(made.Quiet.Standard)
	}
	f.Pages.PageToward(o.ResponseWriter, o.bundle, status, o.view.ReturnTo, o.languages(), func(p *forms.Pages, set forms.Setting) []byte {
		return p.PasskeyOffer(set, page)
	})
	return nil
}

// answered takes what the person, or the browser, has said.
func (f *Face) answered(o *offer) error {
	switch o.form.Action {
	case forms.LaterPasskey:
		return f.declined(o, directory.OfferLater)
	case forms.NeverPasskey:
		return f.declined(o, directory.OfferNever)
	case forms.MakePasskey:
		return f.takePasskey(o)
	}
	return unoffered()
}

func (f *Face) declined(o *offer, a directory.OfferAnswer) error {
	if _, err := o.read(); err != nil {
		return err
	}
	if err := f.Offers.AnswerPasskeyOffer(o.Context(), o.env.ID, o.session.User.ID, a); err != nil {
		return flow.Busy(err)
	}
	f.record(o.visit, flow.Event{Type: flow.PasskeyDeclined, Reason: string(a)})
	return o.onward()
}

// takePasskey judges what an authenticator has made. What the browser made without asking
// and is not taken is no news to the person: they are asked then.
func (f *Face) takePasskey(o *offer) error {
	sent, err := o.read(
		flow.Field{Name: forms.IDInput, Type: flow.TypeText}, flow.Field{Name: forms.AttestationInput, Type: flow.TypeText},
		flow.Field{Name: forms.OriginInput, Type: flow.TypeText}, flow.Field{Name: forms.QuietInput, Type: flow.TypeText})
	if err != nil {
		return err
	}
	switch may, err := f.mayAdd(o); {
	case err != nil:
		return err
	case !may:
		return o.onward()
	}
	quiet := sent[forms.QuietInput] == "true"
	v, err := f.Passkeys.Activate(o.Context(), mfa.Activation{
		Who: o.who(""), Device: sent[forms.IDInput], Origin: sent[forms.OriginInput], Attestation: sent[forms.AttestationInput], Conditional: quiet,
	})
	if err != nil {
		return flow.Busy(err)
	}
	for _, e := range v.Events {
		f.record(o.visit, flow.Event{Type: e, Reason: map[bool]string{false: "offer", true: "conditional create"}[quiet]})
	}
	switch {
	case v.OK:
		f.Posted()
		return o.onward()
	case quiet:
		return f.showOffer(o, false, nil)
	}
	return f.showOffer(o, false, v.Fault)
}
