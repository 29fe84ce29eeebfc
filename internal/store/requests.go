package store

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"keyholder/ent"
	"keyholder/ent/auditevent"
	"keyholder/ent/decision"
	"keyholder/ent/factsheet"
	"keyholder/ent/incident"
	"keyholder/ent/predicate"
	"keyholder/ent/request"
	"keyholder/ent/run"
	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
)

func requestOf(row *ent.Request, votes []*ent.Decision) failover.Request {
	by := access.Person{ID: row.RequesterID, Name: row.RequesterName}
	return failover.Request{
		Question: approval.Question{
			ID: row.ID, Code: row.Code, Digest: row.Digest, Requester: by, Faceless: faceless(by),
			State: row.State, Round: row.Round, Open: row.Open, FiledAt: row.FiledAt.UTC(), ExpiresAt: row.ExpiresAt.UTC(),
			DecidedAt: utc(row.DecidedAt), Version: row.Revision, Decisions: decisionsOf(votes), Passes: passesOf(votes),
		},
		Incident: row.Incident, Terms: row.Terms, Reason: row.Reason, Impact: row.ImpactAt.UTC(),
		Order: failover.OrderRef{Slug: row.ByOrder, Since: row.OrderSince},
	}
}

func decisionsOf(votes []*ent.Decision) []approval.Decision {
	var decisions []approval.Decision
	for _, v := range votes {
		if v.Round < 0 {
			continue // a pass
		}
		decisions = append(decisions, approval.Decision{
			ID: v.ID, By: access.Person{ID: v.VoterID, Name: v.VoterName}, Roles: v.Roles, Verdict: v.Verdict,
			Comment: v.Comment, Round: v.Round, Digest: v.Digest, Sheet: v.Sheet, At: v.At.UTC(),
		})
	}
	return decisions
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}

// loadRequest loads a request with all its decisions.
func loadRequest(ctx context.Context, c *ent.Client, code string) (failover.Request, error) {
	row, err := c.Request.Query().Where(request.Code(code)).Only(ctx)
	if ent.IsNotFound(err) {
		return failover.Request{}, fault.Missing("request", code)
	}
	if err != nil {
		return failover.Request{}, fmt.Errorf("load request %s: %w", code, err)
	}
	votes, err := c.Decision.Query().Where(decision.RequestID(row.ID)).Order(decision.ByAt()).All(ctx)
	if err != nil {
		return failover.Request{}, fmt.Errorf("load decisions on %s: %w", code, err)
	}
	return requestOf(row, votes), nil
}

// saveRequest writes what can change, guarded by the version that was loaded.
func (t *tx) saveRequest(r failover.Request) error {
	n, err := t.Request.Update().Where(request.ID(r.ID), request.Revision(r.Version)).
		SetTerms(r.Terms).SetDigest(r.Digest).SetState(r.State).SetRound(r.Round).SetOpen(r.Open).
		SetNillableDecidedAt(r.DecidedAt).SetRevision(r.Version + 1).Save(t.ctx)
	if err != nil {
		return fmt.Errorf("save request %s: %w", r.Code, err)
	}
	if n == 0 {
		return errStale
	}
	t.changed = true
	if r.State == approval.Requested {
		return nil
	}
	last, err := t.FactSheet.Query().Where(factsheet.RequestID(r.ID)).Order(factsheet.ByMadeAt(sql.OrderDesc())).First(t.ctx)
	if err != nil {
		return fmt.Errorf("find the last sheet of %s: %w", r.Code, err)
	}
	return t.dropSheets(r.ID, last.MadeAt)
}

// Request loads a request by its code.
func (s *Store) Request(ctx context.Context, code string) (failover.Request, error) {
	return readOnce(ctx, "request "+code, func() (failover.Request, error) {
		return loadRequest(ctx, s.client, code)
	})
}

// OpenRequests loads the requests that wait for a decision, oldest first. Those whose time is over are among them
// until the engine closes them; Standing tells.
func (s *Store) OpenRequests(ctx context.Context) ([]failover.Request, error) {
	return readOnce(ctx, "open requests", func() ([]failover.Request, error) {
		rows, err := s.client.Request.Query().Where(request.StateEQ(approval.Requested)).Order(request.ByFiledAt()).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("load open requests: %w", err)
		}
		return withVotes(ctx, s.client, rows)
	})
}

// RequestsOf loads an incident's requests without their decisions, newest first.
func (s *Store) RequestsOf(ctx context.Context, incident string) ([]failover.Request, error) {
	return readOnce(ctx, "requests of "+incident, func() ([]failover.Request, error) {
		rows, err := s.client.Request.Query().Where(request.Incident(incident)).
			Order(request.ByFiledAt(sql.OrderDesc())).Limit(50).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("load requests of %s: %w", incident, err)
		}
		requests := make([]failover.Request, len(rows))
		for i, row := range rows {
			requests[i] = requestOf(row, nil)
		}
		return requests, nil
	})
}

// ApprovedSince loads the requests that were approved since some moment, with their votes, newest first, at most some.
func (s *Store) ApprovedSince(ctx context.Context, since time.Time, most int) ([]failover.Request, error) {
	return readOnce(ctx, fmt.Sprintf("approved since %s", since), func() ([]failover.Request, error) {
		rows, err := s.client.Request.Query().Where(request.StateEQ(approval.Approved), request.DecidedAtGTE(since)).
			Order(request.ByFiledAt(sql.OrderDesc())).Limit(most).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("load approved requests: %w", err)
		}
		return withVotes(ctx, s.client, rows)
	})
}

// withVotes are rows with their votes.
func withVotes(ctx context.Context, c *ent.Client, rows []*ent.Request) ([]failover.Request, error) {
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	votes, err := votesOn(ctx, c, ids)
	if err != nil {
		return nil, err
	}
	requests := make([]failover.Request, len(rows))
	for i, row := range rows {
		requests[i] = requestOf(row, votes[row.ID])
	}
	return requests, nil
}

// votesOn are the votes on requests of any sort, by the request.
func votesOn(ctx context.Context, c *ent.Client, ids []string) (map[string][]*ent.Decision, error) {
	votes, err := c.Decision.Query().Where(decision.RequestIDIn(ids...)).Order(decision.ByAt()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load decisions: %w", err)
	}
	by := map[string][]*ent.Decision{}
	for _, v := range votes {
		by[v.RequestID] = append(by[v.RequestID], v)
	}
	return by, nil
}

// File is a request before it is filed: Terms name the plan and the policy, the store fills in their versions.
type File struct {
	ID       string // of the act, so that a doubled click files once
	Incident string
	Terms    failover.Terms
	Reason   string
	Impact   time.Time
	Sheet    failover.FactSheet
	Checked  string // digest of the terms that the requester was shown; empty where nothing was
}

// FileRequest writes the request, its first fact sheet, the audit event and the outbox row in one transaction, so that
// neither the request nor its workflow exists without the other.
func (s *Store) FileRequest(ctx context.Context, by access.Principal, f File) (failover.Request, error) {
	var filed failover.Request
	err := s.personal(ctx, by.Person(), "request.file", f.Incident, func(t *tx) error {
		if row, err := t.Request.Get(ctx, f.ID); err == nil {
			filed = requestOf(row, nil)
			return nil
		} else if !ent.IsNotFound(err) {
			return fmt.Errorf("look up request: %w", err)
		}
		if err := t.turn(); err != nil { // first, so that two who file at once see each other
			return err
		}
		if err := cmp.Or(f.Terms.Cause.MoveHelps(), t.alone(f.Terms.DataSet, "")); err != nil {
			return err
		}
		if err := s.stillAsChecked(ctx, t, f); err != nil {
			return err
		}
		situation, err := s.situation(ctx, t.Client(), f.Terms, f.Impact, t.now)
		if err == nil {
			err = situation.Sensible()
		}
		if err != nil {
			return err
		}
		digest, err := f.Terms.Digest()
		if err != nil {
			return err
		}
		rules, err := approval.RulesOf(situation.Catalog, f.Terms.Decided(t.now))
		if err != nil {
			return err
		}
		asks, err := s.principalNow(ctx, t, by)
		if err != nil {
			return err
		}
		if err := t.somebodyCan(situation.Catalog, approval.Ballot{Rules: rules, Requester: asks}); err != nil {
			return err
		}
		row, err := t.Request.Create().SetID(f.ID).SetCode(newCode("FO")).SetIncident(f.Incident).SetTerms(f.Terms).
			SetDigest(digest).SetReason(f.Reason).SetRequesterID(by.ID).SetRequesterName(by.Name).
			SetState(approval.Requested).SetFiledAt(t.now).SetExpiresAt(t.now.Add(rules.Lifetime())).SetImpactAt(f.Impact).Save(ctx)
		if err != nil {
			return fmt.Errorf("save request: %w", err)
		}
		filed = requestOf(row, nil)
		f.Sheet.Request = filed.Code
		if err := t.saveSheet(filed.ID, f.Sheet); err != nil {
			return err
		}
		if err := t.Outbox.Create().SetRequestID(filed.ID).SetCode(filed.Code).SetCreatedAt(t.now).Exec(ctx); err != nil {
			return fmt.Errorf("save outbox: %w", err)
		}
		t.record(audit.Event{
			Action: "request.file", Object: filed.Code, Detail: detail(map[string]any{"terms": f.Terms, "digest": digest, "reason": f.Reason, "incident": f.Incident}),
			Text: fmt.Sprintf("%s requested %s: %s from %s to %s.", by.Name, filed.Code, f.Terms.Mode, f.Terms.From, f.Terms.To),
		})
		return nil
	})
	return filed, err
}

// stillAsChecked refuses a request whose check page has been overtaken: what would run was published anew, its incident was closed,
// or states another cause.
func (s *Store) stillAsChecked(ctx context.Context, t *tx, f File) error {
	now, err := s.TermsNow(ctx, f.Terms, t.now)
	if err != nil {
		return err
	}
	shown, err := f.Terms.Digest()
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(now, f.Terms) || f.Checked != "" && f.Checked != shown {
		return fault.Late(approval.RuleBound, "The plan, the policy or the catalogue was published anew while you were reading. Check again what this would do.")
	}
	in, err := t.Incident.Query().Where(incident.Code(f.Incident)).Only(ctx)
	switch {
	case ent.IsNotFound(err): // a planned move has none
		return nil
	case err != nil:
		return fmt.Errorf("look at incident %s: %w", f.Incident, err)
	case in.ClosedAt != nil:
		return fault.Late("state", "%s was closed meanwhile.", f.Incident)
	}
	return f.Terms.Cause.Follows(in.Code, in.Cause)
}

// RuleAlone keeps a data set to one run at a time.
const RuleAlone = "one-run-per-data-set"

// alone refuses where another request or run has the data set.
func (t *tx) alone(dataSet, but string) error { return alone(t.ctx, t.Client(), t.now, dataSet, but) }

func alone(ctx context.Context, c *ent.Client, now time.Time, dataSet, but string) error {
	open, err := undecided(ctx, c, now, request.CodeNEQ(but))
	if err != nil {
		return err
	}
	for _, r := range open {
		if r.Terms.DataSet == dataSet {
			return fault.Late(RuleAlone, "%s already asks to move the same data; %s requested it.", r.Code, r.Requester.Name)
		}
	}
	running, err := c.Run.Query().Where(run.Holds(dataSet), run.CodeNEQ(but)).All(ctx)
	if err != nil {
		return fmt.Errorf("find runs: %w", err)
	}
	for _, row := range running {
		return fault.Late(RuleAlone, "%s is moving the same data now; it is %s.", row.Code, row.State.Words())
	}
	return nil
}

// undecided are the requests that wait for people, and those approved whose run has not begun.
func undecided(ctx context.Context, c *ent.Client, now time.Time, also predicate.Request) ([]failover.Request, error) {
	rows, err := c.Request.Query().Where(also, request.Or(
		request.And(request.StateEQ(approval.Requested), request.ExpiresAtGT(now)),
		request.And(request.StateEQ(approval.Approved), notBegun),
	)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("find open requests: %w", err)
	}
	open := make([]failover.Request, len(rows))
	for i, row := range rows {
		open[i] = requestOf(row, nil)
	}
	return open, nil
}

// notBegun chooses the requests that have no run.
func notBegun(s *sql.Selector) {
	runs := sql.Table(run.Table)
	s.Where(sql.NotExists(sql.Select(runs.C(run.FieldID)).From(runs).Where(sql.ColumnsEQ(runs.C(run.FieldRequestID), s.C(request.FieldID)))))
}

// Amend is what the requester, or for a faceless one whoever may ask for the same, does to a request: withdraw it, or confirm what changed in it.
type Amend struct {
	ID     string           `json:"id"` // of the act
	Code   string           `json:"code"`
	By     access.Principal `json:"by"`
	Shown  string           `json:"shown,omitempty"` // digest of the terms whose difference was shown, to confirm
	Origin audit.Origin     `json:"origin"`
}

func (a Amend) deed() deed {
	if a.Shown == "" {
		return deed{a.ID, a.By, "request.withdraw", a.Code, nil}
	}
	return deed{a.ID, a.By, "request.confirm", a.Code, []string{a.Shown}}
}

// Of is the digest of the amendment as an act.
func (a Amend) Of() string { return a.deed().of() }

// ownerNow is whom somebody acts as on a request, by the roles that they hold now.
func (s *Store) ownerNow(ctx context.Context, t *tx, by access.Principal, r failover.Request) (access.Principal, error) {
	ballot, err := s.ballot(ctx, t.Client(), r)
	if err != nil {
		return by, err
	}
	if by, err = s.principalNow(ctx, t, by); err != nil {
		return by, err
	}
	return ballot.As(by, access.Request), nil
}

// WithdrawnBy is who withdrew a request of any sort, by the record; nobody where it was Keyholder itself.
func (s *Store) WithdrawnBy(ctx context.Context, code string) (access.Person, error) {
	e, _, err := withdrawn(ctx, s.client, code)
	return e.Actor, err
}

// withdrawn is the line of the record by which a person withdrew a request; none where no person did.
func withdrawn(ctx context.Context, db *ent.Client, code string) (e audit.Event, person bool, err error) {
	row, err := db.AuditEvent.Query().Where(auditevent.Object(code), auditevent.ActionIn("request.withdraw", "change.withdraw"),
		auditevent.OutcomeEQ(string(audit.Done))).Order(auditevent.ByID(sql.OrderDesc())).First(ctx)
	if ent.IsNotFound(err) {
		return e, false, nil
	}
	if err != nil {
		return e, false, fmt.Errorf("look who withdrew %s: %w", code, err)
	}
	e, err = audit.Read(row.Body)
	return e, err == nil, err
}

// Withdraw takes a request back, once under its act's id.
func (s *Store) Withdraw(ctx context.Context, a Amend) (Outcome, error) {
	ctx, by, code := audit.WithOrigin(ctx, a.Origin), a.By, a.Code
	return s.answer(ctx, a.deed(), func(t *tx) (Outcome, error) {
		r, err := loadRequest(ctx, t.Client(), code)
		if err != nil {
			return Outcome{}, err
		}
		as, err := s.ownerNow(ctx, t, by, r)
		if err != nil {
			return Outcome{}, err
		}
		if r, err = r.Withdraw(as, t.now); err != nil {
			return Outcome{}, err
		}
		t.record(audit.Event{Action: "request.withdraw", Object: code, Text: fmt.Sprintf("%s withdrew %s.", by.Name, code)})
		return Outcome{State: failover.State(r.State), Directive: r.Next()}, t.saveRequest(r)
	})
}

// ConfirmAnew reopens the voting on the plan and policy as they are now, whose difference the requester was shown.
func (s *Store) ConfirmAnew(ctx context.Context, a Amend) (Outcome, error) {
	ctx, by, code := audit.WithOrigin(ctx, a.Origin), a.By, a.Code
	as := a.deed()
	as.Action = "request.confirm" // also where a forged post shows nothing
	return s.answer(ctx, as, func(t *tx) (Outcome, error) {
		r, err := loadRequest(ctx, t.Client(), code)
		if err != nil {
			return Outcome{}, err
		}
		terms, err := s.TermsNow(ctx, r.Terms, r.FiledAt)
		if err != nil {
			return Outcome{}, err
		}
		as, err := s.ownerNow(ctx, t, by, r)
		if err != nil {
			return Outcome{}, err
		}
		if r, err = r.Confirm(as, terms, a.Shown, t.now); err != nil {
			return Outcome{}, err
		}
		t.record(audit.Event{
			Action: "request.confirm", Object: code, Detail: detail(map[string]any{"terms": r.Terms, "digest": r.Digest}),
			Text: fmt.Sprintf("%s confirmed what changed in %s; voting is open again.", by.Name, code),
		})
		return Outcome{State: failover.State(r.State), Directive: r.Next()}, t.saveRequest(r)
	})
}

// TermsNow are the terms with the plan, policies and catalogue in force now. at is when it was requested.
func (s *Store) TermsNow(ctx context.Context, terms failover.Terms, at time.Time) (failover.Terms, error) {
	plan, err := s.Plan(ctx, terms.Plan, 0)
	if err != nil {
		return terms, err
	}
	terms.PlanVersion, terms.PlanDigest = plan.Version, plan.Digest
	terms.Services, terms.DataSet = plan.What.Services, plan.What.DataSet
	catalog, err := s.Catalog(ctx)
	if err != nil {
		return terms, err
	}
	return terms.On(catalog.Catalog, catalog.Version, at)
}

// Expire closes a request whose time is over. A request that was decided meanwhile is left as it is.
func (s *Store) Expire(ctx context.Context, code string) (failover.Directive, error) {
	var next failover.Directive
	err := s.act(ctx, audit.Worker, func(t *tx) error {
		r, err := loadRequest(ctx, t.Client(), code)
		if err != nil {
			return err
		}
		if r.State != approval.Requested || t.now.Before(r.ExpiresAt) {
			next = r.Next()
			return nil
		}
		if r, err = r.RunOut(t.now); err != nil {
			return err
		}
		next = r.Next()
		t.record(audit.Event{Action: "request.expire", Object: code, Rule: approval.RuleExpiry, Text: fmt.Sprintf("%s expired: nobody decided in time.", code)})
		return t.saveRequest(r)
	})
	return next, err
}

// NewID makes an id for an act or a record; ids sort by time.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }
