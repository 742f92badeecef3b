// Package placeholder compiles what stands in "${" and "}" in the definitions of
// flows.
//
//	placeholder := "${" segment {"." segment} "}"
//	segment     := letters, digits, "_" and "-", of any script
//
//	${flow.id}                              the execution
//	${flow.definition.id}                   the definition that it runs
//	${flow.context.user.ATTRIBUTE}          who signs on
//	${flow.inputs.parameters.NAME}          what it was started with
//	${flow.inputs.headers.user-agent}       or accept-language
//	${flow.request.http.remoteIp}
//	${steps.KEY.outputs.PATH}               what a step came to
//	${steps.KEY.error.code}                 or message: why it failed
//	${user.ATTRIBUTE}                       who signs on, by the schema
//
// A placeholder that is a whole string keeps the type of what it stands for. One
// among other text becomes text: strings as they are, numbers as they were
// written, objects and lists as JSON, nothing and secrets as nothing. There is no
// escape: text that holds "${" cannot be written. Source:
// reference/management.md 2.4.
package placeholder
