package configs

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"doorward/runtime/external"
	"doorward/runtime/flow"
	"doorward/runtime/policy"
)

// The inputs that a request which sends a message is given, as far as it reads them.
const (
	InputTo        = "to"             // the number, as flow.E164
	InputContent   = "content"        // what it says
	InputLocale    = "locale"         // in which language: "de"
	InputVoice     = "voice"          // by whom it is read aloud, as the settings say; of calls
	InputChannel   = "deliveryMethod" // SMS, VOICE or PUSH
	InputMessageID = "messageId"      // the same of a repeat; also sent as Idempotency-Key

	InputDevice      = "deviceId"      // of pushes, of which "to" is where the app said that it can be reached, or empty
	InputApplication = "applicationId" // of the native application that the device was paired with; may be empty
)

// PhoneRequest is the request of an external service by which a message is sent.
type PhoneRequest struct {
	Service string // id
	Name    string
	Voice   string // for InputVoice; may be empty
}

// notificationsDocument says how SMS, calls and pushes are sent. Source:
// reference/management.md 5.13 (deliveryMethod), reference/adjoining.md A.7
// (notifications phone delivery settings); that a request is one of an external
// service is ours.
type notificationsDocument struct {
	Requests []notificationsRequest `json:"requests"`
}

type notificationsRequest struct {
	DeliveryMethod  string     `json:"deliveryMethod" required:"true"`
	ExternalService *reference `json:"externalService" required:"true"`
	Request         string     `json:"request" required:"true"`
	Voice           string     `json:"voice"`
}

func (d *notificationsDocument) key() (string, string) { return "", "" }

// voiceMax is the longest name of a voice, in characters.
const voiceMax = 100

func (d *notificationsDocument) check(f *policy.Faults) {
	methods := []string{string(flow.SMS), string(flow.Voice), string(flow.Push)}
	for i, r := range d.Requests {
		at := root.Member("requests").Index(i)
		switch {
		case r.DeliveryMethod == "": // that it is required has been said
		case !slices.Contains(methods, r.DeliveryMethod):
			f.Add(at.Member("deliveryMethod"), choice(methods))
		case slices.ContainsFunc(d.Requests[:i], func(other notificationsRequest) bool { return other.DeliveryMethod == r.DeliveryMethod }):
			f.AddCode(at.Member("deliveryMethod"), flow.UniquenessViolation, "is that of another request too")
		}
		switch unspoken := func(c rune) bool { return !unicode.IsPrint(c) }; {
		case r.Voice == "":
		case r.DeliveryMethod != string(flow.Voice):
			f.Add(at.Member("voice"), "is for "+string(flow.Voice)+" alone")
		case utf8.RuneCountInString(r.Voice) > voiceMax || strings.ContainsFunc(r.Voice, unspoken):
			f.Add(at.Member("voice"), "takes 1 to "+strconv.Itoa(voiceMax)+" printable characters")
		}
	}
}

// notificationsRefers is the services that messages are sent by.
func notificationsRefers(_ *tree, e *entry) []link {
	d, _ := e.doc.(*notificationsDocument)
	var out []link
	for i, r := range d.Requests {
		if id := r.ExternalService.id(); id != "" {
			out = append(out, link{root.Member("requests").Index(i).Member("externalService").Member("id"), kindExternalService, id})
		}
	}
	return out
}

// notificationsAcross holds that each request is there, that it reads whom to send
// to and what, and that it reads nothing that nobody gives it.
func notificationsAcross(t *tree, e *entry, f *policy.Faults) {
	d, _ := e.doc.(*notificationsDocument)
	for i, r := range d.Requests {
		at := root.Member("requests").Index(i).Member("request")
		service := t.find(kindExternalService, r.ExternalService.id())
		if service == nil || r.Request == "" {
			continue // has been said
		}
		of, _ := service.doc.(*externalServiceDocument)
		if of.service == nil {
			continue // what is wrong with the service is said of it
		}
		request, known := of.service.Request(r.Request)
		if !known {
			f.Add(at, "is no request of the external service "+quoted(service.name))
			continue
		}
		say(f, at, unfit(request, flow.Channel(r.DeliveryMethod)))
	}
}

// unfit is what keeps a request from sending messages of a channel; empty: nothing does.
func unfit(r *external.Request, channel flow.Channel) string {
	reads := r.Inputs()
	given, needed := []string{InputTo, InputContent, InputLocale, InputVoice, InputChannel, InputMessageID}, []string{InputTo, InputContent}
	if channel == flow.Push {
		given, needed = []string{InputTo, InputDevice, InputApplication, InputContent, InputLocale, InputChannel, InputMessageID}, nil
		if !slices.Contains(reads, InputTo) && !slices.Contains(reads, InputDevice) {
			return "reads neither inputs." + InputTo + " nor inputs." + InputDevice + ", so that it cannot reach a device"
		}
	}
	for _, name := range needed {
		if !slices.Contains(reads, name) {
			return "does not read inputs." + name + ", so that it cannot send a message"
		}
	}
	for _, name := range reads {
		if !slices.Contains(given, name) {
			return "reads inputs." + name + ", which is not given; there are " + strings.Join(given, ", ")
		}
	}
	var schema struct {
		Required []string `json:"required"`
	}
	_ = json.Unmarshal(r.InputSchema(), &schema) // was compiled; true and false require nothing
	for _, name := range schema.Required {
		if !slices.Contains(reads, name) {
			return "requires inputs." + name + " and does not read it; only what is read is given"
		}
	}
	return ""
}

// PhoneRequest returns the request by which messages of a channel are sent.
func (b *Bundle) PhoneRequest(channel flow.Channel) (PhoneRequest, bool) {
	r, known := b.phones[channel]
	return r, known
}

func (d *notificationsDocument) phones() map[flow.Channel]PhoneRequest {
	out := map[flow.Channel]PhoneRequest{}
	for _, r := range d.Requests {
		out[flow.Channel(r.DeliveryMethod)] = PhoneRequest{Service: r.ExternalService.id(), Name: r.Request, Voice: r.Voice}
	}
	return out
}
