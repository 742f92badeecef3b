package forms

import (
	"slices"
	"strings"

	"doorward/runtime/flow"
)

// Account is what the pages of one person's account have in common.
type Account struct {
	Address string // of the first page; the others lie below it
	Person  string // username
	Token   string // of every form of the page
	Done    string // what has just been done, one of the last parts of accountNews; empty: nothing
	Typed   map[string]string
	Fault   *flow.Fault // why what was typed is not taken
}

// The actions of the account's forms.
const (
	NameDevice    = "nickname"
	FirstDevice   = "first"
	RemoveDevice  = "remove"
	MakeCodes     = "codes"
	ForgetBrowser = "forget"
	ForgetAll     = "forgetAll"
	EndSession    = "end"
	EndOthers     = "endAll"
	SaveProfile   = "profile"
)

// IDInput is the hidden input that says which of several is meant.
const IDInput = "id"

// accountNews are the texts of what can have been done.
func accountNews() []string {
	return []string{
		"account.news.named", "account.news.first", "account.news.removed", "account.news.forgotten", "account.news.forgottenAll",
		"account.news.ended", "account.news.endedAll", "account.news.password", "account.news.profile",
	}
}

// account begins a page of the account: its title, and what is to be known of it.
func (p *Pages) account(set Setting, a *Account, title, lead string) *markup {
	w := p.in(set)
	m := p.head(set, title, "", len(a.details()) > 0)
	if lead != "" {
		m.element(`<p class="lead">`, lead, "</p>\n")
	}
	if key := "account.news." + a.Done; a.Fault == nil && slices.Contains(accountNews(), key) {
		m.notice(w.say(key, nil), true)
	}
	m.chip(a.Person, nil)
	return m
}

func (a *Account) details() []flow.Detail {
	if a.Fault == nil {
		return nil
	}
	return a.Fault.Details
}

// form is one of the account's forms: what of, and which one is meant.
func (a *Account) form(page, action, button, id string) *Form {
	f := &Form{Action: a.Address + page, Name: action, Token: a.Token, Button: button}
	if id != "" {
		f.Hidden = [][2]string{{IDInput, id}}
	}
	return f
}

// back leads to a page of the account.
func (m *markup) back(a *Account, page string) {
	m.links([]Link{{a.Address + page, m.say("page.back", nil)}}, nil)
}

// AccountHome is what the first page of an account leads to.
type AccountHome struct {
	Account
	Password bool // there is one that can be changed
	SignOff  string
}

// AccountHome is the first page of an account.
func (p *Pages) AccountHome(set Setting, a AccountHome) []byte {
	w := p.in(set)
	m := p.account(set, &a.Account, w.say("account.title", nil), "")
	list := []choice{
		{Address: a.Address + "/devices", Icon: iconKey, Title: w.say("account.devices.title", nil)},
		{Address: a.Address + "/codes", Icon: iconPaper, Title: w.say("account.codes.title", nil)},
		{Address: a.Address + "/browsers", Icon: iconDone, Title: w.say("account.browsers.title", nil)},
		{Address: a.Address + "/sessions", Icon: iconDevice, Title: w.say("account.sessions.title", nil)},
		{Address: a.Address + "/profile", Icon: iconWho, Title: w.say("account.profile.title", nil)},
	}
	if a.Password {
		list = append(list, choice{Address: a.Address + "/password", Icon: iconStick, Title: w.say("account.password", nil)})
	}
	m.choices(list)
	m.links([]Link{{a.SignOff, w.say("page.signOff.button", nil)}}, nil)
	return m.foot(set)
}

// AccountDevice is one of a person's devices.
type AccountDevice struct {
	ID, Type               string
	Nickname, Name, Target string // Target: where its codes go, masked
	Locked, Blocked, First bool
}

// title is what it is called: by the person, or else by its type.
func (w *words) deviceTitle(d *AccountDevice) string {
	if d.Nickname != "" {
		return d.Nickname
	}
	return w.typeName(d.Type)
}

func (w *words) deviceDetail(d *AccountDevice) string {
	var parts []string
	if d.Nickname != "" {
		parts = append(parts, w.typeName(d.Type))
	}
	parts = append(parts, d.Name, d.Target)
	for _, x := range []struct {
		holds bool
		key   string
	}{{d.Locked, "device.locked"}, {d.Blocked, "account.device.blocked"}, {d.First, "account.device.isFirst"}} {
		if x.holds {
			parts = append(parts, w.say(x.key, nil))
		}
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
}

// AccountDevices lists the devices of a person, in the order in which they are asked.
func (p *Pages) AccountDevices(set Setting, a Account, devices []AccountDevice) []byte {
	w := p.in(set)
	lead := w.say("account.devices.text", nil)
	if len(devices) == 0 {
		lead = w.say("account.devices.none", nil)
	}
	m := p.account(set, &a, w.say("account.devices.title", nil), lead)
	list := make([]choice, 0, len(devices))
	for i := range devices {
		d := &devices[i]
		list = append(list, choice{Address: a.Address + "/devices/" + d.ID, Icon: iconOf(d.Type), Title: w.deviceTitle(d), Detail: w.deviceDetail(d)})
	}
	m.choices(list)
	m.onward(Link{a.Address + "/add", w.say("account.devices.add", nil)})
	m.back(&a, "")
	return m.foot(set)
}

// onward is the one way that a page is for, where nothing is asked.
func (m *markup) onward(l Link) {
	m.raw(`<a class="button"`)
	m.address("href", l.Address)
	m.element(">", l.Label, "</a>\n")
}

// AccountDevice is the page of one device.
func (p *Pages) AccountDevice(set Setting, a Account, d AccountDevice) []byte {
	w := p.in(set)
	here := "/devices/" + d.ID
	m := p.account(set, &a, w.deviceTitle(&d), w.deviceDetail(&d))
	f := a.form(here, NameDevice, w.say("account.device.save", nil), "")
	f.Fields = []Field{{Name: "nickname", ID: "nickname", Label: w.say("account.device.nickname.label", nil), Input: "text", Autocomplete: "off", Value: a.value("nickname", d.Nickname)}}
	m.judged(&a, f)
	if !d.First {
		m.quiet(a.form(here, FirstDevice, w.say("account.device.first", nil), ""))
	}
	m.links([]Link{{a.Address + here + "/remove", w.say("account.device.remove", nil)}, {a.Address + "/devices", w.say("page.back", nil)}}, nil)
	return m.foot(set)
}

// value is what an input holds: what was just typed, or what is kept.
func (a *Account) value(name, kept string) string {
	if typed, was := a.Typed[name]; was {
		return typed
	}
	return kept
}

// judged draws a form with what is wrong in it.
func (m *markup) judged(a *Account, f *Form) {
	var problems []Problem
	details := a.details()
	for i := range details {
		d := &details[i]
		problem := Problem{Text: m.sentence(d, "", "")}
		if field := f.find(d.Target); field != nil {
			problem.Text = m.sentence(d, field.Label, "")
			field.Error, problem.Field = problem.Text, field.ID
		}
		problems = append(problems, problem)
	}
	if a.Fault != nil && len(details) == 0 {
		problems = append(problems, Problem{Text: m.say("notice.moved", nil)})
	}
	f.settle(problems)
	m.summary(problems)
	m.form(f)
}

// Removal is what the removal of a device comes to.
type Removal uint8

// The removals. The last two are none: the page says why.
const (
	OneOfSeveral Removal = iota
	LastDevice           // the account is open to a password afterwards
	NeededDevice         // nobody signs on here without one
	OnlyPasskey          // there is no password either
)

// AccountRemoval asks once more whether a device is to be removed.
func (p *Pages) AccountRemoval(set Setting, a Account, d AccountDevice, r Removal) []byte {
	w := p.in(set)
	here := "/devices/" + d.ID
	lead := ""
	if r == OneOfSeveral || r == LastDevice {
		lead = w.say("account.remove.text", nil)
	}
	m := p.account(set, &a, w.say("account.remove.title", params{"device": w.deviceTitle(&d)}), lead)
	switch r {
	case OneOfSeveral, LastDevice:
		if r == LastDevice {
			m.notice(w.say("account.remove.last", nil), false)
		}
		m.form(a.form(here+"/remove", RemoveDevice, w.say("account.device.remove", nil), ""))
	case NeededDevice:
		m.notice(w.say("account.remove.needed", nil), false)
		m.onward(Link{a.Address + "/add", w.say("account.devices.add", nil)})
	case OnlyPasskey:
		m.notice(w.say("account.remove.alone", nil), false)
		m.onward(Link{a.Address + "/add", w.say("account.devices.add", nil)})
	}
	m.back(&a, here)
	return m.foot(set)
}

// AccountCodes is the page that new recovery codes are made on, where there is a
// device that they stand in for.
func (p *Pages) AccountCodes(set Setting, a Account, device bool) []byte {
	w := p.in(set)
	lead := w.say("account.codes.text", nil)
	if !device {
		lead = w.say("account.codes.later", nil)
	}
	m := p.account(set, &a, w.say("account.codes.title", nil), lead)
	if device {
		m.form(a.form("/codes", MakeCodes, w.say("account.codes.make", nil), ""))
	} else {
		m.onward(Link{a.Address + "/add", w.say("account.devices.add", nil)})
	}
	m.back(&a, "")
	return m.foot(set)
}

// AccountCodesMade shows new recovery codes, this once.
func (p *Pages) AccountCodesMade(set Setting, a Account, codes []string) []byte {
	w := p.in(set)
	m := p.account(set, &a, w.say("account.codes.title", nil), w.say("account.codes.keep", nil))
	m.kept(codes)
	m.onward(Link{a.Address, w.say("account.codes.kept", nil)})
	return m.foot(set)
}
