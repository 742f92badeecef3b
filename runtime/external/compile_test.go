package external_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"doorward/runtime/external"
)

func TestThePublishedServiceCompiles(t *testing.T) {
	rest, sealed, wrong := external.Seal(read(t, "rec-external-service-create.json"))
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	s, err := external.Compile(rest)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"authSchemes/partnerKey/key": "changeme", "authSchemes/partnerOauth/clientSecret": "csecret"}
	if !reflect.DeepEqual(sealed, want) {
		t.Errorf("sealed %v, want %v", sealed, want)
	}
	for name, want := range map[string]struct {
		display, origin string
		inputs, secrets []string
	}{
		"staticRequest":   {"GET https://httpbin.example.com/get", "https://httpbin.example.com", nil, nil},
		"variableRequest": {"GET variables.baseUrl + '/get'", "https://httpbin.example.com", nil, nil},
		"secretRequest":   {"GET variables.baseUrl + '/get'", "https://httpbin.example.com", nil, []string{"apiKey"}},
		"inputRequest":    {"POST variables.baseUrl + '/post'", "https://httpbin.example.com", []string{"userId"}, nil},
	} {
		r, ok := s.Request(name)
		if !ok {
			t.Errorf("there is no %s", name)
			continue
		}
		got := fmt.Sprint(r.DisplayName, r.Origin(), r.Inputs(), r.Secrets())
		if got != fmt.Sprint(want.display, want.origin, want.inputs, want.secrets) {
			t.Errorf("%s: %s", name, got)
		}
	}
	if r, _ := s.Request("inputRequest"); !json.Valid(r.InputSchema()) || !json.Valid(r.OutputSchema()) {
		t.Errorf("schemas %s and %s", r.InputSchema(), r.OutputSchema())
	}
	if len(s.Requests()) != 4 || s.Requests()[0].Name != "staticRequest" {
		t.Error("the requests are not in the order of the document")
	}
}

// fault is one thing wrong with a document of one request.
type fault struct {
	members, request string
	want             string // path, and a part of the message
}

const (
	get       = `"request":{"method":"GET","url":"'ORIGIN/get'"`
	post      = `"request":{"method":"POST","url":"'ORIGIN/post'"`
	takesText = `"inputSchema":"{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"string\"}}}"`
)

func TestWhatIsWrongWithARequest(t *testing.T) {
	for name, row := range map[string]fault{
		"no method":                     {``, `"request":{"url":"'ORIGIN'"}`, `$.requests[0].request.method: is required`},
		"a method of another kind":      {``, `"request":{"method":"TRACE","url":"'ORIGIN'"}`, `$.requests[0].request.method: takes one of GET`},
		"no URL":                        {``, `"request":{"method":"GET"}`, `$.requests[0].request.url: is required`},
		"nothing to send":               {``, `"description":"x"`, `$.requests[0].request: is required`},
		"a reserved header":             {``, get + `,"headers":{"Host":"evil.example"}}`, `$.requests[0].request.headers.Host: is a header that the server sets`},
		"a header that frames":          {``, get + `,"headers":{"Transfer-Encoding":"chunked"}}`, `.request.headers["Transfer-Encoding"]: is a header that the server sets`},
		"a header twice":                {``, get + `,"headers":{"X-A":"'1'","x-a":"'2'"}}`, `is there twice, in another case`},
		"a line break in a header":      {``, get + `,"headers":{"X-A":"a\r\nX-Evil: 1"}}`, `$.requests[0].request.headers["X-A"]: holds a line break`},
		"a body with GET":               {``, get + `,"body":{"type":"JSON","template":"{}"}}`, `$.requests[0].request.body: cannot be sent with GET`},
		"a body of another type":        {``, post + `,"body":{"type":"XML","template":"'x'"}}`, `.request.body.type: takes one of JSON`},
		"a body without a template":     {``, post + `,"body":{"type":"JSON"}}`, `.request.body.template: is required`},
		"a body that is half JSON":      {``, post + `,"body":{"type":"JSON","template":"{\"a\": [1, }"}}`, `.request.body.template: is neither JSON nor an expression`},
		"a scheme that is not there":    {``, get + `,"authScheme":"OAUTH_2"}`, `.request.authScheme: is the name of no scheme`},
		"a scheme beside its header":    {`"authSchemes":[{"name":"s","type":"BEARER"}],`, get + `,"authScheme":"s","headers":{"authorization":"'x'"}}`, `.request.authScheme: sends the header Authorization`},
		"an unknown variable":           {``, `"request":{"method":"GET","url":"variables.bas + '/get'"}`, `.request.url: reads variables.bas, which is not among variables`},
		"all secrets":                   {``, get + `,"headers":{"X-A":"secrets['api' + 'Key']"}}`, `reads secrets as a whole`},
		"the response, too early":       {``, get + `,"headers":{"X-A":"response.status"}}`, `reads response, which is there in response.output alone`},
		"a secret in the outputs":       {``, get + `},"response":{"output":"secrets.apiKey","outputSchema":"{}"}`, `$.requests[0].response.output: reads a secret`},
		"a part no response has":        {``, get + `},"response":{"output":"response.text","outputSchema":"{}"}`, `$.requests[0].response.output: reads response.text`},
		"an output without a schema":    {``, get + `},"response":{"output":"response.body"}`, `$.requests[0].response.outputSchema: is required`},
		"inputs without a schema":       {``, `"request":{"method":"GET","url":"'ORIGIN/' + inputs.x"}`, `.request.inputSchema: is required where inputs are read`},
		"an input that has no schema":   {``, get + `,"headers":{"X-A":"inputs.y"},` + takesText + `}`, `.request.inputSchema: has no inputs.y among its properties`},
		"a schema that is no JSON":      {``, get + `,"inputSchema":"{"}`, `.request.inputSchema: holds no JSON`},
		"a schema that is none":         {``, get + `,"inputSchema":"{\"type\":\"text\"}"}`, `.request.inputSchema: is no JSON Schema`},
		"a schema from elsewhere":       {``, get + `,"inputSchema":"{\"$ref\":\"https://evil.example/s.json\"}"}`, `.request.inputSchema: is no JSON Schema`},
		"a schema of a file":            {``, get + `,"inputSchema":"{\"$ref\":\"file:///etc/passwd\"}"}`, `.request.inputSchema: is no JSON Schema`},
		"a member that is none":         {``, get + `,"timeout":9}`, `$.requests[0].request.timeout: is no member`},
		"a host of an input":            {``, `"request":{"method":"GET","url":"'https://' + inputs.x + '.example/'",` + takesText + `}`, `.request.url: `},
		"a host with an input":          {``, `"request":{"method":"GET","url":"'ORIGIN' + inputs.x",` + takesText + `}`, `.request.url: `},
		"a host of a secret":            {``, `"request":{"method":"GET","url":"'https://' + secrets.host + '/'"}`, `.request.url: leads to a host that an input or a secret has a say in`},
		"a host by an input":            {``, `"request":{"method":"GET","url":"'https://' + (inputs.b ? 'a' : 'b') + '.example'","inputSchema":"{\"properties\":{\"b\":{\"type\":\"boolean\"}}}"}`, `.request.url: leads to a host that an input`},
		"a URL of an input":             {``, `"request":{"method":"GET","url":"inputs.x",` + takesText + `}`, `.request.url: is no absolute URL`},
		"a URL in braces of an input":   {``, `"request":{"method":"GET","url":"https://${inputs.x}/",` + takesText + `}`, `.request.url: `},
		"a port of an input":            {``, `"request":{"method":"GET","url":"'https://a.example:' + inputs.n","inputSchema":"{\"properties\":{\"n\":{\"type\":\"integer\"}}}"}`, `.request.url: leads to a host that an input`},
		"a URL with a user":             {``, `"request":{"method":"GET","url":"https://user:pass@a.example/"}`, `.request.url: holds a user name`},
		"a URL of another scheme":       {``, `"request":{"method":"GET","url":"ftp://a.example/"}`, `.request.url: is no absolute URL`},
		"a URL with a fragment":         {``, `"request":{"method":"GET","url":"https://a.example/#x"}`, `.request.url: has a fragment`},
		"a URL that leads up":           {``, `"request":{"method":"GET","url":"https://a.example/x/%2e%2e/y"}`, `.request.url: has a segment`},
		"a URL that is half expression": {``, `"request":{"method":"GET","url":"variables.base+ '/x'"}`, `looks like an expression and is wrong as one at character`},
		"an expression with no value":   {``, `"request":{"method":"GET","url":"'ORIGIN/' + (1 + null)"}`, `.request.url: cannot be worked out`},
	} {
		t.Run(name, func(t *testing.T) {
			got := faults(t, body("https://a.example", row.members, row.request))
			if len(got) != 1 || !strings.Contains(got[0], row.want) {
				t.Errorf("%d: %s, want %s", len(got), strings.Join(got, "\n"), row.want)
			}
		})
	}
}

func TestWhatIsWrongWithAService(t *testing.T) {
	long := strings.Repeat("x", 257)
	for name, row := range map[string]struct{ body, want string }{
		"no JSON":                     {`{`, `$: `},
		"a list":                      {`[]`, `$: takes an object`},
		"a name twice":                {`{"name":"a","name":"b"}`, `name`},
		"no name":                     {`{}`, `$.name: is required`},
		"a name that is too long":     {`{"name":"` + long + `"}`, `$.name: takes at most 256 characters`},
		"a name with a symbol":        {`{"name":"a<b"}`, `$.name: takes letters`},
		"a description with a symbol": {`{"name":"a","description":"$"}`, `$.description: takes letters`},
		"variables that are none":     {`{"name":"a","variables":["x"]}`, `$.variables: takes an object`},
		"a variable that is a number": {`{"name":"a","variables":{"x":1}}`, `$.variables.x: takes a string`},
		"a variable without a name":   {`{"name":"a","variables":{"":"x"}}`, `$.variables[""]: takes names`},
		"a strange member":            {`{"name":"a","request":[]}`, `$.request: is no member`},
		"too many requests":           {`{"name":"a","requests":[` + strings.TrimSuffix(strings.Repeat(`{"name":"NAME",`+get+`}},`, 51), ",") + `]}`, `$.requests: takes at most 50`},
		"a request that is none":      {`{"name":"a","requests":["x"]}`, `$.requests[0]: takes an object`},
		"a name of a request":         {`{"name":"a","requests":[{"name":"a/b",` + get + `}}]}`, `$.requests[0].name: takes letters, digits`},
		"two requests of a name":      {`{"name":"a","requests":[{"name":"r",` + get + `}},{"name":"r",` + get + `}}]}`, `$.requests[1].name: is the name of another request`},
		"a scheme of no type":         {`{"name":"a","authSchemes":[{"name":"s","type":"DIGEST"}]}`, `$.authSchemes[0].type: takes one of API_KEY`},
		"two schemes of a name":       {`{"name":"a","authSchemes":[{"name":"s","type":"BEARER"},{"name":"s","type":"API_KEY"}]}`, `$.authSchemes[1].name: is the name of another scheme`},
		"a key in a reserved header":  {`{"name":"a","authSchemes":[{"name":"s","type":"API_KEY","header":"Cookie"}]}`, `$.authSchemes[0].header: is a header that the server sets`},
		"a user with a colon":         {`{"name":"a","authSchemes":[{"name":"s","type":"BASIC","username":"a:b"}]}`, `$.authSchemes[0].username: takes no colon`},
		"a member of another type":    {`{"name":"a","authSchemes":[{"name":"s","type":"BEARER","username":"u"}]}`, `$.authSchemes[0].username: is no member of an authentication scheme of type BEARER`},
		"a token endpoint of none":    {`{"name":"a","authSchemes":[{"name":"s","type":"OAUTH_2","tokenEndpointAuthType":"client_secret_post","clientId":"c","tokenEndpoint":"idp.example"}]}`, `$.authSchemes[0].tokenEndpoint: is no absolute URL`},
		"a way of no token endpoint":  {`{"name":"a","authSchemes":[{"name":"s","type":"OAUTH_2","tokenEndpointAuthType":"none","clientId":"c","tokenEndpoint":"https://idp.example/"}]}`, `$.authSchemes[0].tokenEndpointAuthType: takes one of client_secret_basic`},
		"a scope with a space":        {`{"name":"a","authSchemes":[{"name":"s","type":"OAUTH_2","tokenEndpointAuthType":"client_secret_post","clientId":"c","tokenEndpoint":"https://idp.example/","scope":["a b"]}]}`, `$.authSchemes[0].scope[0]: takes a scope`},
	} {
		t.Run(name, func(t *testing.T) {
			body := strings.ReplaceAll(row.body, "ORIGIN", "https://a.example")
			for i := range 51 {
				body = strings.Replace(body, "NAME", fmt.Sprintf("r%d", i), 1)
			}
			got := faults(t, []byte(body))
			if len(got) != 1 || !strings.Contains(got[0], row.want) {
				t.Errorf("%d: %s, want %s", len(got), strings.Join(got, "\n"), row.want)
			}
		})
	}
}

func TestEveryFaultIsReportedAtOnce(t *testing.T) {
	got := faults(t, []byte(`{
		"description": "<",
		"authSchemes": [{"name": "s", "type": "DIGEST"}],
		"requests": [
			{"name": "a b?", "request": {"method": "GET", "url": "variables.base", "headers": {"Host": "'x'", "X-A": "inputs.y"}, "authScheme": "none"}},
			{"name": "r", "request": {"method": "GET", "url": "ftp://a.example", "body": {"type": "JSON"}}, "response": {"output": "secrets.x"}}
		]}`))
	for _, path := range []string{
		"$.name:", "$.description:", "$.authSchemes[0].type:", "$.requests[0].name:", "$.requests[0].request.url:",
		"$.requests[0].request.headers.Host:", "$.requests[0].request.authScheme:", "$.requests[0].request.inputSchema:",
		"$.requests[1].request.url:", "$.requests[1].request.body:", "$.requests[1].request.body.template:",
		"$.requests[1].response.output:", "$.requests[1].response.outputSchema:",
	} {
		if !strings.Contains(strings.Join(got, "\n"), path) {
			t.Errorf("nothing at %s", path)
		}
	}
}

func TestURLsThatVaryWhereTheyMay(t *testing.T) {
	for name, request := range map[string]string{
		"a segment":                  `"url":"'ORIGIN/users/' + #string.asUrlEncoded(inputs.x)",` + takesText,
		"a segment in braces":        `"url":"ORIGIN/users/${#string.asUrlEncoded(inputs.x)}/mail",` + takesText,
		"a parameter":                `"url":"variables.base + '/find?q=' + #string.asUrlEncoded(inputs.x)",` + takesText,
		"a secret in a parameter":    `"url":"variables.base + '/find?key=' + #string.asUrlEncoded(secrets.key)"`,
		"the domain of an address":   `"url":"'ORIGIN/d/' + #string.split(inputs.x, '@')[1]",` + takesText,
		"one of a list, looked up":   `"url":"'ORIGIN/' + {'eu': 'europe', 'us': 'america'}[inputs.r]","inputSchema":"{\"properties\":{\"r\":{\"enum\":[\"eu\",\"us\"]}}}"`,
		"a number":                   `"url":"'ORIGIN/users?page=' + inputs.n","inputSchema":"{\"properties\":{\"n\":{\"type\":\"integer\"}}}"`,
		"a member of an object":      `"url":"'ORIGIN/users/' + #string.asUrlEncoded(inputs.u.id)","inputSchema":"{\"properties\":{\"u\":{\"properties\":{\"id\":{}}}}}"`,
		"an element of a list":       `"url":"'ORIGIN/users/' + #string.asUrlEncoded(inputs.l[0])","inputSchema":"{\"properties\":{\"l\":{\"type\":\"array\"}}}"`,
		"a host from a variable":     `"url":"variables.base + '/users/' + #string.asUrlEncoded(inputs.x)",` + takesText,
		"plain text":                 `"url":"ORIGIN/get?a=b&c=d"`,
		"an optional parameter":      `"url":"'ORIGIN/find' + (#string.isNotEmpty(inputs.x) ? '?q=' + #string.asUrlEncoded(inputs.x) : '')",` + takesText,
		"text without an expression": `"url":"http://a.example:8080/x"`,
	} {
		t.Run(name, func(t *testing.T) {
			if got := faults(t, body("https://a.example", ``, `"request":{"method":"GET",`+request+`}`)); len(got) > 0 {
				t.Error(strings.Join(got, "\n"))
			}
		})
	}
}
