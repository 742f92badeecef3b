package forms

// AccountProfile is what a person may change of what is known of them.
type AccountProfile struct {
	Account
	Given, Family, Nickname string
	Language                string   // one of Languages; empty: as the browser says
	Languages               []string // that there are pages in here
}

// AccountProfile is the page for it.
func (p *Pages) AccountProfile(set Setting, a AccountProfile) []byte {
	w := p.in(set)
	m := p.account(set, &a.Account, w.Say("account.profile.title", nil), "")
	f := a.form("/profile", SaveProfile, w.Say("account.profile.save", nil), "")
	f.Fields = []Field{
		{Name: "given", ID: "given", Label: w.Say("register.given.label", nil), Input: "text", Autocomplete: "given-name", Capitalize: "words", Value: a.value("given", a.Given)},
		{Name: "family", ID: "family", Label: w.Say("register.family.label", nil), Input: "text", Autocomplete: "family-name", Capitalize: "words", Value: a.value("family", a.Family)},
		{Name: "nickname", ID: "nickname", Label: w.Say("account.profile.nickname.label", nil), Input: "text", Capitalize: "words", Value: a.value("nickname", a.Nickname)},
	}
	if len(a.Languages) > 1 {
		language := Field{
			Name: "language", ID: "language", Label: w.Say("account.profile.language.label", nil), Hint: w.Say("account.profile.language.hint", nil),
			Required: true, Value: a.value("language", a.Language), Options: [][2]string{{"", w.Say("account.profile.language.any", nil)}},
		}
		for _, name := range a.Languages {
			language.Options = append(language.Options, [2]string{name, languageName(name)})
		}
		f.Fields = append(f.Fields, language)
	}
	m.judged(&a.Account, f)
	m.back(&a.Account, "")
	return m.foot(set)
}

// languageName is what a language calls itself.
func languageName(tag string) string {
	switch tag {
	case "de":
		return "Deutsch"
	case "en":
		return "English"
	case "es":
		return "Español"
	}
	return tag
}
