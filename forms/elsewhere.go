package forms

import (
	"doorward/runtime/flow"
	"doorward/runtime/wording"
)

// linking is the status in which whoever has signed on elsewhere says who they are here.
// Source: reference/flows.md 3.1, 9.2.
const linking = "ACCOUNT_LINKING_REQUIRED"

// askAnew has the page of an account that is to be linked ask who somebody is here: what
// they typed is what they are called elsewhere, and is no more than a proposal.
func askAnew(s *SignOn) {
	if s.View.Status == linking && s.View.User.ID == "" && s.View.User.Username != "" {
		s.View.LoginHint, s.View.User = s.View.User.Username, flow.Subject{}
	}
}

// restarts has a page about an account elsewhere lead back to the start, for whoever has
// taken the wrong one. Where somebody is named, the way is beside the name.
func (l *layout) restarts(s *SignOn) {
	if l.reset != nil && l.shown == nil && s.View.User.Username == "" && (s.Elsewhere != "" || s.View.Status == linking) {
		l.quiet = append(l.quiet, l.reset)
	}
}

// elsewhere leads to the one thing to do on a page of whoever signs on elsewhere.
func (m *markup) elsewhere(s *SignOn) {
	if s.Elsewhere == "" || s.View.External == nil {
		return
	}
	m.raw(`<a class="button"`)
	m.address("href", s.Elsewhere)
	m.element(">", m.Say("page.with", wording.Params{"provider": s.View.External.Name}), "</a>\n")
}
