// Package delivery sends what the directory's outbox holds: it turns messages
// into mail, SMS and what calls say, in the language of the person, and hands mail to
// an SMTP server and the rest to a Phone.
//
// A message is written in the transaction that makes it true, and sent after the
// answer: no request ever waits for a server. A Worker claims messages a few
// at a time, sends each, and marks it.
//
// Four things hold:
//
//   - A message is sent once or not at all. A claim outlasts what it claims, so that
//     a message whose process died under it is not sent again; a mail server that took
//     a message and did not say so is not asked again. Whoever misses a message asks
//     for another one. Source: exactly once does not exist, RFC 5321 6.1. One who is
//     told a message's id, and so can tell a repeat, and does not answer, is asked three
//     times in all.
//   - What is nobody's, has expired or was refused for good is dropped. What was
//     not taken for now is tried again after 2 s, then twice as long each time, up
//     to 10 min.
//   - Addresses, numbers, codes and subjects are in no event, no log line and no error:
//     what a server answers is reported by its number.
//   - What a person or a stranger typed stays text, in subjects, text and HTML, and
//     a name that could be read as a message or a link is left out.
package delivery
