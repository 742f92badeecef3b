// Package condition compiles the condition language of sign-on policies into
// rules that decide whether an action runs.
//
//	rule         := {"and":[rule,...]} | {"or":[rule,...]} | {"not":data} | data
//	data         := equals | contains | secondsSince | ipRange
//	equals       := {"value":"${name}","equals":text, number or boolean}
//	contains     := {"value":"${name}","contains":text}
//	secondsSince := {"secondsSince":"${name}","greater":integer}
//	ipRange      := {"ipRange":["cidr",...],"contains":"${name}"}
//
// A rule on something that is not known is false, except secondsSince: a time
// that never was is longer ago than any limit, so that the action runs. A time
// in the future, beyond what clocks may be apart, is treated like one that never
// was, because no proof taken then would count. Source: reference/management.md 4.4, reference/flows.md 11.2.
package condition
