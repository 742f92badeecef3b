package form

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"doorward/runtime/document"
)

// field reads one field; what each type has stands in a method of its own.
func (c *compiler) field(o *document.Object) {
	f := Field{Input: -1}
	if !o.Need("type") {
		return
	}
	f.Type = Type(o.Text("type", maxKey))
	if f.Type == "TEXTBLOB" {
		f.Type = TextBlob
	}
	read, known := readers()[f.Type]
	switch {
	case f.Type == "":
		return
	case slices.Contains([]Type{"FIDO2", "DEVICE_REGISTRATION", "DEVICE_AUTHENTICATION", "DEVICE_ENROLLMENT"}, f.Type):
		o.Wrong("type", string(f.Type)+" is not drawn by this server yet: use the steps for devices instead")
		return
	case !known:
		o.Wrong("type", "is none of the types of fields")
		return
	}
	c.position(o, &f)
	shown := c.visible(o)
	read(c, o, &f)
	o.End("a field of the type " + string(f.Type))
	if shown && f.Type != SocialLogin {
		c.f.Fields = append(c.f.Fields, f)
		c.boxes += boxes(&f)
	}
}

// boxes is how many inputs a page posts for a field.
func boxes(f *Field) int {
	switch {
	case f.Input < 0:
		return 0
	case f.Type == Checkbox:
		return len(f.Options) + 1
	}
	return 2
}

func readers() map[Type]func(*compiler, *document.Object, *Field) {
	return map[Type]func(*compiler, *document.Object, *Field){
		TextField: (*compiler).textField, Password: (*compiler).password, PasswordVerify: (*compiler).password, PhoneNumber: (*compiler).phone,
		Radio: (*compiler).choice, Checkbox: (*compiler).choice, Dropdown: (*compiler).choice, Combobox: (*compiler).choice,
		SingleCheckbox: (*compiler).box, Agreement: (*compiler).agreement, Divider: (*compiler).item, EmptyField: (*compiler).item, ErrorDisplay: (*compiler).item,
		TextBlob: (*compiler).blob, SubmitButton: (*compiler).button, FlowButton: (*compiler).button, FlowLink: (*compiler).button,
		SocialLogin: (*compiler).social, Captcha: (*compiler).captcha, QRCode: (*compiler).code, Polling: (*compiler).polling,
	}
}

// element reads what all inputs have. suffixes are of the other inputs that are
// named after it.
func (c *compiler) element(o *document.Object, f *Field, suffixes ...string) {
	f.Input = 0
	o.Ignore("attributeDisabled", "labelMode", "otherOptionKey", "otherOptionAttributeDisabled")
	if o.Need("key") {
		f.Key = c.name(o, suffixes...)
	}
	f.Label, f.Required = c.label(o, "label", true), o.Flag("required")
	f.Free = o.Flag("otherOptionEnabled")
	f.Other, f.Typed = c.label(o, "otherOptionLabel", false), c.label(o, "otherOptionInputLabel", false)
	if choice := f.Type == Radio || f.Type == Checkbox || f.Type == Dropdown || f.Type == Combobox; f.Free && !choice {
		o.Wrong("otherOptionEnabled", "is for fields with options")
	}
	if reserved(f.Key) {
		o.Wrong("key", f.Key+" is kept by the service; nobody can be asked for it")
	}
	c.attribute(o, f)
}

// attribute holds the key to the schema of users where the category wants it, and
// the type to the attribute. Source: reference/management.md 3.2.
func (c *compiler) attribute(o *document.Object, f *Field) {
	a, is := attributes()[strings.TrimPrefix(f.Key, "user.")]
	is = is && strings.HasPrefix(f.Key, "user.")
	secret := f.Type == Password || f.Type == PasswordVerify
	switch {
	case f.Key == "":
	case !is && (c.f.Category == SelfService || c.f.Category == Profiling):
		o.Wrong("key", fmt.Sprintf("is no attribute of a user; a form of the category %s asks for those alone, such as user.nickname", c.f.Category))
	case !is:
	case f.Key == "user.password" && !secret:
		o.Wrong("type", "of user.password is PASSWORD or PASSWORD_VERIFY")
	case f.Key != "user.password" && secret:
		o.Wrong("type", string(f.Type)+" is no type of "+f.Key)
	case a.boolean != (f.Type == SingleCheckbox) || f.Type == Checkbox:
		o.Wrong("type", fmt.Sprintf("%s is no type of %s", f.Type, f.Key))
	}
}

func (c *compiler) textField(o *document.Object, f *Field) {
	o.Ignore("layout", "options")
	c.element(o, f)
	if o.Need("validation") {
		c.validation(o, f)
	}
}

// validation reads the pattern of a value. Patterns run in time linear in what
// they are held against, as RE2 does; those that cannot are refused.
func (c *compiler) validation(o *document.Object, f *Field) {
	v, ok := o.Object("validation")
	if !ok {
		return
	}
	kind := ""
	if v.Need("type") {
		kind = v.One("type", "NONE", "CUSTOM")
	}
	f.Wrong = c.label(&v, "errorMessage", false)
	if kind == "CUSTOM" {
		v.Need("regex")
	}
	source := v.Text("regex", 512)
	v.End("validation, which has type, regex and errorMessage")
	if kind != "CUSTOM" || source == "" {
		return
	}
	_, err := regexp.Compile(source) // alone too, so that it does not close what is put around it
	if err == nil {
		f.pattern, err = regexp.Compile(`\A(?:` + source + `)\z`)
	}
	if err != nil {
		v.Wrong("regex", "cannot be run: "+err.Error()+"; patterns are those of RE2, which looks neither ahead nor back")
		return
	}
	f.source = source
}

func (c *compiler) password(o *document.Object, f *Field) {
	if f.Type == PasswordVerify {
		c.element(o, f, VerifySuffix)
		f.Again = c.label(o, "labelPasswordVerify", false)
	} else {
		c.element(o, f)
		o.Ignore("labelPasswordVerify")
	}
	f.Rules = o.Flag("showPasswordRequirements")
	c.validation(o, f)
}

func (c *compiler) phone(o *document.Object, f *Field) {
	if f.Extension = o.Flag("showExtension"); f.Extension {
		c.element(o, f, ExtensionSuffix)
	} else {
		c.element(o, f)
	}
	o.Ignore("countryCodeLabel", "layout", "options")
	f.ExtensionLabel = c.label(o, "extensionLabel", f.Extension)
	f.dials = o.Flag("validatePhoneNumber")
	f.country = o.Text("defaultCountryCode", 2)
	if f.country != "" && !phonenumbers.GetSupportedRegions()[f.country] {
		o.Wrong("defaultCountryCode", "is no country, such as DE or US")
	}
	c.validation(o, f)
}

func (c *compiler) choice(o *document.Object, f *Field) {
	if f.Type == Radio || f.Type == Checkbox {
		o.Need("layout")
	}
	f.Across = o.One("layout", "HORIZONTAL", "VERTICAL") == "HORIZONTAL"
	c.element(o, f, OtherSuffix)
	c.validation(o, f)
	if !o.Need("options") {
		return
	}
	list := o.List("options", mostItems)
	if len(list) == 0 {
		o.Wrong("options", "takes at least one option")
	}
	values := map[string]bool{}
	for i, raw := range list {
		x, ok := document.Open(o.At.Member("options").Index(i), raw, o.Faults)
		if !ok {
			continue
		}
		option := Option{Label: c.label(&x, "label", true)}
		if x.Need("value") {
			option.Value = x.Text("value", 256)
		}
		if values[option.Value] && option.Value != "" {
			x.Wrong("value", "is that of another option")
		}
		values[option.Value] = true
		x.End("an option, which has label and value")
		f.Options = append(f.Options, option)
	}
}

func (c *compiler) box(o *document.Object, f *Field) {
	for _, name := range []string{"appearance", "inputType"} {
		o.Need(name)
	}
	f.Switch = o.One("appearance", "CHECKBOX", "SWITCH") == "SWITCH"
	o.One("inputType", "BOOLEAN")
	c.element(o, f)
	o.Ignore("layout", "options")
	f.Wrong = c.label(o, "errorMessage", false)
	c.validation(o, f)
}
