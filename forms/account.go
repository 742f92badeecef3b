package forms

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"doorward/runtime/flow"
	"doorward/runtime/wording"
)

// Account is what the pages of one person's account have in common.
type Account struct {
	Address string // of the first page; the others lie below it
	Person  string // username
	Token   string // of every form of the page
	Done    string // what has just been done, one of the last parts of accountNews; empty: nothing
	Typed   map[string]string
	Fault   *flow.Fault // why what was typed is not taken
	Known   string      // what the browser is to know of the person's passkeys, as JSON; empty: nothing
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
		"account.news.sent", "account.news.email", "account.news.phone", "account.news.noPhone", "account.news.withdrawn",
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
		m.notice(w.Say(key, nil), true)
	}
	m.chip(a.Person, nil)
	if a.Known != "" {
		m.raw("<div hidden")
		m.attr("data-known", a.Known)
		m.raw("></div>\n")
		m.script(p.assets.Path("passkey.js"))
	}
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
	m.links([]Link{{a.Address + page, m.Say("page.back", nil)}}, nil)
}

const (
	iconLock   = svg + `<rect x="4.5" y="9" width="11" height="8" rx="1.5"/><path d="M7 9V6.5a3 3 0 0 1 6 0V9"/></svg>`
	iconScreen = svg + `<rect x="3" y="4" width="14" height="9.5" rx="1.5"/><path d="M7 17h6M10 13.5V17"/></svg>`
)

// AccountHome is what the first page of an account leads to.
type AccountHome struct {
	Account
	Name, Email, Phone string
	Number             bool // there may be a Phone
	Password           bool // there is one that can be changed
	SignOff            string
}

// AccountHome is the first page of an account.
func (p *Pages) AccountHome(set Setting, a AccountHome) []byte {
	w := p.in(set)
	m := p.account(set, &a.Account, w.Say("account.title", nil), "")
	none := w.Say("account.none", nil)
	about := []choice{
		{Address: a.Address + "/profile", Icon: iconWho, Title: w.Say("account.profile.title", nil), Detail: a.Name},
		{Address: a.Address + "/email", Icon: iconMail, Title: w.Say("account.email.title", nil), Detail: cmp.Or(a.Email, none)},
	}
	if a.Number {
		about = append(about, choice{Address: a.Address + "/phone", Icon: iconText, Title: w.Say("account.phone.title", nil), Detail: cmp.Or(a.Phone, none)})
	}
	security := []choice{
		{Address: a.Address + "/devices", Icon: iconKey, Title: w.Say("account.devices.title", nil)},
		{Address: a.Address + "/codes", Icon: iconPaper, Title: w.Say("account.codes.title", nil)},
		{Address: a.Address + "/browsers", Icon: iconDone, Title: w.Say("account.browsers.title", nil)},
		{Address: a.Address + "/sessions", Icon: iconScreen, Title: w.Say("account.sessions.title", nil)},
	}
	if a.Password {
		security = append([]choice{{Address: a.Address + "/password", Icon: iconLock, Title: w.Say("account.password", nil)}}, security...)
	}
	m.element(`<h2 class="or">`, w.Say("account.about", nil), "</h2>\n")
	m.choices(about)
	m.element(`<h2 class="or">`, w.Say("account.security", nil), "</h2>\n")
	m.choices(security)
	off := a.SignOff + "?ui_locales=" + url.QueryEscape(set.Language)
	m.links([]Link{{off, w.Say("page.signOff.button", nil)}}, nil)
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
			parts = append(parts, w.Say(x.key, nil))
		}
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
}

// AccountDevices lists the devices of a person, in the order in which they are asked.
func (p *Pages) AccountDevices(set Setting, a Account, devices []AccountDevice) []byte {
	w := p.in(set)
	lead := w.Say("account.devices.text", nil)
	if len(devices) == 0 {
		lead = w.Say("account.devices.none", nil)
	}
	m := p.account(set, &a, w.Say("account.devices.title", nil), lead)
	list := make([]choice, 0, len(devices))
	for i := range devices {
		d := &devices[i]
		list = append(list, choice{Address: a.Address + "/devices/" + d.ID, Icon: iconOf(d.Type), Title: w.deviceTitle(d), Detail: w.deviceDetail(d)})
	}
	m.choices(list)
	m.onward(Link{a.Address + "/add", w.Say("account.devices.add", nil)})
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
	f := a.form(here, NameDevice, w.Say("account.device.save", nil), "")
	f.Fields = []Field{{Name: "nickname", ID: "nickname", Label: w.Say("account.device.nickname.label", nil), Input: "text", Autocomplete: "off", Value: a.value("nickname", d.Nickname)}}
	m.judged(&a, f)
	if !d.First {
		m.quiet(a.form(here, FirstDevice, w.Say("account.device.first", nil), ""))
	}
	m.links([]Link{{a.Address + here + "/remove", w.Say("account.device.remove", nil)}, {a.Address + "/devices", w.Say("page.back", nil)}}, nil)
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
		problems = append(problems, Problem{Text: m.Say("notice.moved", nil)})
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
		lead = w.Say("account.remove.text", nil)
	}
	m := p.account(set, &a, w.Say("account.remove.title", wording.Params{"device": w.deviceTitle(&d)}), lead)
	switch r {
	case OneOfSeveral, LastDevice:
		if r == LastDevice {
			m.notice(w.Say("account.remove.last", nil), false)
		}
		m.form(a.form(here+"/remove", RemoveDevice, w.Say("account.device.remove", nil), ""))
	case NeededDevice:
		m.notice(w.Say("account.remove.needed", nil), false)
		m.onward(Link{a.Address + "/add", w.Say("account.devices.add", nil)})
	case OnlyPasskey:
		m.notice(w.Say("account.remove.alone", nil), false)
		m.onward(Link{a.Address + "/add", w.Say("account.devices.add", nil)})
	}
	m.back(&a, here)
	return m.foot(set)
}

// AccountCodes is the page that new recovery codes are made on, where there is a
// device that they stand in for.
func (p *Pages) AccountCodes(set Setting, a Account, device bool) []byte {
	w := p.in(set)
	lead := w.Say("account.codes.text", nil)
	if !device {
		lead = w.Say("account.codes.later", nil)
	}
	m := p.account(set, &a, w.Say("account.codes.title", nil), lead)
	if device {
		m.form(a.form("/codes", MakeCodes, w.Say("account.codes.make", nil), ""))
	} else {
		m.onward(Link{a.Address + "/add", w.Say("account.devices.add", nil)})
	}
	m.back(&a, "")
	return m.foot(set)
}

// AccountCodesMade shows new recovery codes, this once.
func (p *Pages) AccountCodesMade(set Setting, a Account, codes []string) []byte {
	w := p.in(set)
	m := p.account(set, &a, w.Say("account.codes.title", nil), w.Say("account.codes.keep", nil))
	m.kept(codes)
	m.onward(Link{a.Address, w.Say("account.codes.kept", nil)})
	return m.foot(set)
}
