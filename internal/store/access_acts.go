package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"keyholder/ent"
	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
	"keyholder/internal/breakglass"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
)

// answerAccess runs a person's act on a request for access once under its id.
func (s *Store) answerAccess(ctx context.Context, as deed, work func(*tx, breakglass.Request, time.Time) (Outcome, error)) (Outcome, error) {
	return s.answer(ctx, as, func(t *tx) (Outcome, error) {
		now, err := t.moment()
		if err != nil {
			return Outcome{}, err
		}
		r, err := loadAccess(ctx, t.Client(), as.Object)
		if err != nil {
			return Outcome{}, err
		}
		return work(t, r, now)
	})
}

// AccessBallot is where a request for access stands with the people who decide. It is judged by the policies that it was filed under.
func (s *Store) AccessBallot(ctx context.Context, r breakglass.Request) (approval.Ballot, error) {
	return s.accessBallot(ctx, s.client, r)
}

func (s *Store) accessBallot(ctx context.Context, c *ent.Client, r breakglass.Request) (approval.Ballot, error) {
	version, err := s.CatalogAt(ctx, r.Terms.Catalog)
	if err != nil {
		return approval.Ballot{}, err
	}
	rules, err := rulesOf(version, breakglass.Asking(r.Terms.System, r.FiledAt))
	if err != nil {
		return approval.Ballot{}, err
	}
	yes, no := sides(r.Question)
	return s.balloted(ctx, c, rules, r.Requester, yes, no)
}

// HopesOfAccess says who can still decide on a request for access.
func (s *Store) HopesOfAccess(ctx context.Context, r breakglass.Request) (Hopes, error) {
	return readOnce(ctx, "hopes of "+r.Code, func() (Hopes, error) {
		b, err := s.AccessBallot(ctx, r)
		if err != nil {
			return Hopes{}, err
		}
		return s.hopes(ctx, b)
	})
}

// AccessVote is a vote on a request for access, which may let it last less long.
type AccessVote struct {
	Vote
	Shorter catalog.Duration
}

// DecideAccess counts one vote on a request for access.
func (s *Store) DecideAccess(ctx context.Context, v AccessVote) (Outcome, error) {
	as := v.deed()
	as.Action, as.What = "access.decide", append(as.What, v.Shorter.String())
	return s.answerAccess(ctx, as, func(t *tx, r breakglass.Request, now time.Time) (Outcome, error) {
		ballot, err := s.accessBallot(ctx, t.Client(), r)
		if err != nil {
			return Outcome{}, err
		}
		if v.By, err = s.principalNow(ctx, t, v.By); err != nil {
			return Outcome{}, err
		}
		after, err := r.Decide(v.By, approval.Decision{ID: v.ID, Verdict: v.Verdict, Comment: v.Comment, Digest: v.Digest}, v.Shorter, ballot, now)
		if err != nil {
			return Outcome{}, err
		}
		t.record(audit.Event{
			Action: "access.decide", Object: r.Code, Act: v.ID, Detail: detail(map[string]any{"decision": after.Decisions[len(after.Decisions)-1], "state": after.State, "allowed": after.Allowed}),
			Text: fmt.Sprintf("%s voted to %s %s, for %s at most; it is now %s.", v.By.Name, v.Verdict, r.Code, catalog.Lasting(after.Allowed.D()), after.State.Words()),
		})
		if err := t.addDecision(after.Question); err != nil {
			return Outcome{}, err
		}
		return Outcome{State: failover.State(after.State)}, t.saveAccess(after, false)
	})
}

// AccessVerb is what a person does to access.
type AccessVerb string

// The verbs.
const (
	WithdrawAccess AccessVerb = "withdraw"
	BeginAccess    AccessVerb = "begin"
	ReturnAccess   AccessVerb = "give-back"
	RevokeAccess   AccessVerb = "revoke"
	StateAccess    AccessVerb = "state"
	ReviewAccess   AccessVerb = "review"
)

// AccessCommand is what a person does to access.
type AccessCommand struct {
	ID      string // of the act
	Code    string
	By      access.Principal // roles are read anew; SignedInAt is the session's
	Verb    AccessVerb
	Note    string
	InOrder bool   // of a review
	Seen    string // digest of what a reviewer looked at
}

// CommandAccess does to access what a person asks for, once under the act's id.
func (s *Store) CommandAccess(ctx context.Context, c AccessCommand) (Outcome, error) {
	as := deed{c.ID, c.By, "access." + string(c.Verb), c.Code, []string{fmt.Sprint(c.InOrder), c.Note, c.Seen}}
	return s.answerAccess(ctx, as, func(t *tx, r breakglass.Request, now time.Time) (Outcome, error) {
		var err error
		if c.By, err = s.principalNow(ctx, t, c.By); err != nil {
			return Outcome{}, err
		}
		if err = s.commandAccess(t, r, c, now); err != nil {
			return Outcome{}, err
		}
		t.record(audit.Event{
			Action: as.Action, Object: r.Code, Act: c.ID, Detail: detail(map[string]any{"note": c.Note, "in_order": c.InOrder, "seen": c.Seen}),
			Text: fmt.Sprintf("%s: %s of %s, %s on %s.%s", c.By.Name, c.Verb, r.Code, r.Terms.Role, r.Terms.System.Name, spaced(c.Note)),
		})
		return Outcome{}, nil
	})
}

func (s *Store) commandAccess(t *tx, r breakglass.Request, c AccessCommand, now time.Time) error {
	if c.Verb == WithdrawAccess {
		q, err := r.Withdraw(c.By, now)
		if err != nil {
			return err
		}
		r.Question = q
		return t.saveAccess(r, true)
	}
	if c.Verb == BeginAccess {
		_, err := s.begin(t, c.By, r, now)
		return err
	}
	if r.Grant == nil {
		return fault.Refused(breakglass.RuleEnded, r.Requester.Name, "%s has not begun it.", r.Requester.Name)
	}
	g, err := *r.Grant, error(nil)
	switch c.Verb {
	case ReturnAccess:
		g, err = g.Return(c.By, now)
	case RevokeAccess:
		g, err = g.Revoke(c.By, c.Note, now)
	case StateAccess:
		g, err = g.State(c.By, c.Note, now)
	case ReviewAccess:
		g, err = g.Reviewed(c.By, c.InOrder, c.Note, c.Seen, now)
	default:
		err = fault.Missing("act on access", string(c.Verb))
	}
	if err != nil {
		return err
	}
	if err := t.saveGrant(g); err != nil {
		return err
	}
	if g.Ended != nil && r.Grant.Ended == nil {
		return t.settleSoon(g.System, g.Holder.ID)
	}
	return nil
}

// begin lets the holder's approved access begin: from here on it is given as soon as a connector can.
func (s *Store) begin(t *tx, by access.Principal, r breakglass.Request, now time.Time) (breakglass.Request, error) {
	version, err := s.Catalog(t.ctx)
	if err != nil {
		return r, err
	}
	before, err := past(t.ctx, t.Client(), breakglass.Holder{ID: by.ID, Name: by.Name, Mail: by.Mail}, r.Terms.System.Slug, now)
	if err != nil {
		return r, err
	}
	g, err := r.Begin(by, before, version.Opens(r.Terms.Eligibility, now), now)
	if err != nil {
		return r, err
	}
	system, _ := version.System(g.System)
	g.Logged = system.Log != ""
	if g.Objects, err = stillEligible(version, by, r, now); err != nil {
		return r, err
	}
	if err := approval.Recent(by, breakglass.RecentSignIn, now, "Access"); err != nil {
		return r, err
	}
	if err := t.createGrant(g); err != nil {
		return r, err
	}
	r.Grant = &g
	fresh, err := loadAccess(t.ctx, t.Client(), r.Code) // of an emergency it was filed just now
	if err != nil {
		return r, err
	}
	if err := t.saveAccess(fresh, true); err != nil {
		return r, err
	}
	return r, t.settleSoon(g.System, g.Holder.ID)
}

// stillEligible refuses to begin what one may not ask for any more: the eligibility is gone, or the role. It is what the system belongs to.
func stillEligible(version CatalogVersion, by access.Principal, r breakglass.Request, now time.Time) ([]access.Object, error) {
	e, ok := version.Eligibility(r.Terms.Eligibility.Slug)
	if !ok {
		return nil, fault.Refused(breakglass.RuleEligible, "a security officer", "%s is not agreed on any more.", r.Terms.Eligibility.Name)
	}
	system, _ := version.System(r.Terms.System.Slug)
	same, err := sameJSON(system.Params, r.Terms.System.Params)
	if err != nil {
		return nil, err
	}
	if !same || system.Connector != r.Terms.System.Connector || !slices.Contains(e.Roles, r.Terms.Role) || e.System != system.Slug {
		return nil, fault.Refused(approval.RuleBound, r.Requester.Name+", by asking anew", "What was agreed on, or how %s is reached, has changed since this was approved.", r.Terms.System.Name)
	}
	rules, err := approval.RulesOf(version.Catalog, breakglass.Asking(r.Terms.System, now))
	if err != nil {
		return nil, err
	}
	objects := rules.Objects()
	return objects, breakglass.MayAsk(by, e, objects)
}

// settleSoon has the process of a holder look at what they are to have on a system.
func (t *tx) settleSoon(system, person string) error {
	if err := t.Outbox.Create().SetRequestID(person).SetCode(HolderCode(system, person)).SetCreatedAt(t.now).Exec(t.ctx); err != nil {
		return fmt.Errorf("save outbox: %w", err)
	}
	return nil
}
