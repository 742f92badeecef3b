package windowslogin

import (
	"encoding/json"
	"time"

	"doorward/runtime/device"
	"doorward/runtime/flow"
)

// Offers are the actions that are possible now: codes where something computes them, one
// certificate in each execution, and PINs where there are some.
func (k *Kind) Offers(t *flow.Turn) []flow.Offer {
	s, err := flow.State[state](t)
	if err != nil {
		return nil
	}
	var out []flow.Offer
	for _, name := range possible(t.Status, &s) {
		for _, a := range k.Meta().Actions {
			if a.Name == name && a.Offered(t.Status) {
				out = append(out, flow.Offer{Name: name, Prompt: a.Prompt, Fields: a.Fields})
			}
		}
	}
	return out
}

// possible are the actions of a status that s does not rule out. The first of them is
// the form of a page.
func possible(status string, s *state) []string {
	names := []string{"device.select", "authentication.poll", "authentication.resume"}
	codes := s.Asked != nil && (status == coding || s.Asked.Codes)
	if codes && status == coding {
		names = append([]string{"otp.check"}, names...)
	} else if codes {
		names = append(names, "otp.check")
	}
	if s.Certificate == nil {
		names = append(names, "certificate.create")
	}
	if s.PINs && s.PINReads < mostReads {
		names = append(names, "certificate.readPin")
	}
	return names
}

// timestamp is a time as every answer has it. Source: reference/flows.md 2.1.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

type reference struct {
	ID string `json:"id"`
}

// Show tells which device is asked, the certificate that was made, and what else there
// is to know. To somebody of whom nothing is proven it tells of one device, as to
// everybody.
func (k *Kind) Show(t *flow.Turn) flow.Show {
	s, err := flow.State[state](t)
	if err != nil {
		return flow.Show{}
	}
	var out flow.Show
	devices, selected := s.Devices, ""
	if s.Asked != nil {
		selected = s.Asked.Device
	}
	if s.Blind {
		selected = alias(t)
		devices = []device.View{{ID: selected, Type: device.Mobile, Status: device.Active}}
	}
	if s.Proven == "" {
		if selected != "" {
			add(&out, "selectedDevice", reference{selected})
		}
		add(&out, "devices", devices)
		out.Embedded = out.Members[len(out.Members)-1:]
	}
	if s.Trouble != nil {
		add(&out, "error", s.Trouble)
	}
	if s.Asked != nil && t.Status == pushing {
		asks := map[string]any{"expiresAt": timestamp(s.Asked.Until)}
		if s.Asked.Number != "" {
			asks["number"] = s.Asked.Number
		}
		add(&out, "push", asks)
	}
	if s.Certificate != nil {
		add(&out, "certificate", s.Certificate)
	}
	return out
}

// add shows one more member.
func add(s *flow.Show, name string, v any) {
	if b, err := json.Marshal(v); err == nil {
		s.Members = append(s.Members, flow.Member{Name: name, JSON: b})
	}
}
