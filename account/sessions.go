package account

import (
	"net/http"
	"slices"

	"doorward/forms"
	"doorward/runtime/flow"
)

// live are the sessions of the person that count yet, the youngest first.
func (f *Face) live(v *visit) ([]flow.Session, error) {
	list, err := f.Sessions.SessionsOf(v.Context(), v.env.ID, v.session.User.ID)
	if err != nil {
		return nil, flow.Busy(err)
	}
	now, err := f.Users.Standing(v.Context(), v.env.ID, v.session.User.ID)
	if err != nil {
		return nil, flow.Busy(err)
	}
	return slices.DeleteFunc(list, func(s flow.Session) bool { return len(s.Proofs.Since(now.Since)) == 0 }), nil
}

func (f *Face) sessions(v *visit) error {
	list, err := f.live(v)
	if err != nil {
		return err
	}
	shown := make([]forms.AccountBrowser, 0, len(list))
	for _, s := range list {
		shown = append(shown, forms.AccountBrowser{ID: s.ID, UserAgent: s.UserAgent, Address: s.RemoteIP, At: s.ActiveAt, Age: f.Now().Sub(s.ActiveAt), Here: s.ID == v.session.ID})
	}
	page := f.account(v)
	f.send(v, http.StatusOK, func(p *forms.Pages, set forms.Setting) []byte { return p.AccountSessions(set, page, shown) })
	return nil
}

// end signs the person off elsewhere, with everything that was issued there.
func (f *Face) end(v *visit) error {
	in, err := v.read(flow.Field{Name: forms.IDInput, Type: flow.TypeText})
	if err != nil {
		return err
	}
	list, err := f.Sessions.SessionsOf(v.Context(), v.env.ID, v.session.User.ID)
	if err != nil {
		return flow.Busy(err)
	}
	done := "ended"
	switch v.form.Action {
	case forms.EndSession:
		list = slices.DeleteFunc(list, func(s flow.Session) bool { return s.ID != in[forms.IDInput] })
	case forms.EndOthers:
		done = "endedAll"
	default:
		return unoffered()
	}
	for _, s := range list {
		if s.ID == v.session.ID { // which is what signing off is for
			continue
		}
		elsewhere := flow.Caller{Client: v.caller.Client}
		if _, err := f.Engine.SignOff(v.Context(), v.env.ID, elsewhere, s.ID); err != nil {
			return err
		}
		if err := f.Grants.RevokeBySession(v.Context(), v.env.ID, s.ID); err != nil {
			return flow.Busy(err)
		}
	}
	v.see("/sessions?done=" + done)
	return nil
}
