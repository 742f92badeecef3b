// Package expression is the language in which requests to other services, and
// what becomes of their answers, are written: a part of Spring's expression
// language with libraries of its own and without a way to Java.
//
//	expr     := or [ '?' expr ':' expr | '?:' expr ]
//	or       := and { ('or' | '||') and }
//	and      := not { ('and' | '&&') not }
//	not      := ('!' | 'not') not | relation
//	relation := sum [ ('<'|'lt'|'<='|'le'|'>'|'gt'|'>='|'ge'|'=='|'eq'|'!='|'ne'|'matches') sum ]
//	sum      := product { ('+' | '-') product }
//	product  := power { ('*' | '/' | 'div' | '%' | 'mod') power }
//	power    := unary [ '^' power ]
//	unary    := ('-' | '+' | '!') unary | postfix
//	postfix  := primary { '.' name | '[' expr ']' | '.?[' expr ']' | '.^[' expr ']' | '.$[' expr ']' | '.![' expr ']' }
//	primary  := literal | name | '#root' | '#this' | '#' library '.' function '(' [ expr { ',' expr } ] ')'
//	          | '(' expr ')' | '{' [ expr { ',' expr } ] '}' | '{' ( ':' | key ':' expr { ',' key ':' expr } ) '}'
//	          | 'new' type '[' ']' '{' [ expr { ',' expr } ] '}' | 'new' type '[' expr ']' { '[' expr ']' }
//
// Operators that are words are so in any case. Every operator between two values
// takes a space on both sides. A name is letters, digits and "_". An expression is
// one line. Source: reference/management.md 6.
//
// # Values
//
// What is read is decoded JSON, as encoding/json leaves it, with or without
// UseNumber. A number without a fraction is whole: int where 32 bits hold it, long
// where 64 do, and a big integer beyond; a float64 is whole up to 2^53. Everything
// else with a fraction is a double. Literals are as in Java: 1 is an int, 1L a long,
// 1.0 a double, 1.0f a float.
//
// What comes out is nil, bool, string, int64, float64, *big.Int, json.Number (a big
// decimal), []any or map[string]any. It may share parts with the root, and nothing
// else.
//
// # Differences from Java
//
//   - An int that grows out of 32 bits becomes a long; a long that grows out of 64 is
//     an error, where Java loses the upper bits. So is a double that is not finite.
//   - Characters are those of Unicode, not halves of UTF-16.
//   - Members of a JSON object have no order; where one shows, it is that of names.
//   - Of java.util.Formatter there are %s %S %d %x %X %o %f %e %E %c %C %b %B %n %%,
//     with flags, width, precision and index. Of DateTimeFormatter there is all but
//     the pad p, in English, weeks from Sunday.
//   - Regular expressions: see pattern.go.
//
// # Limits
//
// They stand in limits.go, and every one of them ends the evaluation with an Error
// whose Limit is true. No value can be built that is larger than they say, and no
// step does more than is charged for it.
package expression
