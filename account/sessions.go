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
	switch v.form.Action {
	case forms.EndSession:
		if _, err := f.endThose(v, func(id string) bool { return id == in[forms.IDInput] }); err != nil {
			return err
		}
		v.see("/sessions?done=ended")
		return nil
	case forms.EndOthers:
		ended := map[string]bool{}
		for { // a list has an end, and what somebody has may not
			ids, err := f.endThose(v, func(id string) bool { return !ended[id] })
			if err != nil {
				return err
			}
			if len(ids) == 0 {
				break
			}
			for _, id := range ids {
				ended[id] = true
			}
		}
		v.see("/sessions?done=endedAll")
		return nil
	}
	return unoffered()
}

// endThose ends the listed sessions whose ids are chosen, and is their ids. The one that
// the person is here with is never among them: signing off is what ends that. What was
// issued is revoked first, since a session that has ended is listed no more, and then once
// more, for what was issued meanwhile.
func (f *Face) endThose(v *visit, chosen func(id string) bool) (ids []string, err error) {
	list, err := f.Sessions.SessionsOf(v.Context(), v.env.ID, v.session.User.ID)
	if err != nil {
		return nil, flow.Busy(err)
	}
	for _, s := range list {
		if s.ID == v.session.ID || !chosen(s.ID) {
			continue
		}
		if err := f.Grants.RevokeBySession(v.Context(), v.env.ID, s.ID); err != nil {
			return nil, flow.Busy(err)
		}
		if _, err := f.Engine.SignOff(v.Context(), v.env.ID, flow.Caller{Client: v.caller.Client}, s.ID); err != nil {
			return nil, err
		}
		if err := f.Grants.RevokeBySession(v.Context(), v.env.ID, s.ID); err != nil {
			return nil, flow.Busy(err)
		}
		ids = append(ids, s.ID)
	}
	return ids, nil
}
