package forms

import (
	_ "embed" // the form of the gallery

	"doorward/runtime/flow"
	"doorward/runtime/form"
)

//go:embed gallery_form.json
var galleryForm []byte

// FormGallery is a page with every field that a form as data is made of, but for
// one that waits. Like Gallery it posts to action, and what it holds is invented.
func (p *Pages) FormGallery(set Setting, action string) ([]byte, error) {
	f, err := form.Compile(galleryForm)
	if err != nil {
		return nil, err
	}
	terms := galleryTerms()
	return p.SignOn(set, SignOn{
		Address: action, Application: "Acme Travel", Policy: galleryPolicy(), Submitted: submitAction,
		View: flow.View{
			Form: f, Status: "FORM_REQUIRED", Offers: []flow.Offer{{Name: submitAction, Open: true}, {Name: pressAction, Open: true}, {Name: Reset, Prompt: flow.Text{Key: Reset}}},
			Values: flow.Values{
				"captcha":   form.Challenge{Provider: form.ProofOfWork, Data: "gallery", Bits: 4, Question: "How much is seven and one, in digits?"},
				"ticket":    "https://example.com/ticket/AB34EF78",
				"agreement": form.Terms{Title: terms.Title, Paragraphs: terms.Paragraphs},
			},
		},
		Typed: flow.Values{"user.name.given": "Ada", "user.email": "ada@", "trip.day": "sat", "trip.meal": "Rice", "trip.extras": []any{"bicycle"}, "news": true},
		Fault: flow.Invalid(
			flow.Detail{Code: flow.InvalidValue, Target: "user.email"},
			flow.Detail{Code: flow.InvalidValue, Target: "user.password" + form.VerifySuffix},
			flow.Detail{Code: flow.RequiredValue, Target: "trip.class"},
			flow.Detail{Code: flow.RequiredValue, Target: "terms"},
		),
	}), nil
}
