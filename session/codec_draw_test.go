package session_test

import (
	"errors"
	"math"
	"time"

	"pgregory.net/rapid"

	"doorward/runtime/flow"
)

func drawExecution(t *rapid.T) *flow.Execution {
	x := &flow.Execution{
		Ref: newRef(), Foreign: drawForeign(t), Format: flow.Format, Version: rapid.Uint64().Draw(t, "version"), Plan: drawDigest(t),
		Others: rapid.SliceOfN(rapid.Custom(drawDigest), 0, 2).Draw(t, "others"),
		Node:   rapid.String().Draw(t, "node"), Attempt: rapid.Uint32().Draw(t, "attempt"),
		Status: rapid.SampledFrom([]string{"", "OTP_REQUIRED", flow.Completed, flow.Failed}).Draw(t, "status"),
		User:   drawSubject(t), Person: flow.Candidate{Username: rapid.String().Draw(t, "typed"), Address: rapid.String().Draw(t, "shown"), UserID: drawName(t), Proofs: rapid.SliceOfN(rapid.Custom(drawProof), 0, 2).Draw(t, "pending")},
		Proofs:  rapid.SliceOfN(rapid.Custom(drawProof), 0, 4).Draw(t, "proofs"),
		Steps:   rapid.MapOfN(rapid.String(), rapid.SliceOf(rapid.Byte()), 0, 4).Draw(t, "steps"),
		Binding: drawDigest(t), Token: drawDigest(t), Accepted: rapid.Bool().Draw(t, "accepted"),
		Rotated: rapid.Uint64().Draw(t, "rotated"), TokenAt: rapid.Uint64().Draw(t, "tokenAt"),
		SessionID: drawName(t), SessionHash: drawDigest(t),
		CreatedAt: drawTime(t), ExpiresAt: time.UnixMilli(math.MaxInt32).UTC(), EndsAt: drawTime(t),
	}
	x.Demand.NotBefore, x.Demand.ACR = drawTime(t), rapid.String().Draw(t, "acr")
	x.Demand.Needs = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) flow.Need {
		return flow.Need{Factors: flow.Factor(rapid.Byte().Draw(t, "need")), NotBefore: drawTime(t)}
	}), 0, 3).Draw(t, "needs")
	x.Request = flow.Request{
		Application: drawName(t), PiFlow: rapid.Bool().Draw(t, "pi"), ReturnTo: rapid.String().Draw(t, "to"),
		Fresh: rapid.Bool().Draw(t, "fresh"), MaxAge: rapid.Int64().Draw(t, "age"), LoginHint: rapid.String().Draw(t, "hint"), Locales: rapid.String().Draw(t, "locales"),
		Payload: rapid.SliceOf(rapid.Byte()).Draw(t, "payload"),
	}
	if rapid.Bool().Draw(t, "failed") {
		x.Failure = &flow.Failure{Code: rapid.String().Draw(t, "code"), Message: rapid.String().Draw(t, "message"), Details: drawFault(t).Details, HTML: rapid.String().Draw(t, "html")}
	}
	if rapid.Bool().Draw(t, "defined") {
		blobs := rapid.MapOfN(rapid.String(), rapid.SliceOf(rapid.Byte()), 0, 3)
		x.Inputs, x.Outputs, x.Secrets = rapid.SliceOf(rapid.Byte()).Draw(t, "inputs"), blobs.Draw(t, "outputs"), blobs.Draw(t, "secrets")
		x.Named, x.Return = rapid.Bool().Draw(t, "named"), rapid.String().Draw(t, "return")
		x.Request.Definition, x.Request.For = drawName(t), drawName(t)
	}
	if rapid.Bool().Draw(t, "named") {
		x.Request.User, x.Request.Owner = drawSubject(t), drawName(t)
		x.Demand.Vouched = rapid.Bool().Draw(t, "vouched")
	}
	if rapid.Bool().Draw(t, "marked") {
		x.Repeat = flow.Mark{Submit: drawDigest(t), Key: drawDigest(t), Binding: drawDigest(t), Version: rapid.Uint64().Draw(t, "markVersion"), At: drawTime(t)}
	}
	if rapid.Bool().Draw(t, "refused") {
		x.Repeat.Fault = drawFault(t)
	}
	return x
}

func drawFault(t *rapid.T) *flow.Fault {
	value := rapid.OneOf(
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Int64().AsAny(), rapid.Float64Range(-1e9, 1e9).AsAny(), rapid.String().AsAny(),
		rapid.SliceOfN(rapid.String(), 1, 20).AsAny(),
	)
	return &flow.Fault{
		Code: flow.Code(rapid.String().Draw(t, "faultCode")), Message: rapid.String().Draw(t, "faultMessage"),
		RetryAfter: time.Duration(rapid.Int64().Draw(t, "retry")), Restart: rapid.Bool().Draw(t, "restart"),
		Err: errors.New("for the log"), View: &flow.View{},
		Details: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) flow.Detail {
			return flow.Detail{
				Code: rapid.String().Draw(t, "detail"), Target: rapid.String().Draw(t, "target"), Pointer: rapid.String().Draw(t, "pointer"), Message: rapid.String().Draw(t, "text"),
				Inner: rapid.MapOfN(rapid.String(), value, 0, 3).Draw(t, "inner"),
			}
		}), 0, 3).Draw(t, "details"),
	}
}

func drawProof(t *rapid.T) flow.Proof {
	return flow.Proof{
		Subject: drawName(t), Factors: flow.Factor(rapid.Byte().Draw(t, "factors")), Method: rapid.String().Draw(t, "method"),
		AMR: rapid.String().Draw(t, "amr"), Authenticator: drawName(t), Address: rapid.String().Draw(t, "address"),
		At: drawTime(t), Origin: flow.Origin(rapid.Byte().Draw(t, "origin")),
	}
}

func drawSubject(t *rapid.T) flow.Subject {
	return flow.Subject{ID: drawName(t), Username: rapid.String().Draw(t, "name"), Given: rapid.String().Draw(t, "given"), Family: rapid.String().Draw(t, "family"), Population: drawName(t), Locales: rapid.String().Draw(t, "prefers")}
}

func drawDigest(t *rapid.T) (d flow.Digest) {
	if rapid.Bool().Draw(t, "zero") {
		return d
	}
	copy(d[:], rapid.SliceOfN(rapid.Byte(), len(d), len(d)).Draw(t, "digest"))
	return d
}

func drawTime(t *rapid.T) time.Time {
	if rapid.Bool().Draw(t, "never") {
		return time.Time{}
	}
	return time.UnixMilli(rapid.Int64Range(-1<<40, 1<<43).Draw(t, "time")).UTC()
}

// drawName is a UUID, something that almost is one, or anything.
func drawName(t *rapid.T) string {
	return rapid.OneOf(
		rapid.Just(""), rapid.String(),
		rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`),
		rapid.StringMatching(`[0-9a-fA-Fg/:@-]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f-]{12}`),
	).Draw(t, "id")
}

func drawForeign(t *rapid.T) flow.ForeignAccount {
	if rapid.Bool().Draw(t, "at home") {
		return flow.ForeignAccount{}
	}
	return flow.ForeignAccount{Provider: newRef().ID, ID: rapid.StringN(1, 255, -1).Draw(t, "account elsewhere")}
}
