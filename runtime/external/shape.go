package external

import (
	"strconv"
	"strings"
	"time"

	"doorward/runtime/document"
	"doorward/runtime/expression"
)

// probe evaluates the URL with two sets of inputs and secrets that no configuration
// holds. Where it leads must not depend on them.
func (c *compiler) probe(at document.Path, r *Request) {
	first, complaint := r.probed(0)
	second, other := r.probed(1)
	if complaint == "" {
		complaint = other
	}
	switch {
	case complaint != "" && r.url.literal:
		c.faults.Add(at, complaint+r.url.unparsed())
	case complaint != "":
		c.faults.Add(at, complaint)
	case first.Origin != second.Origin:
		c.faults.Add(at, "leads to a host that an input or a secret has a say in; write scheme, host and port out, or into a variable")
	default:
		r.address = first
	}
}

// probed is where the URL leads with inputs and secrets of ours.
func (r *Request) probed(set int) (Address, string) {
	inputs, secrets := map[string]any{}, map[string]any{}
	if r.input != nil {
		inputs, _ = probe(map[string]any{"type": "object", "properties": r.input.properties()}, set, 0).(map[string]any)
	}
	for _, name := range r.secrets {
		secrets[name] = "probe" + strconv.Itoa(set)
	}
	root := map[string]any{rootInputs: inputs, rootVariables: r.service.variables, rootSecrets: secrets}
	v, err := r.url.tree.Eval(expression.Context{Root: root, Now: func() time.Time { return time.UnixMilli(0) }})
	if err != nil {
		return Address{}, "cannot be worked out with inputs as the input schema describes them: " + err.Error()
	}
	s, is := v.(string)
	if !is {
		return Address{}, "comes to something else than a string"
	}
	return ReadAddress(s)
}

// located is where a call goes: to the origin that the request was saved with, in
// the shape that the URL has with harmless inputs.
func (r *Request) located(ctx expression.Context) (Address, error) {
	real, err := r.addressed(ctx)
	if err != nil {
		return Address{}, err
	}
	switch {
	case real.Origin != r.address.Origin:
		return Address{}, unfit("an input or a secret changes its host", nil)
	case real.open() && !r.address.open():
		return Address{}, unfit("it ends in a slash, since an input is empty", nil)
	case !r.url.reads(rootInputs):
		return real, nil
	}
	d := disarmer{numbers: strings.Contains(r.url.source, "#string.format")}
	root, _ := ctx.Root.(map[string]any)
	disarmed := d.value(r.input.tree, root[rootInputs])
	harmless, err := r.addressed(expression.Context{
		Root: map[string]any{rootInputs: disarmed, rootVariables: root[rootVariables], rootSecrets: root[rootSecrets]}, Now: ctx.Now,
	})
	if err != nil {
		return Address{}, unfit("its shape follows from what the inputs hold"+encode, err)
	}
	if complaint := real.like(harmless); complaint != "" {
		return Address{}, unfit(complaint, nil)
	}
	return real, nil
}

// addressed is what the URL comes to.
func (r *Request) addressed(ctx expression.Context) (Address, error) {
	v, err := r.url.eval(ctx)
	if err != nil {
		return Address{}, err
	}
	s, is := v.(string)
	if !is {
		return Address{}, unfit("it comes to something else than a string", nil)
	}
	a, complaint := ReadAddress(s)
	if complaint != "" {
		return Address{}, unfit("it "+complaint, nil)
	}
	return a, nil
}

func unfit(complaint string, reason error) *Error {
	return &Error{Code: InvocationError, Message: "The URL of the request is not used: " + complaint + ".", Reason: reason}
}
