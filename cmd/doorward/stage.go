package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"time"

	"doorward/delivery"
	"doorward/directory"
	"doorward/rehearsal"
	"doorward/runtime/federation"
	"doorward/runtime/flow"
)

// stage builds the house that a script is played in. It fills rehearsal.Build.
func stage(ctx context.Context, s rehearsal.Setting) (*rehearsal.House, error) {
	h, err := newStage(ctx, s)
	if err != nil {
		return nil, err
	}
	letters, err := delivery.NewTemplates()
	if err != nil {
		return nil, errors.Join(err, h.close(ctx))
	}
	mail := rehearsedMail{h, h.outgoing, letters}
	return &rehearsal.House{Engine: h.engine, Registry: h.registry, Mail: mail.take, Close: h.close}, nil
}

// newStage has the adapters of serve, but no way out: the script answers.
func newStage(ctx context.Context, s rehearsal.Setting) (*house, error) {
	h := &house{
		o: options{
			Listen: "localhost:8080", BaseURL: s.BaseURL, Config: s.Config, Data: s.Dir,
			Database: filepath.Join(s.Dir, "doorward.db"), Keys: filepath.Join(s.Dir, "keys.json"), LogFormat: "text",
		},
		out: io.Discard, log: slog.New(slog.DiscardHandler), now: s.Now, metrics: newMetrics(), checks: map[string]func(context.Context) error{},
	}
	watched := func(context.Context) error {
		h.kinds, h.phones = s.Watch(h.kinds), h.newPhones()
		return nil
	}
	answered := func(context.Context) error {
		by := rehearsedServices(s.Services)
		h.callBy(by, namesForSecrets{})
		h.google = &http.Client{Transport: by}
		h.elsewhere = func(string, federation.Provider) *http.Client { return h.google }
		return nil
	}
	for _, step := range []func(context.Context) error{h.openKeys, h.openDirectory, h.hashCheaply, h.openSessions, answered, h.openConfiguration, watched, h.openEngine} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, h.close(ctx))
		}
	}
	return h, nil
}

// hashCheaply spares the cost that passwords are kept with: this database ends
// with the script.
func (h *house) hashCheaply(context.Context) error {
	h.hasher = directory.NewHasher(directory.Params{Memory: 64, Time: 1, Threads: 1}, 1, h.now)
	h.users = directory.NewUsers(h.db, h.hasher, h.now)
	return nil
}

// rehearsedMail is what a worker would send.
type rehearsedMail struct {
	*house
	outbox  *directory.Outbox
	letters *delivery.Templates
}

// take takes what was mailed out of the database and writes it, as a worker would.
func (r rehearsedMail) take(ctx context.Context) ([]flow.Message, error) {
	var out []flow.Message
	for {
		messages, err := r.outbox.Claim(ctx, 16, 24*time.Hour, nil)
		if err != nil || len(messages) == 0 {
			return out, err
		}
		for _, m := range messages {
			if err := r.outbox.Sent(ctx, m.ID); err != nil {
				return out, err
			}
			if m.To == "" {
				continue // nobody's
			}
			place, _ := r.place(m.Env, m.Flow) // it is the one environment that there is
			if _, err := r.letters.Render(m, place, r.now()); err != nil {
				return out, fmt.Errorf("mail %s: %w", m.Template, err)
			}
			out = append(out, m)
		}
	}
}
