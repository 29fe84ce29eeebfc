package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql/sqlgraph"

	"keyholder/ent"
	"keyholder/ent/outcome"
	"keyholder/internal/access"
	"keyholder/internal/audit"
	"keyholder/internal/canonical"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/migrations"
)

// headID is the one row of Head.
const headID = 1

// errStale says that a record was changed by someone else since it was loaded; the act starts over.
var errStale = errors.New("the record has changed since it was loaded")

// tries bounds how often an act starts over; each time someone else has succeeded.
const tries = 25

// tx is one transaction with the audit events that it will end with.
type tx struct {
	*ent.Tx
	conn    *sql.Conn // of PostgreSQL, for what ent cannot do; nil elsewhere
	ctx     context.Context
	now     time.Time
	clock   *accessClock
	kept    time.Time // the time that counts for access, where it was asked for
	actor   access.Person
	author  access.Person // on whose behalf, where others approved what somebody asked for
	events  []audit.Event
	changed bool // what pages show has changed, even where nothing is audited
	access  bool // something about access was saved
	read    bool // readings were saved, which are no news of themselves
}

// record adds an audit event; what it leaves out is filled in.
func (t *tx) record(e audit.Event) {
	if e.Actor.ID == "" {
		e.Actor = t.actor
	}
	if e.Outcome == "" {
		e.Outcome = audit.Done
	}
	e.At, e.Origin = t.now, audit.OriginOf(t.ctx)
	t.events = append(t.events, e)
}

// detail writes what an event shows of before and after. What cannot be written would be a bug, and is said in place.
func detail(v any) json.RawMessage {
	body, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage(fmt.Sprintf("%q", "cannot be written: "+err.Error()))
	}
	return body
}

// act runs work in one transaction with its audit events, over again where somebody else was faster.
func (s *Store) act(ctx context.Context, actor access.Person, work func(*tx) error) error {
	for range tries {
		err := s.once(ctx, actor, work)
		if errors.Is(err, errStale) || sqlgraph.IsConstraintError(err) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			continue
		}
		return err
	}
	return fault.Late("state", "Too many people act on this at once. Nothing was changed; try again.")
}

func (s *Store) once(ctx context.Context, actor access.Person, work func(*tx) error) error {
	select {
	case s.acting <- struct{}{}:
		defer func() { <-s.acting }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.dialect == migrations.SQLite {
		s.writing.Lock()
		defer s.writing.Unlock()
	}
	inner, conn, err := s.open(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if conn != nil {
		defer func() { _ = conn.Close() }() // back to the others; what went wrong on it was said
	}
	t := &tx{Tx: inner, conn: conn, ctx: ctx, now: s.Now(), clock: s.clock, actor: actor}
	if err = work(t); err == nil {
		err = t.seal(ctx)
	}
	if err != nil {
		if rollback := inner.Rollback(); rollback != nil {
			return errors.Join(err, fmt.Errorf("roll back: %w", rollback))
		}
		return err
	}
	if err := inner.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// seal takes the head, which all transactions take last, and writes the events behind it.
func (t *tx) seal(ctx context.Context) error {
	t.changed = t.changed || len(t.events) > 0
	if !t.changed && !t.read {
		return nil
	}
	last, _, err := t.head(ctx)
	if err != nil {
		return fmt.Errorf("take the head of the record: %w", err)
	}
	if len(t.events) == 0 {
		return nil
	}
	rows := make([]*ent.AuditEventCreate, len(t.events))
	for i, e := range t.events {
		e.Seq = last - int64(len(t.events)) + int64(i) + 1
		body, digest, err := e.Bytes()
		if err != nil {
			return err
		}
		rows[i] = t.AuditEvent.Create().SetID(e.Seq).SetAt(e.At).SetActorID(e.Actor.ID).SetAction(e.Action).
			SetObject(e.Object).SetOutcome(string(e.Outcome)).SetAct(e.Act).SetBody(body).SetDigest(digest)
	}
	if err := t.AuditEvent.CreateBulk(rows...).Exec(ctx); err != nil {
		return fmt.Errorf("write the record: %w", err)
	}
	return nil
}

// takeHead moves the head and answers with the place of the last event, and with the highest time that was ever kept. It is one statement,
// which ent does not know: every transaction waits for it.
const takeHead = `UPDATE heads SET audit = audit + $1, change = change + $2, readings = readings + $3, access = access + $4, clock = CASE WHEN clock < $5 THEN $5 ELSE clock END
WHERE id = $6 RETURNING audit, clock`

func (t *tx) head(ctx context.Context) (last int64, highest time.Time, err error) {
	moves := map[bool]int{true: 1}
	rows, err := t.QueryContext(ctx, takeHead, len(t.events), moves[t.changed], moves[t.read], moves[t.access], later(t.now, t.kept).UnixMicro(), headID)
	if err != nil {
		return 0, highest, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if !rows.Next() {
		return 0, highest, errors.Join(rows.Err(), errors.New("the database has no head"))
	}
	var clock int64
	if err := rows.Scan(&last, &clock); err != nil {
		return 0, highest, err
	}
	return last, time.UnixMicro(clock).UTC(), rows.Err()
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// turn takes the head before anything is read, so that those who act at once see what the others did.
func (t *tx) turn() error {
	_, err := t.highest()
	return err
}

// highest takes the head, and says the highest time that was ever kept.
func (t *tx) highest() (time.Time, error) {
	_, at, err := t.head(t.ctx)
	if err != nil {
		return at, fmt.Errorf("take the head of the record: %w", err)
	}
	return at, nil
}

// personal runs a person's act. A refusal is recorded, in a transaction of its own; wrong input is not.
func (s *Store) personal(ctx context.Context, actor access.Person, action, object string, work func(*tx) error) error {
	err := s.act(ctx, actor, work)
	if recordErr := s.Refused(ctx, actor, action, object, err); recordErr != nil {
		return errors.Join(err, recordErr)
	}
	return err
}

// Refused records that a rule refused an act; err of any other kind is not recorded. It returns its own failure only.
func (s *Store) Refused(ctx context.Context, actor access.Person, action, object string, err error) error {
	refusal := fault.As(err)
	if refusal == nil || refusal.Kind != fault.Forbidden && refusal.Kind != fault.Conflict && refusal.Kind != fault.SignInAgain {
		return nil
	}
	recordErr := s.act(ctx, actor, func(t *tx) error {
		t.record(audit.Event{
			Action: action, Object: object, Outcome: audit.Refused, Rule: refusal.Rule, Text: refusal.Message,
		})
		return nil
	})
	if recordErr != nil {
		return fmt.Errorf("record the refusal of %s on %s: %w", action, object, recordErr)
	}
	return nil
}

// Outcome is what a person's act on a process came to. The same act asked again gets the same outcome.
type Outcome struct {
	Of        string             `json:"of"` // digest of the act: who did what to what
	State     failover.State     `json:"state"`
	Directive failover.Directive `json:"directive"`
	Refusal   *Refusal           `json:"refusal,omitempty"`
}

// Refusal is a fault in a form that crosses a process border.
type Refusal struct {
	Kind    fault.Kind        `json:"kind"`
	Message string            `json:"message"`
	Rule    string            `json:"rule,omitempty"`
	Who     string            `json:"who,omitempty"`
	Fields  map[string]string `json:"fields,omitempty"`
}

// Err is the fault that the refusal was made from, or nil.
func (o Outcome) Err() error {
	if o.Refusal == nil {
		return nil
	}
	r := o.Refusal
	return &fault.Error{Kind: r.Kind, Message: r.Message, Rule: r.Rule, Who: r.Who, Fields: r.Fields}
}

// deed is what tells one person's act from another's.
type deed struct {
	ID     string // from the form, so that a second press is the same act
	By     access.Principal
	Action string
	Object string
	What   []string // all else that was chosen
}

// of is the digest of an act. An id that comes again for anything else is refused: the second act would get the first
// one's answer.
func (d deed) of() string {
	return canonical.DigestBytes("keyholder/act/1", []byte(strings.Join(append([]string{d.By.ID, d.Action, d.Object}, d.What...), "\x00")))
}

// RuleActTwice keeps the id of one act from being used for another.
const RuleActTwice = "one-act-per-form"

// Other says that the outcome is that of another act than the one with this digest.
func (o Outcome) Other(of string) error {
	if o.Of == of {
		return nil
	}
	return fault.Late(RuleActTwice, "This form has been sent before with another choice, and that one stands. Look at how it is now, and choose again.")
}

// answer runs a person's act once under its id: a second call with the id returns the first's outcome. A refusal is
// an outcome; only what may succeed when it is tried again is an error.
func (s *Store) answer(ctx context.Context, d deed, work func(*tx) (Outcome, error)) (Outcome, error) {
	var out Outcome
	err := s.personal(ctx, d.By.Person(), d.Action, d.Object, func(t *tx) error {
		kept, err := t.Outcome.Query().Where(outcome.ID(d.ID)).Only(ctx)
		if err == nil {
			if err := json.Unmarshal(kept.Body, &out); err != nil {
				return fmt.Errorf("read outcome %s: %w", d.ID, err)
			}
			return out.Other(d.of())
		}
		if !ent.IsNotFound(err) {
			return fmt.Errorf("look up outcome %s: %w", d.ID, err)
		}
		if out, err = work(t); err != nil {
			return err
		}
		out.Of = d.of()
		body, err := json.Marshal(out)
		if err != nil {
			return fmt.Errorf("write outcome: %w", err)
		}
		return t.Outcome.Create().SetID(d.ID).SetBody(body).SetAt(t.now).Exec(ctx)
	})
	if refusal := fault.As(err); refusal != nil && refusal.Kind != fault.Internal && refusal.Kind != fault.Unavailable {
		return Outcome{Of: d.of(), Refusal: &Refusal{refusal.Kind, refusal.Message, refusal.Rule, refusal.Who, refusal.Fields}}, nil
	}
	return out, err
}
