package store

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"keyholder/ent"
	"keyholder/ent/changerequest"
	"keyholder/ent/degradedmode"
	"keyholder/ent/message"
	"keyholder/ent/request"
	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
	"keyholder/internal/change"
	"keyholder/internal/degrade"
	"keyholder/internal/failover"
)

// Message is one thing that one person is told, once.
type Message struct {
	ID       string
	About    string // code of a request
	Occasion approval.Occasion
	Nth      int
	To       access.Person
	Address  string
	Subject  string
	Text     string
	At       time.Time
	Next     time.Time // when it is tried next
	Attempts int
	Failure  string // of the last attempt
	Via      string // the channel of the last attempt
	SentAt   *time.Time
	GivenUp  bool
}

// The patience with a channel that fails: the wait doubles from the first to the longest.
const (
	retryFirst    = 5 * time.Second
	retryLongest  = 10 * time.Minute
	tellWithin    = 24 * time.Hour
	endedLatelyIs = time.Hour // of degraded modes
)

// Tell keeps messages to be sent. One that was kept already, for the same occasion, is left as it is.
func (s *Store) Tell(ctx context.Context, messages []Message) error {
	if len(messages) == 0 {
		return nil
	}
	return s.act(ctx, audit.Worker, func(t *tx) error {
		for _, m := range messages {
			there, err := t.Message.Query().Where(message.About(m.About), message.Occasion(string(m.Occasion)), message.Nth(m.Nth), message.PersonID(m.To.ID)).Exist(t.ctx)
			if err != nil {
				return fmt.Errorf("look for a message about %s: %w", m.About, err)
			}
			if there {
				continue
			}
			err = t.Message.Create().SetID(NewID()).SetAbout(m.About).SetOccasion(string(m.Occasion)).SetNth(m.Nth).SetPersonID(m.To.ID).SetPersonName(m.To.Name).
				SetAddress(m.Address).SetSubject(m.Subject).SetText(m.Text).SetCreatedAt(t.now).SetNextAt(t.now).Exec(t.ctx)
			if err != nil {
				return fmt.Errorf("keep a message about %s: %w", m.About, err)
			}
			t.record(audit.Event{
				Action: "message." + string(m.Occasion), Object: m.About, Text: fmt.Sprintf("%s is to be told about %s.", m.To.Name, m.About),
				Detail: detail(map[string]any{"person": m.To.ID, "nth": m.Nth}),
			})
		}
		return nil
	})
}

// MessagesDue are those to be sent by now, the oldest first.
func (s *Store) MessagesDue(ctx context.Context, most int) ([]Message, error) {
	rows, err := s.client.Message.Query().Where(message.SentAtIsNil(), message.GivenUp(false), message.NextAtLTE(s.Now())).
		Order(message.ByNextAt(), message.ByID()).Limit(most).All(ctx)
	return messagesOf(rows, err)
}

// MessagesAbout are all about one request, in their order.
func (s *Store) MessagesAbout(ctx context.Context, code string) ([]Message, error) {
	return readOnce(ctx, "messages about "+code, func() ([]Message, error) {
		rows, err := s.client.Message.Query().Where(message.About(code)).Order(message.ByCreatedAt(), message.ByID()).All(ctx)
		return messagesOf(rows, err)
	})
}

// Messages are the latest, newest first: those kept before one, where its id is given; all, or those that have not gone out.
func (s *Store) Messages(ctx context.Context, before string, unsent bool, most int) ([]Message, error) {
	query := s.client.Message.Query().Order(message.ByID(sql.OrderDesc())).Limit(most) // ids are in the order of time
	if before != "" {
		query.Where(message.IDLT(before))
	}
	if unsent {
		query.Where(message.SentAtIsNil())
	}
	rows, err := query.All(ctx)
	return messagesOf(rows, err)
}

// MessagesFailing says how many messages have been tried and are not sent.
func (s *Store) MessagesFailing(ctx context.Context) (int, error) {
	return readOnce(ctx, "messages that fail", func() (int, error) {
		n, err := s.client.Message.Query().Where(message.SentAtIsNil(), message.AttemptsGT(0)).Count(ctx)
		if err != nil {
			return 0, fmt.Errorf("count messages that fail: %w", err)
		}
		return n, nil
	})
}

func messagesOf(rows []*ent.Message, err error) ([]Message, error) {
	if err != nil {
		return nil, fmt.Errorf("load messages: %w", err)
	}
	all := make([]Message, len(rows))
	for i, row := range rows {
		all[i] = Message{
			ID: row.ID, About: row.About, Occasion: approval.Occasion(row.Occasion), Nth: row.Nth, To: access.Person{ID: row.PersonID, Name: row.PersonName},
			Address: row.Address, Subject: row.Subject, Text: row.Text, At: row.CreatedAt.UTC(), Next: row.NextAt.UTC(), Attempts: row.Attempts,
			Failure: row.Failure, Via: row.Via, SentAt: utc(row.SentAt), GivenUp: row.GivenUp,
		}
	}
	return all, nil
}

// Delivery is what came of trying to send a message.
type Delivery struct {
	Via    string // the channel
	Name   string // of that, for people
	Last   bool   // of the channels that are tried one after the other before anybody waits
	Failed error  // nil where it was sent
}

// Sent notes what came of an attempt to send a message. What fails goes by the next channel at once; when all have failed it is tried
// again later, for a day.
func (s *Store) Sent(ctx context.Context, m Message, d Delivery) error {
	return s.act(ctx, audit.Worker, func(t *tx) error {
		t.changed = true
		if err := t.noteHealth(d); err != nil {
			return err
		}
		update := t.Message.UpdateOneID(m.ID).SetAttempts(m.Attempts + 1).SetVia(d.Via)
		if d.Failed == nil {
			t.record(audit.Event{Action: "message.sent", Object: m.About, Text: m.sentWords(d)})
			if err := update.SetSentAt(t.now).SetFailure("").SetGivenUp(false).Exec(t.ctx); err != nil {
				return sentErr(err)
			}
			return t.postedLate(m)
		}
		update.SetFailure(d.Name + ": " + d.Failed.Error())
		if d.Last {
			update.SetNextAt(t.now.Add(min(retryFirst<<min(m.Attempts, 20), retryLongest)))
		}
		if d.Last && t.now.Sub(m.At) > tellWithin {
			t.record(audit.Event{Action: "message.given-up", Object: m.About, Text: fmt.Sprintf("%s could not be told about %s: %s", m.To.Name, m.About, d.Failed)})
			update.SetGivenUp(true)
		}
		return sentErr(update.Exec(t.ctx))
	})
}

func sentErr(err error) error {
	if err != nil {
		return fmt.Errorf("note what came of a message: %w", err)
	}
	return nil
}

// Untold are the requests that somebody was asked about and that are decided, whose outcome nobody has been told.
func (s *Store) Untold(ctx context.Context) ([]failover.Request, error) {
	rows, err := s.client.Request.Query().Where(
		request.StateNEQ(approval.Requested), request.DecidedAtGT(s.Now().Add(-tellWithin)), told(approval.Asked, true), told(approval.Outcome, false),
	).All(ctx)
	return requestsOf(rows, err)
}

// UntoldStarts are the requests that a standing order approved in advance, of which nobody has been told.
func (s *Store) UntoldStarts(ctx context.Context) ([]failover.Request, error) {
	rows, err := s.client.Request.Query().Where(
		request.StateEQ(approval.Approved), request.ByOrderNEQ(""), request.FiledAtGT(s.Now().Add(-tellWithin)),
		told(approval.Asked, false), told(approval.Started, false),
	).All(ctx)
	return requestsOf(rows, err)
}

func requestsOf(rows []*ent.Request, err error) ([]failover.Request, error) {
	if err != nil {
		return nil, fmt.Errorf("look for what nobody was told: %w", err)
	}
	all := make([]failover.Request, len(rows))
	for i, row := range rows {
		all[i] = requestOf(row, nil)
	}
	return all, nil
}

// UntoldChanges are the change requests that somebody was asked about and that are decided, whose outcome nobody has been told.
func (s *Store) UntoldChanges(ctx context.Context) ([]change.Request, error) {
	rows, err := s.client.ChangeRequest.Query().Where(
		changerequest.StateNEQ(approval.Requested), changerequest.DecidedAtGT(s.Now().Add(-tellWithin)), told(approval.Asked, true), told(approval.Outcome, false),
	).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for outcomes that nobody was told: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	return changeRequestsOf(ctx, s.client, rows)
}

// UntoldModes are the wishes to run degraded that somebody was asked about and that are decided, whose outcome nobody has been told.
func (s *Store) UntoldModes(ctx context.Context) ([]degrade.Mode, error) {
	rows, err := s.client.DegradedMode.Query().Where(
		degradedmode.StateNEQ(approval.Requested), degradedmode.DecidedAtGT(s.Now().Add(-tellWithin)), told(approval.Asked, true), told(approval.Outcome, false),
	).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for outcomes that nobody was told: %w", err)
	}
	return modesOf(ctx, s.client, rows)
}

// EndedModes are those that ended lately: whoever is told of them may not have been yet.
func (s *Store) EndedModes(ctx context.Context) ([]degrade.Mode, error) {
	return readOnce(ctx, "ended degraded modes", func() ([]degrade.Mode, error) {
		rows, err := s.client.DegradedMode.Query().Where(degradedmode.EndedAtGT(s.Now().Add(-endedLatelyIs)), degradedmode.PhaseIn(degrade.Closed, degrade.Dropped)).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("look for degraded modes that ended lately: %w", err)
		}
		return modesWith(rows, nil)
	})
}

// told chooses the requests, of whatever sort, about which there is a message on some occasion, or is none.
func told(o approval.Occasion, yes bool) func(*sql.Selector) {
	return func(s *sql.Selector) {
		m := sql.Table(message.Table)
		about := sql.Select(m.C(message.FieldID)).From(m).Where(sql.And(sql.ColumnsEQ(m.C(message.FieldAbout), s.C(request.FieldCode)), sql.EQ(m.C(message.FieldOccasion), string(o))))
		if yes {
			s.Where(sql.Exists(about))
			return
		}
		s.Where(sql.NotExists(about))
	}
}
