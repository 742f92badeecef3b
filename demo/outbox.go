package demo

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// Where messages are that would have been sent.
const (
	OutboxPath      = "/dev/outbox"
	outboxStylePath = "/dev/outbox.css"
)

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

// Outbox is the page of messages that were not sent. They hold codes that open
// accounts: it is for a server that is reachable from its own machine alone.
type Outbox struct {
	screen
	messages func() []Mail
	demo     bool
}

// NewOutbox shows messages, the newest first. With a demo beside it, it leads there.
func NewOutbox(messages func() []Mail, log *slog.Logger, demo bool) *Outbox {
	policy := "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
	return &Outbox{screen: screen{log: log, policy: policy}, messages: messages, demo: demo}
}

// Register adds the routes.
func (o *Outbox) Register(r Router) {
	r.Handle(http.MethodGet, OutboxPath, http.HandlerFunc(o.outbox))
	r.Handle(http.MethodGet, outboxStylePath, http.HandlerFunc(style))
}

// outbox shows the messages, as JSON to whoever asks for it.
func (o *Outbox) outbox(w http.ResponseWriter, r *http.Request) {
	mails := o.messages()
	w.Header().Set("Vary", "Accept")
	if !wantsJSON(r.Header.Get("Accept")) {
		o.show(w, http.StatusOK, sent(mails, o.demo))
		return
	}
	if mails == nil {
		mails = []Mail{}
	}
	b, err := json.Marshal(mails)
	if err != nil {
		o.log.ErrorContext(r.Context(), "outbox", "error", err)
		http.Error(w, "The messages cannot be written as JSON.", http.StatusInternalServerError)
		return
	}
	o.answer(w, http.StatusOK, "application/json", b)
}

// wantsJSON reports whether JSON is named, and HTML is not named before it.
func wantsJSON(accept string) bool {
	before, _, named := strings.Cut(strings.ToLower(accept), "application/json")
	return named && !strings.Contains(before, "text/html")
}
