package verifier_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"
	"pgregory.net/rapid"

	"doorward/keys"
	"doorward/runtime/engine"
	"doorward/runtime/flow"
	"doorward/runtime/verifier"
	"doorward/session"
)

const env = "d0000000-0000-4000-8000-0000000000e1"

// Whatever Check accepts, the engine is never brought to sign on somebody who was
// not proven, to believe a claim that was not proven, or to a place where it has
// no answer. It would refuse each of these by itself; of a plan that was accepted
// it never has to.
func TestWhatIsAcceptedNeverSignsOnWithoutProof(t *testing.T) {
	w := newWorld(t)
	happened := map[string]int{}
	for range 40 {
		rapid.Check(t, func(rt *rapid.T) {
			w.plan = drawPlan(rt)
			found := verifier.Check(w.plan, w.kinds())
			if slices.ContainsFunc(found, func(f verifier.Finding) bool { return f.Severity == verifier.Error }) {
				happened["refused"]++
				return
			}
			happened["accepted"]++
			for range 6 {
				if wrong := w.walk(rt, happened); wrong != "" {
					rt.Fatalf("%s\n%s\nfound:\n%s", wrong, written(w.plan), lines(found))
				}
			}
		})
	}
	for _, what := range []string{"refused", "accepted", "signed on", "failed", "a claim"} {
		if happened[what] == 0 {
			t.Errorf("never happened: %s", what)
		}
	}
	t.Log(happened)
}

// script is what a step of these plans does.
type script struct {
	waits   bool
	results []flow.StepResult
	ends    flow.Ending
}

// actor is a kind that does what its node's script says, and truthfully.
type actor struct{ w *world }

type choice struct {
	Way string `json:"way" required:"true"`
}

func (a actor) Meta() flow.Meta {
	return flow.Meta{Name: "ACT", Actions: []flow.Action{flow.On("choose", a.choose).Every()}}
}

func (actor) Check(c json.RawMessage) (any, error) { return c, nil }

func (actor) Step(_ string, config any) flow.Step {
	s, _ := config.(script)
	out := flow.Step{Waits: s.waits, Results: s.results, Ends: s.ends}
	switch {
	case s.ends == flow.Finishes:
		out.Input = schema(`{"type":"object"}`)
	case !s.waits:
		out.Input = schema(userID)
	}
	return out
}

func (a actor) Enter(_ context.Context, t *flow.Turn) (flow.Outcome, error) {
	s := t.Config.(script)
	switch {
	case s.ends == flow.Terminates:
		return flow.Fail("TERMINATED", "The flow was ended."), nil
	case s.waits:
		a.w.at = t.Key
		return flow.Wait("CHOICE_REQUIRED"), nil
	}
	n := a.w.pick(4*len(s.results) + 1)
	if n == 4*len(s.results) && s.ends != flow.Finishes {
		return flow.Fail("REFUSED", "The step fails."), nil
	}
	return a.leave(t, s, s.results[n%len(s.results)])
}

func (a actor) choose(_ context.Context, t *flow.Turn, in choice) (flow.Outcome, error) {
	s := t.Config.(script)
	for _, r := range s.results {
		if r.Name == in.Way {
			return a.leave(t, s, r)
		}
	}
	return flow.Outcome{}, flow.Invalid()
}

// leave names, proves and confirms what the result says.
func (a actor) leave(t *flow.Turn, s script, r flow.StepResult) (flow.Outcome, error) {
	out := flow.Result(r.Name)
	if s.ends == flow.Finishes {
		a.w.ended = t.Key
		return out.WithEnd(flow.End{User: given(t.Input, "context", "user", "id"), AMR: claimed(t.Input)}), nil
	}
	person := t.Person
	if r.Names {
		who := []string{"ada", "bea"}[a.w.pick(2)]
		if t.User.ID != "" && t.User.ID != who {
			return flow.Fail("USER_MISMATCH", "Somebody else has signed on."), nil
		}
		person = flow.Candidate{Username: who, UserID: who}
	}
	about := t.User.ID
	if about == "" {
		about = person.UserID
	}
	if told := given(t.Input, "user", "id"); about == "" && (len(r.Takes) > 0 || r.Confirms) || len(r.Takes) > 0 && !r.Names && told != about {
		return flow.Fail("USER_MISMATCH", "The step is about nobody here."), nil
	}
	var fresh flow.Ledger
	for _, p := range r.Takes {
		if r.Candidate && t.User.ID != "" {
			break
		}
		fresh = append(fresh, flow.Proof{Subject: about, Factors: p.Factors, Method: p.Authenticator, AMR: p.AMR, Authenticator: p.Authenticator})
	}
	person.Proofs = append(slices.Clone(person.Proofs), fresh...)
	switch {
	case t.User.ID != "":
		for _, p := range fresh {
			out = out.WithProof(p)
		}
	case r.Names || len(fresh) > 0:
		out = out.WithCandidate(person)
	}
	if r.Confirms && t.User.ID == "" {
		out = out.WithUser(flow.Subject{ID: about, Username: about})
	}
	if len(r.Output) > 0 {
		out = out.WithOutputs(map[string]any{"user": map[string]any{"id": about}})
	}
	a.w.proven = append(a.w.proven, fresh...)
	return out, nil
}

func given(m map[string]any, path ...string) string {
	for _, name := range path[:len(path)-1] {
		m, _ = m[name].(map[string]any)
	}
	s, _ := m[path[len(path)-1]].(string)
	return s
}

func claimed(m map[string]any) (out []string) {
	c, _ := m["context"].(map[string]any)
	list, _ := c["amr"].([]any)
	for _, x := range list {
		out = append(out, x.(string))
	}
	return out
}

// world is the real engine over one plan after the other.
type world struct {
	*engine.Engine
	plan   *flow.Plan
	pick   func(n int) int
	proven flow.Ledger // what the steps of this walk took, of whomever
	at     string      // the step that waits
	ended  string      // the step that finished it
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{}
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	ring, _, err := keys.LoadOrCreate(filepath.Join(t.TempDir(), "keyring.json"))
	must(err)
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "sessions.db"))
	must(err)
	t.Cleanup(func() { _ = db.Close() })
	_, err = db.ExecContext(t.Context(), `CREATE TABLE sessions (env TEXT, hash BLOB, id TEXT, user_id TEXT, body BLOB, put_at INTEGER, expires_at INTEGER, PRIMARY KEY (env, hash))`)
	must(err)
	now := func() time.Time { return time.Date(2031, 5, 5, 9, 0, 0, 0, time.UTC) }
	memory := session.NewMemory(session.DefaultMemory, now)
	t.Cleanup(func() { _ = memory.Close() })
	store := session.NewEmbedded(memory, session.NewSQLSessions(database{db}, now))
	w.Engine, err = engine.New(engine.Parts{
		Executions: store, Sessions: store, Index: store, Plans: w, Users: w, Keys: ring, Events: w, Kinds: w.kinds(), Now: now, Random: rand.Reader,
	})
	must(err)
	return w
}

type database struct{ *sql.DB }

func (d database) Reader() *sql.DB { return d.DB }

func (d database) Write(ctx context.Context, fn func(context.Context, *sql.Tx) error) error {
	tx, err := d.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // a no-op after Commit
	if err := fn(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

func (w *world) kinds() []flow.Kind { return []flow.Kind{actor{w}} }

func (w *world) Plan(context.Context, string, flow.Digest) (*flow.Plan, error) { return w.plan, nil }
func (*world) Facts(context.Context, string, string) (map[string]any, error)   { return nil, nil }
func (*world) Record(context.Context, flow.Event)                              {}
func (*world) Standing(context.Context, string, string) (flow.Standing, error) {
	return flow.Standing{Enabled: true}, nil
}

// walk takes an execution of the plan anywhere, and says what should not have
// been.
func (w *world) walk(rt *rapid.T, happened map[string]int) string {
	ctx := context.Background()
	w.pick = func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "way") }
	w.proven, w.ended = nil, ""
	v, _, err := w.Start(ctx, flow.Start{Env: env, Plans: []flow.Digest{w.plan.Hash}, Request: flow.Request{MaxAge: -1}})
	cookie := v.Cookie
	for range 24 {
		if err != nil {
			return fmt.Sprintf("the engine has no answer: %v", err)
		}
		if v.Status == flow.Completed || v.Status == flow.Failed {
			break
		}
		results := w.plan.Nodes[w.at].Config.(script).results
		caller := flow.Caller{Cookie: cookie}
		v, err = w.Act(ctx, v.Ref, caller, flow.Submit{Action: "choose", Values: flow.Values{"way": results[w.pick(len(results))].Name}})
		if v.Cookie != "" {
			cookie = v.Cookie
		}
	}
	return w.judge(v, happened)
}

// judge holds an end against what the steps have really taken.
func (w *world) judge(v flow.View, happened map[string]int) string {
	session := false
	if n := w.plan.Nodes[w.ended]; n != nil {
		for _, u := range n.Input.Uses() {
			session = session || slices.Equal(u.Path, []string{"flow", "context", "user", "id"})
		}
	}
	switch v.Status {
	case flow.Failed:
		happened["failed"]++
		if v.Failure.Code == "AUTHENTICATION_REQUIRED" && !session {
			return "the engine had to refuse the end at " + w.ended
		}
	case flow.Completed:
		happened["signed on"]++
		of := w.proven.Of(v.User.ID)
		if len(of) == 0 {
			return "signed on without a proof: " + v.User.ID
		}
		claims := claimed(w.plan.Nodes[w.ended].Input.Resolve(func([]string) any { return nil }))
		for _, c := range claims {
			if !slices.Contains(of.AMR(), c) {
				return "believed the claim " + c
			}
		}
		if len(claims) > 0 {
			happened["a claim"]++
		}
	}
	return ""
}

// written is a plan as a reader of a failure needs it.
func written(p *flow.Plan) string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(p.Nodes)) {
		n := p.Nodes[key]
		fmt.Fprintf(&b, "%s %+v %v %v\n", key, n.Config, n.Input, n.Outlets)
	}
	return b.String()
}
