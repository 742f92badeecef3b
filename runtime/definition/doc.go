// Package definition compiles flow definitions into plans.
//
// Source checks a definition, finds every mistake in it at once, and writes what
// decides how it runs as canonical JSON (RFC 8785), together with the forms and
// the definitions that it takes along. Its SHA-256 is the plan's name and what an
// execution is pinned to. Compile turns such a source into the plan.
//
//	Source  {"format":1,"id":"d1","kind":"flowDefinition","name":"Sign On",
//	         "resources":{"form":{"f1":{...}}},
//	         "steps":{"ask":{"type":"FORM","configuration":{"form":{"id":"f1"}},"outlets":{"SUBMITTED":"end"}},"end":{...}},
//	         "trigger":{"next":"ask","type":"EXPERIENCE"}}
//	Compile ask --SUBMITTED--> end --REDIRECT--> end of the plan
//
// A definition that calls another one holds its steps: they are compiled under
// the key of the call, and what they know of each other is renamed.
//
//	call                 node "call", keeps what it is called with under "call/"
//	  its steps          nodes "call/ask", "call/end", ...; steps.ask is steps.call/ask
//	  its inputs         flow.inputs.parameters.x is steps.call/.outputs.parameters.x
//	  its COMPLETE_FLOW  leads to where the call leads, keeps its outputs under "call"
//	  its failures       lead to node "call/", which hands them on as those of "call"
//
// In the plan of a sign-on policy the same happens to the whole definition: under
// "20" for the action of that priority, with nodes "20.ask" that keep what they
// came to under "20/ask", because a path has a dot between two segments.
// Source: reference/management.md 2.2 to 2.6, 2.9.
package definition
