package engine_test

import (
	"time"

	"pgregory.net/rapid"

	"doorward/runtime/flow"
)

// script is all that is drawn for one run.
type script struct {
	plan    []spec
	moves   []move
	choices []choice
}

// move is one thing that a client does, or that happens to everybody.
type move struct {
	Do     string
	Client int
	Flow   int // which of the flows begun so far
	Guess  guess
	Token  string // the step token to send: "present", "none" or "stale"
	Pause  time.Duration
}

// choice is one decision of the scheduler: which waiting batch goes on (or that
// the next move begins), and what becomes of the batch.
type choice struct {
	Who  int
	What string
}

// What becomes of a batch.
const (
	runs    = "runs"
	unheard = "runs, but its answer is lost"
	lost    = "is lost before it runs"
)

func drawScript(t *rapid.T) script {
	return script{
		plan:    drawPlan(t),
		moves:   rapid.SliceOfN(rapid.Custom(drawMove), 12, 80).Draw(t, "moves"),
		choices: rapid.SliceOfN(rapid.Custom(drawChoice), 50, 400).Draw(t, "choices"),
	}
}

func drawMove(t *rapid.T) move {
	return move{
		Do: rapid.SampledFrom([]string{
			"answer", "again", "answer", "answer", "start", "resume", "answer", "answer", "answer", "again", "resume", "see", "poll", "reset",
			"foreign see", "foreign answer", "foreign resume", "pause", "lease ends", "lease ends", "lease returns", "sign off",
		}).Draw(t, "do"),
		Client: rapid.IntRange(0, 2).Draw(t, "client"),
		Flow:   rapid.IntRange(0, 3).Draw(t, "flow"),
		Guess: guess{
			User:   rapid.SampledFrom([]string{"ada", "ada", "", "bob"}).Draw(t, "user"),
			Answer: rapid.SampledFrom([]string{"right", "right", "right", "wrong"}).Draw(t, "answer"),
			Outlet: rapid.SampledFrom([]string{"LEFT", "RIGHT"}).Draw(t, "outlet"),
		},
		Token: rapid.SampledFrom([]string{"present", "none", "present", "stale"}).Draw(t, "token"),
		Pause: rapid.SampledFrom([]time.Duration{time.Second, flow.LeaseTime, flow.RepeatFor, agedAfter / 2, flow.ResumedLife, flow.Idle, flow.Life}).Draw(t, "pause"),
	}
}

func drawChoice(t *rapid.T) choice {
	return choice{
		Who:  rapid.IntRange(0, 9).Draw(t, "who"),
		What: rapid.SampledFrom([]string{runs, runs, runs, runs, runs, runs, unheard, lost}).Draw(t, "what"),
	}
}
