package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/notify"
	"keyholder/internal/store"
)

// The rhythm of sending. It is a duty of its own, and each message goes by itself: a channel that hangs holds nothing else up.
const (
	sendEvery    = time.Second
	dueAtOnce    = 500
	sentAtOnce   = 10          // by one channel
	failingFor   = time.Minute // after which administrators are told of a channel
	sendPatience = 30 * time.Second
)

// Mailer sends letters.
type Mailer interface {
	Send(ctx context.Context, l notify.Letter) error
}

// Poster sends letters to where a reference leads.
type Poster interface {
	Post(ctx context.Context, reference string, l notify.Letter) error
}

// reachable says whether there is any way of telling people.
func (w *Watch) reachable(ctx context.Context) (bool, error) {
	if w.Mail != nil {
		return true, nil
	}
	version, err := w.Store.Catalog(ctx)
	return len(version.Channels) > 0, err
}

// send begins to send what is due, each by the channel whose turn it is, and waits for none of it.
func (w *Watch) send(ctx context.Context) error {
	due, err := w.Store.MessagesDue(ctx, dueAtOnce)
	if err != nil || len(due) == 0 {
		return errors.Join(err, w.out.trouble())
	}
	version, err := w.Store.Catalog(ctx)
	if err != nil {
		return err
	}
	for _, m := range due {
		ways, err := w.ways(ctx, version.Catalog, m)
		if err != nil {
			return err
		}
		if len(ways) == 0 {
			continue // it waits until there is a way again, for a day
		}
		turn := m.Attempts % len(ways)
		d := store.Delivery{Via: ways[turn], Name: version.ChannelName(ways[turn]), Last: turn == len(ways)-1}
		if w.out.take(m.ID, d.Via) {
			w.out.all.Go(func() { w.out.done(m.ID, d.Via, w.deliver(ctx, version.Catalog, m, d)) })
		}
	}
	return w.out.trouble()
}

// deliver tries one message by one channel, and notes what came of it.
func (w *Watch) deliver(ctx context.Context, c catalog.Catalog, m store.Message, d store.Delivery) error {
	within, cancel := context.WithTimeout(ctx, sendPatience)
	defer cancel()
	letter := notify.Letter{ID: m.ID, Name: m.To.Name, Address: m.Address, Subject: m.Subject, Text: m.Text, At: m.At, Public: m.Public()}
	if d.Via == catalog.ByMail {
		d.Failed = w.Mail.Send(within, letter)
	} else if channel, ok := c.Channel(d.Via); ok {
		d.Failed = w.Channels.Post(within, channel.Address, letter)
	} else {
		d.Failed = errors.New("there is no such channel any more")
	}
	if ctx.Err() != nil {
		return nil //nolint:nilerr // the worker stops: what was not noted is sent again, under the same id
	}
	return w.Store.Sent(ctx, m, d)
}

// ways are the channels by which a message may go, the first first.
func (w *Watch) ways(ctx context.Context, c catalog.Catalog, m store.Message) ([]string, error) {
	only, ok := m.OnlyVia()
	if ok && m.Public() {
		return []string{only}, nil // what is meant for customers goes nowhere else
	}
	if ok {
		return c.Ways([]string{only}, w.Mail != nil), nil
	}
	chosen, err := w.Store.ChosenChannels(ctx, m.To.ID)
	return c.Ways(chosen, w.Mail != nil), err
}

// tellFailing tells administrators of channels that have failed for a while; by whichever of theirs works.
func (w *Watch) tellFailing(ctx context.Context) error {
	health, err := w.Store.ChannelHealth(ctx)
	if err != nil {
		return err
	}
	for _, h := range health {
		if h.Failing == nil || w.Store.Now().Sub(*h.Failing) < failingFor {
			continue
		}
		if err := w.tellOfFailing(ctx, h); err != nil {
			return fmt.Errorf("tell that %s fails: %w", h.Channel, err)
		}
	}
	return nil
}

// tellOfFailing tells administrators of one channel, once for each time that it begins to fail.
func (w *Watch) tellOfFailing(ctx context.Context, h store.Health) error {
	about, nth := store.AboutChannel(h.Channel), int(h.Failing.Unix())
	had, err := w.Store.MessagesAbout(ctx, about)
	if err != nil || slices.ContainsFunc(had, func(m store.Message) bool { return m.Occasion == approval.Failing && m.Nth == nth }) {
		return err
	}
	version, err := w.Store.Catalog(ctx)
	if err != nil {
		return err
	}
	everybody, err := w.Store.Electorate(ctx)
	if err != nil {
		return err
	}
	name := version.ChannelName(h.Channel)
	text := w.letter("/messages", fmt.Sprintf("%s has not worked since %s: %s", name, approval.Clock(*h.Failing), h.Failure))
	var messages []store.Message
	for _, p := range everybody {
		if p.Mail != "" && p.Has(access.Administrator) {
			messages = append(messages, store.Message{
				About: about, Occasion: approval.Failing, Nth: nth, To: p.Person(), Address: p.Mail,
				Subject: name + " does not work: people may not be told", Text: text,
			})
		}
	}
	return w.Store.Tell(ctx, messages)
}
