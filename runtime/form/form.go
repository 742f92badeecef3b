package form

import (
	"encoding/json"
	"regexp"
	"sync"

	"doorward/runtime/flow"
)

// Category is what a form is for. Source: reference/management.md 3.2.
type Category string

// The categories. All fields of SelfService and Profiling are attributes of a user.
const (
	Registration Category = "REGISTRATION"
	SelfService  Category = "SELF_SERVICE"
	Profiling    Category = "PROGRESSIVE_PROFILING"
	Custom       Category = "CUSTOM"
)

// Type is what a field is. Source: reference/management.md 3.4.
type Type string

// The types that are drawn.
const (
	TextField      Type = "TEXT"
	Password       Type = "PASSWORD"
	PasswordVerify Type = "PASSWORD_VERIFY"
	PhoneNumber    Type = "PHONE_NUMBER"
	Radio          Type = "RADIO"
	Checkbox       Type = "CHECKBOX"
	Dropdown       Type = "DROPDOWN"
	Combobox       Type = "COMBOBOX"
	SingleCheckbox Type = "SINGLE_CHECKBOX"
	Agreement      Type = "AGREEMENT"
	Divider        Type = "DIVIDER"
	EmptyField     Type = "EMPTY_FIELD"
	ErrorDisplay   Type = "ERROR_DISPLAY"
	TextBlob       Type = "SLATE_TEXTBLOB" // TEXTBLOB is its older name
	SubmitButton   Type = "SUBMIT_BUTTON"
	FlowButton     Type = "FLOW_BUTTON"
	FlowLink       Type = "FLOW_LINK"
	SocialLogin    Type = "SOCIAL_LOGIN_BUTTON" // never drawn: an enabled one is refused
	Captcha        Type = "RECAPTCHA_V2"
	QRCode         Type = "QR_CODE"
	Polling        Type = "POLLING"
)

// Form is a compiled form. It is shared and immutable but for what Once keeps.
type Form struct {
	ID, Name     string
	Description  string
	Category     Category
	MarkRequired bool    // the required fields are marked
	MarkOptional bool    // the others are
	Fields       []Field // those that are drawn, in reading order

	inputs  []input
	fields  []flow.Field
	names   map[string]int  // of inputs
	objects map[string]bool // names that have a dot and more behind them
	buttons []Button
	submits bool
	schema  json.RawMessage
	words   words
	derived sync.Map
}

// Field is one thing on a form. Which members count follows from Type.
type Field struct {
	Type     Type
	Key      string
	Row, Col int
	Width    int // percent of the row, or of its cell for a button; 0: not said
	Align    string

	Label    Text
	Required bool
	Across   bool // options stand beside each other
	Options  []Option
	Free     bool // a value beside the options is taken, by the choice Other
	Other    Text // label of that choice
	Typed    Text // label of its input
	Wrong    Text // what to say of a value that is not right; empty: nothing of its own
	Again    Text // label of the second input of a password
	Rules    bool // the password's requirements are listed
	Switch   bool // a box that is drawn as a switch

	Extension      bool
	ExtensionLabel Text

	Content  []Block
	Icon     string // NONE, MAIL, ...
	Size     string // SMALL, MEDIUM, LARGE, NORMAL, COMPACT
	Theme    string // LIGHT, DARK
	Fallback Text   // beside a QR code
	Titled   bool   // an agreement has its title above it
	Agrees   string // id of the agreement; empty: the step says which
	Quiet    bool   // waits without a moving sign

	Input int // index in Inputs of the field's own input; -1: takes none

	country string         // of numbers without one
	dials   bool           // the number must be one
	pattern *regexp.Regexp // of the whole value
	source  string         // as the administrator wrote it
}

// Option is one of the values of a choice.
type Option struct {
	Value string
	Label Text
}

// Button is a way out of the form beside its submission: an outlet of the step,
// and a key that form.action takes.
type Button struct {
	Key, Label string
	Link       bool
}

// The second inputs of a field are named after it, so that a client may send them
// in the same object. Other is of browsers alone: clients send a free value under
// the field's own name.
const (
	VerifySuffix    = "Verify"
	ExtensionSuffix = "Extension"
	OtherSuffix     = "Other"
)

// input is one value that a form takes.
type input struct {
	flow.Field
	of   *Field
	part part
	keep bool // it is what the field puts out
}

// part is what an input is to its field.
type part uint8

const (
	whole part = iota
	second
	extension
)

// Inputs are the values that the form takes, in reading order.
func (f *Form) Inputs() []flow.Field { return f.fields }

// Buttons are the ways out beside the submission, in reading order.
func (f *Form) Buttons() []Button { return f.buttons }

// Submits reports whether the form can be submitted: all can but those that take
// nothing and have other ways out only.
func (f *Form) Submits() bool { return f.submits }

// Schema is the JSON Schema, draft 2020-12, of what Decode returns.
func (f *Form) Schema() json.RawMessage { return f.schema }

// Has reports whether a field of that type is drawn.
func (f *Form) Has(t Type) bool {
	for i := range f.Fields {
		if f.Fields[i].Type == t {
			return true
		}
	}
	return false
}

// Once keeps what somebody derives of the form, such as its markup in a language,
// for as long as the form lives. make may run more than once.
func (f *Form) Once(key string, make func() any) any {
	if v, ok := f.derived.Load(key); ok {
		return v
	}
	v, _ := f.derived.LoadOrStore(key, make())
	return v
}

// Challenge is what a person has to solve to be taken for one. One string goes
// back under the field's name.
type Challenge struct {
	Provider string `json:"provider"`          // GoogleCaptcha or ProofOfWork
	SiteKey  string `json:"siteKey,omitempty"` // of GoogleCaptcha

	// Of ProofOfWork: what goes back is a decimal number n such that the SHA-256
	// of Data, a dot and n begins with Bits zero bits; or the answer to Question,
	// for whoever runs no script. Without a Question they are told that it takes
	// one. Data is not sent back: the step holds it.
	Data     string `json:"data,omitempty"`
	Bits     int    `json:"bits,omitempty"`
	Question string `json:"question,omitempty"`
}

// The providers of challenges.
const (
	GoogleCaptcha = "RECAPTCHA_V2"
	ProofOfWork   = "PROOF_OF_WORK"
)
