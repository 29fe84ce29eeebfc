package watch

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"sync"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/degrade"
	"keyholder/internal/failover"
	"keyholder/internal/store"
)

// The rhythms of looking at what runs degraded.
const (
	modesEvery    = time.Second
	exposureEvery = 2 * time.Second
	standsEvery   = 5 * time.Second
	modesAtOnce   = 100         // of which many may hang
	troubledFor   = time.Minute // after which people are told
)

// Modes looks at real systems for degraded modes.
type Modes interface {
	ReadExposure(ctx context.Context, m degrade.Mode) *degrade.Exposure
	Stands(ctx context.Context, m degrade.Mode) (stands *bool, why string)
}

// looked is when a mode was last looked at.
type looked struct{ exposure, stands time.Time }

// followed says that a mode is looked at: it is on, or may be.
func followed(m degrade.Mode) bool { return m.Phase == degrade.On || m.Phase == degrade.SwitchingOn }

// endModes ends what must end by the clock, by health and by what was read last. It reads no system: none that hangs keeps a limit from
// holding.
func (w *Watch) endModes(ctx context.Context) error {
	open, err := w.Store.OpenModes(ctx)
	if err != nil || len(open) == 0 {
		return err
	}
	readings, err := w.Store.Readings(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, m := range open {
		if followed(m) {
			failed = append(failed, w.Store.FollowMode(ctx, m, w.healthSeen(m, readings)))
		}
	}
	return errors.Join(failed...)
}

// healthSeen is what the signals say of a mode.
func (w *Watch) healthSeen(m degrade.Mode, readings failover.Readings) degrade.Seen {
	seen := degrade.Seen{At: w.Store.Now()}
	if healthy, ok := store.HealthyBy(m.Terms.Rule, readings, seen.At); ok {
		seen.Healthy = &healthy
	}
	return seen
}

// lookAtModes reads what runs on each mode, and whether it is still on.
func (w *Watch) lookAtModes(ctx context.Context) error {
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
		now, at := w.Store.Now(), before[m.Code]
		exposure, stands := now.Sub(at.exposure) >= exposureEvery, now.Sub(at.stands) >= standsEvery
		if exposure {
			at.exposure = now
		}
		if stands {
			at.stands = now
		}
		w.looked[m.Code] = at
		if !exposure && !stands {
			continue
		}
		room <- struct{}{}
		all.Go(func() {
			defer func() { <-room }()
			var read degrade.Seen
			if exposure {
				read.Exposure = w.Modes.ReadExposure(ctx, m)
			}
			if stands {
				read.Stands, read.Why = w.Modes.Stands(ctx, m)
			}
			seen := w.healthSeen(m, readings)
			read.Healthy, read.At = seen.Healthy, seen.At
			failed[i] = w.Store.FollowMode(ctx, m, read)
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

// tellOfModes tells whoever may run degraded what they must know of it: that it is on, and what others are to be told; a limit that nears
// or is reached; a switch that does not take or was turned behind our back; that it has ended.
func (w *Watch) tellOfModes(ctx context.Context) error {
	open, err := w.Store.OpenModes(ctx)
	if err != nil {
		return err
	}
	ended, err := w.Store.EndedModes(ctx)
	if err != nil {
		return err
	}
	before := w.toldOf
	w.toldOf = map[string]bool{}
	var everybody []access.Principal // once, where there is news
	for _, m := range slices.Concat(open, ended) {
		for _, n := range modeNews(m, w.Store.Now()) {
			key := fmt.Sprint(m.Code, n.on, n.nth)
			if w.toldOf[key] = true; before[key] {
				continue
			}
			if everybody == nil {
				if everybody, err = w.Store.Electorate(ctx); err != nil {
					return err
				}
			}
			if err := w.tellMode(ctx, m, n, everybody); err != nil {
				w.toldOf = before
				return fmt.Errorf("tell people of %s: %w", m.Code, err)
			}
		}
	}
	return nil
}

// modeWord is something about a mode that people are told once.
type modeWord struct {
	on   approval.Occasion
	nth  int
	text string
}

func modeNews(m degrade.Mode, now time.Time) []modeWord {
	var all []modeWord
	say := func(on approval.Occasion, nth int64, text string, args ...any) {
		all = append(all, modeWord{on: on, nth: int(nth), text: fmt.Sprintf(text, args...)})
	}
	if m.On != nil {
		how := "it is on"
		if m.InAdvance != "" {
			how = m.Requester.Name + " switched it on, as was approved in advance"
		}
		say(approval.Started, m.On.Unix(), "%s", how)
	}
	if m.Nears(now) {
		at, which := m.Projection(now)
		say(approval.Nearing, int64(crc32.ChecksumIEEE(fmt.Append(nil, which, m.Limits))>>1), "its limit in %s is reached in %s", which, catalog.Lasting(at.Sub(now)))
	}
	if m.Reached != nil {
		say(approval.Limited, m.Reached.At.Unix()+int64(len(m.Reached.Which)), "its limit is reached: %s", m.Reached.What)
	}
	if m.Trouble != nil && now.Sub(m.Trouble.Since) >= troubledFor {
		say(approval.Escalated, m.Trouble.Since.Unix(), "it is still %s after %s: %s", m.Phase.Words(), catalog.Lasting(now.Sub(m.Trouble.Since)), m.Trouble.Why)
	}
	if m.Drift != nil {
		say(approval.Drifted, m.Drift.Since.Unix(), "it was switched behind our back: %s", m.Drift.Why)
	}
	if m.Off != nil && m.Ending != nil && m.On != nil {
		say(approval.Ended, m.Off.Unix(), "it has ended: %s", m.Ending.Why)
	}
	return all
}

// announcement is what others are told while a mode lasts: what is posted for them, and what people must tell them.
func announcement(c catalog.Catalog, m degrade.Mode) string {
	if m.Terms.Drill {
		return "This is a drill: nobody is to be told anything."
	}
	var lines []string
	for _, a := range m.Terms.Rule.Audiences() {
		if a.Channel != "" {
			lines = append(lines, fmt.Sprintf("Posted for %s by %s: %s", a.Whom, c.ChannelName(a.Channel), a.Text))
		} else {
			lines = append(lines, "Tell "+a.Whom+": "+a.Text)
		}
	}
	return strings.Join(lines, "\n")
}

func (w *Watch) tellMode(ctx context.Context, m degrade.Mode, n modeWord, everybody []access.Principal) error {
	had, err := w.Store.MessagesAbout(ctx, m.Code)
	if err != nil {
		return err
	}
	for _, one := range had {
		if one.Occasion == n.on && one.Nth == n.nth {
			return nil
		}
	}
	name := m.Terms.Rule.Name
	if m.Terms.Drill {
		name = "Drill: " + name
	}
	said := name + ": " + n.text + "."
	if n.on == approval.Started {
		version, err := w.Store.Catalog(ctx)
		if err != nil {
			return err
		}
		if more := announcement(version.Catalog, m); more != "" {
			said += "\n\n" + more
		}
	}
	var messages []store.Message
	for _, p := range everybody {
		if p.Mail == "" || !p.Has(access.IncidentCommander, access.BusinessOwner) {
			continue
		}
		messages = append(messages, store.Message{
			About: m.Code, Occasion: n.on, Nth: n.nth, To: p.Person(), Address: p.Mail, Subject: name + " (" + m.Code + "): " + n.text,
			Text: w.letter("/degraded/"+m.Code, said),
		})
	}
	return w.Store.Tell(ctx, messages)
}
