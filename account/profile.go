package account

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"doorward/directory"
	"doorward/forms"
	"doorward/runtime/flow"
)

func (f *Face) profile(v *visit) error { return f.showProfile(v, nil, nil) }

func (f *Face) showProfile(v *visit, typed map[string]string, fault *flow.Fault) error {
	page, status := forms.AccountProfile{
		Account: f.account(v), Given: v.user.Given, Family: v.user.Family, Nickname: v.user.ProfileText("nickname"),
		Language: spoken(v.user.PreferredLanguage, v.env.PageLanguages()), Languages: v.env.PageLanguages(),
	}, http.StatusOK
	if fault != nil {
		page.Typed, page.Fault, status = typed, fault, http.StatusBadRequest
	} else {
		f.known(v, &page.Account)
	}
	f.send(v, status, func(p *forms.Pages, set forms.Setting) []byte { return p.AccountProfile(set, page) })
	return nil
}

// spoken is the one of languages that a list of preferred ones begins with; empty: none
// of them.
func spoken(preferred string, languages []string) string {
	first := strings.TrimSpace(preferred)
	if i := strings.IndexAny(first, ",;-"); i >= 0 {
		first = first[:i]
	}
	if i := slices.IndexFunc(languages, func(l string) bool { return strings.EqualFold(l, first) }); i >= 0 {
		return languages[i]
	}
	return ""
}

// details are the attributes of the form, by its inputs.
func details() map[string]string {
	return map[string]string{"given": "name.given", "family": "name.family", "nickname": "nickname"}
}

// saveProfile changes names and language, and nothing else, whatever the form holds.
// Addresses and numbers are what codes are sent to, and are not changed by a form alone.
func (f *Face) saveProfile(v *visit) error {
	if v.form.Action != forms.SaveProfile {
		return unoffered()
	}
	languages := v.env.PageLanguages()
	fields := []flow.Field{{Name: "given", Type: flow.TypeText}, {Name: "family", Type: flow.TypeText}, {Name: "nickname", Type: flow.TypeText}}
	if len(languages) > 1 {
		fields = append(fields, flow.Field{Name: "language", Type: flow.TypeText})
	}
	typed, err := v.read(fields...)
	if err != nil {
		return err
	}
	var wrong []flow.Detail
	for _, name := range []string{"given", "family", "nickname"} {
		typed[name] = strings.TrimSpace(typed[name])
		a, _ := flow.UserAttribute(details()[name])
		if s := typed[name]; s != "" && (utf8.RuneCountInString(s) > a.Most || !a.Fits(s)) {
			wrong = append(wrong, flow.Detail{Code: flow.InvalidValue, Target: name, Message: "This is no name that can be kept."})
		}
	}
	language, asked := typed["language"]
	if language != "" && !slices.Contains(languages, language) {
		wrong = append(wrong, flow.Detail{Code: flow.InvalidValue, Target: "language", Message: "There are no pages in this language."})
	}
	if len(wrong) > 0 {
		return f.showProfile(v, typed, flow.Invalid(wrong...))
	}
	_, err = f.Users.Update(v.Context(), v.env.ID, v.session.User.ID, func(u *directory.User) error {
		u.Given, u.Family = typed["given"], typed["family"]
		if asked && language != spoken(u.PreferredLanguage, languages) { // else the list says more than the form
			u.PreferredLanguage = language
		}
		return rename(u, typed["nickname"])
	})
	if err != nil {
		return missing(err)
	}
	f.record(v, flow.Event{Type: flow.UserChanged, Reason: "profile"})
	v.see("/profile?done=profile")
	return nil
}

// rename gives a profile its nickname.
func rename(u *directory.User, nickname string) error {
	members := map[string]any{}
	if len(u.Profile) > 0 {
		if err := json.Unmarshal(u.Profile, &members); err != nil {
			return err
		}
	}
	flow.Put(members, "nickname", nickname)
	var err error
	u.Profile, err = json.Marshal(members)
	return err
}
