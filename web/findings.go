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
	"time"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web/view"
)

// findingsListed bounds the findings of one page.
const findingsListed = 20

// acceptForm is what the form that accepts a finding holds.
type acceptForm struct {
	Key    string `form:"key"`
	Reason string `form:"reason"`
	Until  string `form:"until"`
}

// listFindings draws where the catalogue breaks its own rules.
func (s *Server) listFindings(c echo.Context) error {
	return s.findingsPage(c, http.StatusOK, acceptForm{}, nil)
}

// findingsPage draws the findings that the address chooses, with what is wrong with an acceptance.
func (s *Server) findingsPage(c echo.Context, status int, form acceptForm, refused error) error {
	page := s.page(c, "Findings")
	ctx := c.Request().Context()
	found, err := s.store.Findings(ctx)
	if err != nil {
		return err
	}
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return err
	}
	query := c.Request().URL.Query()
	p := view.Findings{
		Page: page, Filter: findingFilter(query), MayAccept: principal(c).May(access.EditCatalog),
		Wrong: fieldsOf(refused), Key: form.Key, Reason: form.Reason, Until: form.Until,
	}
	if p.Wrong == nil {
		p.Problem = refusal("It was not accepted", refused)
	}
	p.Live, p.Typing = status == http.StatusOK, p.MayAccept
	if p.Until == "" {
		p.Until = s.store.Now().AddDate(0, 3, 0).Format(time.DateOnly)
	}
	p.Choices = findingChoices(version.Catalog, found.Open, p.Filter)
	skip := p.Filter.After != ""
	for i := range found.All {
		f := &found.All[i]
		if !chosen(f, p.Filter) {
			continue
		}
		p.Total++
		switch {
		case skip:
			skip = f.Key() != p.Filter.After
		case len(p.Lines) < findingsListed:
			p.Lines = append(p.Lines, findingLine(version.Catalog, *f))
		case p.Next == "":
			next := p.Filter
			next.After = p.Lines[findingsListed-1].Key
			p.Next = view.FindingsPath(next)
		}
	}
	return s.render(c, status, view.FindingsPage(p))
}

func findingFilter(q url.Values) view.FindingFilter {
	return view.FindingFilter{
		Rule: q.Get("rule"), Tier: q.Get("tier"), Capability: q.Get("capability"), Owner: q.Get("owner"),
		State: q.Get("state"), After: q.Get("after"),
	}
}

// chosen says whether a filter lets a finding through. Those that are accepted are left out unless they are asked for.
func chosen(f *store.Found, by view.FindingFilter) bool {
	return (by.Rule == "" || by.Rule == string(f.Rule)) && (by.Tier == "" || by.Tier == f.Tier) &&
		(by.Capability == "" || by.Capability == f.Capability) && (by.Owner == "" || by.Owner == f.Owner) &&
		(by.State == view.AllFindings || (f.Accepted != nil) == (by.State == view.AcceptedFindings))
}

// findingChoices are what the filter can choose, with how many there are of each.
func findingChoices(c catalog.Catalog, open store.FindingTally, by view.FindingFilter) view.FindingChoices {
	choices := func(counted map[string]int, name func(string) string, now string) []view.Choice {
		all := []view.Choice{{Label: "any"}}
		for _, key := range slices.Sorted(maps.Keys(counted)) {
			if key != "" {
				all = append(all, view.Choice{Value: key, Label: name(key) + " (" + strconv.Itoa(counted[key]) + ")", Chosen: key == now})
			}
		}
		return all
	}
	plain := func(text string) string { return text }
	return view.FindingChoices{
		Rules:        choices(open.Rules, func(r string) string { return catalog.FindingRule(r).Title() }, by.Rule),
		Tiers:        choices(open.Tiers, func(slug string) string { return c.NameOf(catalog.KindTier, slug) }, by.Tier),
		Capabilities: choices(open.Capabilities, func(slug string) string { return c.NameOf(catalog.KindCapability, slug) }, by.Capability),
		Owners:       choices(open.Owners, plain, by.Owner),
		States: []view.Choice{
			{Label: "open", Chosen: by.State == ""}, {Value: view.AcceptedFindings, Label: "accepted", Chosen: by.State == view.AcceptedFindings},
			{Value: view.AllFindings, Label: "all", Chosen: by.State == view.AllFindings},
		},
	}
}

func findingLine(c catalog.Catalog, f store.Found) view.FindingLine {
	line := view.FindingLine{
		Key: f.Key(), Rule: string(f.Rule), Title: f.Rule.Title(), What: f.What, Why: f.Rule.Why(), Mend: f.Mend, Owner: f.Owner,
		Path: view.RecordPath(f.At), Name: c.NameOf(f.At.Kind, f.At.Slug), Edit: view.EditRecordPath(f.At),
	}
	if f.Accepted != nil {
		line.Accepted = &view.Accepted{By: f.Accepted.By.Name, Reason: f.Accepted.Reason, Until: f.Accepted.Until}
	}
	return line
}

// findingsOf are the findings about one record.
func (s *Server) findingsOf(ctx context.Context, c catalog.Catalog, ref catalog.Ref) ([]view.FindingLine, error) {
	found, err := s.store.Findings(ctx)
	var lines []view.FindingLine
	for _, f := range found.At(ref) {
		lines = append(lines, findingLine(c, f))
	}
	return lines, err
}

// acceptFinding notes that somebody lives with a finding for a while.
func (s *Server) acceptFinding(c echo.Context) error {
	form := acceptForm{}
	if err := bindForm(c, &form); err != nil {
		return err
	}
	wrong := fault.Wrong{}
	reason := text(wrong, "reason", form.Reason, "Say why; the auditor reads it.", approval.MaxText)
	until, err := time.Parse(time.DateOnly, strings.TrimSpace(form.Until))
	if err != nil {
		wrong.Add("until", "Type a date such as %s.", s.store.Now().AddDate(0, 3, 0).Format(time.DateOnly))
	}
	if err := wrong.Err(); err != nil {
		return s.findingsPage(c, http.StatusUnprocessableEntity, form, err)
	}
	err = s.store.AcceptFinding(c.Request().Context(), principal(c), store.Acceptance{Key: form.Key, Reason: reason, Until: until})
	if fieldsOf(err) != nil || fault.KindOf(err) == fault.Conflict {
		return s.findingsPage(c, statusOf(err), form, err)
	}
	if err != nil {
		return err
	}
	s.flash(c, "Accepted until "+until.Format(time.DateOnly)+". It is counted again after.")
	return c.Redirect(http.StatusSeeOther, view.FindingsPath(findingFilter(c.Request().URL.Query())))
}

// findingCounts is what Now says of findings to those who may mend them.
func (s *Server) findingCounts(ctx context.Context, c catalog.Catalog, who access.Principal) (view.FindingCounts, error) {
	counts := view.FindingCounts{}
	if !who.May(access.EditCatalog) {
		return counts, nil
	}
	found, err := s.store.Findings(ctx)
	open := found.Open
	counts.Open, counts.Yours = open.Total, open.Owners[who.Name]
	counts.YoursPath = view.FindingsPath(view.FindingFilter{Owner: who.Name})
	for _, t := range c.Tiers {
		if n := open.Tiers[t.Slug]; n > 0 {
			counts.Of = append(counts.Of, view.Link{Path: view.FindingsPath(view.FindingFilter{Tier: t.Slug}), Text: fmt.Sprintf("%s: %d", t.Name, n)})
		}
	}
	for _, k := range c.Capabilities {
		if n := open.Capabilities[k.Slug]; n > 0 {
			counts.Of = append(counts.Of, view.Link{Path: view.FindingsPath(view.FindingFilter{Capability: k.Slug}), Text: fmt.Sprintf("%s: %d", k.Name, n)})
		}
	}
	return counts, err
}
