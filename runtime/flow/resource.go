package flow

import "time"

// Edit is a change to the configuration of one environment. What it does not name
// stays.
type Edit struct {
	Env      string
	Remove   []Resource        // with their secrets; Kind and ID count
	Put      []Resource        // after that
	Secrets  map[string][]byte // in plain by "kind/id/name"; an empty one is removed
	Plans    map[Digest][]byte // by hash; never removed, since executions are pinned to them
	Versions []Version         // to be added, in this order; Number and At are made by the directory

	// Expected is the revision that the change rests on: when there was another
	// change since, to whichever environment, nothing is done. 0: whatever the
	// revision is.
	Expected int64
}

// Edited is what a change came to.
type Edited struct {
	Revision int64   // that of the change
	Numbers  []int64 // of its versions
}

// Version is a document as it was published once. Versions are added by an Edit
// and never changed or removed, not even with the document.
type Version struct {
	Env    string // that of the Edit
	Kind   string
	ID     string // of the document
	Number int64  // from 1, without gaps
	Hash   Digest
	Body   []byte // empty in a list
	Author string // who published it; empty: not known
	Note   string
	At     time.Time
}

// VersionPage is some versions of a document, the newest at the beginning,
// without their bodies.
type VersionPage struct {
	Versions []Version
	Next     string // after of the next page, which can stand in a URL; empty: this is the last
	Count    int    // of versions on all pages
}
