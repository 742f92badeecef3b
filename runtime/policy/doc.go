// Package policy compiles a sign-on policy into a flow.Plan, so that policies
// and flow definitions are run by one engine.
//
// Source cuts a policy and its actions down to what decides how a sign-on runs
// and writes that as canonical JSON (RFC 8785); its SHA-256 is the plan's name
// and what an execution is pinned to. Compile turns such a source into the plan.
//
//	Source  {"format":1,"name":"Single_Factor","actions":[{"type":"LOGIN","priority":1}]}
//	Compile 1.identify --IDENTIFIED, UNIDENTIFIED--> 1.password --AUTHENTICATED--> end
//	                                                 1.password --PASSWORD_EXPIRED--> 1.expired --CHANGED--> end
//	                                                 ...
package policy
