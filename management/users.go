package management

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"doorward/directory"
	"doorward/directory/hash"
	"doorward/runtime/flow"
)

// usersPath is the collection of users, and userPath one of them.
const (
	usersPath = prefix + "/:env/users"
	userPath  = usersPath + "/:id"
)

// userRoutes are the routes of users and of all that is theirs.
// Source: reference/management.md 5.3, 5.4, 5.9.
func userRoutes() []route {
	include := []string{"include", "expand"}
	plain := []string{jsonType}
	routes := []route{
		{usersPath, []operation{
			{method: http.MethodGet, access: identities, params: []string{"limit", "cursor", "filter", "include"}, run: listUsers},
			{method: http.MethodPost, access: identities, types: plain, run: func(c *call) (*answer, error) { return createUser(c, creating) }},
			{method: http.MethodPost, access: identities, types: action("user.import"), run: func(c *call) (*answer, error) { return createUser(c, importing) }},
		}},
		{userPath, append(accountActions(),
			operation{method: http.MethodGet, access: identities, params: include, run: readUserDocument},
			operation{method: http.MethodPut, access: identities, types: plain, run: func(c *call) (*answer, error) { return updateUser(c, replacing) }},
			operation{method: http.MethodPatch, access: identities, types: plain, run: func(c *call) (*answer, error) { return updateUser(c, patching) }},
			operation{method: http.MethodDelete, access: identities, run: deleteUser},
		)},
	}
	return slices.Concat(routes, userParts(), []route{passwordRoute()}, consentRoutes(), deviceRoutes(), linkRoutes())
}

// user is the one that the path names.
func (c *call) user() (directory.User, error) {
	u, err := c.api.Users.Get(c.Context(), c.env, c.PathValue("id"))
	return u, absent(err)
}

// absent turns what a store says of an unknown row into the answer for it.
func absent(err error) error {
	if errors.Is(err, flow.ErrUnknown) {
		return notFound()
	}
	return unserved(err)
}

// unserved is a failure of a part below; nil stays nil.
func unserved(err error) error {
	if err == nil {
		return nil
	}
	if f := (*flow.Fault)(nil); errors.As(err, &f) {
		return f
	}
	if errors.Is(err, directory.ErrBusy) || errors.Is(err, context.DeadlineExceeded) {
		return flow.Busy(err)
	}
	return flow.Unserved(err)
}

func (c *call) userURL(id string) string { return c.base() + "/users/" + id }

// userLinks are those of a user. Source: examples/management doc-user-read; what
// is not here (roleAssignments) has no address yet.
func (c *call) userLinks(u *directory.User) object {
	self := c.userURL(u.ID)
	password := self + "/password"
	l := links("self", self, "environment", c.base(), "population", c.base()+"/populations/"+u.Population, "password", password)
	for _, rel := range []string{"password.reset", "password.set", "password.check", "password.recover"} {
		l = l.link(rel, password)
	}
	for _, rel := range []string{"agreementConsents", "devices", "pairingKeys", "trustedBrowsers", "certificates", "linkedAccounts", "mfaEnabled"} {
		l = l.link(rel, self+"/"+rel)
	}
	if locked(u, c.api.Now()) {
		l = l.link("account.unlock", self)
	} else {
		l = l.link("account.lock", self)
	}
	if u.Unverified {
		l = l.link("user.verify", self)
	}
	return l.link("account.sendVerificationCode", self)
}

// showUser is a whole user.
func (c *call) showUser(u *directory.User) object {
	return append(object{{"_links", c.userLinks(u)}}, c.userDocument(u)...)
}

func listUsers(c *call) (*answer, error) {
	if _, err := c.oneOf("include", memberships()...); err != nil {
		return nil, err
	}
	limit, err := c.pageSize()
	if err != nil {
		return nil, err
	}
	where, err := c.condition(directory.UserAttributes())
	if err != nil {
		return nil, err
	}
	after, err := c.after()
	if err != nil {
		return nil, err
	}
	p, err := c.api.Users.List(c.Context(), c.env, directory.Query{Where: where, After: after, Limit: limit})
	switch {
	case errors.Is(err, directory.ErrCursor):
		return nil, badCursor()
	case err != nil:
		return nil, unserved(badFilter(err))
	}
	var members []any
	for i := range p.Users {
		members = append(members, c.showUser(&p.Users[i]))
	}
	return ok(c.collection("users", members, p.Next, "", p.Count))
}

// memberships are what include may ask for: there are no groups, so that both are
// empty and left out. Source: reference/management.md 5.3.
func memberships() []string { return []string{"memberOfGroupIDs", "memberOfGroupNames"} }

// createUser makes a user, or takes one over from elsewhere with a password.
func createUser(c *call, m manner) (*answer, error) {
	v, err := c.document()
	if err != nil {
		return nil, err
	}
	edit, faults := readUser(v, m)
	population, err := c.population(edit.population)
	if err != nil {
		return nil, err
	}
	if population == "" {
		faults = append(faults, unknownPopulation("population.id", "/population/id"))
	}
	taken, err := c.taken(edit.set["username"], "")
	if err != nil {
		return nil, err
	}
	faults = append(faults, taken...)
	if len(faults) > 0 {
		return nil, flow.Invalid(faults...)
	}
	u := directory.User{Env: c.env, Enabled: true, Population: population, Unverified: edit.unverified, MustChange: edit.forceChange && edit.password != "", MFAEnabled: c.bundle.MFASettings().MFAEnabledByDefault}
	if err := edit.apply(&u, m); err != nil {
		return nil, err
	}
	mailed := u.Unverified && !edit.silent && u.Email != ""
	if mailed {
		u, err = c.api.Accounts.Create(c.Context(), u, edit.password)
	} else {
		u, err = c.api.Users.Create(c.Context(), u, edit.password, "")
	}
	if err != nil {
		return nil, c.refusedUser(err, edit.set["username"])
	}
	c.api.record(c, flow.Event{Type: flow.ManagementCreated, User: u.ID, Reason: "user " + u.ID})
	if mailed {
		c.verificationSent(u.ID)
	}
	return created(c.userURL(u.ID), c.showUser(&u))
}

// population is the id of a population that is there, the default one for an
// empty id; empty when there is none. What was made a moment ago is not served
// yet, and is looked for where it is kept.
func (c *call) population(id string) (string, error) {
	if p, served := c.bundle.Population(id); served {
		return p.ID, nil
	}
	_, err := c.api.Editor.Read(c.Context(), c.env, kindNamed("population"), nil, id)
	switch {
	case errors.Is(err, flow.ErrUnknown):
		return "", nil
	case err != nil:
		return "", refused(err)
	}
	return id, nil
}

func unknownPopulation(target, pointer string) flow.Detail {
	return flow.Detail{Code: flow.InvalidValue, Target: target, Pointer: pointer, Message: "There is no such population in this environment."}
}

// taken says whose a username is, unless it is the user's own.
func (c *call) taken(username, own string) ([]flow.Detail, error) {
	if username == "" {
		return nil, nil
	}
	u, err := c.api.Users.Find(c.Context(), c.env, "username", username)
	switch {
	case errors.Is(err, flow.ErrUnknown) || err == nil && u.ID == own:
		return nil, nil
	case err != nil:
		return nil, unserved(err)
	}
	return []flow.Detail{{
		Code: flow.UniquenessViolation, Target: "username", Pointer: "/username", Inner: map[string]any{"existingId": u.ID},
		Message: "The username is another user's; usernames are unique in the environment.",
	}}, nil
}

// refusedUser is the fault of a document that only the directory could refuse.
func (c *call) refusedUser(err error, username string) error {
	switch {
	case errors.Is(err, directory.ErrTaken):
		taken, failure := c.taken(username, "")
		if failure != nil || len(taken) == 0 { // somebody was quicker, and has gone again
			return flow.Busy(err)
		}
		return flow.Invalid(taken...)
	case errors.Is(err, directory.ErrProfile):
		return flow.Invalid(flow.Detail{Code: flow.SizeLimitExceeded, Message: "The attributes are over 64 KiB together; send less."})
	case errors.Is(err, hash.ErrForm), errors.Is(err, hash.ErrCost):
		return flow.Invalid(hashFault("password.value", err))
	}
	return absent(err)
}

// hashFault says why a hashed password is not taken.
func hashFault(target string, err error) flow.Detail {
	d := flow.Detail{Code: flow.InvalidValue, Target: target, Pointer: pointer(target), Message: "The password looks hashed, and is in no form that is read here. Send it in clear or in a form of the documentation."}
	if errors.Is(err, hash.ErrCost) {
		d.Message = "The hash asks for more work than a sign-on is worth. Lower its cost, or send the password in clear."
	}
	return d
}

// updateUser replaces or changes attributes; population, password and account are
// changed elsewhere. Source: reference/management.md 5.3, 7.1.
func updateUser(c *call, m manner) (*answer, error) {
	v, err := c.document()
	if err != nil {
		return nil, err
	}
	before, err := c.user()
	if err != nil {
		return nil, err
	}
	edit, faults := readUser(v, m)
	if edit.population != "" && edit.population != before.Population {
		faults = append(faults, flow.Detail{
			Code: flow.ConstraintViolation, Target: "population.id", Pointer: "/population/id",
			Message: "The population is not changed with the user. Send PUT to the user's population.",
		})
	}
	taken, err := c.taken(edit.set["username"], before.ID)
	if err != nil {
		return nil, err
	}
	if faults = append(faults, taken...); len(faults) > 0 {
		return nil, flow.Invalid(faults...)
	}
	u, err := c.api.Users.Update(c.Context(), c.env, before.ID, func(u *directory.User) error { return edit.apply(u, m) })
	if err != nil {
		return nil, c.refusedUser(err, edit.set["username"])
	}
	c.api.record(c, flow.Event{Type: flow.ManagementUpdated, User: u.ID, Reason: "user " + u.ID})
	return ok(c.showUser(&u))
}

func deleteUser(c *call) (*answer, error) {
	id := c.PathValue("id")
	if err := c.api.Users.Delete(c.Context(), c.env, id); err != nil {
		return nil, absent(err)
	}
	c.api.record(c, flow.Event{Type: flow.ManagementDeleted, User: id, Reason: "user " + id})
	return nothing()
}
