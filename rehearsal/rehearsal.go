package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"doorward/configs"
	"doorward/runtime/engine"
	"doorward/runtime/flow"
)

// House is where a script is played: the real step kinds over a database of its own.
// It serves nothing, sends nothing and calls nobody.
type House struct {
	Engine   *engine.Engine
	Registry *configs.Registry
	// Mail takes what was mailed since it was asked last, the oldest first. With an
	// error it returns what it has taken before that.
	Mail  func(context.Context) ([]flow.Message, error)
	Close func(context.Context) error
}

// Setting is what a House is built of.
type Setting struct {
	Dir     string // of everything that it keeps; it is removed once the House is closed
	Config  string // directory of its configuration files
	BaseURL string
	Now     func() time.Time
	// Watch returns the step kinds that the engine is to be given in the place of
	// those that there are.
	Watch func([]flow.Kind) []flow.Kind
	// Services answers every call of an outside service. None is to leave.
	Services func(Call) Reply
}

// Build builds a House. The error is a configs.Faults where the files are at fault.
type Build func(context.Context, Setting) (*House, error)

// Play plays scripts one after the other, each in a House of its own, and writes how
// each went; with coverage also what no script has passed. The error says how many
// have failed.
func Play(ctx context.Context, w io.Writer, files []string, coverage bool, build Build) error {
	covered := map[flow.Digest]*covering{}
	failures := 0
	for _, file := range files {
		line := "ok    " + file
		if err := playFile(ctx, file, covered, build); err != nil {
			failures++
			line = "FAIL  " + file + "\n" + err.Error()
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if coverage {
		if err := writeCoverage(w, covered); err != nil {
			return err
		}
	}
	if failures > 0 {
		return fmt.Errorf("%d of %s failed", failures, counted(len(files), "script"))
	}
	return nil
}

// playFile plays one script and adds what it has passed to covered.
func playFile(ctx context.Context, file string, covered map[flow.Digest]*covering, build Build) (err error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	s, err := readScript(file, raw)
	if err != nil {
		return err
	}
	g, err := openStage(ctx, s, build)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.close(context.WithoutCancel(ctx))) }()
	p := &play{stage: g, script: s, codes: map[string]string{}}
	for _, u := range s.users {
		p.hide("", u.members, "")
	}
	for _, one := range s.services {
		var token struct {
			Value string `json:"access_token"`
		}
		_ = json.Unmarshal(one.reply.Body, &token) // else it is none
		p.conceal(token.Value)
	}
	err = p.run(ctx)
	if plan := g.trail.plan; plan != nil {
		if covered[plan.Hash] == nil {
			covered[plan.Hash] = &covering{plan: plan, seen: map[string]map[string]bool{}}
		}
		covered[plan.Hash].add(g.trail.seen)
	}
	return err
}
