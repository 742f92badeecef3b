package httpapi

import (
	"context"
	"slices"

	"doorward/runtime/flow"
	"doorward/wire"
)

// offer is a page for whoever has just signed on to an application by a form of ours, and
// with a password; empty: there is none. Nobody is asked whose browser has not said that
// it can do what is offered, so that without scripts there is never a page.
func (x *exchange) offer(ctx context.Context, v *flow.View) string {
	signedOn := v.Status == flow.Completed && v.Definition == "" && v.Application != "" && v.User.ID != ""
	if x.s.Offers == nil || !signedOn || x.Cookies(wire.AbleCookieName) != "1" || !slices.Contains(v.AMR, "pwd") {
		return ""
	}
	return x.s.Offers.Offer(ctx, x.tenant, v)
}
