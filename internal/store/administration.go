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
	if before.Administered() && !after.Administered() {
		return fault.Late(RuleLastAdministrator, "Nobody would administer everything for good any more. Make somebody else an administrator first, everywhere and without an end.")
	}
	if approval.Governed(before, t.now) && !approval.Governed(after, t.now) {
		return fault.Late(RuleStaysByTwo, "Nobody could approve the next change of who decides any more. Give the role to somebody else first, or change the policy so that others can.")
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
