package web

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/breakglass"
	"keyholder/internal/catalog"
	"keyholder/internal/store"
	"keyholder/web/view"
)

// stuckAfter is how long access may take to be gone before people are told that it is not.
const stuckAfter = 10 * time.Second

// accessSituation is what the stand of every access is judged by, loaded once.
type accessSituation struct {
	open  []breakglass.Request // that wait for people, may still begin, give access, or are owed something
	locks []breakglass.Lock
	now   time.Time // that counts for access

	grants   map[breakglass.Where][]breakglass.Grant // that are open
	accounts store.Accounts                          // of their holders
}

func (s *Server) accessSituation(ctx context.Context) (here accessSituation, err error) {
	if here.open, err = s.store.OpenAccess(ctx); err != nil {
		return here, err
	}
	if here.locks, err = s.store.Locks(ctx); err != nil {
		return here, err
	}
	if here.now, err = s.store.AccessNow(ctx); err != nil {
		return here, err
	}
	grants := slices.DeleteFunc(breakglass.Grants(here.open), func(g breakglass.Grant) bool { return !g.Open() })
	here.grants = breakglass.Apart(grants)
	here.accounts, err = s.store.AccountsOf(ctx, grants)
	return here, err
}

// accessTitle names what somebody is to have: "reporting_reader on Reporting database".
func accessTitle(r breakglass.Request) string { return r.Terms.Role + " on " + r.Terms.System.Name }

// accessAsk is the whole of what is asked: "reporting_reader on Reporting database for Pavel, 15 min".
func accessAsk(r breakglass.Request) string {
	return fmt.Sprintf("%s for %s, %s", accessTitle(r), r.Requester.Name, catalog.Lasting(r.Allowed.D()))
}

// leftWords is how long is left: whole minutes, and seconds only within the last one.
func leftWords(d time.Duration) string {
	if d >= time.Minute {
		d = d.Truncate(time.Minute)
	}
	return catalog.Lasting(max(0, d))
}

// running says that somebody has it, is given it, or that it is not seen to be gone.
func running(s breakglass.Stand) bool {
	return s == breakglass.Giving || s == breakglass.Live || s == breakglass.Frozen || s == breakglass.Taking
}

// line is a request in a list.
func (here accessSituation) line(r breakglass.Request) view.AccessLine {
	l := view.AccessLine{
		Path: view.AccessPath(r.Code), Code: r.Code, Title: accessTitle(r), Holder: r.Requester.Name, Stand: r.Stands(here.locks, here.now),
		Emergency: r.Terms.Bypass, Asked: r.FiledAt,
	}
	if r.Grant == nil || !running(l.Stand) {
		return l
	}
	if l.Until = r.Grant.End(); l.Stand != breakglass.Taking {
		l.Left = leftWords(l.Until.Sub(here.now))
	}
	return l
}

// lineWith is line, with what does not go as it should at the system.
func (here accessSituation) lineWith(r breakglass.Request) view.AccessLine {
	l := here.line(r)
	if r.Grant == nil || !running(l.Stand) {
		return l
	}
	at := r.Grant.Where()
	account := here.accounts.Of(at.System, at.Person)
	gone := r.Grant.GoneSince(here.grants[at], here.locks, account, here.now)
	l.Stuck = !gone.IsZero() && here.now.Sub(gone) > stuckAfter
	switch t := account.Trouble; {
	case t != nil:
		l.Trouble = fmt.Sprintf("It does not succeed since %s, after %s: %s", approval.Clock(t.Since), counted(t.Attempts, "attempt", "attempts"), t.Why)
		l.Bad = !gone.IsZero()
	case l.Stuck:
		l.Trouble, l.Bad = "It has not been seen to be gone.", true
	}
	return l
}

// lockLine is a lock that is on, with its form for those who may release it.
func lockLine(l breakglass.Lock, by access.Principal, typed typedAccess) view.LockLine {
	line := view.LockLine{What: l.What, Why: l.Why, By: l.By.Name, At: l.At}
	if by.May(access.RevokeAccess) {
		line.Release = &view.NoteForm{
			Path: view.ReleasePath(l.ID), Act: "", Label: "Release: " + l.What, ID: "release-" + l.ID, Note: "Why it is safe to release it",
			Hint: "What is left of the access that it froze holds again.",
		}
		typed.into(line.Release, "release-"+l.ID)
	}
	return line
}

// agreedWords are what an eligibility was agreed on with, in sentences.
func agreedWords(c catalog.Catalog, e catalog.Eligibility) []string {
	words := []string{
		"At most " + catalog.Lasting(e.Longest.D()) + " at a time, in steps of 5 min.",
		"Approved access is begun within " + catalog.Lasting(e.ActivateWithin.D()) + ", or lapses. The clock starts when it is given.",
		"The use is reviewed within " + catalog.Lasting(e.ReviewWithin.D()) + " after its end, by " + access.Titles(e.Reviewers) + ", never by its holder. Until then it blocks the next.",
	}
	if len(e.Causes) > 0 {
		words = append(words, "Only for incidents with the cause "+strings.Join(e.Causes, ", ")+".")
	}
	if len(e.Hours) > 0 {
		words = append(words, "It may begin at some hours only, by the clocks of "+c.Zone().String()+".")
	}
	return words
}

// accessStory is what happened, the oldest first.
func accessStory(r breakglass.Request, now time.Time) []view.StoryLine {
	story := []view.StoryLine{{At: r.FiledAt, What: fmt.Sprintf("%s asked for %s for %s.", r.Requester.Name, accessTitle(r), catalog.Lasting(r.Terms.Length.D()))}}
	add := func(at time.Time, format string, args ...any) {
		story = append(story, view.StoryLine{At: at, What: fmt.Sprintf(format, args...)})
	}
	switch state := r.Standing(now); {
	case state == approval.Expired:
		add(r.ExpiresAt, "It expired: silence is no.")
	case r.DecidedAt == nil || r.Terms.Bypass:
	case state == approval.Approved:
		add(*r.DecidedAt, "Approved by %s, for %s at most.", joined(r.Approvers()), catalog.Lasting(r.Allowed.D()))
	default:
		add(*r.DecidedAt, "It is %s.", state.Words())
	}
	g := r.Grant
	if g == nil {
		if r.Stands(nil, now) == breakglass.Lapsed {
			add(r.LapsesAt(), "It lapsed: %s did not begin it.", r.Requester.Name)
		}
		return story
	}
	if began := "%s began it."; g.Bypass {
		add(g.Began, strings.TrimSuffix(began, ".")+" WITHOUT APPROVAL.", g.Holder.Name)
	} else {
		add(g.Began, began, g.Holder.Name)
	}
	if g.Given != nil {
		add(*g.Given, "It was given: read back at the system.")
	}
	if g.Ends(now) {
		add(g.End(), "%s", endWords(*g))
	}
	if g.Confirmed != nil && g.Used() {
		gone := "It is gone: read back " + catalog.Lasting(g.Confirmed.Sub(g.End())) + " after its end."
		if g.Covered != "" {
			gone = "It is over; " + g.Covered + " still covers the role."
		}
		add(*g.Confirmed, "%s", gone)
	}
	if a := g.Activity; a != nil {
		add(a.At, "What was done was read: %s.", activityWords(*a))
	}
	if v := g.Review; v != nil {
		found := "in order"
		if !v.InOrder {
			found = "NOT in order"
		}
		add(v.At, "%s reviewed the use: %s. “%s”", v.By.Name, found, v.Note)
	}
	return story
}

// endWords says how access ended, and by whom.
func endWords(g breakglass.Grant) string {
	e := g.Ended
	if e == nil || e.At.After(g.Until) {
		return "It ended: its time was over."
	}
	switch e.How {
	case breakglass.Returned:
		return byName(e.By) + " gave it back."
	case breakglass.Revoked:
		return byName(e.By) + " took it: “" + e.Why + "”"
	case breakglass.Never:
		return "It was never given: " + e.Why + "."
	case breakglass.RunOver:
		return "It ended: " + e.Why + "."
	}
	return "It ended: " + string(e.How) + "."
}

// skippedWords names who was not asked in an emergency.
func skippedWords(r breakglass.Request) string {
	if len(r.Skipped) == 0 {
		return "There was nobody whom it could have been asked of."
	}
	names := make([]string, len(r.Skipped))
	for i, p := range r.Skipped {
		names[i] = p.Name
	}
	return "Not asked: " + strings.Join(names, ", ") + "." // all of them, for ever
}
