package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
	"keyholder/web/view"
)

// ableShown bounds how many people an answer names.
const ableShown = 50

// question is what somebody asks about who may decide what.
type question struct {
	approval.About
	person, requester access.Principal
}

// showWho answers who may decide what, by the functions that decide.
func (s *Server) showWho(c echo.Context) error {
	ctx, sent := c.Request().Context(), c.Request().URL.Query()
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return err
	}
	p := view.Who{Page: s.page(c, "Who may decide what"), At: sent.Get("at"), Asked: sent.Get("action") != ""}
	p.Live = false // it is a form and an answer to it
	at, ok := s.store.Now(), true
	if typed := strings.TrimSpace(sent.Get("at")); typed != "" {
		at, ok = parseTime(typed)
	}
	everybody, err := s.store.ElectorateAt(ctx, at)
	if err != nil {
		return err
	}
	p.Form = whoForm(version.Catalog, everybody, sent)
	if !p.Asked {
		return s.render(c, http.StatusOK, view.WhoPage(p))
	}
	q, wrong := asksWho(version.Catalog, everybody, sent)
	if q.At = at; !ok {
		wrong.Add("at", "Type a date and a time, such as %s (UTC).", s.store.Now().Format(formTime))
	}
	if p.Wrong = wrong; len(wrong) > 0 {
		p.Asked = false
		return s.render(c, http.StatusUnprocessableEntity, view.WhoPage(p))
	}
	p.Answer, err = q.answer(version.Catalog, everybody)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, view.WhoPage(p))
}

// whoFields are the fields of the question that name records or come from a list.
func whoFields() []catalog.Field {
	actions := make([]string, 0, len(catalog.Actions()))
	for _, a := range catalog.Actions() {
		actions = append(actions, string(a))
	}
	return []catalog.Field{
		{Key: "action", Label: "What is decided", Form: catalog.Choice, Choices: actions},
		{Key: "service", Label: "About the services", Form: catalog.List, Leads: []catalog.Kind{catalog.KindService}, Optional: true},
		{Key: "site", Label: "At the sites", Form: catalog.List, Leads: []catalog.Kind{catalog.KindSite}, Optional: true},
		{Key: "cause", Label: "Cause", Form: catalog.Choice, Choices: catalog.Causes(), Optional: true},
		{Key: "mode", Label: "Planned or emergency", Form: catalog.Choice, Choices: catalog.Modes(), Optional: true},
	}
}

func whoForm(c catalog.Catalog, everybody []access.Principal, sent url.Values) []view.FormField {
	fields := recordForm{catalog: c}.again(whoFields(), sent, "", "", true)
	for _, one := range [][2]string{{"requester", "Asked for by"}, {"person", "May this person"}} {
		f := view.FormField{Name: one[0], Label: one[1], Form: catalog.Choice, Optional: true, Choices: []view.Choice{{}}}
		for _, p := range everybody {
			if len(f.Choices) > mostOptions {
				f = view.FormField{Name: one[0], Label: one[1], Form: catalog.Text, Optional: true, Value: sent.Get(one[0]), Hint: "Type the mail address."}
				break
			}
			if !approval.Stranger(p) {
				f.Choices = append(f.Choices, view.Choice{Value: p.ID, Label: p.Name, Chosen: p.ID == sent.Get(one[0])})
			}
		}
		fields = append(fields, f)
	}
	return fields
}

// asksWho reads the question.
func asksWho(c catalog.Catalog, everybody []access.Principal, sent url.Values) (question, fault.Wrong) {
	q, wrong := question{}, fault.Wrong{}
	if q.Action = catalog.Action(sent.Get("action")); !slices.Contains(catalog.Actions(), q.Action) {
		wrong.Add("action", "Choose what is decided.")
	}
	for k, into := range map[catalog.Kind]*[]string{catalog.KindService: &q.Services, catalog.KindSite: &q.Sites} {
		*into = slugsSent(c, k, sent, wrong)
	}
	if q.Action.HasCause() {
		q.Cause, q.Mode = sent.Get("cause"), sent.Get("mode")
		if q.Cause != "" && !slices.Contains(catalog.Causes(), q.Cause) {
			wrong.Add("cause", "There is no cause %q.", q.Cause)
		}
		if q.Mode != "" && !slices.Contains(catalog.Modes(), q.Mode) {
			wrong.Add("mode", "It is planned or an emergency.")
		}
	}
	q.requester.Name = "whoever asks"
	for field, into := range map[string]*access.Principal{"requester": &q.requester, "person": &q.person} {
		typed := strings.TrimSpace(sent.Get(field))
		if typed == "" {
			continue
		}
		at := slices.IndexFunc(everybody, func(p access.Principal) bool {
			return p.ID == typed || p.Mail != "" && strings.EqualFold(p.Mail, typed)
		})
		if at < 0 {
			wrong.Add(field, "Nobody of that name has signed in here, and no assignment names them.")
			continue
		}
		*into = everybody[at]
	}
	return q, wrong
}

// answer says who may, and why.
func (q question) answer(c catalog.Catalog, everybody []access.Principal) (view.Decides, error) {
	d := view.Decides{About: q.words(c), Person: q.person.Name}
	rules, err := approval.RulesOf(c, q.About)
	if err != nil {
		if fault.As(err) == nil {
			return d, err
		}
		d.Refused = refusal("Nobody can", err)
		return d, nil
	}
	for _, r := range rules {
		d.Policies = append(d.Policies, view.DecidesBy{
			Path: view.RecordPath(catalog.Ref{Kind: catalog.KindPolicy, Slug: r.Policy.Slug}), Name: r.Policy.Name, Words: needWords(r.Policy),
		})
	}
	ballot := approval.Ballot{Rules: rules, Requester: q.requester}
	if q.person.ID != "" {
		if err := ballot.MayVote(q.person); err != nil {
			d.Refusal = refusal("What they would be told", err)
		} else {
			d.May = true
			for _, g := range ballot.Counting(q.person) {
				d.Because = append(d.Because, sentence(grantWords(g)))
			}
			d.Because = append(d.Because, fmt.Sprintf("Their sign-in must be of the last %s when they vote.", catalog.Lasting(ballot.RecentSignIn(q.person))))
		}
	}
	able := ballot.Able(everybody)
	for _, v := range able[:min(len(able), ableShown)] {
		d.Able = append(d.Able, view.Able{Name: v.Name, By: grantsWords(v.By)})
	}
	d.More = len(able) - len(d.Able)
	d.Wanting = wantedWords(ballot.Possible(able))
	return d, nil
}

// words says what is asked about: "Move of Checkout, emergency, cause site, at Leeds, as of 14:00 UTC".
func (q question) words(c catalog.Catalog) string {
	words := catalog.Words(string(q.Action))
	if len(q.Services) > 0 {
		words += " of " + joined(serviceNames(c, q.Services))
	}
	if q.Mode != "" {
		words += ", " + q.Mode
	}
	if q.Cause != "" {
		words += ", cause: " + q.Cause
	}
	for i, slug := range q.Sites {
		words += [2]string{", at ", " and "}[min(i, 1)] + c.SiteName(slug)
	}
	if q.requester.ID != "" {
		words += ", asked for by " + q.requester.Name
	}
	return words + ", as of " + q.At.UTC().Format("2 January 2006, 15:04 UTC")
}

// grantsWords is grantWords of several.
func grantsWords(grants []access.Grant) string {
	words := make([]string, len(grants))
	for i, g := range grants {
		words[i] = grantWords(g)
	}
	return strings.Join(words, "; ")
}

// grantWords says a role with what gives it: "business owner for checkout, by the assignment owners (group business-owners),
// until 1 March".
func grantWords(g access.Grant) string {
	words := strings.ToLower(g.Role.Title())
	if !g.Scope.Everywhere() {
		words += " for " + g.Scope.String()
	}
	words += fmt.Sprintf(", by the assignment %s (%s)", g.By, g.As)
	if g.For != "" {
		words += ", standing in for " + g.For
	}
	if g.Until != nil {
		words += ", until " + g.Until.UTC().Format(time.DateOnly)
	}
	return words
}
