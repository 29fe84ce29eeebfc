package web

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web/view"
)

// recordAct is a record's form on its way: the address it came to, and what it held.
type recordAct struct {
	catalog.Ref // the slug is empty where the record is new
	sent        url.Values
	wrong       map[string]string
	problem     *view.Refusal
	meanwhile   []string
	base        int
	managed     bool
	merged      any // what was typed, with what somebody else changed meanwhile
}

func (a recordAct) isNew() bool { return a.Slug == "" }

// newRecord draws the form of a new record.
func (s *Server) newRecord(c echo.Context) error {
	k, err := kindOf(c)
	if err == nil {
		err = s.mustEdit(c, k)
	}
	if err != nil {
		return err
	}
	return s.recordForm(c, http.StatusOK, recordAct{Ref: catalog.Ref{Kind: k}}, nil)
}

// editRecord draws the form of a record as it stands.
func (s *Server) editRecord(c echo.Context) error {
	ref, stands, err := s.standing(c)
	if err != nil {
		return err
	}
	now, err := s.drafted(c.Request().Context(), principal(c))
	if err != nil {
		return err
	}
	record := stands.Record
	if e, ok := now.Entry(ref); ok {
		record = e.Record // as this person would have it
	}
	return s.recordForm(c, http.StatusOK, recordAct{Ref: ref, base: stands.Since, managed: stands.Managed}, record)
}

// secondWords says which fields of a kind one person may change alone.
func secondWords(k catalog.Kind) string {
	if !k.NeedsTwo(nil, k) {
		return ""
	}
	var alone []string
	for _, f := range k.Fields() {
		if f.Alone {
			alone = append(alone, strings.ToLower(f.Label))
		}
	}
	words := "A change comes among your changes first: it takes a second person."
	if len(alone) > 0 {
		words += " Only " + joined(alone) + " can be saved directly."
	}
	return words
}

// standing is the record that the address names, if this person may change it.
func (s *Server) standing(c echo.Context) (catalog.Ref, *store.Standing, error) {
	ref, err := refOf(c)
	if err == nil {
		err = s.mustEdit(c, ref.Kind)
	}
	if err != nil {
		return ref, nil, err
	}
	stands, err := s.store.Standing(c.Request().Context(), ref)
	if err != nil || stands != nil {
		return ref, stands, err
	}
	now, err := s.drafted(c.Request().Context(), principal(c))
	e, there := now.Entry(ref)
	if err == nil && !there {
		err = fault.Missing(ref.Kind.One(), ref.Slug)
	}
	return ref, &store.Standing{Entry: e}, err // to be added, and not in force yet
}

// mustEdit refuses, on record, whoever may not change records of a kind. The route table knows no kinds.
func (s *Server) mustEdit(c echo.Context, k catalog.Kind) error {
	who, needs := principal(c), k.EditedBy()
	if who.May(needs) {
		return nil
	}
	return s.keepOut(c, route{Needs: needs}, who)
}

// recordForm draws a record's form: from the record, or from what was typed.
func (s *Server) recordForm(c echo.Context, status int, a recordAct, record any) error {
	now, err := s.drafted(c.Request().Context(), principal(c))
	if err != nil {
		return err
	}
	p := view.RecordForm{
		Kind: a.Kind, New: a.isNew(), Base: a.base, Managed: a.managed, Wrong: a.wrong, Problem: a.problem, Meanwhile: a.meanwhile,
		Action: view.EditRecordPath(a.Ref), Back: view.RecordPath(a.Ref),
	}
	title := "Change " + now.NameOf(a.Kind, a.Slug)
	if p.New {
		p.Action, p.Back = view.NewRecordPath(a.Kind), view.KindPath(a.Kind, view.ListFilter{})
		title = "Add a " + a.Kind.One()
	}
	form := recordForm{catalog: now}
	if approval.Governed(now, s.store.Now()) {
		p.Second = secondWords(a.Kind)
	}
	switch {
	case a.merged != nil:
		p.Why = a.sent.Get("why")
		p.Fields = form.of(a.Kind.Fields(), a.merged, "", false)
	case a.sent != nil:
		p.Why = a.sent.Get("why")
		p.Fields = form.again(a.Kind.Fields(), a.sent, "", a.sent.Get("more"), p.New)
	case record != nil:
		p.Fields = form.of(a.Kind.Fields(), record, "", false)
	default:
		p.Fields = form.again(a.Kind.Fields(), c.Request().URL.Query(), "", "", true)
	}
	nameFirst(p.Fields, p.New)
	p.Wrong, p.Elsewhere = placed(a.wrong, p.Fields)
	p.Page = s.page(c, title)
	p.Live = false // it is all a form
	return s.render(c, status, view.RecordFormPage(p))
}

// nameFirst puts the name before the short name that is made from it.
func nameFirst(fields []view.FormField, isNew bool) {
	if len(fields) > 1 && fields[0].Name == "slug" && fields[1].Name == "name" {
		fields[0], fields[1] = fields[1], fields[0]
		if isNew {
			fields[1].Hint += " Made from the name, where it is left empty."
		}
	}
}

// placed tells what is wrong at a field of the form from what is wrong elsewhere. A name in a list belongs to the list.
func placed(wrong map[string]string, fields []view.FormField) (at map[string]string, elsewhere []string) {
	names := map[string]bool{}
	named(fields, names)
	at = map[string]string{}
	for _, path := range slices.Sorted(maps.Keys(wrong)) {
		name := path
		if !names[name] && strings.HasSuffix(name, "]") {
			name = name[:strings.LastIndexByte(name, '[')]
		}
		if names[name] && at[name] == "" {
			at[name] = wrong[path]
		} else {
			elsewhere = append(elsewhere, path+": "+wrong[path])
		}
	}
	return at, elsewhere
}

func named(fields []view.FormField, names map[string]bool) {
	for _, f := range fields {
		names[f.Name] = true
		named(f.Fields, names)
		for _, row := range f.Rows {
			named(row.Fields, names)
		}
	}
}

// addRecord and saveRecord take a record's form.
func (s *Server) addRecord(c echo.Context) error {
	k, err := kindOf(c)
	if err == nil {
		err = s.mustEdit(c, k)
	}
	if err != nil {
		return err
	}
	return s.takeRecord(c, recordAct{Ref: catalog.Ref{Kind: k}})
}

func (s *Server) saveRecord(c echo.Context) error {
	ref, err := refOf(c)
	if err == nil {
		err = s.mustEdit(c, ref.Kind)
	}
	if err != nil {
		return err
	}
	return s.takeRecord(c, recordAct{Ref: ref})
}

func (s *Server) takeRecord(c echo.Context, a recordAct) error {
	sent, err := c.FormParams()
	if err != nil {
		return formError(err)
	}
	a.sent = tidied(a.Kind.Fields(), sent)
	a.base, _ = strconv.Atoi(sent.Get("base"))
	if a.isNew() && a.sent.Get("slug") == "" {
		a.sent.Set("slug", slugOf(a.sent.Get("name")))
	}
	if sent.Get("more") != "" {
		return s.recordForm(c, http.StatusOK, a, nil)
	}
	saved, drafted, err := s.saveSent(c.Request().Context(), a, principal(c))
	switch {
	case fieldsOf(err) != nil:
		a.wrong = fieldsOf(err)
		return s.recordForm(c, http.StatusUnprocessableEntity, a, nil)
	case fault.KindOf(err) == fault.Conflict || fault.KindOf(err) == fault.Forbidden:
		return s.refusedRecord(c, a, saved.Record, err)
	case err != nil:
		return err
	}
	if drafted {
		s.flash(c, saved.Name+" is among your changes. A second person approves them when you have proposed them.")
		return c.Redirect(http.StatusSeeOther, view.ChangeDraftPath())
	}
	s.flash(c, saved.Name+" is saved.")
	return c.Redirect(http.StatusSeeOther, view.RecordPath(saved.Ref))
}

// saveSent makes a record of what was typed and puts it in force, or among what this person has put together where it takes a second
// one.
func (s *Server) saveSent(ctx context.Context, a recordAct, who access.Principal) (e catalog.Entry, drafted bool, err error) {
	now, err := s.drafted(ctx, who)
	if err != nil {
		return e, false, err
	}
	form := recordForm{catalog: now, wrong: fault.Wrong{}}
	if e, err = form.read(a.Kind, a.sent); err != nil {
		return e, false, err
	}
	why := text(form.wrong, "why", a.sent.Get("why"), "", approval.MaxText)
	if _, there := now.Entry(e.Ref); there && a.isNew() {
		form.wrong.Add("slug", "There is a %s of this short name already: %s.", a.Kind.One(), now.NameOf(e.Kind, e.Slug))
	}
	if !a.isNew() && e.Ref != a.Ref {
		form.wrong.Add("slug", "The short name never changes; it is %s.", a.Slug)
	}
	if len(form.wrong) == 0 && s.config.Told != nil {
		maps.Copy(form.wrong, s.config.Told(now, e))
	}
	if err := form.wrong.Err(); err != nil {
		return e, false, err
	}
	drafted, err = s.edit(ctx, who, store.Edit{Change: catalog.Change{Ref: e.Ref, Record: e.Record}, Base: a.base, Why: why})
	return e, drafted, err
}

// edit makes an edit, or puts it among what this person has put together where it takes a second one, or is there already.
func (s *Server) edit(ctx context.Context, who access.Principal, e store.Edit) (drafted bool, err error) {
	draft, err := s.store.Draft(ctx, who.ID)
	if err != nil {
		return false, err
	}
	if _, drafted = draft.Terms.Of(e.Ref); !drafted {
		if drafted, err = s.store.NeedsTwo(ctx, e.Change); err != nil {
			return false, err
		}
	}
	if drafted {
		return true, s.store.AddToDraft(ctx, who.Person(), e)
	}
	_, err = s.store.EditRecord(ctx, who, e)
	return false, err
}

// drafted is the catalogue in force with what this person has put together on top: forms offer what is to be added with them.
func (s *Server) drafted(ctx context.Context, who access.Principal) (catalog.Catalog, error) {
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return catalog.Catalog{}, err
	}
	draft, err := s.store.Draft(ctx, who.ID)
	if err != nil || draft.Terms.Empty() {
		return version.Catalog, err
	}
	based, err := s.store.Rebase(ctx, draft.Terms, s.store.Now())
	if err != nil {
		return version.Catalog, err
	}
	return based.Terms.On(based.Now.Catalog)
}

// refusedRecord draws the form again with why it was not saved. Where somebody else was first it shows what they changed, and
// has it in the fields that this person left alone; saving again is then based on that.
func (s *Server) refusedRecord(c echo.Context, a recordAct, mine any, refused error) error {
	a.problem = refusal("It was not saved", refused)
	f := fault.As(refused)
	if f.Rule != store.RuleEditedMeanwhile {
		return s.recordForm(c, statusOf(refused), a, nil)
	}
	ctx := c.Request().Context()
	ref := catalog.Ref{Kind: a.Kind, Slug: a.sent.Get("slug")}
	var before, after any
	if a.base > 0 {
		version, err := s.store.CatalogAt(ctx, a.base)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return err
		}
		if e, ok := version.Entry(ref); ok {
			before = e.Record
		}
	}
	stands, err := s.store.Standing(ctx, ref)
	if err != nil {
		return err
	}
	a.base = 0
	if stands != nil {
		a.base, a.managed, after = stands.Since, stands.Managed, stands.Record
	}
	if before != nil && after != nil {
		a.merged = a.Kind.Merge(before, mine, after)
	}
	for _, d := range a.Kind.Differences(before, after) {
		a.meanwhile = append(a.meanwhile, d.String())
	}
	if stands == nil {
		a.meanwhile = []string{fmt.Sprintf("The %s was retired. Saving brings it back.", a.Kind.One())}
	}
	return s.recordForm(c, statusOf(refused), a, nil)
}

// retireForm is what the form of retiring a record holds.
type retireForm struct {
	Base string `form:"base"`
	Why  string `form:"why"`
}

// retirement is a wish to retire a record that was refused: its page shows why, and what was typed.
type retirement struct {
	title   string // of what was refused; that of a retirement where there is none
	why     string
	refused error
}

// retireRecord takes a record out of the catalogue.
func (s *Server) retireRecord(c echo.Context) error {
	ref, err := refOf(c)
	if err == nil {
		err = s.mustEdit(c, ref.Kind)
	}
	if err != nil {
		return err
	}
	form, wrong := retireForm{}, fault.Wrong{}
	if err := bindForm(c, &form); err != nil {
		return err
	}
	why, drafted := text(wrong, "why", form.Why, "", approval.MaxText), false
	if err = wrong.Err(); err == nil {
		base, _ := strconv.Atoi(form.Base)
		drafted, err = s.edit(c.Request().Context(), principal(c), store.Edit{Change: catalog.Change{Ref: ref}, Base: base, Why: why})
	}
	if fault.KindOf(err) == fault.Conflict || fault.KindOf(err) == fault.Forbidden || fieldsOf(err) != nil {
		return s.recordPage(c, retirement{why: form.Why, refused: err})
	}
	if err != nil {
		return err
	}
	if drafted {
		s.flash(c, "Its retirement is among your changes. A second person approves them when you have proposed them.")
		return c.Redirect(http.StatusSeeOther, view.ChangeDraftPath())
	}
	s.flash(c, "It is retired. Its history stays.")
	return c.Redirect(http.StatusSeeOther, view.RecordPath(ref))
}

// slugOf makes a short name of a name.
func slugOf(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	return strings.Join(words, "-")
}
