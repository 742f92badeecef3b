package account

import (
	"net/http"
	"slices"

	"doorward/forms"
	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
)

// codes is the page that asks whether to make new recovery codes.
func (f *Face) codes(v *visit) error {
	held, err := f.stoodInFor(v)
	if err != nil {
		return err
	}
	page := f.account(v)
	f.send(v, http.StatusOK, func(p *forms.Pages, set forms.Setting) []byte { return p.AccountCodes(set, page, held) })
	return nil
}

// stoodInFor reports whether there is a device that recovery codes stand in for.
func (f *Face) stoodInFor(v *visit) (bool, error) {
	list, err := f.active(v)
	return slices.ContainsFunc(list, func(d device.Device) bool { return d.Type != device.Recovery }), err
}

// makeCodes makes new recovery codes and shows them in the answer: they are kept
// nowhere, and the same form again shows the same.
func (f *Face) makeCodes(v *visit) error {
	held, err := f.stoodInFor(v)
	switch {
	case err != nil:
		return err
	case v.form.Action != forms.MakeCodes:
		return unoffered()
	case !held:
		v.see(v.page())
		return nil
	}
	made, err := f.Factors.Regenerate(v.Context(), mfa.Enrolment{Who: v.who("codes")})
	if err != nil {
		return flow.Unserved(err)
	}
	f.record(v, flow.Event{Type: flow.DeviceCreated})
	f.record(v, flow.Event{Type: flow.DeviceActivated})
	f.Posted()
	page := f.account(v)
	f.send(v, http.StatusOK, func(p *forms.Pages, set forms.Setting) []byte { return p.AccountCodesMade(set, page, made.Codes) })
	return nil
}
