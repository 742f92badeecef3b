// Package verifier looks for holes in a plan before anybody meets them. It walks
// no execution: it explores what every step kind says of itself, and nothing
// else is known of a kind here, not even its name.
//
// A plan is explored as pairs of a step and a proof state: who has been named,
// whether it is sure that it is they, and which proofs were taken. Of the states
// in which a step can be reached only the least are kept (an antichain), because
// more proofs never spoil what fewer have satisfied, but for those by which an
// authenticator came about; there may be MostStates of them at a step. Everything that is found comes with the shortest path that
// shows it.
//
// What is assumed, where declarations leave room:
//
//   - A kind that is no flow.Stepper (the step kinds of sign-on policies) is taken
//     to wait when it has actions, and to prove Meta.Factors of the user by every
//     one of its results, as one authenticator named after the kind. A node's
//     Factors are what the plan asks for: by the end of the plan a step has to have
//     proven each class, or the session where the node's guard skipped it.
//   - A step without results that asks nobody can only fail. Failing ends the flow
//     as terminating it does.
//   - Who comes back by a link has been proven by another definition, which is
//     verified by itself.
//   - An authenticator that came about by a channel (flow.Taken.Rests) goes on
//     resting on it for the rest of the execution: a password that was set with a
//     mailed code and is asked for afterwards is still the mailbox. Of several
//     proofs of which a result takes one, those that rest on that channel are not
//     taken any more.
//   - ${flow.context.user...} is whom the session knows. It needs no proof of this
//     execution; the engine's ledger judges it.
//   - An object schema that lists properties has these and no others, unless it
//     says additionalProperties; a schema that says nothing allows everything.
//   - A placeholder that is a whole string keeps the type of its value and nothing
//     is converted, but that an integer is a number. Inside a text, everything
//     becomes text.
//
// Source: reference/management.md 2.3, 2.4.
package verifier
