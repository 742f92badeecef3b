package account

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"doorward/directory"
	"doorward/forms"
	"doorward/runtime/flow"
)

func (f *Face) profile(v *visit) error { return f.showProfile(v, nil, nil) }

func (f *Face) showProfile(v *visit, typed map[string]string, fault *flow.Fault) error {
	u, err := f.Users.Get(v.Context(), v.env.ID, v.session.User.ID)
	if err != nil {
		return missing(err)
	}
	page, status := forms.AccountProfile{Account: f.account(v), Given: u.Given, Family: u.Family}, http.StatusOK
	if fault != nil {
		page.Typed, page.Fault, status = typed, fault, http.StatusBadRequest
	}
	f.send(v, status, func(p *forms.Pages, set forms.Setting) []byte { return p.AccountProfile(set, page) })
	return nil
}

// saveProfile changes the person's name. Addresses and numbers are what codes are sent
// to, and are not changed by a form alone.
func (f *Face) saveProfile(v *visit) error {
	if v.form.Action != forms.SaveProfile {
		return unoffered()
	}
	typed, err := v.read(flow.Field{Name: "given", Type: flow.TypeText}, flow.Field{Name: "family", Type: flow.TypeText})
	if err != nil {
		return err
	}
	var wrong []flow.Detail
	for _, name := range []string{"given", "family"} {
		typed[name] = strings.TrimSpace(typed[name])
		a, _ := flow.UserAttribute("name." + name)
		if s := typed[name]; s != "" && (utf8.RuneCountInString(s) > a.Most || !a.Fits(s)) {
			wrong = append(wrong, flow.Detail{Code: flow.InvalidValue, Target: name, Message: "This is no name that can be kept."})
		}
	}
	if len(wrong) > 0 {
		return f.showProfile(v, typed, flow.Invalid(wrong...))
	}
	_, err = f.Users.Update(v.Context(), v.env.ID, v.session.User.ID, func(u *directory.User) error {
		u.Given, u.Family = typed["given"], typed["family"]
		return nil
	})
	if err != nil {
		return missing(err)
	}
	f.record(v, flow.Event{Type: flow.UserChanged, Reason: "profile"})
	v.see("/profile?done=profile")
	return nil
}
