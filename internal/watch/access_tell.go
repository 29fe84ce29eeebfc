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

// gather takes in what is to be told; gone is since when it should be gone, and trouble why it is not.
func (n *accessNews) gather(gone time.Time, trouble *breakglass.Trouble) []accessWord {
	if n.Terms.Bypass {
		skipped := func(p access.Principal) bool {
			return inCommand(p) || slices.ContainsFunc(n.Skipped, func(s access.Person) bool { return s.ID == p.ID })
		}
		n.say(approval.Bypassed, n.FiledAt, skipped, "EMERGENCY: %s began without approval, and you were not asked: %s", n.Requester.Name, n.Reason)
	}
	if n.Grant != nil {
		n.course(*n.Grant)
		n.stuck(gone, trouble)
		n.review(*n.Grant)
	}
	return n.all
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
	ended, err := w.Store.EndedAccess(ctx)
	if err != nil || len(open)+len(ended) == 0 {
		return err
	}
	now, err := w.Store.AccessNow(ctx)
	if err != nil {
		return err
	}
	before := w.toldOfAccess
	w.toldOfAccess = map[string]bool{}
	for _, r := range slices.Concat(open, ended) {
		news, err := w.newsOf(ctx, r, open, now)
		if err != nil {
			return err
		}
		for _, n := range news {
			key := fmt.Sprint(r.Code, n.on, n.nth)
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

// newsOf is what is to be told of one request by now. open are all that are.
func (w *Watch) newsOf(ctx context.Context, r breakglass.Request, open []breakglass.Request, now time.Time) ([]accessWord, error) {
	n := &accessNews{Request: r, now: now}
	if r.Grant == nil || r.Grant.Confirmed != nil {
		return n.gather(time.Time{}, nil), nil
	}
	account, err := w.Store.AccountOf(ctx, r.Grant.System, r.Grant.Holder.ID)
	if err != nil {
		return nil, err
	}
	locks, err := w.Store.Locks(ctx)
	if err != nil {
		return nil, err
	}
	beside := breakglass.Of(breakglass.Grants(open), r.Grant.System, r.Grant.Holder.ID)
	return n.gather(r.Grant.GoneSince(beside, locks, account, now), account.Trouble), nil
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
