package link_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/runtime/flow"
	"doorward/steps/link"
)

var _ flow.Kind = (*link.Kind)(nil)

type fake struct {
	theirs bool
	err    error
	linked []flow.ForeignAccount
}

func (f *fake) Link(_ context.Context, env, user string, a flow.ForeignAccount) (bool, error) {
	if env != "e1" || user != "u1" {
		return false, errors.New("another user")
	}
	f.linked = append(f.linked, a)
	return f.theirs, f.err
}

func TestAnAccountIsLinkedToWhoProvedBoth(t *testing.T) {
	account := flow.ForeignAccount{Provider: "p1", ID: "s9"}
	done := flow.Result("DONE")
	for name, tt := range map[string]struct {
		foreign flow.ForeignAccount
		user    string
		proven  bool
		theirs  bool
		want    flow.Outcome
		asked   int
	}{
		"nobody has signed on elsewhere": {flow.ForeignAccount{}, "u1", true, true, done, 0},
		"somebody has":                   {account, "u1", true, true, done.WithEvent(flow.AccountLinked).WithForeign(flow.ForeignAccount{}), 1},
		"it is somebody's by now":        {account, "u1", true, false, done.WithForeign(flow.ForeignAccount{}), 1},
		"nobody signs on here":           {account, "", true, true, done, 0},
		"nothing was proven in this run": {account, "u1", false, true, done, 0},
	} {
		f := &fake{theirs: tt.theirs}
		at := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "link", nil, time.Time{}, nil, 0, flow.Digest{})
		at.Foreign, at.User.ID, at.Proven = tt.foreign, tt.user, tt.proven
		out, err := link.New(f).Enter(t.Context(), at)
		if diff := cmp.Diff(tt.want, out); err != nil || diff != "" || len(f.linked) != tt.asked {
			t.Errorf("%s: %v %s, %d links", name, err, diff, len(f.linked))
		}
	}
	at := flow.NewTurn(flow.Ref{Env: "e1", ID: "f1"}, "link", nil, time.Time{}, nil, 0, flow.Digest{})
	at.Foreign, at.User.ID, at.Proven = account, "u1", true
	if _, err := link.New(&fake{err: errors.New("away")}).Enter(t.Context(), at); flow.AsFault(err).Code != flow.Unavailable {
		t.Errorf("while the directory is away: %v", err)
	}
}
