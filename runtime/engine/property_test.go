package engine_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"doorward/runtime/engine"
	"doorward/runtime/flow"
)

// Whatever clients, networks and clocks do, in whatever order: the saved versions
// of every execution are a run of its plan that the reference model makes too,
// every answer was one of those versions, and nobody else saw any of it.
func TestWhateverHappensEveryExecutionIsARunOfItsPlan(t *testing.T) {
	happened := map[string]int{}
	for range 20 {
		rapid.Check(t, func(rt *rapid.T) {
			c := checker{world: play(t, drawScript(rt)), happened: happened}
			c.all()
			if len(c.wrong) > 0 {
				rt.Fatal(strings.Join(c.wrong, "\n"))
			}
		})
	}
	for _, what := range []string{
		"adopted", "completed", "conflict", "evaluated in vain", "failed", "foreign", "old credential", "refused", "repeat", "reset", "resumed", "sso",
	} {
		if happened[what] == 0 && !testing.Short() { // of few worlds some are spared the rare
			t.Errorf("never happened: %s", what)
		}
	}
	t.Log(happened)
}

// checker judges a world that has come to its end.
type checker struct {
	*world
	wrong    []string
	happened map[string]int
}

func (c *checker) fail(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

func (c *checker) all() {
	for ref, cell := range c.store.executions {
		for i, h := range cell.history {
			if h.Version != uint64(i+1) {
				c.fail("%s: version %d was saved as number %d", ref.ID, h.Version, i+1)
			}
		}
		c.replay(ref, cell.history)
		c.proofs(ref, cell.history)
	}
	codes := map[flow.Ref]string{}
	for _, r := range c.requests {
		c.answer(r)
		if r.client != r.owner {
			c.foreign(r)
		}
		if r.done != nil {
			c.completion(r, codes)
		}
		c.session(r)
	}
	for _, e := range c.evals {
		if cell := c.store.executions[e.by.ref]; !slices.ContainsFunc(cell.history, func(h saved) bool { return h.by == any(e.by) }) {
			c.happened["evaluated in vain"]++
		}
	}
}

// replay runs the reference model over the submits that were saved.
func (c *checker) replay(ref flow.Ref, history []saved) {
	start := history[0].by.(*request)
	s := begin(c.plan, start.session, start.Token == "stale", history[0].CreatedAt)
	for i, h := range history {
		r := h.by.(*request)
		if i > 0 {
			if h.Rotated == 0 && h.Binding != history[i-1].Binding {
				c.happened["adopted"]++
			}
			switch r.submit.Action {
			case "answer":
				s.answer(r.Guess, h.Repeat.At)
			case engine.ResetAction:
				c.happened["reset"]++
				s.reset(h.Repeat.At)
			}
		}
		node := ""
		if s.node < len(s.plan) {
			node = fmt.Sprintf("n%d", s.node)
		}
		want := []any{node, s.status, s.user, flow.Ledger(s.proofs)}
		got := []any{h.Node, h.Status, h.User.ID, h.Proofs}
		if diff := cmp.Diff(want, got); diff != "" {
			c.fail("%s version %d after %q is not what the model has: %s", ref.ID, h.Version, r.submit.Action, diff)
			return
		}
	}
	switch history[len(history)-1].Status {
	case flow.Completed:
		c.happened["completed"]++
	case flow.Failed:
		c.happened["failed"]++
	}
}

// proofs looks for the right answer behind every proof.
func (c *checker) proofs(ref flow.Ref, history []saved) {
	var since []any // who saved something since the last reset
	for i, h := range history {
		r := h.by.(*request)
		if since = append(since, r); i > 0 && r.submit.Action == engine.ResetAction {
			since = nil
		}
		for _, p := range h.Proofs {
			var found bool
			if p.Origin == flow.FromSession {
				s := history[0].by.(*request).session
				p.Origin = flow.FromFlow
				found = len(since) > i && s != nil && slices.Contains(s.Proofs, p)
			} else {
				found = slices.ContainsFunc(c.evals, func(e evaluation) bool {
					return e.right && e.proof == p && e.by.ref == ref && slices.Contains(since, any(e.by))
				})
			}
			if !found {
				c.fail("%s version %d: nobody gave the right answer for %+v", ref.ID, h.Version, p)
			}
		}
	}
}

// answer holds what was shown against the versions, and finds who wrote the one
// that a submit was acknowledged with.
func (c *checker) answer(r *request) {
	f := flow.AsFault(r.err)
	if r.err != nil && !slices.Contains([]flow.Code{flow.Conflict, flow.InvalidData, flow.InvalidRequest, flow.NotFound, flow.Unavailable}, f.Code) {
		c.fail("request %d (%s): %v", r.id, r.Do, r.err)
	}
	v, ok := r.shown()
	cell, stored := c.store.executions[r.ref]
	if !ok || (!stored && r.done != nil) {
		return
	}
	if !stored || v.Version == 0 || v.Version > uint64(len(cell.history)) {
		c.fail("request %d (%s) was shown version %d, which nobody saved", r.id, r.Do, v.Version)
		return
	}
	h := cell.history[v.Version-1]
	if v.Status != h.Status || v.User.ID != h.User.ID {
		c.fail("request %d (%s) was shown %s of %q, version %d is %s of %q", r.id, r.Do, v.Status, v.User.ID, v.Version, h.Status, h.User.ID)
	}
	refused := f.Code == flow.InvalidData && len(f.Details) > 0 && f.Details[0].Code == flow.InvalidCredentials
	writer := h.by.(*request)
	switch {
	case r.err != nil && f.Code == flow.Conflict:
		c.happened["conflict"]++
	case r.submit.Action == "" || r.err != nil && !refused:
		return
	case !reflect.DeepEqual(writer.submit, r.submit):
		c.fail("request %d (%s) was acknowledged with version %d, which another submit wrote", r.id, r.Do, v.Version)
	case writer != r:
		c.happened["repeat"]++
		if flow.Sum(r.caller.Cookie) != h.Binding && r.caller.Cookie != "" {
			c.happened["old credential"]++
		}
	}
	if refused {
		c.happened["refused"]++
	}
	if refused != (h.Repeat.Fault != nil) && r.submit.Action == "answer" && r.err == nil {
		c.fail("request %d was told yes, version %d says no", r.id, v.Version)
	}
}

func (c *checker) foreign(r *request) {
	c.happened["foreign"]++
	f := flow.AsFault(r.err)
	if r.err == nil || f.View != nil || r.view.Ref.ID != "" || r.done != nil || (f.Code != flow.NotFound && f.Code != flow.Unavailable) {
		c.fail("request %d (%s) of a stranger was answered %v, %+v", r.id, r.Do, r.err, r.view)
	}
}

func (c *checker) completion(r *request, codes map[flow.Ref]string) {
	if code, again := codes[r.ref]; again && code != r.done.Code {
		c.fail("%s was completed with two codes", r.ref.ID)
	}
	codes[r.ref] = r.done.Code
	if r.Do == "start" {
		c.happened["sso"]++
		if s := begin(c.plan, r.session, r.Token == "stale", r.view.CreatedAt); s.status != flow.Completed || s.user != r.done.User.ID {
			c.fail("request %d completed at once, the model says %s of %q", r.id, s.status, s.user)
		}
		return
	}
	c.happened["resumed"]++
	history := c.store.executions[r.ref].history
	if last := history[len(history)-1]; last.Status != flow.Completed || last.User.ID != r.done.User.ID || last.SessionID != r.done.SessionID {
		c.fail("request %d completed %s of %q, saved is %s of %q", r.id, r.ref.ID, r.done.User.ID, last.Status, last.User.ID)
	}
}

// session looks for the completed execution behind every proof of a session
// that a browser was known by.
func (c *checker) session(r *request) {
	if r.session == nil {
		return
	}
	for _, p := range r.session.Proofs {
		found := false
		for _, cell := range c.store.executions {
			last := cell.history[len(cell.history)-1]
			p.Origin = flow.FromFlow
			// Two equal submits that ran at once write the session under one cookie;
			// the time may be that of the one that was not saved.
			held := slices.ContainsFunc(last.Proofs, func(q flow.Proof) bool { q.At = p.At; return q == p })
			found = found || last.Status == flow.Completed && cell.history[0].by.(*request).owner == r.owner && held
		}
		if !found {
			c.fail("request %d found a session with %+v, which no completed execution of that browser holds", r.id, p)
		}
	}
}
