package store

import (
	"slices"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// The rules of changing who may decide what.
const (
	RuleLastAdministrator = "last-administrator"    // somebody administers everything, without an end
	RuleOwnScope          = "within-ones-own-scope" // nobody gives what they do not hold
)

// mayChange refuses a change of who may decide what, where it leaves nobody to change it again, or gives what whoever asks for it
// does not hold. Who has the database's password, or is the worker, is not a person here.
func (s *Store) mayChange(t *tx, before, after catalog.Catalog, changes []catalog.Change) error {
	if err := t.staysGoverned(before, after, changes); err != nil {
		return err
	}
	var scopes []access.Scope
	for _, c := range changes {
		if c.Kind.EditedBy() != access.ApplyCatalog {
			continue
		}
		scopes = append(scopes, scopesOf(before, c.Ref)...)
		scopes = append(scopes, scopesOf(after, c.Ref)...)
	}
	if len(scopes) == 0 {
		return nil
	}
	author := t.author
	if author.ID == "" {
		author = t.actor
	}
	who, isPerson, err := s.principal(t.ctx, t.Client(), author.ID)
	if err != nil || !isPerson {
		return err
	}
	holds := who.Holds(access.Administrator)
	for _, scope := range scopes {
		if !slices.ContainsFunc(holds, func(g access.Grant) bool { return scope.Within(g.Scope) }) {
			return fault.Refused(RuleOwnScope, "an administrator for "+scope.String(), "You administer less than this is about: %s.", scope)
		}
	}
	return nil
}

// staysGoverned refuses what would leave nobody who can change who decides, or an action without a policy. Who could is judged by those
// who have signed in: of a group, nobody knows whether anybody is in it.
func (t *tx) staysGoverned(before, after catalog.Catalog, changes []catalog.Change) error {
	if !slices.ContainsFunc(changes, func(c catalog.Change) bool { return c.Kind.EditedBy() == access.ApplyCatalog }) {
		return nil
	}
	had, err := t.known(before)
	if err != nil {
		return err
	}
	have, err := t.known(after)
	if err != nil {
		return err
	}
	if before.Administered(t.now) && !after.Administered(t.now) || slices.ContainsFunc(had, approval.Administers) && !slices.ContainsFunc(have, approval.Administers) {
		return fault.Late(RuleLastAdministrator, "Nobody who has signed in here would administer everything for good any more. Make somebody else an administrator first, everywhere and without an end, and have them sign in.")
	}
	if !approval.Governed(before, t.now) {
		return nil
	}
	if !approval.Governed(after, t.now) || approval.GovernedBy(before, had, t.now) && !approval.GovernedBy(after, have, t.now) {
		return fault.Late(RuleStaysByTwo, "Nobody who has signed in here could approve the next change of who decides any more. Give the role to somebody else first, and have them sign in, or change the policy so that others can.")
	}
	if lost := approval.Unapproved(before, after); len(lost) > 0 {
		return fault.Late(approval.RuleNoGap, "No policy would say any more who decides on this: %s. Put another one in its place in the same change.", approval.Case{Action: lost[0]})
	}
	return nil
}

// known are those who have signed in, with the roles that a catalogue gives them.
func (t *tx) known(c catalog.Catalog) ([]access.Principal, error) {
	all, err := t.electorate(c)
	return slices.DeleteFunc(all, approval.Stranger), err
}

// scopesOf is what a record of who may decide what is about: where an assignment holds, everything of any other.
func scopesOf(c catalog.Catalog, r catalog.Ref) []access.Scope {
	e, ok := c.Entry(r)
	if !ok {
		return nil
	}
	if a, is := e.Record.(catalog.Assignment); is {
		return []access.Scope{a.Scope()}
	}
	return []access.Scope{{}}
}
