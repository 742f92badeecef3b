package account

import (
	"net/http"

	"doorward/forms"
	"doorward/runtime/flow"
)

// browsers lists the browsers that the person trusts.
func (f *Face) browsers(v *visit) error {
	list, err := f.Devices.Browsers(v.Context(), v.env.ID, v.session.User.ID)
	if err != nil {
		return flow.Busy(err)
	}
	shown := make([]forms.AccountBrowser, 0, len(list))
	for _, b := range list {
		shown = append(shown, forms.AccountBrowser{ID: b.ID, UserAgent: b.Name, Address: b.RemoteIP, At: b.CreatedAt, Age: f.Now().Sub(b.CreatedAt), Here: b.Hash == flow.Sum(v.caller.Browser)})
	}
	page := f.account(v)
	f.send(v, http.StatusOK, func(p *forms.Pages, set forms.Setting) []byte { return p.AccountBrowsers(set, page, shown) })
	return nil
}

// forget ends trust, which asks for no proof: it opens nothing.
func (f *Face) forget(v *visit) error {
	in, err := v.read(flow.Field{Name: forms.IDInput, Type: flow.TypeText})
	if err != nil {
		return err
	}
	switch v.form.Action {
	case forms.ForgetBrowser:
		if err := f.Devices.Revoke(v.Context(), v.env.ID, v.session.User.ID, in[forms.IDInput]); err != nil {
			return missing(err)
		}
		f.record(v, flow.Event{Type: flow.BrowserRevoked, Reason: "one"})
		v.see("/browsers?done=forgotten")
		return nil
	case forms.ForgetAll:
		if err := f.Devices.RevokeAll(v.Context(), v.env.ID, v.session.User.ID); err != nil {
			return missing(err)
		}
		f.record(v, flow.Event{Type: flow.BrowserRevoked, Reason: "all"})
		v.see("/browsers?done=forgottenAll")
		return nil
	}
	return unoffered()
}
