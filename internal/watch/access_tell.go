package watch

import (
	"context"
	"fmt"
	"slices"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/breakglass"
	"keyholder/internal/store"
)

// accessWord is something about access that some people are told once.
type accessWord struct {
	on   approval.Occasion
	nth  int64
	to   func(access.Principal) bool
	text string
}

// The moments at which people are told of access.
const (
	nearsWithin   = 10 * time.Minute // its end
	takenLateFrom = time.Minute      // it should be gone

	escalatesEvery = time.Hour
)

// accessNews gathers what is to be told of a request for access by now.
type accessNews struct {
	breakglass.Request
	now time.Time
	all []accessWord
}

func (n *accessNews) say(on approval.Occasion, at time.Time, to func(access.Principal) bool, text string, args ...any) {
	n.all = append(n.all, accessWord{on, at.Unix(), to, fmt.Sprintf(text, args...)})
}

func (n *accessNews) holder(p access.Principal) bool { return p.ID == n.Requester.ID }

func inCommand(p access.Principal) bool { return p.May(access.RevokeAccess) }

// gather takes in what is to be told; gone is since when it should be gone, and trouble why it is not. Locks are those on, and those that
// were lately.
func (n *accessNews) gather(locks []breakglass.Lock, gone time.Time, trouble *breakglass.Trouble) []accessWord {
	if n.Terms.Bypass {
		skipped := func(p access.Principal) bool {
			return inCommand(p) || slices.ContainsFunc(n.Skipped, func(s access.Person) bool { return s.ID == p.ID })
		}
		n.say(approval.Bypassed, n.FiledAt, skipped, "EMERGENCY: %s began without approval, and you were not asked: %s", n.Requester.Name, n.Reason)
	}
	if n.Grant == nil {
		if n.Stands(nil, n.now) == breakglass.Lapsed {
			n.say(approval.Lapsed, n.LapsesAt(), n.holder, "it lapsed at %s, for you had not begun it", approval.Clock(n.LapsesAt()))
		}
		return n.all
	}
	n.course(*n.Grant)
	n.locked(*n.Grant, locks)
	n.stuck(gone, trouble)
	n.review(*n.Grant)
	return n.all
}

// locked tells the holder that it is frozen, and that it holds again.
func (n *accessNews) locked(g breakglass.Grant, locks []breakglass.Lock) {
	for _, l := range locks {
		if !l.Covers(g) || !l.At.Before(g.End()) || l.Lifted != nil && l.Lifted.At.Before(g.Began) {
			continue
		}
		n.say(approval.Frozen, l.At, n.holder, "%s froze it: %s", l.By.Name, l.Why)
		if l.Lifted != nil && l.Lifted.At.Before(g.End()) {
			n.say(approval.Released, l.Lifted.At, n.holder, "%s released what was frozen: %s", l.Lifted.By.Name, l.Lifted.Why)
		}
	}
}

// course tells the holder how it goes.
func (n *accessNews) course(g breakglass.Grant) {
	if g.Given == nil {
		return
	}
	n.say(approval.Started, *g.Given, n.holder, "you have it until %s", approval.Clock(g.Until))
	if left := g.End().Sub(n.now); left > 0 && left <= nearsWithin && g.Length.D() > nearsWithin {
		n.say(approval.Nearing, g.Until, n.holder, "it ends at %s", approval.Clock(g.End()))
	}
	if g.Ends(n.now) {
		how := "its time is over"
		if g.Ended != nil {
			how = string(g.Ended.How)
		}
		n.say(approval.Ended, g.End(), n.holder, "it has ended, %s; say on its page what was done with it", how)
	}
}

// stuck tells those in command, until it is gone, that it should be and is not.
func (n *accessNews) stuck(gone time.Time, trouble *breakglass.Trouble) {
	if gone.IsZero() || n.now.Sub(gone) < takenLateFrom {
		return
	}
	why := "nobody has seen that it is gone"
	if trouble != nil {
		why = trouble.Why
	}
	again := gone.Add(n.now.Sub(gone).Truncate(escalatesEvery))
	n.say(approval.Escalated, again, inCommand, "it should have been gone since %s and is not: %s", approval.Clock(gone), why)
}

// review tells who looks at the use that it is over, and others that nobody has looked.
func (n *accessNews) review(g breakglass.Grant) {
	if v := g.Review; v != nil {
		found := "in order"
		if !v.InOrder {
			found = "NOT in order"
		}
		n.say(approval.Reviewed, v.At, n.holder, "%s reviewed what you did with it: %s. %s", v.By.Name, found, v.Note)
	}
	if !g.Unreviewed(n.now) {
		return
	}
	reviewer := func(p access.Principal) bool { return g.MayReview(p, n.now) == nil }
	n.say(approval.ToReview, g.End(), reviewer, "review what %s did with it, until %s", g.Holder.Name, approval.Clock(g.ReviewDue()))
	if n.now.After(g.ReviewDue()) {
		n.say(approval.ToReview, g.ReviewDue(), func(p access.Principal) bool { return reviewer(p) || inCommand(p) }, "nobody has reviewed it")
	}
}

// tellOfAccess tells people of access what concerns them.
func (w *Watch) tellOfAccess(ctx context.Context) error {
	open, err := w.Store.OpenAccess(ctx)
	if err != nil {
		return err
	}
	late, err := w.Store.LateAccess(ctx)
	if err != nil || len(open)+len(late) == 0 {
		return err
	}
	here, err := w.accessNow(ctx, open)
	if err != nil {
		return err
	}
	before := w.toldOfAccess
	w.toldOfAccess = map[string]bool{}
	for _, r := range slices.Concat(open, late) {
		for _, n := range here.newsOf(r) {
			key := fmt.Sprint(r.Code, n.on, n.nth)
			if w.toldOfAccess[key] {
				continue // it is open, and changed lately
			}
			if w.toldOfAccess[key] = true; before[key] {
				continue
			}
			if err := w.tellAccess(ctx, r, n); err != nil {
				w.toldOfAccess = before
				return fmt.Errorf("tell people of %s: %w", r.Code, err)
			}
		}
	}
	return nil
}

// accessHere is what news of access are judged by, loaded once.
type accessHere struct {
	grants   map[breakglass.Where][]breakglass.Grant // that are open
	locks    []breakglass.Lock                       // those on, and the latest
	accounts store.Accounts
	now      time.Time
}

func (w *Watch) accessNow(ctx context.Context, open []breakglass.Request) (here accessHere, err error) {
	grants := breakglass.Grants(open)
	here.grants = breakglass.Apart(grants)
	if here.now, err = w.Store.AccessNow(ctx); err != nil {
		return here, err
	}
	on, err := w.Store.Locks(ctx)
	if err != nil {
		return here, err
	}
	latest, err := w.Store.LatestLocks(ctx, locksTold)
	if err != nil {
		return here, err
	}
	here.locks = append(on, slices.DeleteFunc(latest, func(l breakglass.Lock) bool { return l.Lifted == nil })...)
	here.accounts, err = w.Store.AccountsOf(ctx, grants)
	return here, err
}

// locksTold is how many locks are looked at to tell whom they froze that they are off.
const locksTold = 100

// newsOf is what is to be told of one request by now.
func (here accessHere) newsOf(r breakglass.Request) []accessWord {
	n := &accessNews{Request: r, now: here.now}
	if r.Grant == nil || r.Grant.Confirmed != nil {
		return n.gather(here.locks, time.Time{}, nil)
	}
	account := here.accounts.Of(r.Grant.System, r.Grant.Holder.ID)
	return n.gather(here.locks, r.Grant.GoneSince(here.grants[r.Grant.Where()], here.locks, account, here.now), account.Trouble)
}

func (w *Watch) tellAccess(ctx context.Context, r breakglass.Request, n accessWord) error {
	everybody, err := w.Store.Electorate(ctx)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%s on %s for %s", r.Terms.Role, r.Terms.System.Name, r.Requester.Name)
	var messages []store.Message
	for _, p := range everybody {
		if p.Mail == "" || !n.to(p) {
			continue
		}
		messages = append(messages, store.Message{
			About: r.Code, Occasion: n.on, Nth: int(n.nth), To: p.Person(), Address: p.Mail, Subject: fmt.Sprintf("%s, %s: %s", r.Code, what, n.text),
			Text: w.letter("/access/"+r.Code, fmt.Sprintf("%s: %s.", what, n.text)),
		})
	}
	return w.Store.Tell(ctx, messages)
}
