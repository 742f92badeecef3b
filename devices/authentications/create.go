package authentications

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"slices"
	"strings"

	"doorward/runtime/flow"
	"doorward/runtime/policy"
	"doorward/wire"
)

// order is what an application asks for.
type order struct {
	members
	locale string // of what is sent
}

// members are those of a request. Source: reference/flows.md 8.3; compatibility is ours.
type members struct {
	User          string `json:"user.id" required:"true" max:"64"`
	Device        string `json:"selectedDevice.id" max:"64"`
	Policy        string `json:"policy.id" max:"64"`
	Application   string `json:"application.id" max:"64"`
	Compatibility string `json:"compatibility" max:"32"`
}

// create begins one.
func (f *Face) create(c *call) (answer, error) {
	media, err := wire.TypeOf(c.Header.Values("Content-Type"))
	if err == nil && media != "application/json" {
		err = &flow.Fault{Code: flow.UnsupportedMedia, Message: "The body's content type is not taken here. Send application/json."}
	}
	if err != nil {
		return answer{}, err
	}
	values, err := wire.DecodeValues(c.body)
	if err != nil {
		return answer{}, err
	}
	in, fault := readOrder(values)
	if fault != nil {
		return answer{}, fault
	}
	who, kept, err := f.judge(c, &in)
	if err != nil {
		return answer{}, err
	}
	v, err := f.begin(c, &in, who, kept)
	return answer{http.StatusCreated, v}, err
}

// judge makes sure that what is asked for is there, and that the user may be asked.
func (f *Face) judge(c *call, in *order) (flow.Subject, wish, error) {
	rules, known := c.bundle.MFAPolicy(in.Policy)
	if !known {
		return flow.Subject{}, wish{}, invalid("policy.id", "There is no such device authentication policy in this environment.")
	}
	if _, takes := rules.Mobile.Application(in.Application); in.Application != "" && !takes {
		return flow.Subject{}, wish{}, invalid("application.id", "The device authentication policy does not have this application.")
	}
	a, err := f.Users.Account(c.Context(), c.env.ID, in.User)
	switch {
	case errors.Is(err, flow.ErrUnknown) || err == nil && a.Subject.ID != in.User:
		return flow.Subject{}, wish{}, invalid("user.id", "There is no such user in this environment.")
	case err != nil:
		return flow.Subject{}, wish{}, flow.Unserved(err)
	case !a.Enabled:
		return flow.Subject{}, wish{}, unusable("The user is disabled; enable the user first.", 0)
	case a.Locked && !rules.IgnoreUserLock:
		return flow.Subject{}, wish{}, unusable("The account is locked; wait until the lock ends, or unlock it.", int(math.Ceil(a.UnlockIn.Seconds())))
	}
	return a.Subject, wish{Policy: rules.ID, Application: in.Application}, nil
}

// begin starts the execution. A device that was named is chosen at once, and nobody is
// sent anything before that.
func (f *Face) begin(c *call, in *order, who flow.Subject, kept wish) (flow.View, error) {
	plan, err := f.Tenants.DeviceAuthentication(c.Context(), c.env.ID, policy.DeviceAuthentication{
		Policy: in.Policy, Application: in.Application, Choose: in.Device != "",
	})
	if err != nil {
		return flow.View{}, flow.Busy(err)
	}
	payload, err := json.Marshal(kept)
	if err != nil {
		return flow.View{}, err
	}
	s := flow.Start{
		Env: c.env.ID, Plans: []flow.Digest{plan}, Caller: c.caller,
		Request: flow.Request{Application: c.caller.Application, MaxAge: -1, Locales: in.locale, User: who, Payload: payload},
	}
	if in.Compatibility != "" {
		if s.Inputs, err = json.Marshal(map[string]any{"webauthn": map[string]string{"compatibility": in.Compatibility}}); err != nil {
			return flow.View{}, err
		}
	}
	v, _, err := f.Engine.Start(c.Context(), s)
	if err != nil || in.Device == "" || v.Status == flow.Failed {
		return v, err
	}
	v, err = f.Engine.Act(c.Context(), v.Ref, c.caller, flow.Submit{Action: "device.select", Values: flow.Values{"device": map[string]any{"id": in.Device}}})
	if err != nil {
		return flow.View{}, unchosen(err)
	}
	return v, nil
}

// unchosen is why the device that was named is not asked, in the words of the request
// that named it. The execution that was begun for it is nobody's.
func unchosen(err error) error {
	var fault *flow.Fault
	if !errors.As(err, &fault) {
		return err
	}
	g := *fault
	g.View, g.Details = nil, slices.Clone(fault.Details)
	for i := range g.Details {
		if g.Details[i].Target == "device.id" {
			g.Details[i].Target = "selectedDevice.id"
		}
	}
	return &g
}

// readOrder judges the members of a request, all at once.
func readOrder(v flow.Values) (order, *flow.Fault) {
	in, wrong := order{}, []flow.Detail(nil)
	rest := make(flow.Values, len(v))
	for name, value := range v {
		switch name {
		case "notification":
			wrong = append(wrong, in.readNotification(value)...)
		case "mobilePayload":
			wrong = append(wrong, untaken(name, "Nothing here reads what the kit of a native application says of its device."))
		default:
			rest[name] = value
		}
	}
	if f := flow.Bind(rest, flow.FieldsOf[members](), &in.members); f != nil {
		wrong = append(f.Details, wrong...)
	}
	for target, id := range map[string]string{"user.id": in.User, "selectedDevice.id": in.Device, "policy.id": in.Policy, "application.id": in.Application} {
		if id != "" && !isID(id) {
			wrong = append(wrong, flow.Detail{Code: flow.InvalidValue, Target: target, Message: "This is not an id: send a UUID in lower case."})
		}
	}
	if !slices.Contains([]string{"", "FULL", "SECURITY_KEY_ONLY", "NONE"}, in.Compatibility) {
		wrong = append(wrong, flow.Detail{Code: flow.InvalidValue, Target: "compatibility", Message: "Send FULL, SECURITY_KEY_ONLY or NONE, or leave it out."})
	}
	if len(wrong) > 0 {
		slices.SortStableFunc(wrong, func(a, b flow.Detail) int { return strings.Compare(a.Target, b.Target) })
		return order{}, flow.Invalid(wrong...)
	}
	return in, nil
}

// readNotification takes the language of what is sent. What else it may say has no
// effect here, and is refused rather than passed over.
func (in *order) readNotification(value any) (wrong []flow.Detail) {
	const at = "notification"
	object := func(at string, value any, takes string, member func(name string, value any)) {
		m, is := value.(map[string]any)
		if !is {
			wrong = append(wrong, flow.Detail{Code: flow.InvalidValue, Target: at, Message: "Send an object with the member " + takes + "."})
		}
		for name, value := range m {
			member(name, value)
		}
	}
	object(at, value, "template", func(name string, value any) {
		if name != "template" {
			wrong = append(wrong, untaken(at+"."+printable(name), "What the phone shows is the name of the application and where the request came from."))
			return
		}
		object(at+".template", value, "locale", func(name string, value any) {
			said, is := value.(string)
			switch {
			case name == "name" && is && isTemplate(said):
			case name != "locale":
				wrong = append(wrong, untaken(at+".template."+printable(name), "There is one text for what is sent, in several languages."))
			case !is || !isLanguage(said):
				wrong = append(wrong, flow.Detail{Code: flow.InvalidValue, Target: at + ".template.locale", Message: "Send a language tag, such as de or pt-BR."})
			default:
				in.locale = said
			}
		})
	})
	return wrong
}

func untaken(target, why string) flow.Detail {
	return flow.Detail{Code: flow.InvalidValue, Target: target, Message: "This is not taken here; leave it out. " + why}
}

// isTemplate reports whether a template is one whose text is that which is sent. Source:
// reference/management.md 2.6 (MFA_CHALLENGE).
func isTemplate(name string) bool {
	return strings.EqualFold(name, "strong_authentication") || strings.EqualFold(name, "transaction")
}

// isLanguage reports whether s has the shape of a language tag. Source: RFC 5646 2.1.
func isLanguage(s string) bool {
	return s != "" && len(s) <= 35 && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

// printable is the name of a member as an answer repeats it.
func printable(name string) string {
	if len(name) > 64 || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "?"
	}
	return name
}

func invalid(target, message string) *flow.Fault {
	return flow.Invalid(flow.Detail{Code: flow.InvalidValue, Target: target, Message: message})
}

// unusable says that the account does not allow what was asked.
func unusable(message string, seconds int) *flow.Fault {
	d := flow.Detail{Code: flow.AccountNotUsable, Target: "user.id", Message: message}
	if seconds > 0 {
		d.Inner = map[string]any{"secondsUntilUnlock": seconds}
	}
	return &flow.Fault{
		Code: flow.RequestFailed, Details: []flow.Detail{d},
		Message: "The request could not be completed. There was an issue processing the request.",
	}
}
