// Package journey walks sign-ons from outside, over HTTP alone: as a browser
// does, as a client without a cookie jar does, and as an application that
// redeems a code. Requests go to the nodes of a deployment in turn, so that no
// node is ever asked twice in a row.
//
// Every answer is judged as it comes in: an error must have the one form that
// errors have, and must say nothing of what is inside. What must stay secret and
// what failed is kept in a Trail, for a test to look behind the deployment with.
package journey
