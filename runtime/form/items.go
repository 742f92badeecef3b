package form

import (
	"strings"

	"doorward/runtime/document"
)

// keyed reads the key of what is filled by the step and not by the person.
func (c *compiler) keyed(o *document.Object, f *Field) {
	if o.Need("key") {
		f.Key = c.name(o)
	}
}

func (c *compiler) agreement(o *document.Object, f *Field) {
	c.keyed(o, f)
	for _, name := range []string{"inputType", "titleEnabled"} {
		o.Need(name)
	}
	o.One("inputType", "READ_ONLY_TEXT")
	o.Ignore("label", "labelMode", "required", "attributeDisabled")
	f.Titled = o.Flag("titleEnabled")
	if a, ok := o.Object("agreement"); ok {
		f.Agrees = a.Text("id", 64)
		if a.Flag("useDynamicAgreement") {
			f.Agrees = ""
		} else if f.Agrees == "" {
			a.Wrong("id", "is required, unless useDynamicAgreement is true")
		}
		a.End("an agreement, which has id and useDynamicAgreement")
	} else {
		o.Wrong("agreement", "is required: {\"id\"}, or {\"useDynamicAgreement\":true} to take the id from the step's formData")
	}
}

func (c *compiler) item(o *document.Object, _ *Field) { c.content(o, "content", maxBlob) }

func (c *compiler) blob(o *document.Object, f *Field) {
	f.Content = c.content(o, "content", maxBlob)
	o.Ignore("key")
	if i, ok := o.Object("icon"); ok {
		f.Icon = i.One("type", icons()...)
		f.Size = i.One("size", "SMALL", "MEDIUM", "LARGE")
		i.End("an icon, which has type and size")
	}
}

func icons() []string {
	return []string{
		"NONE", "AGREEMENT", "ALERT", "CALL", "FAILURE", "FINGERPRINT", "LINK", "MAIL", "MOBILE_PHONE", "PASSKEY", "SUCCESS", "QR_CODE", "TEXT_MESSAGE", "USB_KEY",
	}
}

func (c *compiler) button(o *document.Object, f *Field) {
	f.Label = c.label(o, "label", true)
	c.styles(o, f)
	if f.Type == SubmitButton {
		o.Ignore("key")
		return
	}
	if !o.Need("key") {
		return
	}
	f.Key = o.Text("key", maxKey)
	switch {
	case c.outs[f.Key]:
		o.Wrong("key", f.Key+" is that of another button")
	case f.Key == "ERROR" || f.Key == "SUBMITTED":
		o.Wrong("key", f.Key+" is a result of every form; a button takes another key, which becomes an outlet of the step")
	case f.Key != "" && (!isKey(f.Key) || strings.Contains(f.Key, ".")):
		o.Wrong("key", "of a button takes letters, digits, - and _: it becomes an outlet of the step")
	}
	if c.outs == nil {
		c.outs = map[string]bool{}
	}
	c.outs[f.Key] = true
}

// styles keeps where a button stands and how wide it is. Colours and heights are
// the theme's, which holds that they can be read and touched.
func (c *compiler) styles(o *document.Object, f *Field) {
	s, ok := o.Object("styles")
	if !ok {
		return
	}
	s.Ignore("height", "padding", "backgroundColor", "textColor", "borderColor", "enabled", "displayDefaultThemeLinkColor",
		"displayDefaultThemeButtonBackgroundColor", "displayDefaultThemeButtonBorderColor", "displayDefaultThemeButtonTextColor")
	f.Align = s.One("alignment", "LEFT", "CENTER", "RIGHT")
	unit := s.One("widthUnit", "PERCENT", "PIXELS")
	if n := s.Number("width", 0, 4096); unit != "PIXELS" {
		f.Width = min(n, 100)
	}
	s.End("styles")
}

// social takes a button of an identity provider that is switched off. Source:
// reference/management.md 3.5, whose published form has one.
func (c *compiler) social(o *document.Object, f *Field) {
	off := false
	if s, ok := o.Object("styles"); ok {
		_, said := s.Take("enabled")
		off = said && !s.Flag("enabled")
	}
	o.Ignore("key", "label", "iconSrc", "idpName")
	for _, name := range []string{"idpType", "idpId"} {
		o.Need(name)
	}
	o.One("idpType", "FACEBOOK", "APPLE", "GOOGLE", "AMAZON", "LINKEDIN", "LINKEDIN_OIDC", "MICROSOFT", "TWITTER", "YAHOO", "PAYPAL", "GITHUB", "OPENID_CONNECT", "SAML", "LDAP")
	o.Text("idpId", 64)
	if o.Flag("idpEnabled") && !off {
		o.Wrong("type", "SOCIAL_LOGIN_BUTTON is not drawn by this server yet: switch it off with idpEnabled or styles.enabled, or take it out")
	}
	c.styles(o, f)
}

func (c *compiler) captcha(o *document.Object, f *Field) {
	for _, name := range []string{"size", "theme", "alignment"} {
		o.Need(name)
	}
	f.Input, f.Required = 0, true
	f.Size, f.Theme, f.Align = o.One("size", "NORMAL", "COMPACT"), o.One("theme", "LIGHT", "DARK"), o.One("alignment", "LEFT", "CENTER", "RIGHT")
	if _, named := o.Take("key"); named {
		f.Key = c.name(o)
		return
	}
	if f.Key = "captcha"; c.taken[f.Key] != "" {
		o.Wrong("key", "is required: captcha is taken by "+string(c.taken[f.Key]))
	}
	c.taken[f.Key] = o.At
}

func (c *compiler) code(o *document.Object, f *Field) {
	c.keyed(o, f)
	o.Need("size")
	o.Ignore("label")
	f.Size, f.Align = o.One("size", "SMALL", "MEDIUM", "LARGE"), o.One("alignment", "LEFT", "CENTER", "RIGHT")
	f.Fallback = c.label(o, "fallbackText", false)
}

func (c *compiler) polling(o *document.Object, f *Field) {
	c.keyed(o, f)
	o.Need("size")
	o.Ignore("label", "alignment")
	f.Size = o.One("size", "SMALL", "MEDIUM", "LARGE")
	f.Quiet = o.One("pollingAppearance", "NONE", "DOTS", "SPINNER") == "NONE"
}
