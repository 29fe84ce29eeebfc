package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/breakglass"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
	"keyholder/internal/scram"
	"keyholder/internal/store"
	"keyholder/web/view"
)

// decideAccess takes a vote on a request for access, which may let it last less long than asked.
func (s *Server) decideAccess(c echo.Context) error {
	code, length := c.Param("code"), c.FormValue("length")
	again := func(status int, typed typedVote) error {
		return s.accessPage(c, status, code, typedAccess{typedVote: typed, length: length})
	}
	var shorter catalog.Duration
	if err := shorter.UnmarshalText([]byte(length)); err != nil {
		return again(http.StatusUnprocessableEntity, typedVote{comment: c.FormValue("comment"), wrong: fault.Wrong{"length": "Choose for how long at most."}})
	}
	return s.voteOn(c, voting{
		decide: func(ctx context.Context, v store.Vote) (store.Outcome, error) {
			return s.store.DecideAccess(ctx, store.AccessVote{Vote: v, Shorter: shorter})
		},
		page: again, path: view.AccessPath(code), approved: "approved. Whoever asked can begin it now",
	})
}

// accessActForm is what the forms of a request's page post.
type accessActForm struct {
	Act     string `form:"act"`
	Note    string `form:"note"`
	InOrder string `form:"in_order"`
	Seen    string `form:"seen"`
}

func (s *Server) withdrawAccess(c echo.Context) error {
	return s.actOnAccess(c, store.WithdrawAccess, "It was not withdrawn", "is withdrawn.")
}

func (s *Server) beginAccess(c echo.Context) error {
	return s.actOnAccess(c, store.BeginAccess, "It did not begin", "has begun. It is given as soon as the system has taken it.")
}

func (s *Server) returnAccess(c echo.Context) error {
	return s.actOnAccess(c, store.ReturnAccess, "It was not given back", "is given back. Say below what was done with it.")
}

func (s *Server) revokeAccess(c echo.Context) error {
	return s.actOnAccess(c, store.RevokeAccess, "It was not taken", "has ended. It is being taken back at the system.")
}

func (s *Server) stateAccess(c echo.Context) error {
	return s.actOnAccess(c, store.StateAccess, "It was not saved", "bears your word.")
}

func (s *Server) reviewAccess(c echo.Context) error {
	return s.actOnAccess(c, store.ReviewAccess, "Your review was not saved", "is reviewed.")
}

// actOnAccess does to access what a person asks for, and shows what became of it.
func (s *Server) actOnAccess(c echo.Context, verb store.AccessVerb, no, yes string) error {
	form, wrong := accessActForm{}, fault.Wrong{}
	if err := bindForm(c, &form); err != nil {
		return err
	}
	code := c.Param("code")
	cmd := store.AccessCommand{
		ID: actID(form.Act), Code: code, By: principal(c), Verb: verb, Note: text(wrong, "note", form.Note, "", approval.MaxText), InOrder: form.InOrder == "yes",
		Seen: form.Seen,
	}
	if verb == store.ReviewAccess && form.InOrder != "yes" && form.InOrder != "no" {
		wrong.Add("in_order", "Say whether it was in order.")
		if cmd.Note == "" {
			wrong.Add("note", "Say what you looked at, and what you found.")
		}
	}
	err := wrong.Err()
	if err == nil {
		var out store.Outcome
		if out, err = s.store.CommandAccess(c.Request().Context(), cmd); err == nil {
			err = out.Err()
		}
	}
	if refusedHere(err) {
		typed := typedAccess{verb: string(verb), note: form.Note, inOrder: form.InOrder, err: err}
		if fieldsOf(err) == nil {
			typed.problem = refusal(no, err)
		}
		return s.accessPage(c, statusOf(err), code, typed)
	}
	if err != nil {
		return err
	}
	s.flash(c, code+" "+yes)
	return c.Redirect(http.StatusSeeOther, view.AccessPath(code))
}

// freezeAccess freezes a person, a role, a system or a request.
func (s *Server) freezeAccess(c echo.Context) error {
	form, wrong := freezeForm{}, fault.Wrong{}
	if err := bindForm(c, &form); err != nil {
		return err
	}
	kind, subject, _ := strings.Cut(form.Subject, ":")
	note := text(wrong, "note", form.Note, "Say why you freeze it.", approval.MaxText)
	if subject == "" {
		wrong.Add("subject", "Choose what is frozen.")
	}
	err := wrong.Err()
	var l breakglass.Lock
	if err == nil {
		l, err = s.store.Freeze(c.Request().Context(), principal(c), store.LockFile{ID: actID(form.Act), Kind: breakglass.LockKind(kind), Subject: subject, Why: note})
	}
	single := breakglass.LockKind(kind) == breakglass.LockRequest
	if refusedHere(err) {
		typed := typedAccess{verb: "freeze", note: form.Note, err: err}
		if fieldsOf(err) == nil {
			typed.problem = refusal("It was not frozen", err)
		}
		if single && subject != "" {
			return s.accessPage(c, statusOf(err), subject, typed)
		}
		return s.accessesPage(c, statusOf(err), form, typed)
	}
	if err != nil {
		return err
	}
	s.flash(c, "Frozen: "+l.What+".")
	if single {
		return c.Redirect(http.StatusSeeOther, view.AccessPath(subject))
	}
	return c.Redirect(http.StatusSeeOther, view.AccessesPath())
}

// releaseAccess takes a lock off.
func (s *Server) releaseAccess(c echo.Context) error {
	form, wrong := accessActForm{}, fault.Wrong{}
	if err := bindForm(c, &form); err != nil {
		return err
	}
	id := c.Param("id")
	note := text(wrong, "note", form.Note, "", approval.MaxText)
	err := wrong.Err()
	if err == nil {
		err = s.store.Release(c.Request().Context(), principal(c), id, note)
	}
	if fault.KindOf(err) == fault.Conflict {
		if err = s.releasedBefore(c.Request().Context(), id, principal(c).ID, err); err == nil {
			return c.Redirect(http.StatusSeeOther, view.AccessesPath())
		}
	}
	if refusedHere(err) {
		typed := typedAccess{verb: "release-" + id, note: form.Note, err: err}
		if fieldsOf(err) == nil {
			typed.problem = refusal("It was not released", err)
		}
		return s.accessesPage(c, statusOf(err), freezeForm{}, typed)
	}
	if err != nil {
		return err
	}
	s.flash(c, "Released.")
	return c.Redirect(http.StatusSeeOther, view.AccessesPath())
}

// releasedBefore is the conflict, unless the same person took the lock off a moment ago: their button was pressed twice.
func (s *Server) releasedBefore(ctx context.Context, id, by string, conflict error) error {
	locks, err := s.store.LatestLocks(ctx, accessListed)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(locks, func(l breakglass.Lock) bool { return l.ID == id && l.Lifted != nil && l.Lifted.By.ID == by }) {
		return nil
	}
	return conflict
}

// sentAgain is for how long a second press of the same button is shown the same password.
const sentAgain = 15 * time.Second

// shown are the passwords that were shown a moment ago, so that a button that is pressed twice shows one password and not a second one
// that makes the first void. Nobody else ever keeps one, and this forgets it.
type shown struct {
	mu sync.Mutex
	by map[string]string // the holder, the request and the act
}

// once answers with what make made for key, a moment ago or now. One at a time makes one, so that what was made last is in force.
func (s *shown) once(key string, make func() (string, error)) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if password, ok := s.by[key]; ok {
		return password, nil
	}
	password, err := make()
	if err != nil {
		return "", err
	}
	if s.by == nil {
		s.by = map[string]string{}
	}
	s.by[key] = password
	time.AfterFunc(sentAgain, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.by, key)
	})
	return password, nil
}

// showPassword makes a password for the holder's account, of which only the verifier is kept, and shows it on this one page.
func (s *Server) showPassword(c echo.Context) error {
	form := accessActForm{}
	if err := bindForm(c, &form); err != nil {
		return err
	}
	ctx, who, code := c.Request().Context(), principal(c), c.Param("code")
	password, err := s.shown.once(strings.Join([]string{who.ID, code, actID(form.Act)}, " "), func() (string, error) { return s.newPassword(ctx, who, code) })
	if refusedHere(err) {
		return s.accessPage(c, statusOf(err), code, typedAccess{typedVote: typedVote{problem: refusal("No password was made", err)}})
	}
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return s.accessPage(c, http.StatusOK, code, typedAccess{password: password})
}

func (s *Server) newPassword(ctx context.Context, who access.Principal, code string) (string, error) {
	r, err := s.store.Access(ctx, code)
	if err != nil {
		return "", err
	}
	if !r.Terms.System.OwnLogins() {
		return "", fault.Late("signs-in-as-usual", "People sign in to %s as they always do: Keyholder makes no passwords for it.", r.Terms.System.Name)
	}
	password := scram.NewPassword()
	verifier, err := scram.NewVerifier(password)
	if err != nil {
		return "", err
	}
	return password, s.store.SetPassword(ctx, who, code, verifier)
}
