// Package mailtest runs a real SMTP server for tests, on a free port of
// 127.0.0.1 and gone when the test ends. It takes all mail, with STARTTLS, TLS
// from the first byte or a password when asked to, keeps what arrived, and can be
// told to refuse, to be slow, to say nothing at all or to lose its last answer.
package mailtest
