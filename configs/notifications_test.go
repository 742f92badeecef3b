package configs_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"doorward/configs"
	"doorward/runtime/flow"
)

// gateway is a service that sends messages; its requests read what their names say.
const gateway = `{"name":"Gateway","requests":[
	{"name":"sms","request":{"method":"POST","url":"https://gateway.example/sms","inputSchema":"{\"properties\":{\"to\":{},\"content\":{}}}",
		"body":{"type":"JSON","template":"{'to': inputs.to, 'text': inputs.content}"}}},
	{"name":"all","request":{"method":"POST","url":"https://gateway.example/all","inputSchema":"{\"properties\":{\"to\":{},\"content\":{},\"locale\":{},\"voice\":{},\"deliveryMethod\":{},\"messageId\":{}},\"required\":[\"to\"]}",
		"body":{"type":"JSON","template":"{inputs.to, inputs.content, inputs.locale, inputs.voice, inputs.deliveryMethod, inputs.messageId}"}}},
	{"name":"mute","request":{"method":"POST","url":"https://gateway.example/mute","inputSchema":"{\"properties\":{\"to\":{}}}",
		"body":{"type":"JSON","template":"{'to': inputs.to}"}}},
	{"name":"curious","request":{"method":"POST","url":"https://gateway.example/curious","inputSchema":"{\"properties\":{\"to\":{},\"content\":{},\"mother\":{}}}",
		"body":{"type":"JSON","template":"{inputs.to, inputs.content, inputs.mother}"}}},
	{"name":"push","request":{"method":"POST","url":"https://gateway.example/push","inputSchema":"{\"properties\":{\"to\":{},\"deviceId\":{},\"applicationId\":{},\"content\":{},\"messageId\":{}}}",
		"body":{"type":"JSON","template":"{inputs.to, inputs.deviceId, inputs.applicationId, inputs.content, inputs.messageId}"}}},
	{"name":"nobody","request":{"method":"POST","url":"https://gateway.example/nobody","inputSchema":"{\"properties\":{\"content\":{}}}",
		"body":{"type":"JSON","template":"{inputs.content}"}}},
	{"name":"strict","request":{"method":"POST","url":"https://gateway.example/strict","inputSchema":"{\"properties\":{\"to\":{},\"content\":{},\"locale\":{}},\"required\":[\"locale\"]}",
		"body":{"type":"JSON","template":"{inputs.to, inputs.content}"}}}]}`

func TestNotificationsNameRequestsThatCanSend(t *testing.T) {
	d := newDesk(t, nil)
	service, settings := d.make("externalService", gateway), kind(t, "notificationsSettings")
	put := func(requests string) error {
		_, err := d.Replace(t.Context(), env, settings, nil, "", []byte(`{"requests":[`+strings.ReplaceAll(requests, "ID", service)+`]}`))
		return err
	}
	by := func(method, request, more string) string {
		return `{"deliveryMethod":"` + method + `","externalService":{"id":"ID"},"request":"` + request + `"` + more + `}`
	}
	for name, row := range map[string]struct{ requests, want string }{
		"a method that is none":         {by("EMAIL", "sms", ""), "INVALID_VALUE /requests/0/deliveryMethod"},
		"nothing":                       {`{}`, "REQUIRED_VALUE /requests/0/deliveryMethod, REQUIRED_VALUE /requests/0/externalService, REQUIRED_VALUE /requests/0/request"},
		"a method twice":                {by("SMS", "sms", "") + "," + by("SMS", "all", ""), "UNIQUENESS_VIOLATION /requests/1/deliveryMethod"},
		"a service that is none":        {strings.ReplaceAll(by("SMS", "sms", ""), "ID", "d0000000-0000-4000-8000-00000000dead"), "INVALID_VALUE /requests/0/externalService/id"},
		"a request that is none":        {by("SMS", "fax", ""), "INVALID_VALUE /requests/0/request"},
		"one that does not say what":    {by("SMS", "mute", ""), "INVALID_VALUE /requests/0/request"},
		"one that wants to know more":   {by("SMS", "curious", ""), "INVALID_VALUE /requests/0/request"},
		"one that wants what it leaves": {by("SMS", "strict", ""), "INVALID_VALUE /requests/0/request"},
		"an SMS to a device":            {by("SMS", "push", ""), "INVALID_VALUE /requests/0/request"},
		"a push to nobody":              {by("PUSH", "nobody", ""), "INVALID_VALUE /requests/0/request"},
		"a push that is read aloud":     {by("PUSH", "all", ""), "INVALID_VALUE /requests/0/request"},
		"a voice that is not heard":     {by("SMS", "sms", `,"voice":"ada"`), "INVALID_VALUE /requests/0/voice"},
		"a voice of two lines":          {by("VOICE", "all", `,"voice":"a\nb"`), "INVALID_VALUE /requests/0/voice"},
		"a member that is none":         {by("SMS", "sms", `,"from":"x"`), "INVALID_VALUE /requests/0/from"},
	} {
		t.Run(name, func(t *testing.T) { wants(t, put(row.requests), strings.Split(row.want, ", ")...) })
	}
	if err := put(by("SMS", "sms", "") + "," + by("VOICE", "all", `,"voice":"ada"`) + "," + by("PUSH", "push", "")); err != nil {
		t.Fatal(err)
	}
	got := map[flow.Channel]configs.PhoneRequest{}
	for _, channel := range []flow.Channel{flow.SMS, flow.Voice, flow.Push, flow.Email} {
		if r, known := d.bundle().PhoneRequest(channel); known {
			got[channel] = r
		}
	}
	want := map[flow.Channel]configs.PhoneRequest{flow.SMS: {Service: service, Name: "sms"}, flow.Voice: {Service: service, Name: "all", Voice: "ada"}, flow.Push: {Service: service, Name: "push"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	t.Run("and keep those from being taken away", func(t *testing.T) {
		var held *configs.Referenced
		if err := d.Remove(t.Context(), env, kind(t, "externalService"), nil, service); !errors.As(err, &held) || held.By[0].Kind != "notificationsSettings" {
			t.Errorf("the service: %v", err)
		}
		if _, err := d.service(service, strings.Replace(gateway, `"name":"sms"`, `"name":"telegram"`, 1)); err == nil || !strings.Contains(err.Error(), "is no request of the external service") {
			t.Errorf("the request: %v", err)
		}
	})
	if err := d.Remove(t.Context(), env, settings, nil, ""); err != nil {
		t.Fatal(err)
	}
	if _, known := d.bundle().PhoneRequest(flow.SMS); known {
		t.Error("it is served still")
	}
}

func TestFilesHoldNotifications(t *testing.T) {
	const id = "d0000000-0000-4000-8000-0000000000f1"
	files := demo(t, nil)
	files["demo/externalServices/gateway.json"] = &fstest.MapFile{Data: []byte(strings.Replace(gateway, `{"name":"Gateway"`, `{"id":"`+id+`","name":"Gateway"`, 1))}
	files["demo/notificationsSettings.json"] = &fstest.MapFile{Data: []byte(`{"requests":[{"deliveryMethod":"SMS","externalService":{"id":"` + id + `"},"request":"sms"}]}`)}
	m := newMemory()
	apply(t, m, files)
	b, _ := serve(t, m).Bundle(env)
	if r, _ := b.PhoneRequest(flow.SMS); r.Service != id || r.Name != "sms" {
		t.Error(r)
	}
}
