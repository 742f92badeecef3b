package wire

import (
	"encoding/json"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"doorward/runtime/flow"
)

// Place is where an execution is met: the addresses its environment gives it,
// and the name of the application that started it. Empty members are left out.
type Place struct {
	Self        string // absolute URL of the execution
	Resume      string // absolute URL the client goes to once it is terminal
	SignOn      string // absolute URL of its hosted page
	Restart     string // where to start again; may be relative to the request
	Application string // display name
	// PasswordPolicy is the policy of a new password, as JSON; it is written
	// where an action takes one. Source: reference/flows.md 2.2, 2.3.
	PasswordPolicy []byte
	// Authenticate is the absolute URL at which the execution's person signs on at an
	// external identity provider. Source: reference/flows.md 9.1.
	Authenticate string
	Links        []Link
}

// Link is a way out of the execution, by its relation.
type Link struct{ Name, Address string }

// AuthorizeResponse is what an authorization came to, for a client that reads it
// out of the flow resource (pi.flow). Source: reference/flows.md 1.5; iss is RFC
// 9207.
func AuthorizeResponse(code, state, issuer string) flow.Member {
	b := appendMember(nil, `{"code":`, code)
	if state != "" {
		b = appendMember(b, `,"state":`, state)
	}
	b = appendMember(b, `,"iss":`, issuer)
	return flow.Member{Name: "authorizeResponse", JSON: append(b, '}')}
}

// ETag is the validator of a view: its step token, for If-Match.
func ETag(v flow.View) string {
	if v.Token == "" {
		return ""
	}
	return `"` + v.Token + `"`
}

// TokenOf returns the step token in an If-Match value; empty when there is none
// or any state will do ("*").
func TokenOf(ifMatch string) string {
	if ifMatch == "*" {
		return ""
	}
	if n := len(ifMatch); n >= 2 && ifMatch[0] == '"' && ifMatch[n-1] == '"' {
		return ifMatch[1 : n-1]
	}
	return ifMatch
}

// Encode writes an execution as a HAL resource with HAL-FORMS templates.
//
// Source: reference/flows.md 2.1, 2.2. The name "amr" is ours.
func Encode(v flow.View, p Place, members ...flow.Member) []byte {
	return Append(make([]byte, 0, 2048), v, p, members...)
}

// Append is Encode at the end of b.
func Append(b []byte, v flow.View, p Place, members ...flow.Member) []byte {
	b = appendLinks(append(b, '{'), &v, p)
	b = appendTemplates(b, &v)
	b = appendMember(b, `,"id":`, v.Ref.ID)
	if v.PiFlow || v.Definition != "" {
		b = append(appendMember(b, `,"environment":{"id":`, v.Ref.Env), '}')
	}
	if v.Definition != "" {
		b = append(appendMember(b, `,"flowDefinition":{"id":`, v.Definition), '}')
	}
	if v.SessionID != "" {
		b = append(appendMember(b, `,"session":{"id":`, v.SessionID), '}')
	}
	if p.Resume != "" {
		b = appendMember(b, `,"resumeUrl":`, p.Resume)
	}
	b = appendMember(b, `,"status":`, v.Status)
	b = appendTime(b, `,"createdAt":"`, v.CreatedAt)
	b = appendTime(b, `,"expiresAt":"`, v.ExpiresAt)
	b = appendAMR(b, v.AMR)
	b = appendFailure(b, v.Failure)
	b = appendMembers(b, ",", v.Members)
	b = appendMembers(b, ",", members)
	return append(appendEmbedded(b, &v, p), '}')
}

// appendLinks writes _links: the execution itself and, under its name, every
// action that is offered, all at the same address.
func appendLinks(b []byte, v *flow.View, p Place) []byte {
	b = append(b, `"_links":{"self"`...)
	from := len(b)
	b = append(appendMember(b, `:{"href":`, p.Self), '}')
	to := len(b)
	for i := range v.Offers {
		b = appendString(append(b, ','), v.Offers[i].Name)
		b = append(b, b[from:to]...) // the same address
	}
	for i := range p.Links {
		b = appendLink(append(b, ','), p.Links[i].Name, p.Links[i].Address)
	}
	if p.SignOn != "" && (v.PiFlow || v.Definition != "") {
		b = appendLink(append(b, ','), "signOnPage", p.SignOn)
	}
	return append(b, '}')
}

func appendLink(b []byte, rel, href string) []byte {
	b = appendString(b, rel)
	return append(appendMember(b, `:{"href":`, href), '}')
}

// appendTemplates describes, beside each link, how to submit the action. Nothing
// but the offer is its source, so a client needs to know no action by name.
func appendTemplates(b []byte, v *flow.View) []byte {
	if len(v.Offers) == 0 {
		return b
	}
	b = append(b, `,"_templates":{`...)
	for i := range v.Offers {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendTemplate(b, &v.Offers[i], v.Values)
	}
	return append(b, '}')
}

func appendTemplate(b []byte, o *flow.Offer, filled flow.Values) []byte {
	b = append(appendString(b, o.Name), ":{"...)
	if o.Prompt.Default != "" {
		b = append(appendMember(b, `"title":`, o.Prompt.Default), ',')
	}
	b = append(b, `"method":"POST","contentType":"`+mediaPrefix...)
	b = append(b, o.Name...)
	b = append(b, mediaSuffix+`","properties":[`...)
	for i := range o.Fields {
		if i > 0 {
			b = append(b, ',')
		}
		var value any
		if o.Open {
			value = filled[o.Fields[i].Name]
		}
		b = appendProperty(b, &o.Fields[i], value)
	}
	return append(b, "]}"...)
}

func appendProperty(b []byte, f *flow.Field, value any) []byte {
	b = appendMember(b, `{"name":`, f.Name)
	b = appendMember(b, `,"type":`, inputType(f.Type))
	if f.Required {
		b = append(b, `,"required":true`...)
	}
	if f.MaxLength > 0 {
		b = appendInt(append(b, `,"maxLength":`...), f.MaxLength)
	}
	if f.Autocomplete != "" {
		b = appendMember(b, `,"autocomplete":`, f.Autocomplete)
	}
	if f.Label.Default != "" {
		b = appendMember(b, `,"prompt":`, f.Label.Default)
	}
	if f.Pattern != "" {
		b = appendMember(b, `,"regex":`, f.Pattern)
	}
	if len(f.Options) > 0 {
		b = appendOptions(b, f)
	}
	if value != nil {
		b = append(b, `,"value":`...)
		b = appendJSON(b, value)
	}
	return append(b, '}')
}

// appendOptions lists what a choice takes. Source: HAL-FORMS 6.3.
func appendOptions(b []byte, f *flow.Field) []byte {
	b = append(b, `,"options":{"inline":[`...)
	for i := range f.Options {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendMember(b, `{"prompt":`, f.Options[i].Label.Default)
		b = append(appendMember(b, `,"value":`, f.Options[i].Value), '}')
	}
	b = append(b, ']')
	if f.Type == flow.TypeChoices {
		b = appendInt(append(b, `,"maxItems":`...), len(f.Options))
	}
	return append(b, '}')
}

// appendJSON writes a value that came out of JSON.
func appendJSON(b []byte, v any) []byte {
	j, err := json.Marshal(v)
	if err != nil { // cannot happen: see above
		return append(b, "null"...)
	}
	return append(b, j...)
}

// inputType is the type of an input as HAL-FORMS names it.
func inputType(t flow.FieldType) string {
	switch t {
	case flow.TypeCode, flow.TypeChoice, flow.TypeChoices, flow.TypeProof:
		return string(flow.TypeText)
	case flow.TypeText, flow.TypePassword, flow.TypeEmail, flow.TypeBoolean, flow.TypeTel, flow.TypeCredential:
	}
	return string(t)
}

func appendAMR(b []byte, amr []string) []byte {
	if len(amr) == 0 {
		return b
	}
	b = append(b, `,"amr":[`...)
	for i, s := range amr {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, s)
	}
	return append(b, ']')
}

func appendEmbedded(b []byte, v *flow.View, p Place) []byte {
	policy := len(p.PasswordPolicy) > 0 && takesNewPassword(v.Offers)
	if v.User.Username == "" && p.Application == "" && !policy && v.External == nil && len(v.Embedded) == 0 {
		return b
	}
	sep := `,"_embedded":{`
	if len(v.Embedded) > 0 {
		b, sep = appendMembers(b, sep, v.Embedded), ","
	}
	if v.User.Username != "" {
		b = appendUser(append(b, sep...), v.User)
		sep = ","
	}
	if p.Application != "" {
		b = append(appendMember(b, sep+`"application":{"name":`, p.Application), '}')
		sep = ","
	}
	if v.External != nil {
		b, sep = appendProvider(append(b, sep...), v.External, p.Authenticate), ","
	}
	if policy {
		b = append(append(b, sep+`"passwordPolicy":`...), p.PasswordPolicy...)
	}
	return append(b, '}')
}

// appendProvider writes where somebody signs on elsewhere.
func appendProvider(b []byte, x *flow.External, authenticate string) []byte {
	b = appendMember(b, `"identityProvider":{"id":`, x.Provider)
	b = appendMember(b, `,"name":`, x.Name)
	b = appendMember(b, `,"type":`, x.Type)
	if authenticate != "" {
		b = append(appendLink(append(b, `,"_links":{`...), "authenticate", authenticate), '}')
	}
	return append(b, '}')
}

// appendUser writes who signs on; of one who only says so, what was typed.
func appendUser(b []byte, u flow.Subject) []byte {
	if u.ID == "" {
		return append(appendMember(b, `"user":{"username":`, u.Username), '}')
	}
	b = appendMember(b, `"user":{"id":`, u.ID)
	b = appendMember(b, `,"username":`, u.Username)
	return append(appendName(b, u), '}')
}

// appendMembers writes members that come as JSON, the first behind sep.
func appendMembers(b []byte, sep string, members []flow.Member) []byte {
	for _, m := range members {
		b = append(appendMember(b, sep, m.Name), ':')
		b, sep = append(b, m.JSON...), ","
	}
	return b
}

// appendFailure says why an execution failed, or what a step of it could not do.
func appendFailure(b []byte, f *flow.Failure) []byte {
	if f == nil {
		return b
	}
	b = appendMember(b, `,"error":{"code":`, f.Code)
	b = appendMember(b, `,"message":`, f.Message)
	return append(appendDetails(b, f.Details), '}')
}

func takesNewPassword(offers []flow.Offer) bool {
	for i := range offers {
		for j := range offers[i].Fields {
			if offers[i].Fields[j].Autocomplete == "new-password" {
				return true
			}
		}
	}
	return false
}

func appendName(b []byte, u flow.Subject) []byte {
	switch {
	case u.Given == "" && u.Family == "":
		return b
	case u.Given == "":
		return append(appendMember(b, `,"name":{"family":`, u.Family), '}')
	case u.Family == "":
		return append(appendMember(b, `,"name":{"given":`, u.Given), '}')
	}
	b = appendMember(b, `,"name":{"given":`, u.Given)
	return append(appendMember(b, `,"family":`, u.Family), '}')
}

// timeLayout is how times are written: UTC with milliseconds. Source: reference/flows.md 2.1.
const timeLayout = "2006-01-02T15:04:05.000Z"

// Timestamp is a time as every answer has it.
func Timestamp(t time.Time) string { return t.UTC().Format(timeLayout) }

func appendTime(b []byte, lead string, t time.Time) []byte {
	b = append(b, lead...)
	return append(t.UTC().AppendFormat(b, timeLayout), '"')
}

func appendMember(b []byte, lead, s string) []byte { return appendString(append(b, lead...), s) }

// appendString quotes s; invalid UTF-8 becomes U+FFFD.
func appendString(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s) // reports invalid UTF-8, which is replaced
	return b
}
