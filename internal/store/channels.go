package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"keyholder/ent"
	"keyholder/ent/channelhealth"
	"keyholder/ent/person"
	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
)

// ChooseChannels keeps by which channels somebody wants to be told, the first first.
func (s *Store) ChooseChannels(ctx context.Context, by access.Principal, channels []string) error {
	return s.personal(ctx, by.Person(), "channels.choose", by.ID, func(t *tx) error {
		n, err := t.Person.Update().Where(person.ID(by.ID)).SetChannels(channels).Save(ctx)
		if err != nil || n == 0 {
			return fmt.Errorf("keep the channels of %s: %w", by.ID, err)
		}
		t.record(audit.Event{Action: "channels.choose", Object: by.ID, Text: fmt.Sprintf("%s wants to be told by %s.", by.Name, strings.Join(channels, ", then "))})
		return nil
	})
}

// aboutChannel is what messages are about that concern a channel itself.
const aboutChannel = "channel/"

// AboutChannel is what a message is about that concerns a channel itself.
func AboutChannel(slug string) string { return aboutChannel + slug }

// OnlyVia is the one channel by which a message must go that tests it, or that is posted there for all; none, where any will do.
func (m Message) OnlyVia() (string, bool) {
	switch {
	case m.Public():
		return m.Address, true
	case m.Occasion == approval.Tested:
		return strings.CutPrefix(m.About, aboutChannel)
	}
	return "", false
}

// TestChannel keeps a message to whoever wants to see whether a channel reaches them: one a minute at most.
func (s *Store) TestChannel(ctx context.Context, by access.Principal, slug, name, text string) error {
	return s.Tell(ctx, []Message{{
		About: AboutChannel(slug), Occasion: approval.Tested, Nth: int(s.Now().Unix() / 60), To: by.Person(), Address: by.Mail,
		Subject: "Test of " + name, Text: text,
	}})
}

// ChosenChannels are the channels that somebody chose; none where they never did.
func (s *Store) ChosenChannels(ctx context.Context, id string) ([]string, error) {
	row, err := readOnce(ctx, "person "+id, func() (*ent.Person, error) { return s.client.Person.Get(ctx, id) })
	if ent.IsNotFound(err) { // somebody who has never signed in
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load person %s: %w", id, err)
	}
	return row.Channels, nil
}

// Health is how a channel has worked lately.
type Health struct {
	Channel  string
	SentAt   *time.Time // the last success
	Failing  *time.Time // since when, without a success between
	Failures int        // since then
	Failure  string     // the last
}

// ChannelHealth is how the channels have worked that were ever tried.
func (s *Store) ChannelHealth(ctx context.Context) (map[string]Health, error) {
	return readOnce(ctx, "channel health", func() (map[string]Health, error) {
		rows, err := s.client.ChannelHealth.Query().All(ctx)
		if err != nil {
			return nil, fmt.Errorf("load how channels work: %w", err)
		}
		all := map[string]Health{}
		for _, row := range rows {
			all[row.ID] = Health{row.ID, utc(row.SentAt), utc(row.FailingSince), row.Failures, row.Failure}
		}
		return all, nil
	})
}

// noteHealth notes that a channel worked, or since when it has not.
func (t *tx) noteHealth(d Delivery) error {
	row, err := t.ChannelHealth.Query().Where(channelhealth.ID(d.Via)).Only(t.ctx)
	if ent.IsNotFound(err) {
		row, err = t.ChannelHealth.Create().SetID(d.Via).Save(t.ctx)
	}
	if err != nil {
		return fmt.Errorf("look how %s works: %w", d.Via, err)
	}
	update := row.Update()
	switch d.Failed {
	case nil:
		if row.FailingSince != nil {
			t.record(audit.Event{Action: "channel.works", Object: d.Via, Text: d.Name + " works again."})
		}
		update.SetSentAt(t.now).ClearFailingSince().SetFailures(0).SetFailure("")
	default:
		if row.FailingSince == nil {
			update.SetFailingSince(t.now)
			t.record(audit.Event{Action: "channel.fails", Object: d.Via, Text: fmt.Sprintf("%s has begun to fail: %s", d.Name, d.Failed)})
		}
		update.SetFailures(row.Failures + 1).SetFailure(d.Failed.Error())
	}
	if err := update.Exec(t.ctx); err != nil {
		return fmt.Errorf("note how %s works: %w", d.Via, err)
	}
	return nil
}
