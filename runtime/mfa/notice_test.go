package mfa_test

import (
	"testing"

	"doorward/runtime/device"
	"doorward/runtime/flow"
	"doorward/runtime/mfa"
	"doorward/runtime/mfapolicy"
)

// TestANewDeviceIsToldOfAsThePolicySays, and one that is removed, or locked, by mail.
func TestANewDeviceIsToldOfAsThePolicySays(t *testing.T) {
	const mail, number = "ada@example.com", "+15550177"
	for name, row := range map[string]struct {
		says        mfapolicy.NewDeviceNotice
		mail, phone string
		channel     flow.Channel
		to          string // empty: nobody is told
	}{
		"by mail, whatever else there is":       {mfapolicy.NoNotice, mail, number, flow.Email, mail},
		"not by SMS where nothing says so":      {mfapolicy.NoNotice, "", number, "", ""},
		"by mail first":                         {mfapolicy.EmailThenSMS, mail, number, flow.Email, mail},
		"by SMS without an address":             {mfapolicy.EmailThenSMS, "", number, flow.SMS, number},
		"by SMS first":                          {mfapolicy.SMSThenEmail, mail, number, flow.SMS, number},
		"by SMS as a number is written":         {mfapolicy.SMSThenEmail, mail, "+1 (555) 01-77", flow.SMS, number},
		"by mail without a number":              {mfapolicy.SMSThenEmail, mail, "", flow.Email, mail},
		"by mail with a number that is none":    {mfapolicy.SMSThenEmail, mail, "555", flow.Email, mail},
		"not at all where there is neither one": {mfapolicy.SMSThenEmail, "", "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.policy.NewDeviceNotice, r.contact.Email, r.contact.Phone = row.says, row.mail, row.phone
			made, err := r.Enrol(t.Context(), mfa.Enrolment{Who: r.who(""), Type: device.SMS, Phone: "+15550100", Active: true})
			if err != nil {
				t.Fatal(err)
			}
			if row.to == "" {
				if len(r.store.notices) != 0 {
					t.Errorf("%+v", r.store.notices[0])
				}
				return
			}
			n := r.store.notices[0]
			if n.Channel != row.channel || n.To != row.to || n.Template != "device.added" {
				t.Errorf("%+v", n)
			}
			if row.mail == "" {
				return
			}
			if err := r.Delete(t.Context(), r.who(""), made.Device.ID); err != nil {
				t.Fatal(err)
			}
			if n := r.store.notices[1]; n.Channel != flow.Email || n.To != row.mail {
				t.Errorf("of one that is removed: %+v", n)
			}
		})
	}
}
