package forms_test

import (
	"strings"
	"testing"

	"doorward/runtime/flow"
	"doorward/steps/windowslogin"
)

// TestAPageOfAnExecutionForMachines: whoever opens one in a browser can go on, and is not
// asked for what no person types.
func TestAPageOfAnExecutionForMachines(t *testing.T) {
	var all []flow.Offer
	for _, a := range windowslogin.New(nil, nil, nil).Meta().Actions {
		if a.Name != flow.PollAction {
			all = append(all, flow.Offer{Name: a.Name, Prompt: a.Prompt, Fields: a.Fields})
		}
	}
	of := func(names ...string) (out []flow.Offer) {
		for _, name := range names {
			for _, o := range all {
				if o.Name == name {
					out = append(out, o)
				}
			}
		}
		return out
	}
	resuming := execution("AUTHENTICATION_RESUME_REQUIRED", of("authentication.resume", "certificate.create", "certificate.readPin")...)
	asking := execution("PUSH_CONFIRMATION_REQUIRED", of("device.select", "authentication.poll", "otp.check")...)
	asking.View.Members = []flow.Member{
		member("devices", []object{{"id": "alias", "type": "MOBILE"}}), member("selectedDevice", object{"id": "alias"}), member("push", object{"number": "42"}),
	}
	asking.View.Embedded = asking.View.Members[:1]
	late := execution("PUSH_CONFIRMATION_TIMED_OUT", of("device.select", "otp.check")...)
	late.View.Members = asking.View.Members[:2]
	for language, want := range map[string][]string{
		"en": {"We know that it is you", "Continue to finish", ">Continue<", "Look at your phone", "Send again"},
		"de": {"Wir wissen, dass Sie es sind", "um die Anmeldung abzuschließen", ">Weiter<", "Sehen Sie auf Ihr Telefon", "Erneut senden"},
		"es": {"Sabemos que es usted", "para terminar de iniciar", ">Continuar<", "Mire su teléfono", "Enviar de nuevo"},
	} {
		page := draw(t, language, resuming) + draw(t, language, asking) + draw(t, language, late)
		for _, text := range append(want, `<p class="token number">42</p>`, `value="authentication.resume"`, "show=otp.check", `name="device.id" value="alias"`) {
			if !strings.Contains(page, text) {
				t.Errorf("%s: no %q in\n%s", language, text, page)
			}
		}
		for _, text := range []string{"certificate", "csr", "authentication.poll"} {
			if strings.Contains(page, text) {
				t.Errorf("%s: %q in\n%s", language, text, page)
			}
		}
	}
}
