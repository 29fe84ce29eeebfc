package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/breakglass"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web/view"
)

// accessReview is the holder's word on what was done, and the review by somebody else.
func (s *Server) accessReview(ctx context.Context, p *view.AccessRequest, r breakglass.Request, here accessSituation, who access.Principal, typed typedAccess) error {
	g := r.Grant
	if g == nil {
		return nil
	}
	p.Statement = g.Statement
	if err := s.activityOf(ctx, p, r, who, here.now); err != nil {
		return err
	}
	if !g.Unreviewed(here.now) {
		return nil
	}
	p.ReviewDue = g.ReviewDue()
	if g.Holder.ID == who.ID && g.MayRestate(here.now) {
		p.State = &view.NoteForm{
			Path: view.AccessActPath(r.Code, "state"), Label: "Say what was done with " + r.Code, ID: "state-note", Note: "What you did, and what you changed",
			Hint: "Whoever reviews the use reads it. You may change it for ten minutes.", Typed: g.Statement, Primary: g.Statement == "",
		}
		if g.Statement != "" {
			p.State.Label = "Change what you said about " + r.Code
		}
		typed.into(p.State, "state")
	}
	if err := g.MayReview(who, here.now); err != nil {
		p.NotReviewer = refusal("You do not review this", err)
		return nil
	}
	if !g.Awaits(here.now).IsZero() {
		return nil // the page says until when
	}
	seen, err := g.Seen()
	if err != nil {
		return err
	}
	p.Review = &view.ReviewForm{
		Seen: seen, Path: view.AccessActPath(r.Code, "review"), Act: store.NewID(), Label: "Sign the review of " + r.Code,
		InOrder: []view.Choice{{Value: "yes", Label: "In order"}, {Value: "no", Label: "Not in order"}},
	}
	if typed.verb == "review" {
		p.Review.Note, p.Review.Wrong = typed.note, fieldsOf(typed.err)
		for i := range p.Review.InOrder {
			p.Review.InOrder[i].Chosen = p.Review.InOrder[i].Value == typed.inOrder
		}
	}
	return nil
}

// What a page holds of what was done; the rest is one press away.
const (
	activityShown = 50  // entries
	activityWidth = 400 // characters of one
)

// activityOf is what the system wrote down of what was done, as far as this person may read it.
func (s *Server) activityOf(ctx context.Context, p *view.AccessRequest, r breakglass.Request, who access.Principal, now time.Time) error {
	g := r.Grant
	if g.Activity == nil {
		p.Activity = activityWaits(g, now)
		return nil
	}
	a := g.Activity
	p.Activity = &view.AccessActivity{What: activityWords(*a), Read: a.At, Digest: a.Digest}
	if g.MayReadActivity(who) != nil {
		return nil // they see how much there is, and not what
	}
	entries, err := s.store.ActivityOf(ctx, *g)
	if f := fault.As(err); f != nil { // somebody changed it: whoever reviews must be able to say so
		p.Activity.Failed, p.Activity.Waits = true, f.Message
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries[:min(len(entries), activityShown)] {
		p.Activity.Entries = append(p.Activity.Entries, view.StoryLine{At: e.At, What: firstOf(e.Text, activityWidth)})
	}
	p.Activity.All, p.Activity.Label = view.AccessActivityPath(r.Code), "As text: "+counted(len(entries), "entry", "entries")
	return nil
}

// activityWaits says why what the system wrote down is not there yet; nil where nothing is to be there.
func activityWaits(g *breakglass.Grant, now time.Time) *view.AccessActivity {
	if !g.ActivityDue() {
		return nil
	}
	without := ""
	if until := g.Awaits(now); !until.IsZero() {
		without = " From " + approval.Clock(until) + " on the use may be reviewed without it."
	}
	if g.Unread == nil {
		return &view.AccessActivity{Waits: "It is read as soon as all of it must be written down." + without}
	}
	return &view.AccessActivity{Failed: true, Waits: fmt.Sprintf("It cannot be read: %s Tried %d times, and again until somebody has reviewed the use.%s", g.Unread.Why, g.Unread.Attempts, without)}
}

// activityWords says how much there is, and where it was read.
func activityWords(a breakglass.Activity) string {
	words := a.Source + ": " + counted(a.Entries, "entry", "entries")
	if a.LeftOut > 0 {
		words += fmt.Sprintf(", and %d more that were too many to keep", a.LeftOut)
	}
	if a.Partial != "" {
		words += ". " + strings.TrimSuffix(a.Partial, ".")
	}
	return words
}

// accessActivity answers with all that the system wrote down, as text that a shell can search.
func (s *Server) accessActivity(c echo.Context) error {
	ctx := c.Request().Context()
	r, err := s.store.Access(ctx, c.Param("code"))
	if err != nil {
		return err
	}
	if r.Grant == nil || r.Grant.Activity == nil {
		return fault.Missing("record of what was done with", r.Code)
	}
	if err := r.Grant.MayReadActivity(principal(c)); err != nil {
		return err
	}
	entries, err := s.store.ActivityOf(ctx, *r.Grant)
	if err != nil {
		return err
	}
	var all strings.Builder
	fmt.Fprintf(&all, "%s, %s\n%s\nDigest %s\n\n", r.Code, accessTitle(r), activityWords(*r.Grant.Activity), r.Grant.Activity.Digest)
	for _, e := range entries {
		fmt.Fprintf(&all, "%s  %s\n", e.At.UTC().Format("2006-01-02T15:04:05.000Z"), strings.ReplaceAll(e.Text, "\n", "\n\t"))
	}
	c.Response().Header().Set("Content-Disposition", `inline; filename="`+r.Code+`.txt"`)
	return c.String(http.StatusOK, all.String())
}

// firstOf is the beginning of a text, of so many characters at most.
func firstOf(text string, most int) string {
	if all := []rune(text); len(all) > most {
		return string(all[:most]) + "…"
	}
	return text
}
