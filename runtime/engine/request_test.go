package engine_test

import (
	"doorward/runtime/engine"
	"doorward/runtime/flow"
)

// own makes a request of the flow's owner.
func (r *request) own() {
	if r.Do == "again" && r.Token == "stale" {
		return // with the credential of then
	}
	r.caller = flow.Caller{Cookie: r.client.cookie}
	if r.client.tokens {
		r.caller = flow.Caller{FlowToken: r.client.token[r.ref]}
	}
	switch r.Do {
	case "answer":
		r.submit = flow.Submit{Action: "answer", Values: r.Guess.values(), Token: r.stepToken()}
	case "poll":
		r.submit = flow.Submit{Action: "poll", Token: r.stepToken()}
	case "reset":
		r.submit = flow.Submit{Action: engine.ResetAction, Token: r.stepToken()}
	}
}

func (g guess) values() flow.Values {
	v := flow.Values{"answer": g.Answer, "outlet": g.Outlet}
	if g.User != "" {
		v["user"] = g.User
	}
	return v
}

// stepToken is that of the last view, of the first one, or none.
func (r *request) stepToken() string {
	seen := r.client.seen[r.ref]
	switch {
	case r.Token == "none" || len(seen) == 0:
		return ""
	case r.Token == "stale":
		return seen[0].Token
	}
	return seen[len(seen)-1].Token
}

// repeat makes r the repeat of a late submit of that flow.
func (w *world) repeat(r *request) bool {
	nth := r.Client
	for i := len(w.requests) - 1; i >= 0; i-- {
		o := w.requests[i]
		if o.ref != r.ref || o.submit.Action == "" || o.client != o.owner {
			continue
		}
		if nth--; nth < 0 {
			r.submit, r.Guess, r.caller = o.submit, o.Guess, o.caller
			return true
		}
	}
	return false
}

// intrude makes r a request of somebody else, with what they may have.
func (w *world) intrude(r *request) {
	if r.client == r.owner {
		r.client = newClient(false)
	}
	r.caller = flow.Caller{Cookie: r.client.cookie}
	switch {
	case r.Token == "stale" && r.caller.Cookie != "":
		r.caller.FlowToken = r.owner.token[r.ref] // beside a cookie it counts for nothing
	case r.Token == "none":
		r.caller.Cookie = "planted"
	case r.caller.Cookie == "":
		for _, t := range r.client.token {
			r.caller.FlowToken = t // of another flow
		}
	}
	if r.Do == "foreign answer" {
		r.submit = flow.Submit{Action: "answer", Values: r.Guess.values()}
	}
}
