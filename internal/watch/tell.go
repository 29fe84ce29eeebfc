package watch

import (
	"context"
	"fmt"
	"strings"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/notify"
	"keyholder/internal/store"
)

// The rhythms of telling people. Sending has a duty of its own: a mail server that hangs holds nothing else up.
const (
	tellEvery  = time.Second
	sendEvery  = time.Second
	sentAtOnce = 20
)

// Sender is how people are told.
type Sender interface {
	Send(ctx context.Context, l notify.Letter) error
}

// tell notes whom to tell by now of what waits, and of what has been decided. Nobody is told where there is no way to tell.
func (w *Watch) tell(ctx context.Context) error {
	if w.Sender == nil {
		return nil
	}
	open, err := w.Store.OpenRequests(ctx)
	if err != nil {
		return err
	}
	for _, r := range open {
		if now := w.Store.Now(); r.Standing(now).Final() || r.MustConfirm(now) {
			continue
		}
		if err := w.ask(ctx, r); err != nil {
			return fmt.Errorf("tell people of %s: %w", r.Code, err)
		}
	}
	decided, err := w.Store.Untold(ctx)
	if err != nil {
		return err
	}
	for _, r := range decided {
		if err := w.tellOutcome(ctx, r); err != nil {
			return fmt.Errorf("tell people what became of %s: %w", r.Code, err)
		}
	}
	return nil
}

// ask tells those who can decide on a request.
func (w *Watch) ask(ctx context.Context, r failover.Request) error {
	ballot, err := w.Store.Ballot(ctx, r)
	if err != nil {
		return err
	}
	everybody, err := w.Store.Electorate(ctx)
	if err != nil {
		return err
	}
	version, err := w.Store.Catalog(ctx)
	if err != nil {
		return err
	}
	had, err := w.Store.MessagesAbout(ctx, r.Code)
	if err != nil {
		return err
	}
	told := map[string]bool{}
	key := func(o approval.Occasion, nth int, person string) string { return fmt.Sprint(o, nth, person) }
	for _, m := range had {
		told[key(m.Occasion, m.Nth, m.To.ID)] = true
	}
	var messages []store.Message
	for _, d := range ballot.Due(everybody, r.FiledAt, w.Store.Now()) {
		if told[key(d.Occasion, d.Nth, d.To.ID)] {
			continue
		}
		what := moveWords(version.Catalog, r.Terms)
		m := store.Message{About: r.Code, Occasion: d.Occasion, Nth: d.Nth, To: access.Person{ID: d.To.ID, Name: d.To.Name}, Address: d.To.Mail}
		m.Subject = map[approval.Occasion]string{
			approval.Asked: "Decide: ", approval.Reminded: "Still to be decided: ", approval.Escalated: "Nobody has decided yet: ",
		}[d.Occasion] + r.Code + ", " + what
		m.Text = w.letter(r, fmt.Sprintf("%s asks to %s: %s\n\nIt expires at %s.", r.Requester.Name, what, r.Reason, r.ExpiresAt.UTC().Format("15:04 UTC")))
		messages = append(messages, m)
	}
	return w.Store.Tell(ctx, messages)
}

// tellOutcome tells who asked, and all who were asked, what became of a request.
func (w *Watch) tellOutcome(ctx context.Context, r failover.Request) error {
	version, err := w.Store.Catalog(ctx)
	if err != nil {
		return err
	}
	had, err := w.Store.MessagesAbout(ctx, r.Code)
	if err != nil {
		return err
	}
	what := moveWords(version.Catalog, r.Terms)
	outcome := func(to access.Person, address string) store.Message {
		return store.Message{
			About: r.Code, Occasion: approval.Outcome, To: to, Address: address, Subject: fmt.Sprintf("%s is %s: %s", r.Code, r.State.Words(), what),
			Text: w.letter(r, fmt.Sprintf("The request of %s to %s is %s.", r.Requester.Name, what, r.State.Words())),
		}
	}
	var messages []store.Message
	told := map[string]bool{r.Requester.ID: true}
	if asked, ok, err := w.Store.Principal(ctx, r.Requester.ID); err != nil {
		return err
	} else if ok && asked.Mail != "" {
		messages = append(messages, outcome(r.Requester, asked.Mail))
	}
	for _, m := range had {
		if !told[m.To.ID] {
			told[m.To.ID] = true
			messages = append(messages, outcome(m.To, m.Address))
		}
	}
	return w.Store.Tell(ctx, messages)
}

// moveWords say what a request is about: "move Checkout from Leeds to Dublin".
func moveWords(c catalog.Catalog, t failover.Terms) string {
	names := make([]string, len(t.Services))
	for i, slug := range t.Services {
		names[i] = c.ServiceName(slug)
	}
	return fmt.Sprintf("move %s from %s to %s", strings.Join(names, ", "), c.SiteName(t.From), c.SiteName(t.To))
}

// letter is the text of a mail. It leads to the page and does nothing by itself: a preview that follows the link changes nothing.
func (w *Watch) letter(r failover.Request, text string) string {
	return fmt.Sprintf("%s\n\nOpen %s/a/%s to see it and to act. Nothing is done by answering this mail.\n", text, w.PublicURL, r.Code)
}

// send hands what is due to the mail server.
func (w *Watch) send(ctx context.Context) error {
	if w.Sender == nil {
		return nil
	}
	due, err := w.Store.MessagesDue(ctx, sentAtOnce)
	if err != nil {
		return err
	}
	for _, m := range due {
		failed := w.Sender.Send(ctx, notify.Letter{ID: m.ID, Name: m.To.Name, Address: m.Address, Subject: m.Subject, Text: m.Text, At: m.At})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := w.Store.Sent(ctx, m, failed); err != nil {
			return err
		}
	}
	return nil
}
