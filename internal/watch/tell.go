package watch

import (
	"context"
	"fmt"
	"slices"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/store"
)

// tellEvery is how often it is seen whom to tell.
const tellEvery = time.Second

// tell notes whom to tell by now of what waits, of what has been decided, and of what began by itself. Nobody is told where there is
// no way to tell.
func (w *Watch) tell(ctx context.Context) error {
	if reachable, err := w.reachable(ctx); err != nil || !reachable {
		return err
	}
	open, err := w.open(ctx)
	if err != nil {
		return err
	}
	for _, m := range open {
		if m.Standing(w.Store.Now()) != approval.Requested {
			continue
		}
		say := w.ask
		if m.MustConfirm(w.Store.Now()) {
			say = w.tellVoid
		}
		if err := say(ctx, m); err != nil {
			return fmt.Errorf("tell people of %s: %w", m.Code, err)
		}
	}
	decided, err := w.decided(ctx)
	if err != nil {
		return err
	}
	for _, m := range decided {
		if err := w.tellOutcome(ctx, m); err != nil {
			return fmt.Errorf("tell people what became of %s: %w", m.Code, err)
		}
	}
	if err := w.tellStarts(ctx); err != nil {
		return err
	}
	if err := w.tellOfModes(ctx); err != nil {
		return err
	}
	if err := w.tellOfAccess(ctx); err != nil {
		return err
	}
	if err := w.tellOfFindings(ctx); err != nil {
		return err
	}
	return w.tellFailing(ctx)
}

// ask tells those who can decide on a matter.
func (w *Watch) ask(ctx context.Context, m matter) error {
	ballot, err := m.ballot(ctx)
	if err != nil {
		return err
	}
	everybody, err := w.Store.Electorate(ctx)
	if err != nil {
		return err
	}
	had, err := w.Store.MessagesAbout(ctx, m.Code)
	if err != nil {
		return err
	}
	told := map[string]bool{}
	key := func(o approval.Occasion, nth int, person string) string { return fmt.Sprint(o, nth, person) }
	for _, one := range had {
		told[key(one.Occasion, one.Nth, one.To.ID)] = true
	}
	opening := map[approval.Occasion]string{
		approval.Asked: "Decide: ", approval.Reminded: "Still to be decided: ", approval.Escalated: "Nobody has decided yet: ",
		approval.Passed: "Somebody cannot decide, and you can: ",
	}
	text := fmt.Sprintf("%s asks to %s: %s\n\nIt expires at %s.", m.Requester.Name, m.what, m.why, m.ExpiresAt.UTC().Format("15:04 UTC on 2 January"))
	var messages []store.Message
	for _, d := range ballot.Due(m.Question, everybody, w.Store.Now()) {
		if told[key(d.Occasion, d.Nth, d.To.ID)] {
			continue
		}
		one := m.message(d.Occasion, d.To.Person(), d.To.Mail, opening[d.Occasion]+m.code+", "+m.what, w.letter(m.path, text))
		one.Nth = d.Nth
		messages = append(messages, one)
	}
	return w.Store.Tell(ctx, messages)
}

// tellVoid tells who asked that they must confirm what changed, and those who had voted that it counts no more.
func (w *Watch) tellVoid(ctx context.Context, m matter) error {
	had, err := w.Store.MessagesAbout(ctx, m.Code)
	if err != nil {
		return err
	}
	nth := m.Round - 1
	if slices.ContainsFunc(had, func(one store.Message) bool { return one.Occasion == approval.Voided && one.Nth == nth }) {
		return nil
	}
	everybody, err := w.Store.Electorate(ctx)
	if err != nil {
		return err
	}
	voted := map[string]bool{}
	for _, d := range m.Decisions {
		voted[d.By.ID] = d.Round == nth || voted[d.By.ID]
	}
	var messages []store.Message
	for _, p := range everybody {
		subject, text := "", fmt.Sprintf("What %s stands on has changed: %s. ", m.code, m.what)
		switch {
		case p.Mail == "":
		case p.ID == m.Requester.ID || m.faceless && p.May(access.Request):
			subject, text = "Confirm what changed: "+m.code+", "+m.what, text+"Nobody can vote until the difference is confirmed."
		case voted[p.ID]:
			subject, text = "Your vote counts no more: "+m.code+", "+m.what, text+"You will be asked again once "+m.Requester.Name+" has confirmed the difference."
		}
		if subject != "" {
			one := m.message(approval.Voided, p.Person(), p.Mail, subject, w.letter(m.path, text))
			one.Nth = nth
			messages = append(messages, one)
		}
	}
	return w.Store.Tell(ctx, messages)
}

// tellOutcome tells who asked, and all who were asked, what became of a matter.
func (w *Watch) tellOutcome(ctx context.Context, m matter) error {
	had, err := w.Store.MessagesAbout(ctx, m.Code)
	if err != nil {
		return err
	}
	if len(had) == 0 || slices.ContainsFunc(had, func(one store.Message) bool { return one.Occasion == approval.Outcome }) {
		return nil // nobody was asked, or all have been told
	}
	subject := fmt.Sprintf("%s is %s: %s", m.code, m.State.Words(), m.what)
	text := w.letter(m.path, fmt.Sprintf("The request of %s to %s is %s.", m.Requester.Name, m.what, m.State.Words()))
	var messages []store.Message
	told := map[string]bool{m.Requester.ID: true}
	if asked, ok, err := w.Store.Principal(ctx, m.Requester.ID); err != nil {
		return err
	} else if ok && asked.Mail != "" {
		messages = append(messages, m.message(approval.Outcome, m.Requester, asked.Mail, subject, text))
	}
	for _, one := range had {
		if !told[one.To.ID] {
			told[one.To.ID] = true
			messages = append(messages, m.message(approval.Outcome, one.To, one.Address, subject, text))
		}
	}
	return w.Store.Tell(ctx, messages)
}

// tellStarts tells those who steer what a standing order began by itself.
func (w *Watch) tellStarts(ctx context.Context) error {
	begun, err := w.Store.UntoldStarts(ctx)
	if err != nil || len(begun) == 0 {
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
	var messages []store.Message
	for _, r := range begun {
		m := w.moving(version.Catalog, r)
		text := w.letter("/runs/"+r.Code, fmt.Sprintf("%s has begun to %s: %s", r.Requester.Name, m.what, r.Reason))
		for _, p := range everybody {
			if p.Mail != "" && p.May(access.Steer) {
				messages = append(messages, m.message(approval.Started, p.Person(), p.Mail, "Begun by itself: "+m.code+", "+m.what, text))
			}
		}
	}
	return w.Store.Tell(ctx, messages)
}

// letter is the text of a message. It leads to a page and does nothing by itself: a preview that follows the link changes nothing.
func (w *Watch) letter(path, text string) string {
	return fmt.Sprintf("%s\n\nOpen %s%s to see it and to act. Nothing is done by answering this message.\n", text, w.PublicURL, path)
}
