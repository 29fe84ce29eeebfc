package watch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/degrade"
	"keyholder/internal/store"
)

// The rhythms of looking at what runs degraded.
const (
	modesEvery    = time.Second
	exposureEvery = 2 * time.Second
	standsEvery   = 5 * time.Second
	modesAtOnce   = 20
	troubledFor   = time.Minute // after which people are told
)

// Modes looks at real systems for degraded modes.
type Modes interface {
	ReadExposure(ctx context.Context, m degrade.Mode) *degrade.Exposure
	Stands(ctx context.Context, m degrade.Mode) (stands *bool, why string)
}

// looked is when a mode was last looked at.
type looked struct{ exposure, stands time.Time }

// followModes looks at what runs degraded, and ends what must end.
func (w *Watch) followModes(ctx context.Context) error {
	if w.Modes == nil {
		return nil
	}
	open, err := w.Store.OpenModes(ctx)
	if err != nil || len(open) == 0 {
		return err
	}
	readings, err := w.Store.Readings(ctx)
	if err != nil {
		return err
	}
	before := w.looked
	w.looked = map[string]looked{}
	failed := make([]error, len(open))
	room := make(chan struct{}, modesAtOnce)
	var all sync.WaitGroup
	for i, m := range open {
		if m.Phase != degrade.On {
			continue
		}
		seen := degrade.Seen{At: w.Store.Now()}
		if healthy, ok := store.HealthyBy(m.Terms.Rule, readings, seen.At); ok {
			seen.Healthy = &healthy
		}
		at := before[m.Code]
		exposure, stands := seen.At.Sub(at.exposure) >= exposureEvery, seen.At.Sub(at.stands) >= standsEvery
		if exposure {
			at.exposure = seen.At
		}
		if stands {
			at.stands = seen.At
		}
		w.looked[m.Code] = at
		room <- struct{}{}
		all.Go(func() {
			defer func() { <-room }()
			if exposure {
				seen.Exposure = w.Modes.ReadExposure(ctx, m)
			}
			if stands {
				seen.Stands, seen.Why = w.Modes.Stands(ctx, m)
			}
			failed[i] = w.Store.FollowMode(ctx, m, seen)
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

// degrading is a wish to run degraded as messages speak of it.
func (w *Watch) degrading(m degrade.Mode) matter {
	return matter{
		Question: m.Question, code: m.Code, path: "/degraded/" + m.Code, why: m.Reason, what: "run degraded: " + m.Terms.Rule.Name,
		ballot: func(ctx context.Context) (approval.Ballot, error) { return w.Store.ModeBallot(ctx, m) },
	}
}

// widening is a wish for wider limits as messages speak of it.
func (w *Watch) widening(m degrade.Mode, e degrade.Extension) matter {
	q := approval.Question{
		ID: e.ID, Code: m.Code + "/" + e.ID, Requester: e.By, Round: 1, Open: true, FiledAt: e.At, ExpiresAt: e.Until, State: e.State(w.Store.Now()),
	}
	return matter{
		Question: q, code: m.Code, path: "/degraded/" + m.Code, why: e.Reason, what: "go on running degraded within wider limits: " + m.Terms.Rule.Name,
		ballot: func(ctx context.Context) (approval.Ballot, error) { return w.Store.ExtensionBallot(ctx, m, e) },
	}
}

// modeMatters are the wishes to run degraded, and for wider limits, that stand so: open, or decided and nobody was told.
func (w *Watch) modeMatters(ctx context.Context, standing func(approval.State) bool) ([]matter, error) {
	open, err := w.Store.OpenModes(ctx)
	if err != nil {
		return nil, err
	}
	decided, err := w.Store.UntoldModes(ctx)
	if err != nil {
		return nil, err
	}
	var all []matter
	for _, m := range open {
		if m.State == approval.Requested && standing(m.State) {
			all = append(all, w.degrading(m))
		}
		for _, e := range m.Extensions {
			if x := w.widening(m, e); standing(x.State) {
				all = append(all, x)
			}
		}
	}
	for _, m := range decided {
		if standing(m.State) {
			all = append(all, w.degrading(m))
		}
	}
	return all, nil
}

// tellOfModes tells whoever may run degraded what they must know of it: a limit that nears or is reached, a switch that does not take or
// was turned behind our back, and what began by itself.
func (w *Watch) tellOfModes(ctx context.Context) error {
	open, err := w.Store.OpenModes(ctx)
	if err != nil {
		return err
	}
	for _, m := range open {
		for _, n := range modeNews(m, w.Store.Now()) {
			if err := w.tellMode(ctx, m, n); err != nil {
				return fmt.Errorf("tell people of %s: %w", m.Code, err)
			}
		}
	}
	return nil
}

// modeWord is something about a mode that people are told once.
type modeWord struct {
	on   approval.Occasion
	at   time.Time
	text string
}

func modeNews(m degrade.Mode, now time.Time) []modeWord {
	var all []modeWord
	if m.Nears(now) {
		at, which := m.Projection(now)
		all = append(all, modeWord{approval.Nearing, *m.On, fmt.Sprintf("its limit in %s is reached in %s", which, catalog.Lasting(at.Sub(now)))})
	}
	if m.Reached != nil {
		all = append(all, modeWord{approval.Limited, m.Reached.At, "its limit is reached: " + m.Reached.What})
	}
	if m.Trouble != nil && now.Sub(m.Trouble.Since) >= troubledFor {
		all = append(all, modeWord{approval.Escalated, m.Trouble.Since, fmt.Sprintf("it is still %s after %s: %s", m.Phase.Words(), catalog.Lasting(now.Sub(m.Trouble.Since)), m.Trouble.Why)})
	}
	if m.Drift != nil {
		all = append(all, modeWord{approval.Drifted, m.Drift.Since, "it was switched behind our back: " + m.Drift.Why})
	}
	if m.InAdvance != "" {
		all = append(all, modeWord{approval.Started, m.FiledAt, fmt.Sprintf("%s switched it on, as was approved in advance", m.Requester.Name)})
	}
	return all
}

func (w *Watch) tellMode(ctx context.Context, m degrade.Mode, n modeWord) error {
	had, err := w.Store.MessagesAbout(ctx, m.Code)
	if err != nil {
		return err
	}
	nth := int(n.at.Unix())
	for _, one := range had {
		if one.Occasion == n.on && one.Nth == nth {
			return nil
		}
	}
	everybody, err := w.Store.Electorate(ctx)
	if err != nil {
		return err
	}
	var messages []store.Message
	for _, p := range everybody {
		if p.Mail == "" || !p.Has(access.IncidentCommander, access.BusinessOwner) {
			continue
		}
		messages = append(messages, store.Message{
			About: m.Code, Occasion: n.on, Nth: nth, To: p.Person(), Address: p.Mail, Subject: m.Terms.Rule.Name + " (" + m.Code + "): " + n.text,
			Text: w.letter("/degraded/"+m.Code, m.Terms.Rule.Name+": "+n.text+"."),
		})
	}
	return w.Store.Tell(ctx, messages)
}
