package account

import (
	"encoding/base64"
	"errors"
	"net/http"

	"doorward/directory"
	"doorward/forms"
	"doorward/runtime/flow"
)

// sends reports whether a new number can be proven here, and a page is shown for it.
func (f *Face) sends(v *visit) bool { return f.Phones.Reaches(v.env.ID, flow.SMS) }

// address is the page of an address of the person.
func (f *Face) address(kind directory.AddressKind) handler {
	return func(v *visit) error { return f.showAddress(v, kind, nil, nil) }
}

// showAddress draws the page of an address, with what was not taken.
func (f *Face) showAddress(v *visit, kind directory.AddressKind, typed map[string]string, fault *flow.Fault) error {
	page, status := forms.AccountAddress{Account: f.account(v), Current: v.user.Email}, http.StatusOK
	if kind == directory.PhoneNumber {
		page.Phone, page.Current, page.Fixed = true, v.user.ProfileText("mobilePhone"), !f.sends(v)
		if page.Fixed && page.Current == "" {
			return missing(nil)
		}
	}
	p, err := f.Addresses.PendingAddress(v.Context(), v.env.ID, v.session.User.ID, kind)
	switch {
	case err == nil:
		page.Waiting, page.Elsewhere = p.Address, p.Session != v.session.ID
	case !errors.Is(err, flow.ErrUnknown):
		return flow.Busy(err)
	}
	if fault != nil {
		page.Typed, page.Fault, status = typed, fault, http.StatusBadRequest
	}
	f.send(v, status, func(p *forms.Pages, set forms.Setting) []byte { return p.AccountAddress(set, page) })
	return nil
}

// changeAddress is one step of changing an address: a new one is said, and then the code
// that was sent to it. Only what is proven takes the place of the one before.
func (f *Face) changeAddress(kind directory.AddressKind) handler {
	return func(v *visit) error {
		switch v.form.Action {
		case forms.ProposeAddress:
			return f.proposeAddress(v, kind)
		case forms.ResendAddress:
			return f.resendAddress(v, kind)
		case forms.ProveAddress:
			return f.proveAddress(v, kind)
		case forms.WithdrawAddress:
			if err := f.Addresses.Withdraw(v.Context(), v.env.ID, v.session.User.ID, kind); err != nil {
				return flow.Busy(err)
			}
			v.see("?done=withdrawn")
			return nil
		case forms.RemoveAddress:
			if kind == directory.PhoneNumber {
				return f.removePhone(v)
			}
		}
		return unoffered()
	}
}

func (f *Face) proposeAddress(v *visit, kind directory.AddressKind) error {
	input := forms.NewMailInput
	if kind == directory.PhoneNumber {
		input = forms.NewPhoneInput
	}
	typed, err := v.read(flow.Field{Name: input, Type: flow.TypeText})
	if err != nil {
		return err
	}
	return f.propose(v, kind, input, typed[input])
}

// resendAddress sends a code to the address that waits for one, in this session.
func (f *Face) resendAddress(v *visit, kind directory.AddressKind) error {
	p, err := f.Addresses.PendingAddress(v.Context(), v.env.ID, v.session.User.ID, kind)
	switch {
	case errors.Is(err, flow.ErrUnknown) || err == nil && p.Session != v.session.ID:
		v.see(v.page())
		return nil
	case err != nil:
		return flow.Busy(err)
	}
	return f.propose(v, kind, "", p.Address)
}

// propose asks for an address that was typed into an input; none: it waits already.
func (f *Face) propose(v *visit, kind directory.AddressKind, input, address string) error {
	if kind == directory.PhoneNumber && !f.sends(v) {
		return unoffered()
	}
	result, err := f.Addresses.Propose(v.Context(), directory.Proposal{
		Env: v.env.ID, UserID: v.session.User.ID, Session: v.session.ID, Kind: kind, Address: address,
		Locales: v.caller.Client.Locales, Effect: f.said(v, kind, address),
	})
	if err != nil {
		return missing(err)
	}
	detail := flow.Detail{Target: input}
	switch result {
	case directory.ProposalWaits:
		f.record(v, flow.Event{Type: flow.VerificationSent, Reason: string(kind)})
		f.Posted()
		done := ""
		if input == "" {
			done = "?done=sent"
		}
		v.see(v.page() + done)
		return nil
	case directory.ProposalKnown:
		detail.Code, detail.Message = flow.UniquenessViolation, "That is yours already."
	case directory.TooManyProposals:
		detail = flow.Detail{Code: flow.LimitExceeded, Target: "codes", Message: "No more codes are sent for now. Try again in an hour."}
	case directory.ProposalMalformed:
		detail.Code, detail.Message = flow.InvalidValue, "Codes cannot be sent there."
		if address == "" {
			detail.Code = flow.RequiredValue
		}
	}
	return f.showAddress(v, kind, map[string]string{input: address}, flow.Invalid(detail))
}

// said is the effect of a form with what was typed into it: somebody who goes back to a
// page and types something else says something else.
func (f *Face) said(v *visit, kind directory.AddressKind, typed string) string {
	sum := f.Forms.Derive("account.typed", v.env.ID, v.once, string(kind), typed)
	return v.who(base64.RawURLEncoding.EncodeToString(sum[:12])).Effect
}

func (f *Face) proveAddress(v *visit, kind directory.AddressKind) error {
	input := forms.MailCodeInput
	if kind == directory.PhoneNumber {
		input = "otp"
	}
	typed, err := v.read(flow.Field{Name: input, Type: flow.TypeText})
	if err != nil {
		return err
	}
	if typed[input] == "" {
		return f.showAddress(v, kind, nil, flow.Invalid(flow.Detail{Code: flow.RequiredValue, Target: input, Message: "Enter the code."}))
	}
	ok, err := f.Addresses.Prove(v.Context(), directory.AddressProof{
		Env: v.env.ID, UserID: v.session.User.ID, Session: v.session.ID, Kind: kind, Code: typed[input], Effect: f.said(v, kind, typed[input]),
	})
	switch {
	case err != nil:
		return flow.Busy(err)
	case !ok:
		f.record(v, flow.Event{Type: flow.VerifyRefused, Reason: string(kind)})
		return f.showAddress(v, kind, nil, flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: input, Message: "The code is not right, or not any more. Check it, or ask for a new one."}))
	}
	f.record(v, flow.Event{Type: flow.AddressChanged, Reason: string(kind)})
	f.Posted()
	v.see("?done=" + string(kind))
	return nil
}

func (f *Face) removePhone(v *visit) error {
	had, err := f.Addresses.RemovePhone(v.Context(), v.env.ID, v.session.User.ID)
	if err != nil {
		return missing(err)
	}
	if had {
		f.record(v, flow.Event{Type: flow.AddressChanged, Reason: "phone removed"})
		f.Posted()
	}
	v.see("?done=noPhone")
	return nil
}
