package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"doorward/configs"
	"doorward/delivery"
)

// mailGrace is how long messages under way may take once the node stops. It leaves room
// in closeTime for what is written behind them.
const mailGrace = 2 * time.Second

// openDelivery starts the worker that sends what the directory's outbox holds. On
// a machine of its own and without a mail server, messages go where the demo shows
// them.
func (h *house) openDelivery(ctx context.Context) error {
	sender, err := h.mailSender()
	if err != nil {
		return err
	}
	outbox := h.outgoing
	h.phones = h.newPhones()
	worker, err := delivery.New(delivery.Parts{
		Queue: outbox, Sender: sender, Phone: h.phones, Place: h.place, Events: h.events, Count: h.metrics.Delivered, Log: h.log, Now: h.now, Grace: mailGrace,
	})
	if err != nil {
		return fmt.Errorf("messages: %w", err)
	}
	h.mailer = worker
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	h.metrics.gauge("doorward_messages_waiting", "Messages in the outbox that are not sent yet.", func() float64 {
		n, err := outbox.Waiting(background)
		if err != nil {
			return -1
		}
		return float64(n)
	})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		worker.Run(background)
	}()
	h.closes = append(h.closes, func(context.Context) error {
		stop()
		<-ended
		return nil
	})
	return nil
}

// wakeMail makes messages leave at once that were written a moment ago.
func (h *house) wakeMail() {
	if h.mailer != nil {
		h.mailer.Wake()
	}
}

// mailSender is where mails go; nil when nothing here sends any.
func (h *house) mailSender() (delivery.Sender, error) {
	switch {
	case h.o.SMTP != "":
		relay, err := delivery.SMTP(h.o.SMTP, h.o.MailFrom, (&net.Dialer{}).DialContext, nil)
		if err != nil {
			return nil, fmt.Errorf("--smtp, --mail-from: %w", err)
		}
		h.log.Info("mail", "server", relay.String())
		return relay, nil
	case h.o.loopback():
		h.mails = delivery.NewRecent()
		return h.mails, nil
	case slices.ContainsFunc(h.registry.Bundles(), func(b *configs.Bundle) bool { return b.SendsMessages() && h.isOurs(b) }):
		return nil, errors.New("--smtp is needed: a sign-on policy lets people register or recover a password, and that goes by mail")
	}
	h.log.Warn("no mail is sent: give --smtp before somebody needs a code or a notice")
	h.unmailed = &sync.Map{}
	h.warnUnmailed()
	return nil, nil
}

// isOurs reports whether an environment is what this node was told to serve. What is made
// over the API keeps no node from starting.
func (h *house) isOurs(b *configs.Bundle) bool {
	id := b.Environment().ID
	return h.files.Names(id) || h.o.Config == "" && id == demoEnvironment
}

// warnUnmailed says once of each environment that its mail stays here.
func (h *house) warnUnmailed() {
	if h.unmailed == nil {
		return
	}
	for _, b := range h.registry.Bundles() {
		if !b.SendsMessages() {
			continue
		}
		if _, said := h.unmailed.LoadOrStore(b.Environment().ID, true); !said {
			h.log.Warn("a policy leads to codes and notices by mail, which wait until a node with --smtp is there: start one", "env", b.Environment().ID)
		}
	}
}

// place is what a mail says of the environment it comes from.
func (h *house) place(env, id string) (delivery.Place, bool) {
	b, ok := h.registry.Bundle(env)
	if !ok {
		return delivery.Place{}, false
	}
	e := b.Environment()
	p := delivery.Place{Name: e.Name, Logo: e.Theme.Logo, Languages: e.Languages}
	if id != "" {
		p.SignOnURL = e.SignOnPage(id)
	}
	return p, true
}
