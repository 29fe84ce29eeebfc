package store

import (
	"slices"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// The rules of changing who may decide what.
const (
	RuleLastAdministrator = "last-administrator"    // somebody administers everything, without an end
	RuleOwnScope          = "within-ones-own-scope" // nobody gives what they do not hold
)

// mayGovern refuses a change of who may decide what, where it leaves nobody to change it again, or gives what whoever makes it
// does not hold. Who has the database's password, or is the worker, is not a person here.
func (s *Store) mayGovern(t *tx, before, after catalog.Catalog, changes []catalog.Change) error {
	if before.Administered() && !after.Administered() {
		return fault.Late(RuleLastAdministrator, "Nobody would administer everything for good any more. Make somebody else an administrator first, everywhere and without an end.")
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
	who, isPerson, err := s.principal(t.ctx, t.Client(), t.actor.ID)
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
