package management

import (
	"cmp"
	"errors"
	"strconv"
	"strings"

	"doorward/configs"
	"doorward/runtime/document"
	"doorward/runtime/flow"
)

// refused is the answer to what configuration does not allow.
// Source: reference/management.md 7.4.
func refused(err error) error {
	var faults configs.Faults
	var referenced *configs.Referenced
	var managed *configs.Managed
	switch {
	case errors.As(err, &faults):
		var details []flow.Detail
		for _, f := range faults {
			details = append(details, detail(f))
		}
		return flow.Invalid(details...)
	case errors.As(err, &referenced):
		return conflict("The resource is in use and cannot be removed.", inUse(referenced))
	case errors.As(err, &managed):
		return conflict("The environment is kept by files, which alone change it.", flow.Detail{Code: flow.ConstraintViolation, Message: sentence(managed.Error())})
	}
	return absent(err)
}

// inUse names those that name a resource.
func inUse(r *configs.Referenced) flow.Detail {
	var by, ids []string
	for _, x := range r.By {
		who := kindNamed(x.Kind).Title
		if x.Name != "" {
			who += " " + strconv.Quote(x.Name)
		}
		by = append(by, who+" ("+pointerPath(x.Path.Pointer())+")")
		ids = append(ids, x.Kind+" "+x.ID)
	}
	if r.Users > 0 {
		by = append(by, strconv.Itoa(r.Users)+" users")
	}
	d := flow.Detail{Code: flow.ConstraintViolation, Message: "The " + kindNamed(r.Kind).Title + " is used by " + strings.Join(by, ", ") + "; change that first."}
	if len(ids) > 0 {
		d.Inner = map[string]any{"referencedValues": ids}
	}
	return d
}

// refusedRemoval is refused for what sent no document that could be wrong.
func refusedRemoval(err error) error {
	if f := (*flow.Fault)(nil); errors.As(refused(err), &f) && f.Code == flow.InvalidData {
		return failed(f.Details...)
	}
	return refused(err)
}

func conflict(message string, details ...flow.Detail) *flow.Fault {
	return &flow.Fault{Code: flow.Conflict, Message: message, Details: details}
}

// detail is one thing that is wrong in a document that was sent, or, with the
// name of it, in another one that would no longer fit.
func detail(f configs.Fault) flow.Detail {
	d := flow.Detail{Code: f.Reason(), Target: pointerPath(f.Pointer()), Pointer: f.Pointer()}
	d.Message = ended(cmp.Or(d.Target, "It") + " " + f.Message) // names are told as they are written
	if f.File != "" {
		d.Message = ended(f.File + ": " + cmp.Or(d.Target, "it") + " " + f.Message)
		d.Target, d.Pointer = "", ""
	}
	switch {
	case f.Existing != "":
		d.Inner = map[string]any{"existingId": f.Existing}
	case f.Finding != "":
		d.Inner = map[string]any{"finding": f.Finding}
		if len(f.Trail) > 0 {
			d.Inner["path"] = trail(f)
		}
	}
	return d
}

// trail is how a flow gets to what was found, step by step and by which result.
func trail(f configs.Fault) []string {
	var out []string
	for _, hop := range f.Trail {
		out = append(out, strings.TrimSpace(hop.Step+" "+hop.Outlet))
	}
	return out
}

// warned are the findings about what has just been written, which works all the
// same, as the answer embeds them. Ours.
func warned(item configs.Item) []any {
	var out []any
	for _, f := range item.Warnings {
		d := detail(f)
		o := object{{"code", f.Finding}}.text("target", d.Target).text("pointer", d.Pointer).with("message", d.Message)
		if len(f.Trail) > 0 {
			o = o.with("path", trail(f))
		}
		out = append(out, o)
	}
	return out
}

// placed is one thing that is wrong in a document that was sent.
func placed(f document.Fault) flow.Detail {
	return detail(configs.Fault{Fault: f})
}

func sentence(s string) string {
	if s == "" {
		return s
	}
	return ended(strings.ToUpper(s[:1]) + s[1:])
}

// ended is a sentence with its full stop.
func ended(s string) string { return strings.TrimSuffix(s, ".") + "." }
