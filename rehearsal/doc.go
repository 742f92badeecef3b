// Package rehearsal tries out configuration before anybody signs on with it: it
// checks a directory of files, plays flow definitions as scripts say, draws them, and
// compares two of them. No server, database or network is needed, and nothing is left
// behind.
//
//	Check    files ─▶ configs.Check ─▶ Report
//	Play     script ─▶ a House of its own ─▶ Engine.Start, Act ─▶ what is expected
//	Draw     files ─▶ plan ─▶ verifier.Graph
//	Compare  two files ─▶ JSON Patch, and whether the plan changes
//
// A script is played by the real engine with the real step kinds; who calls Play
// builds the House, with a clock that stands still unless the script moves it, and has
// the script answer where a step calls an outside service. What a script types as a
// password, and what is mailed as a code, is in no output.
package rehearsal
