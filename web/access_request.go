package web

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/breakglass"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web/view"
)

// typedAccess is what was typed into a form about access that was refused, and a password that is shown this once.
type typedAccess struct {
	typedVote
	verb     string // of the form
	note     string
	inOrder  string
	length   string
	err      error
	password string
}

// into puts what was typed back into the form of a verb, with what is wrong with it.
func (typed typedAccess) into(f *view.NoteForm, verb string) {
	if f.Act == "" {
		f.Act = store.NewID()
	}
	if typed.verb == verb {
		f.Typed, f.Wrong = typed.note, fieldsOf(typed.err)["note"]
	}
}

func (s *Server) showAccess(c echo.Context) error {
	return s.accessPage(c, http.StatusOK, c.Param("code"), typedAccess{})
}

// accessPage draws a request for access for this person, with what they typed and what was refused.
func (s *Server) accessPage(c echo.Context, status int, code string, typed typedAccess) error {
	ctx, who := c.Request().Context(), principal(c)
	r, err := s.store.Access(ctx, code)
	if err != nil {
		return err
	}
	here, err := s.accessSituation(ctx)
	if err != nil {
		return err
	}
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return err
	}
	p := accessDrawn(r, here)
	p.Page, p.Problem = s.page(c, r.Code+": "+accessAsk(r)), typed.problem
	p.AccessLine = here.lineWith(r)
	if err := s.accessDecides(ctx, &p, r, here, who, typed); err != nil {
		return err
	}
	if err := s.accessBegins(ctx, &p, r, who); err != nil {
		return err
	}
	if err := s.accessSignIn(ctx, &p, r, here, who, typed); err != nil {
		return err
	}
	accessStops(&p, r, here, who, typed)
	if err := s.accessReview(ctx, &p, r, here, who, typed); err != nil {
		return err
	}
	if p.Told, err = s.toldWords(ctx, version.Catalog, r.Code); err != nil {
		return err
	}
	p.Typing = p.Action.Vote != nil || p.Revoke != nil || p.Freeze != nil || p.State != nil || p.Review != nil
	return s.render(c, status, view.AccessRequestPage(p))
}

// accessDrawn is the page as everybody sees it.
func accessDrawn(r breakglass.Request, here accessSituation) view.AccessRequest {
	t := r.Terms
	p := view.AccessRequest{
		Asker: r.Requester.Name, Reason: r.Reason, About: t.System.About, Does: t.Role, Starts: zeroIf(t.Starts),
		Length: catalog.Lasting(t.Length.D()), Allowed: catalog.Lasting(r.Allowed.D()), Expires: r.ExpiresAt, Opens: r.Opens(), Lapses: r.LapsesAt(),
		System: view.Link{Path: view.RecordPath(catalog.Ref{Kind: catalog.KindSystem, Slug: t.System.Slug}), Text: t.System.Name},
		Agreed: view.Link{Path: view.RecordPath(catalog.Ref{Kind: catalog.KindEligibility, Slug: t.Eligibility.Slug}), Text: t.Eligibility.Name},
		Story:  accessStory(r, here.now), Audit: view.AuditOfPath(r.Code),
		Settled: view.AuditOfPath(store.HolderCode(t.System.Slug, r.Requester.ID)),
	}
	for _, role := range t.System.Roles {
		if role.Role == t.Role && role.Does != "" {
			p.Does = role.Role + ": " + role.Does
		}
	}
	if t.Incident != "" {
		p.Incident = &view.Link{Path: view.IncidentPath(t.Incident), Text: "incident " + t.Incident}
	}
	if t.Run != "" {
		p.Run = &view.Link{Path: view.RunPath(t.Run), Text: "run " + t.Run + ", with which it ends"}
	}
	if t.Bypass {
		p.Skipped = skippedWords(r)
	}
	for _, d := range r.Decisions {
		p.Votes = append(p.Votes, voteLine(r.Question, d))
	}
	p.Have = len(r.Approvers())
	p.Want = p.Have
	return p
}

// accessDecides says what is still wanted of whom, and lets them decide.
func (s *Server) accessDecides(ctx context.Context, p *view.AccessRequest, r breakglass.Request, here accessSituation, who access.Principal, typed typedAccess) error {
	ballot, err := s.store.AccessBallot(ctx, r)
	if err != nil {
		return err
	}
	p.Needs, p.Who = policyWords(ballot.Rules), access.Titles(ballot.Rules.Voters())+" other than "+r.Requester.Name
	if r.Standing(here.now) != approval.Requested {
		return nil
	}
	p.Wanted, p.Want = wantedBy(ballot, p.Have)
	hopes, err := s.store.HopesOfAccess(ctx, r)
	if err != nil {
		return err
	}
	names := make([]string, len(hopes.Able))
	for i, v := range hopes.Able {
		names[i] = v.Name
	}
	p.Able, p.Nobody = joined(names), wantedWords(hopes.Wanting)
	paths := questionPaths{decide: view.AccessActPath(r.Code, "decide"), withdraw: view.AccessActPath(r.Code, "withdraw"), page: view.AccessPath(r.Code)}
	p.Action = questionAction(r.Question, who, who, ballot, typed.typedVote, paths, "Approve: "+accessAsk(r), here.now)
	if f := p.Action.Vote; f != nil {
		f.Shorter = lengths(r.Allowed, typed.length)
		for i := range f.Shorter {
			last := i == len(f.Shorter)-1
			f.Shorter[i].Chosen = f.Shorter[i].Value == typed.length || typed.length == "" && last
		}
	}
	if p.Action.NotYou != nil && p.Action.NotYou.Who == "" && p.Action.Again == "" {
		p.Action.NotYou.Who = p.Who
	}
	return nil
}

// accessBegins lets the holder begin what is approved, or says which rule stands against it.
func (s *Server) accessBegins(ctx context.Context, p *view.AccessRequest, r breakglass.Request, who access.Principal) error {
	if p.Stand != breakglass.Waiting {
		return nil
	}
	err := s.store.MayBeginAccess(ctx, who, r)
	switch {
	case err == nil:
		p.Begin = &view.NoteForm{
			Path: view.AccessActPath(r.Code, "begin"), Act: store.NewID(), Primary: true, Label: "Begin: " + accessTitle(r) + ", " + catalog.Lasting(r.Allowed.D()),
		}
	case fault.As(err) == nil || fault.KindOf(err) == fault.Internal:
		return err
	case who.ID == r.Requester.ID:
		p.CantBegin = refusal("You cannot begin it", err)
	}
	return nil
}

// accessSignIn tells the holder, and nobody else, how to sign in.
func (s *Server) accessSignIn(ctx context.Context, p *view.AccessRequest, r breakglass.Request, here accessSituation, who access.Principal, typed typedAccess) error {
	if r.MayHavePassword(who, here.locks, here.now) != nil {
		return nil
	}
	account, err := s.store.AccountOf(ctx, r.Grant.System, who.ID)
	if err != nil {
		return err
	}
	p.SignIn = &view.AccessSignIn{
		Account: account.Name, Password: typed.password, Usual: !r.Terms.System.OwnLogins(), ShownAt: zeroIf(account.ShownAt),
		InForce: account.Verifier != "" && account.InForce == account.Wanted(), Back: view.AccessPath(r.Code),
	}
	if r.Terms.System.OwnLogins() && typed.password == "" {
		p.SignIn.Show = &view.NoteForm{
			Path: view.AccessActPath(r.Code, "password"), Act: store.NewID(), Primary: p.SignIn.ShownAt.IsZero(), Label: "Show a new password for " + r.Terms.System.Name,
		}
	}
	return nil
}

// accessStops are the ways in which it ends before its time, or is frozen.
func accessStops(p *view.AccessRequest, r breakglass.Request, here accessSituation, who access.Principal, typed typedAccess) {
	g, may := r.Grant, who.May(access.RevokeAccess)
	over := p.Stand == breakglass.Refused || p.Stand == breakglass.Lapsed || g != nil && g.Ends(here.now)
	frozen := false
	for _, l := range here.locks {
		about := breakglass.Grant{System: r.Terms.System.Slug, Role: r.Terms.Role, Code: r.Code, Holder: breakglass.Holder{ID: r.Requester.ID}}
		if g != nil {
			about = *g
		}
		if !over && l.On(here.now) && l.Covers(about) {
			p.Locks = append(p.Locks, lockLine(l, who, typed))
			frozen = frozen || l.Kind == breakglass.LockRequest
		}
	}
	if over {
		return
	}
	if g != nil && g.Holder.ID == who.ID {
		p.GiveBack = &view.NoteForm{Path: view.AccessActPath(r.Code, "give-back"), Act: store.NewID(), Label: "Give back: " + accessTitle(r)}
	}
	if g != nil && may {
		p.Revoke = &view.NoteForm{
			Path: view.AccessActPath(r.Code, "revoke"), Label: "Take " + accessTitle(r) + " from " + g.Holder.Name, ID: "revoke-note", Note: "Why you take it",
			Hint: "It ends at once, and does not come back.", Boundary: true,
		}
		typed.into(p.Revoke, "revoke")
	}
	if may && !frozen {
		p.Freeze = &view.NoteForm{
			Path: view.FreezePath(), Subject: string(breakglass.LockRequest) + ":" + r.Code, Label: "Freeze " + r.Code + ": " + accessTitle(r), ID: "freeze-note",
			Note: "Why you freeze it", Hint: "It takes hold at once. Once released, what is left of its time holds again.", Boundary: true,
		}
		typed.into(p.Freeze, "freeze")
	}
}
