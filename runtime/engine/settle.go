package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"doorward/runtime/flow"
)

// mostOutputs is what the outputs of steps come to at most, in bytes of JSON, once
// a step has added to them that nobody has typed: a record takes 16 KiB in all.
const mostOutputs = 12 << 10

// settle applies an outcome. It returns where to go on when the node is left.
func (t *turn) settle(ctx context.Context, n *flow.Node, ft *flow.Turn, out flow.Outcome) (next string, waits bool, err error) {
	x := t.x
	if kept := ft.Kept(); kept != nil {
		if x.Steps == nil {
			x.Steps = map[string][]byte{}
		}
		x.Steps[n.Key] = kept
	}
	t.events = append(t.events, out.Events...)
	if out.Trust != nil {
		t.trust = out.Trust
	}
	t.once = append(t.once, out.Once...)
	if err := t.learn(ctx, n, out); err != nil {
		return "", false, err
	}
	switch out.Verdict {
	case flow.Waits, flow.Rejects:
		if out.Verdict == flow.Rejects && x.Node != n.Key {
			return "", true, nil // a door that did not open: the person stands where they stood
		}
		if out.Status == "" || out.Status == flow.Completed || out.Status == flow.Failed {
			return "", false, fmt.Errorf("node %q cannot wait in status %q", n.Key, out.Status)
		}
		x.Status = out.Status
		return "", true, nil
	case flow.Fails:
		return t.refuse(ctx, n, out.Failure, out.Outlet)
	case flow.Results:
		next, ok := n.Outlets[out.Name]
		if !ok {
			return "", false, fmt.Errorf("node %q has no outlet %q", n.Key, out.Name)
		}
		delete(x.Steps, n.Key)
		t.useUp()
		if out.Outputs != nil {
			if err := t.store(n, out.Outputs); err != nil {
				return "", false, err
			}
			if ft.Status == "" && t.full() { // nobody has typed it, so that nobody can shorten it
				delete(x.Outputs, n.Place())
				return t.refuse(ctx, n, flow.CallFailed("OUTPUT_TOO_LARGE").Failure, "")
			}
		}
		if out.End != nil && t.finish(*out.End) != nil {
			next, err := t.unproven(ctx)
			return next, next == "", err
		}
		return next, false, nil
	}
	return "", false, fmt.Errorf("node %q gave no answer", n.Key)
}

// refuse leaves a node that has failed: by an outlet that is for it, or by ending
// the execution.
func (t *turn) refuse(ctx context.Context, n *flow.Node, why *flow.Failure, outlet string) (next string, waits bool, err error) {
	t.useUp()
	if next, leads, err := t.astray(n, why, outlet); leads || err != nil {
		return next, false, err
	}
	next, err = t.fail(ctx, why)
	return next, next == "", err
}

// full reports whether what the steps have put out leaves no room in the record
// for what is to come.
func (t *turn) full() bool {
	size := 0
	for _, b := range t.x.Outputs {
		size += len(b)
	}
	return size > mostOutputs
}

// useUp forgets the secrets that the node just left was handed.
func (t *turn) useUp() {
	for _, name := range t.used {
		delete(t.x.Secrets, name)
	}
	t.used = nil
}

// learn takes over what an outcome says of who the person is.
func (t *turn) learn(ctx context.Context, n *flow.Node, out flow.Outcome) error {
	x := t.x
	if out.Foreign != nil {
		x.Foreign = *out.Foreign
	}
	if out.Person != nil {
		if err := t.forgetSessionUser(ctx, out.Person.UserID); err != nil {
			return fmt.Errorf("node %q named a candidate: %w", n.Key, err)
		}
		x.Person = *out.Person
		for i := range x.Person.Proofs {
			x.Person.Proofs[i].At, x.Person.Proofs[i].Origin = t.taken(), flow.FromFlow
		}
	}
	for _, u := range out.Users {
		if x.User.ID != "" && x.User.ID != u.ID {
			return fmt.Errorf("node %q changed the user of the execution", n.Key)
		}
		x.User = u
		if x.Person.UserID == u.ID {
			out.Proofs = append(x.Person.Proofs, out.Proofs...)
		}
		x.Person = flow.Candidate{}
	}
	for _, p := range out.Proofs {
		if p.Subject == "" || p.Subject != x.User.ID {
			return fmt.Errorf("node %q proved somebody who is not the user", n.Key)
		}
		p.At = t.taken()
		if p.Origin != flow.FromIDP {
			p.Origin = flow.FromFlow
		}
		x.Proofs = append(x.Proofs, p)
		t.fresh++
	}
	return nil
}

// forgetSessionUser makes room for somebody else: whom only the browser's session
// names is not the user of this execution any more. It fails when the user was
// proven in it, and with a Fault when the user was named by whoever started it.
func (t *turn) forgetSessionUser(ctx context.Context, other string) error {
	x := t.x
	switch {
	case x.User.ID == "":
		return nil
	case x.IsNamed() && other == x.User.ID:
		return nil
	case x.IsNamed():
		t.e.record(ctx, flow.UsernameMismatch, x.Ref, x, t.caller, "")
		return flow.Invalid(flow.Detail{
			Code: flow.InvalidValue, Target: "username",
			Message: "The sign-on is for the user whom the application has named. Go on as that user, or go back to the application.",
		})
	}
	if slices.ContainsFunc(x.Proofs, func(p flow.Proof) bool { return p.Origin != flow.FromSession }) {
		return errors.New("the execution has another user")
	}
	x.User, x.Proofs, x.SessionID = flow.Subject{}, nil, ""
	return nil
}

// taken is the time of a proof of this turn: never before the execution began,
// though this node's clock may be behind the one that started it.
func (t *turn) taken() time.Time {
	if t.now.Before(t.x.CreatedAt) {
		return t.x.CreatedAt
	}
	return t.now
}
