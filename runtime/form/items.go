package form

import "strings"

// keyed reads the key of what is filled by the step and not by the person.
func (c *compiler) keyed(o *object, f *Field) {
	if o.need("key") {
		f.Key = c.name(o)
	}
}

func (c *compiler) agreement(o *object, f *Field) {
	c.keyed(o, f)
	for _, name := range []string{"inputType", "titleEnabled"} {
		o.need(name)
	}
	o.one("inputType", "READ_ONLY_TEXT")
	o.ignore("label", "labelMode", "required", "attributeDisabled")
	f.Titled = o.flag("titleEnabled")
	if a, ok := o.object("agreement"); ok {
		f.Agrees = a.text("id", 64)
		if a.flag("useDynamicAgreement") {
			f.Agrees = ""
		} else if f.Agrees == "" {
			a.wrong("id", "is required, unless useDynamicAgreement is true")
		}
		a.end("an agreement, which has id and useDynamicAgreement")
	} else {
		o.wrong("agreement", "is required: {\"id\"}, or {\"useDynamicAgreement\":true} to take the id from the step's formData")
	}
}

func (c *compiler) item(o *object, _ *Field) { c.content(o, "content", maxBlob) }

func (c *compiler) blob(o *object, f *Field) {
	f.Content = c.content(o, "content", maxBlob)
	o.ignore("key")
	if i, ok := o.object("icon"); ok {
		f.Icon = i.one("type", icons()...)
		f.Size = i.one("size", "SMALL", "MEDIUM", "LARGE")
		i.end("an icon, which has type and size")
	}
}

func icons() []string {
	return []string{
		"NONE", "AGREEMENT", "ALERT", "CALL", "FAILURE", "FINGERPRINT", "LINK", "MAIL", "MOBILE_PHONE", "PASSKEY", "SUCCESS", "QR_CODE", "TEXT_MESSAGE", "USB_KEY",
	}
}

func (c *compiler) button(o *object, f *Field) {
	f.Label = c.label(o, "label", true)
	c.styles(o, f)
	if f.Type == SubmitButton {
		o.ignore("key")
		return
	}
	if !o.need("key") {
		return
	}
	f.Key = o.text("key", maxKey)
	switch {
	case c.outs[f.Key]:
		o.wrong("key", f.Key+" is that of another button")
	case f.Key == "ERROR" || f.Key == "SUBMITTED":
		o.wrong("key", f.Key+" is a result of every form; a button takes another key, which becomes an outlet of the step")
	case f.Key != "" && (!isKey(f.Key) || strings.Contains(f.Key, ".")):
		o.wrong("key", "of a button takes letters, digits, - and _: it becomes an outlet of the step")
	}
	if c.outs == nil {
		c.outs = map[string]bool{}
	}
	c.outs[f.Key] = true
}

// styles keeps where a button stands and how wide it is. Colours and heights are
// the theme's, which holds that they can be read and touched.
func (c *compiler) styles(o *object, f *Field) {
	s, ok := o.object("styles")
	if !ok {
		return
	}
	s.ignore("height", "padding", "backgroundColor", "textColor", "borderColor", "enabled", "displayDefaultThemeLinkColor",
		"displayDefaultThemeButtonBackgroundColor", "displayDefaultThemeButtonBorderColor", "displayDefaultThemeButtonTextColor")
	f.Align = s.one("alignment", "LEFT", "CENTER", "RIGHT")
	unit := s.one("widthUnit", "PERCENT", "PIXELS")
	if n := s.number("width", 0, 4096); unit != "PIXELS" {
		f.Width = min(n, 100)
	}
	s.end("styles")
}

// social takes a button of an identity provider that is switched off. Source:
// reference/management.md 3.5, whose published form has one.
func (c *compiler) social(o *object, f *Field) {
	off := false
	if s, ok := o.object("styles"); ok {
		_, said := s.members["enabled"]
		off = said && !s.flag("enabled")
	}
	o.ignore("key", "label", "iconSrc", "idpName")
	for _, name := range []string{"idpType", "idpId"} {
		o.need(name)
	}
	o.one("idpType", "FACEBOOK", "APPLE", "GOOGLE", "AMAZON", "LINKEDIN", "LINKEDIN_OIDC", "MICROSOFT", "TWITTER", "YAHOO", "PAYPAL", "GITHUB", "OPENID_CONNECT", "SAML", "LDAP")
	o.text("idpId", 64)
	if o.flag("idpEnabled") && !off {
		o.wrong("type", "SOCIAL_LOGIN_BUTTON is not drawn by this server yet: switch it off with idpEnabled or styles.enabled, or take it out")
	}
	c.styles(o, f)
}

func (c *compiler) captcha(o *object, f *Field) {
	for _, name := range []string{"size", "theme", "alignment"} {
		o.need(name)
	}
	f.Input, f.Required = 0, true
	f.Size, f.Theme, f.Align = o.one("size", "NORMAL", "COMPACT"), o.one("theme", "LIGHT", "DARK"), o.one("alignment", "LEFT", "CENTER", "RIGHT")
	if _, named := o.take("key"); named {
		f.Key = c.name(o)
		return
	}
	if f.Key = "captcha"; c.taken[f.Key] != "" {
		o.wrong("key", "is required: captcha is taken by "+string(c.taken[f.Key]))
	}
	c.taken[f.Key] = o.at
}

func (c *compiler) code(o *object, f *Field) {
	c.keyed(o, f)
	o.need("size")
	o.ignore("label")
	f.Size, f.Align = o.one("size", "SMALL", "MEDIUM", "LARGE"), o.one("alignment", "LEFT", "CENTER", "RIGHT")
	f.Fallback = c.label(o, "fallbackText", false)
}

func (c *compiler) polling(o *object, f *Field) {
	c.keyed(o, f)
	o.need("size")
	o.ignore("label", "alignment")
	f.Size = o.one("size", "SMALL", "MEDIUM", "LARGE")
	f.Quiet = o.one("pollingAppearance", "NONE", "DOTS", "SPINNER") == "NONE"
}
