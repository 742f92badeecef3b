// Package directory keeps what lasts: users, their passwords and devices, the codes and
// messages that are mailed to them, what they have agreed to, configuration
// documents with their versions and plans, authorization codes and grants, signing
// keys, failure counts, the audit log. One repository type an aggregate, all over
// one DB.
//
// What holds everywhere:
//
//   - a nil error of Write says that the change survives kill -9 and power loss;
//   - what may happen once is one conditional statement or one unique key, never
//     a read followed by a write, unless the row was made ours before it was read;
//   - an effect key is performed once, and its repeat gets the first result;
//   - no password, secret or code is stored in a form that could be used;
//   - what is asked of an account that is not there takes the same statements,
//     hashes and rows as of one that is;
//   - any error but the documented ones says that the store cannot answer now:
//     the caller refuses.
//
// The statements are those that SQLite and PostgreSQL share ($1 parameters,
// ON CONFLICT, RETURNING, no dialect functions); what differs lies in sqlite*.go,
// postgres*.go and the migrations. On PostgreSQL writes run beside each other, at
// READ COMMITTED, so that the second of these promises is not only style there;
// and a statement that fails takes its transaction along, so that none may be
// tried out.
package directory
