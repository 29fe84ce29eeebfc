package web

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/breakglass"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web/view"
)

// accessListed bounds how many requests of before are listed.
const accessListed = 50

// holdings is what somebody has now, for every page of theirs. Whoever has nothing costs one read, which all pages share.
func (s *Server) holdings(ctx context.Context, who access.Principal) ([]view.Holding, error) {
	grants, err := s.store.OpenGrants(ctx)
	if err != nil {
		return nil, err
	}
	var mine []breakglass.Grant
	for _, g := range grants {
		if g.Holder.ID == who.ID {
			mine = append(mine, g)
		}
	}
	if len(mine) == 0 {
		return nil, nil
	}
	now, err := s.store.AccessNow(ctx)
	if err != nil {
		return nil, err
	}
	locks, err := s.store.Locks(ctx)
	if err != nil {
		return nil, err
	}
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	var all []view.Holding
	for _, g := range mine {
		if !g.Holds(now) || g.Given == nil {
			continue
		}
		h := view.Holding{Path: view.AccessPath(g.Code), Role: g.Role, System: g.System, Until: g.End(), Left: leftWords(g.End().Sub(now)), Frozen: breakglass.Freezes(locks, g, now)}
		if system, ok := version.System(g.System); ok {
			h.System = system.Name
		}
		all = append(all, h)
	}
	return all, nil
}

// accessWaiting is what waits for this person that has to do with access: what they may decide on, begin, review and owe a word on.
func (s *Server) accessWaiting(ctx context.Context, here accessSituation, who access.Principal) ([]view.Waiting, error) {
	var waiting []view.Waiting
	for _, r := range here.open {
		w := view.Waiting{Path: view.AccessPath(r.Code), Why: r.Reason}
		g := r.Grant
		switch stand := r.Stands(here.locks, here.now); {
		case stand == breakglass.Asked:
			ballot, err := s.store.AccessBallot(ctx, r)
			if err != nil {
				return nil, err
			}
			if !r.MayDecideAfterSignIn(who, ballot, here.now) {
				continue
			}
			w.Title, w.Why, w.Since, w.Until = "Decide: "+accessAsk(r), r.Requester.Name+" asks for it: "+r.Reason, r.FiledAt, r.ExpiresAt
		case stand == breakglass.Waiting && r.Requester.ID == who.ID && !here.now.Before(r.Opens()):
			w.Title, w.Since, w.Until = "Begin: "+accessTitle(r)+", "+catalog.Lasting(r.Allowed.D()), r.Opens(), r.LapsesAt()
		case g == nil || !g.Unreviewed(here.now):
			continue
		case g.Holder.ID == who.ID && g.Statement == "":
			w.Title, w.Why, w.Since = "Say what was done: "+accessTitle(r), "Your access has ended. Whoever reviews the use reads it.", g.End()
		case g.MayReview(who, here.now) == nil:
			w.Title, w.Since, w.Until = "Review: the use of "+accessTitle(r)+" by "+g.Holder.Name, g.End(), g.ReviewDue()
			w.Why = "Until then it blocks the next use by " + g.Holder.Name + " and on " + r.Terms.System.Name + "."
			if g.Bypass {
				w.Why = "EMERGENCY, without approval. " + w.Why
			}
		default:
			continue
		}
		waiting = append(waiting, w)
	}
	return waiting, nil
}

// live is what those in command see of access on Now.
func (here accessSituation) live(who access.Principal) *view.LiveAccess {
	if !who.May(access.SeeAccess) {
		return nil
	}
	live := &view.LiveAccess{}
	for _, r := range here.open {
		switch r.Stands(here.locks, here.now) {
		case breakglass.Live:
			live.Count++
		case breakglass.Taking, breakglass.Frozen:
			line := here.lineWith(r)
			if line.Stuck && line.Bad {
				live.Stuck = append(live.Stuck, line)
			}
		case breakglass.Asked, breakglass.Refused, breakglass.Waiting, breakglass.Lapsed, breakglass.Giving, breakglass.ToReview, breakglass.Done:
		}
	}
	return live
}

func (s *Server) showAccesses(c echo.Context) error {
	return s.accessesPage(c, http.StatusOK, freezeForm{}, typedAccess{})
}

// accessesPage draws what waits for this person, what they have, and, for those who may see it, who has what and what is frozen.
func (s *Server) accessesPage(c echo.Context, status int, form freezeForm, typed typedAccess) error {
	ctx, who := c.Request().Context(), principal(c)
	p := view.Accesses{Page: s.page(c, "Access"), Problem: typed.problem, Everyone: who.May(access.SeeAccess)}
	here, err := s.accessSituation(ctx)
	if err != nil {
		return err
	}
	if p.Waiting, err = s.accessWaiting(ctx, here, who); err != nil {
		return err
	}
	if p.MayAsk, err = s.mayAskAccess(ctx, who, here.now); err != nil {
		return err
	}
	for _, r := range here.open {
		mine := r.Requester.ID == who.ID
		if !running(r.Stands(here.locks, here.now)) || !mine && !p.Everyone {
			continue
		}
		line := here.lineWith(r)
		if mine {
			p.Mine = append(p.Mine, line)
		}
		p.Live = append(p.Live, line)
	}
	of := who.ID
	if p.Everyone {
		of = ""
	}
	latest, err := s.store.LatestAccess(ctx, of, "", accessListed)
	if err != nil {
		return err
	}
	for _, r := range latest {
		p.Latest = append(p.Latest, here.line(r))
	}
	for _, l := range here.locks {
		p.Locks = append(p.Locks, lockLine(l, who, typed))
	}
	if p.Everyone {
		if p.Findings, err = s.accessFindings(ctx, who); err != nil {
			return err
		}
	}
	if who.May(access.RevokeAccess) {
		if p.Freeze, err = s.freezing(ctx, form, typed); err != nil {
			return err
		}
	}
	p.Typing = p.Freeze != nil
	return s.render(c, status, view.AccessesPage(p))
}

// freezeForm is what the forms that freeze and release post. Subject is the kind and the subject: "system:reporting".
type freezeForm struct {
	Act     string `form:"act"`
	Subject string `form:"subject"`
	Note    string `form:"note"`
}

// freezing is the form that freezes, with all that can be frozen but single requests, whose pages have one of their own.
func (s *Server) freezing(ctx context.Context, form freezeForm, typed typedAccess) (*view.FreezeForm, error) {
	f := &view.FreezeForm{Path: view.FreezePath(), Act: actID(form.Act)}
	if typed.verb == "freeze" {
		f.Why, f.Wrong = form.Note, fieldsOf(typed.err)
	}
	choice := func(kind breakglass.LockKind, subject, label string) view.Choice {
		value := string(kind) + ":" + subject
		return view.Choice{Value: value, Label: label, Chosen: value == form.Subject}
	}
	people, err := s.store.Electorate(ctx)
	if err != nil {
		return nil, err
	}
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	persons, systems, roles := view.ChoiceGroup{Label: "A person"}, view.ChoiceGroup{Label: "A system"}, view.ChoiceGroup{Label: "A role"}
	for _, p := range people {
		if !approval.Stranger(p) {
			persons.Choices = append(persons.Choices, choice(breakglass.LockPerson, p.ID, "All access of "+p.Name))
		}
	}
	for _, system := range version.Systems {
		systems.Choices = append(systems.Choices, choice(breakglass.LockSystem, system.Slug, "All access to "+system.Name))
		for _, role := range system.RoleNames() {
			roles.Choices = append(roles.Choices, choice(breakglass.LockRole, system.Slug+"/"+role, role+" on "+system.Name))
		}
	}
	f.Groups = []view.ChoiceGroup{persons, systems, roles}
	return f, nil
}

// incidentAccess lists what was asked for in an incident.
func (s *Server) incidentAccess(ctx context.Context, p *view.Incident, in store.Incident, who access.Principal) error {
	asked, err := s.store.LatestAccess(ctx, "", in.Code, accessListed)
	if err != nil {
		return err
	}
	here := accessSituation{}
	if len(asked) > 0 {
		if here, err = s.accessSituation(ctx); err != nil {
			return err
		}
	}
	for _, r := range asked {
		p.Access = append(p.Access, here.line(r))
	}
	if in.ClosedAt == nil && who.May(access.AskAccess) {
		p.AskAccess = view.AskAccessPath("", in.Code)
	}
	return nil
}

// refusedHere says whether an error is shown on the page that it came from, rather than on one of its own.
func refusedHere(err error) bool {
	f := fault.As(err)
	return f != nil && f.Kind != fault.Internal && f.Kind != fault.NotFound && f.Kind != fault.SignInAgain
}

// zeroIf is the time unless it is not said.
func zeroIf(at *time.Time) time.Time {
	if at == nil {
		return time.Time{}
	}
	return *at
}
