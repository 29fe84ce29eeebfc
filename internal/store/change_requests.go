package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"

	"keyholder/ent"
	"keyholder/ent/changerequest"
	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
	"keyholder/internal/catalog"
	"keyholder/internal/change"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
)

// The rules of changes that take a second person.
const (
	RuleFourEyes     = "changed-by-two"       // what decides, gates or is carried out is changed by two people
	RuleStaysByTwo   = "stays-changed-by-two" // no change leaves nobody who could approve the next
	RuleNothingAsked = "something-changes"    // a request changes something
)

// changeQuestionOf is how a change request was decided, without what it changes.
func changeQuestionOf(row *ent.ChangeRequest, votes []*ent.Decision) approval.Question {
	by := access.Person{ID: row.RequesterID, Name: row.RequesterName}
	return approval.Question{
		ID: row.ID, Code: row.Code, Digest: row.Digest, Requester: by, Faceless: faceless(by),
		State: row.State, Round: row.Round, Open: row.Open, FiledAt: row.FiledAt.UTC(), ExpiresAt: row.ExpiresAt.UTC(),
		DecidedAt: utc(row.DecidedAt), Version: row.Revision, Decisions: decisionsOf(votes), Passes: passesOf(votes),
	}
}

func changeRequestOf(row *ent.ChangeRequest, votes []*ent.Decision) (change.Request, error) {
	r := change.Request{
		Question: changeQuestionOf(row, votes), Why: row.Why, Source: row.Source, Undoes: row.Undoes, Applied: row.Applied,
	}
	if err := json.Unmarshal(row.Terms, &r.Terms); err != nil {
		return r, fmt.Errorf("read what %s would change: %w", row.Code, err)
	}
	return r, nil
}

func loadChangeRequest(ctx context.Context, c *ent.Client, code string) (change.Request, error) {
	row, err := c.ChangeRequest.Query().Where(changerequest.Code(code)).Only(ctx)
	if ent.IsNotFound(err) {
		return change.Request{}, fault.Missing("change request", code)
	}
	if err != nil {
		return change.Request{}, fmt.Errorf("load change request %s: %w", code, err)
	}
	all, err := changeRequestsOf(ctx, c, []*ent.ChangeRequest{row})
	if err != nil {
		return change.Request{}, err
	}
	return all[0], nil
}

// changeRequestsOf are rows with their votes.
func changeRequestsOf(ctx context.Context, c *ent.Client, rows []*ent.ChangeRequest) ([]change.Request, error) {
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	of, err := votesOn(ctx, c, ids)
	if err != nil {
		return nil, err
	}
	all := make([]change.Request, len(rows))
	for i, row := range rows {
		if all[i], err = changeRequestOf(row, of[row.ID]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// ChangeRequest loads a change request by its code.
func (s *Store) ChangeRequest(ctx context.Context, code string) (change.Request, error) {
	return readOnce(ctx, "change request "+code, func() (change.Request, error) { return loadChangeRequest(ctx, s.client, code) })
}

// OpenChangeRequests are those that wait for a decision, oldest first; those whose time is over are among them until somebody
// closes them.
func (s *Store) OpenChangeRequests(ctx context.Context) ([]change.Request, error) {
	return readOnce(ctx, "open change requests", func() ([]change.Request, error) { return openChangeRequests(ctx, s.client) })
}

func openChangeRequests(ctx context.Context, c *ent.Client) ([]change.Request, error) {
	rows, err := c.ChangeRequest.Query().Where(changerequest.StateEQ(approval.Requested)).Order(changerequest.ByFiledAt()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load open change requests: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	return changeRequestsOf(ctx, c, rows)
}

// DecidedChangeRequests are those that nobody can decide on any more, the newest first.
func (s *Store) DecidedChangeRequests(ctx context.Context, most int) ([]change.Request, error) {
	rows, err := s.client.ChangeRequest.Query().Where(changerequest.StateNEQ(approval.Requested)).
		Order(changerequest.ByFiledAt(sql.OrderDesc())).Limit(most).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load decided change requests: %w", err)
	}
	return changeRequestsOf(ctx, s.client, rows)
}

// QuestionOf is the question by which a version of the catalogue came about, if it was asked.
func (s *Store) QuestionOf(ctx context.Context, version int) (approval.Question, bool, error) {
	return questionOfVersion(ctx, s.client, version)
}

// questionOfVersion leaves out what was changed, which may be thousands of records.
func questionOfVersion(ctx context.Context, c *ent.Client, version int) (approval.Question, bool, error) {
	fields := slices.DeleteFunc(slices.Clone(changerequest.Columns), func(name string) bool { return name == changerequest.FieldTerms })
	rows, err := c.ChangeRequest.Query().Where(changerequest.Applied(version)).Limit(1).Select(fields...).All(ctx)
	if err != nil || len(rows) == 0 {
		return approval.Question{}, false, err
	}
	of, err := votesOn(ctx, c, []string{rows[0].ID})
	return changeQuestionOf(rows[0], of[rows[0].ID]), err == nil, err
}

// saveChangeRequest writes what can change, guarded by the version that was loaded.
func (t *tx) saveChangeRequest(r change.Request) error {
	terms, err := json.Marshal(r.Terms)
	if err != nil {
		return fmt.Errorf("write what %s would change: %w", r.Code, err)
	}
	n, err := t.ChangeRequest.Update().Where(changerequest.ID(r.ID), changerequest.Revision(r.Version)).
		SetTerms(terms).SetDigest(r.Digest).SetState(r.State).SetRound(r.Round).SetOpen(r.Open).SetApplied(r.Applied).
		SetNillableDecidedAt(r.DecidedAt).SetRevision(r.Version + 1).Save(t.ctx)
	if err != nil {
		return fmt.Errorf("save change request %s: %w", r.Code, err)
	}
	if n == 0 {
		return errStale
	}
	t.changed = true
	return nil
}

// ChangeBallot is where a change request stands: what it must meet, and who has voted how, with the roles that they hold now.
func (s *Store) ChangeBallot(ctx context.Context, r change.Request) (approval.Ballot, error) {
	return s.changeBallot(ctx, s.client, r)
}

func (s *Store) changeBallot(ctx context.Context, c *ent.Client, r change.Request) (approval.Ballot, error) {
	now, err := s.Catalog(ctx)
	if err != nil {
		return approval.Ballot{}, err
	}
	rules, err := readOnce(ctx, "rules of "+r.Digest, func() (approval.Rules, error) {
		rules, err := r.Terms.RulesOf(now.Catalog, r.FiledAt)
		if fault.As(err) != nil {
			return nil, nil // no policy: nobody can vote
		}
		return rules, err
	})
	if err != nil {
		return approval.Ballot{}, err
	}
	yes, no := sides(r.Question)
	b, err := s.balloted(ctx, c, rules, r.Requester, yes, no)
	b.Faceless = faceless(r.Requester)
	return b, err
}

// CommandLine begins the id of whoever runs the command line, by the machine's word.
const CommandLine = "cli:"

// HopesOfChange says who can still decide on a change request.
func (s *Store) HopesOfChange(ctx context.Context, r change.Request) (Hopes, error) {
	return readOnce(ctx, "hopes of "+r.Code, func() (Hopes, error) {
		b, err := s.ChangeBallot(ctx, r)
		if err != nil {
			return Hopes{}, err
		}
		return s.hopes(ctx, b)
	})
}

// Proposal is a change request before it is filed.
type Proposal struct {
	ID     string // of the act, so that a doubled click files once
	Terms  change.Terms
	Why    string
	Source string
	Undoes int
}

// Propose files a change request.
func (s *Store) Propose(ctx context.Context, by access.Person, p Proposal) (change.Request, error) {
	var filed change.Request
	err := s.personal(ctx, by, "change.file", "catalog", func(t *tx) (err error) {
		filed, err = s.propose(t, p)
		return err
	})
	return filed, err
}

func (s *Store) propose(t *tx, p Proposal) (change.Request, error) {
	if row, err := t.ChangeRequest.Get(t.ctx, p.ID); err == nil {
		return changeRequestOf(row, nil)
	} else if !ent.IsNotFound(err) {
		return change.Request{}, fmt.Errorf("look up change request: %w", err)
	}
	if err := t.turn(); err != nil { // first, so that two who propose at once see each other
		return change.Request{}, err
	}
	r := change.Request{
		Question: approval.Question{ID: p.ID, Code: newCode("CH"), Requester: t.actor, Faceless: faceless(t.actor), State: approval.Requested, Round: 1, Open: true, FiledAt: t.now},
		Terms:    p.Terms, Why: p.Why, Source: p.Source, Undoes: p.Undoes,
	}
	if r.Terms.Empty() {
		return r, fault.Late(RuleNothingAsked, "Nothing would be changed: all of it is in force already.")
	}
	now, err := s.tryTerms(t, r.Terms)
	if err != nil {
		return r, err
	}
	rules, err := r.Terms.RulesOf(now.Catalog, t.now)
	if err != nil {
		return r, err
	}
	if r.Terms.Rules, err = rules.Digest(); err != nil {
		return r, err
	}
	if r.Digest, err = r.Terms.Digest(); err != nil {
		return r, err
	}
	ballot, err := s.balloted(t.ctx, t.Client(), rules, t.actor, nil, nil)
	if err != nil {
		return r, err
	}
	ballot.Faceless = faceless(t.actor)
	if err := t.somebodyCan(now.Catalog, ballot); err != nil {
		return r, err
	}
	r.ExpiresAt = t.now.Add(rules.Lifetime())
	terms, err := json.Marshal(r.Terms)
	if err != nil {
		return r, fmt.Errorf("write what %s would change: %w", r.Code, err)
	}
	err = t.ChangeRequest.Create().SetID(r.ID).SetCode(r.Code).SetTerms(terms).SetDigest(r.Digest).SetWhy(r.Why).SetSource(r.Source).SetUndoes(r.Undoes).
		SetRequesterID(r.Requester.ID).SetRequesterName(r.Requester.Name).SetState(r.State).SetFiledAt(r.FiledAt).SetExpiresAt(r.ExpiresAt).Exec(t.ctx)
	if err != nil {
		return r, fmt.Errorf("save change request: %w", err)
	}
	changes, err := r.Terms.Changes()
	if err != nil {
		return r, err
	}
	t.record(audit.Event{
		Action: "change.file", Object: r.Code, Text: fmt.Sprintf("%s proposed %s: %s.", t.actor.Name, r.Code, amountWords(r.Terms)),
		Detail: proposalDetail(now.Catalog, r, changes),
	})
	return r, nil
}

// amountWords says how much would be changed.
func amountWords(t change.Terms) string {
	var parts []string
	if n := len(t.Records); n == 1 {
		parts = append(parts, "1 record of the catalogue ("+t.Records[0].String()+")")
	} else if n > 1 {
		parts = append(parts, fmt.Sprintf("%d records of the catalogue", n))
	}
	if n := len(t.Plans); n == 1 {
		parts = append(parts, "1 plan ("+t.Plans[0].Slug+")")
	} else if n > 1 {
		parts = append(parts, fmt.Sprintf("%d plans", n))
	}
	return strings.Join(parts, ", ")
}

func proposalDetail(now catalog.Catalog, r change.Request, changes []catalog.Change) json.RawMessage {
	return detail(map[string]any{
		"digest": r.Digest, "why": r.Why, "source": r.Source, "undoes": r.Undoes, "rules": r.Terms.Rules,
		"changes": said(now, changes), "records": len(changes), "plans": len(r.Terms.Plans),
	})
}

// DecideChange counts one vote on a change request. With the vote that makes it enough the change is in force, in the same
// transaction, all of it or none.
func (s *Store) DecideChange(ctx context.Context, v Vote) (Outcome, error) {
	as := v.deed()
	as.Action = "change.decide"
	return s.answer(ctx, as, func(t *tx) (Outcome, error) {
		r, err := loadChangeRequest(ctx, t.Client(), v.Code)
		if err != nil {
			return Outcome{}, err
		}
		ballot, err := s.changeBallot(ctx, t.Client(), r)
		if err != nil {
			return Outcome{}, err
		}
		if v.By, err = s.principalNow(ctx, t, v.By); err != nil {
			return Outcome{}, err
		}
		next, err := r.Decide(v.By, approval.Decision{ID: v.ID, Verdict: v.Verdict, Comment: v.Comment, Digest: v.Digest}, ballot, t.now)
		if err != nil {
			return Outcome{}, err
		}
		if err := t.addDecision(next.Question); err != nil {
			return Outcome{}, err
		}
		t.record(audit.Event{
			Action: "change.decide", Object: r.Code, Act: v.ID,
			Text:   fmt.Sprintf("%s voted to %s %s; it is now %s.", v.By.Name, v.Verdict, r.Code, next.State.Words()),
			Detail: detail(map[string]any{"decision": next.Decisions[len(next.Decisions)-1], "state": next.State}),
		})
		if err := t.saveChangeRequest(next); err != nil {
			return Outcome{}, err
		}
		if next.State == approval.Approved {
			err = s.putInForce(t, next)
		}
		return Outcome{State: failover.State(next.State)}, err
	})
}

// putInForce does what an approved change request asks for, on behalf of who asked for it.
func (s *Store) putInForce(t *tx, r change.Request) error {
	t.author = r.Requester
	if _, err := s.tryTerms(t, r.Terms); err != nil {
		return err
	}
	rows, err := t.rowsOf(r.Terms)
	if err != nil {
		return err
	}
	by := r.Requester.Name + ", approved by " + joined(r.Approvers())
	if len(rows) > 0 {
		about := CatalogChange{By: by, Why: r.Why, Source: r.Source}
		version, err := s.changeCatalog(t, "change.apply", about, rows)
		if err != nil {
			return err
		}
		if err := t.ChangeRequest.UpdateOneID(r.ID).SetApplied(version).Exec(t.ctx); err != nil {
			return fmt.Errorf("note what %s made: %w", r.Code, err)
		}
	}
	for _, p := range r.Terms.Plans {
		var plan failover.Plan
		if err := json.Unmarshal(p.Body, &plan); err != nil {
			return fmt.Errorf("read plan %s: %w", p.Slug, err)
		}
		if _, err := t.publishPlan(plan, by); err != nil {
			return err
		}
	}
	return nil
}

// changeOwnerNow is whom somebody acts as on a change request, by the roles that they hold now.
func (s *Store) changeOwnerNow(ctx context.Context, t *tx, by access.Principal, r change.Request) (access.Principal, error) {
	ballot, err := s.changeBallot(ctx, t.Client(), r)
	if err != nil {
		return by, err
	}
	if by, err = s.principalNow(ctx, t, by); err != nil {
		return by, err
	}
	return ballot.As(by, access.ProposeChange), nil
}

// WithdrawChange takes a change request back, once under its act's id.
func (s *Store) WithdrawChange(ctx context.Context, a Amend) (Outcome, error) {
	as := a.deed()
	as.Action, as.What = "change.withdraw", nil
	return s.answer(ctx, as, func(t *tx) (Outcome, error) {
		r, err := loadChangeRequest(ctx, t.Client(), a.Code)
		if err != nil {
			return Outcome{}, err
		}
		as, err := s.changeOwnerNow(ctx, t, a.By, r)
		if err != nil {
			return Outcome{}, err
		}
		if r, err = r.Withdraw(as, t.now); err != nil {
			return Outcome{}, err
		}
		t.record(audit.Event{Action: "change.withdraw", Object: r.Code, Text: fmt.Sprintf("%s withdrew %s.", a.By.Name, r.Code)})
		return Outcome{State: failover.State(r.State)}, t.saveChangeRequest(r)
	})
}

// ConfirmChange reopens the voting on a change request as it reads on what is in force now, which its requester was shown.
func (s *Store) ConfirmChange(ctx context.Context, a Amend) (Outcome, error) {
	as := a.deed()
	as.Action = "change.confirm"
	return s.answer(ctx, as, func(t *tx) (Outcome, error) {
		r, err := loadChangeRequest(ctx, t.Client(), a.Code)
		if err != nil {
			return Outcome{}, err
		}
		based, err := s.rebase(t.ctx, t.Client(), r.Terms, r.FiledAt)
		if err != nil {
			return Outcome{}, err
		}
		as, err := s.changeOwnerNow(ctx, t, a.By, r)
		if err != nil {
			return Outcome{}, err
		}
		if r, err = r.Confirm(as, based.Terms, a.Shown, t.now); err != nil {
			return Outcome{}, err
		}
		if r.Terms.Empty() {
			return Outcome{}, fault.Late(RuleNothingAsked, "Nothing is left to change: all of it is in force already. Withdraw the request.")
		}
		now, err := s.tryTerms(t, r.Terms)
		if err != nil {
			return Outcome{}, err
		}
		ballot, err := s.changeBallot(ctx, t.Client(), r)
		if err != nil {
			return Outcome{}, err
		}
		if err := t.somebodyCan(now.Catalog, ballot); err != nil {
			return Outcome{}, err
		}
		t.record(audit.Event{
			Action: "change.confirm", Object: r.Code, Detail: detail(map[string]any{"digest": r.Digest, "rules": r.Terms.Rules}),
			Text: fmt.Sprintf("%s confirmed what changed under %s; voting is open again.", a.By.Name, r.Code),
		})
		return Outcome{State: failover.State(r.State)}, t.saveChangeRequest(r)
	})
}

// ExpireChanges closes the change requests that nobody decided in time.
func (s *Store) ExpireChanges(ctx context.Context) error {
	open, err := s.OpenChangeRequests(ctx)
	if err != nil {
		return err
	}
	for _, r := range open {
		if r.Standing(s.Now()) != approval.Expired {
			continue
		}
		err := s.act(ctx, audit.Worker, func(t *tx) error {
			r, err := loadChangeRequest(ctx, t.Client(), r.Code)
			if err != nil || r.State != approval.Requested {
				return err
			}
			if r, err = r.RunOut(t.now); err != nil {
				return err
			}
			t.record(audit.Event{Action: "change.expire", Object: r.Code, Rule: approval.RuleExpiry, Text: fmt.Sprintf("%s expired: nobody decided in time.", r.Code)})
			return t.saveChangeRequest(r)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// voidChanges voids the votes on open change requests that something newly in force touches, until their requesters confirm.
func (t *tx) voidChanges(why string, touches func(change.Request) (bool, error)) error {
	open, err := openChangeRequests(t.ctx, t.Client())
	if err != nil {
		return err
	}
	for _, r := range open {
		if !r.Open {
			continue
		}
		touched, err := touches(r)
		if err != nil {
			return err
		}
		if !touched {
			continue
		}
		if r, err = r.VoidVotes(); err != nil {
			return err
		}
		if err := t.saveChangeRequest(r); err != nil {
			return err
		}
		t.record(audit.Event{
			Action: "change.void-votes", Object: r.Code,
			Text: fmt.Sprintf("Votes on %s are void: %s %s must confirm the difference.", r.Code, why, r.Owner()),
		})
	}
	return nil
}
