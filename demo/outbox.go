package demo

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// OutboxPath is where the messages are that the demo environment would have sent.
const OutboxPath = "/dev/outbox"

// Mail is one that was not sent, but kept to be looked at; or an SMS, or what a call
// would have said. Those have no subject and no HTML.
type Mail struct {
	Channel  string    `json:"channel"` // EMAIL, SMS, VOICE or PUSH
	To       string    `json:"to"`
	Subject  string    `json:"subject"`
	Text     string    `json:"text"`
	HTML     string    `json:"html"`
	Template string    `json:"template,omitempty"`
	Language string    `json:"language"`
	At       time.Time `json:"at"`
}

// Kind is what a reader calls it.
func (m Mail) Kind() string {
	switch m.Channel {
	case "SMS":
		return "SMS"
	case "VOICE":
		return "Call"
	case "PUSH":
		return "Push"
	}
	return "Mail"
}

// outbox shows the messages, as JSON to whoever asks for it. They hold codes that
// open accounts: only an environment whose secrets are published has this page.
func (d *Demo) outbox(w http.ResponseWriter, r *http.Request) {
	mails := d.config.Outbox()
	w.Header().Set("Vary", "Accept")
	if !wantsJSON(r.Header.Get("Accept")) {
		d.show(w, http.StatusOK, sent(mails))
		return
	}
	if mails == nil {
		mails = []Mail{}
	}
	b, err := json.Marshal(mails)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	d.answer(w, http.StatusOK, "application/json", b)
}

// wantsJSON reports whether JSON is named, and HTML is not named before it.
func wantsJSON(accept string) bool {
	before, _, named := strings.Cut(strings.ToLower(accept), "application/json")
	return named && !strings.Contains(before, "text/html")
}
