// Command bench measures doorward beside its limit: bench/bare, the same framework
// and Redis client doing only the round trips that cannot be avoided, on the same
// machine, in the same minutes.
//
// What is compared runs in turns, at least five rounds of it, and is divided round
// by round. The generator shares the cores with what it drives, so a request's cost
// is read from /proc, of the server and of Redis apart; requests per second count
// as a ratio only. A ratio is given with the range of its rounds. A difference
// within that range is "not shown", and so is a verdict. When the bare server
// itself moved by more than 20 % between rounds the numbers are printed and the
// program fails: the machine was not quiet enough to judge by.
//
// It needs the repository, a Go tool chain and redis-server. A missed target is
// printed and is no failure.
package main
