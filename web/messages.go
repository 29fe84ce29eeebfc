package web

import (
	"context"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web/view"
)

// messagesPage is how many messages a page has.
const messagesPage = 50

// showMessages draws whom Keyholder told what, and how its channels work.
func (s *Server) showMessages(c echo.Context) error {
	ctx, unsent := c.Request().Context(), c.QueryParam("unsent") != ""
	p := view.Messages{Page: s.page(c, "Messages"), Unsent: unsent}
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return err
	}
	if p.Channels, err = s.channelLines(ctx, version.Catalog); err != nil {
		return err
	}
	messages, err := s.store.Messages(ctx, c.QueryParam("before"), unsent, messagesPage+1)
	if err != nil {
		return err
	}
	if len(messages) > messagesPage {
		messages = messages[:messagesPage]
		p.Older = view.MessagesPathBefore(messages[messagesPage-1].ID, unsent)
	}
	for _, m := range messages {
		p.Lines = append(p.Lines, messageLine(version.Catalog, m))
	}
	return s.render(c, http.StatusOK, view.MessagesPage(p))
}

// channelLines say of each channel how it has worked lately.
func (s *Server) channelLines(ctx context.Context, now catalog.Catalog) ([]view.ChannelLine, error) {
	health, err := s.store.ChannelHealth(ctx)
	if err != nil {
		return nil, err
	}
	var lines []view.ChannelLine
	for _, slug := range now.Ways(nil, s.config.Mail) {
		h := health[slug]
		line := view.ChannelLine{
			Slug: slug, Name: now.ChannelName(slug), SentAt: h.SentAt, Failing: h.Failing, Failures: counted(h.Failures, "attempt", "attempts"), Failure: h.Failure,
		}
		if slug != catalog.ByMail {
			line.Path = view.RecordPath(catalog.Ref{Kind: catalog.KindChannel, Slug: slug})
		}
		lines = append(lines, line)
	}
	return lines, nil
}

func messageLine(now catalog.Catalog, m store.Message) view.MessageLine {
	line := view.MessageLine{
		ID: m.ID, To: m.To.Name, About: m.About, AboutPath: objectPath(m.About), Occasion: string(m.Occasion), Subject: m.Subject,
		At: m.At, SentAt: m.SentAt, By: now.ChannelName(m.Via), Failure: m.Failure, GivenUp: m.GivenUp,
	}
	if m.Attempts > 0 {
		line.Tried = counted(m.Attempts, "attempt", "attempts")
	}
	return line
}

// testChannel sends whoever asks a message by one channel.
func (s *Server) testChannel(c echo.Context) error {
	form := struct {
		Channel string `form:"channel"`
	}{}
	if err := bindForm(c, &form); err != nil {
		return err
	}
	ctx, who := c.Request().Context(), principal(c)
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return err
	}
	if !slices.Contains(version.Ways(nil, s.config.Mail), form.Channel) {
		return fault.Missing("channel", form.Channel)
	}
	if form.Channel == catalog.ByMail && who.Mail == "" {
		return fault.Late("verified-address", "The sign-in provider has verified no mail address of yours, so there is nowhere to send it.")
	}
	name := version.ChannelName(form.Channel)
	text := "You asked for this, to see whether " + name + " reaches you. It does.\n\n" + s.config.PublicURL + view.MessagesPath() + "\n"
	if err := s.store.TestChannel(ctx, who, form.Channel, name, text); err != nil {
		return err
	}
	s.flash(c, "You asked for a test by "+name+". What becomes of it stands below.")
	return c.Redirect(http.StatusSeeOther, view.MessagesPath())
}

// places are the fields of the order in which somebody is told.
var places = []struct{ field, label string }{{"first", "First by"}, {"second", "Then by"}, {"third", "Then by"}} //nolint:gochecknoglobals // a table

// waysForm is what the form of that order posts.
type waysForm struct {
	First  string `form:"first"`
	Second string `form:"second"`
	Third  string `form:"third"`
}

// chosen are the channels in the order of the form; what is chosen twice, or is not there, is said at its place.
func (f waysForm) chosen(there []string) ([]string, error) {
	wrong := fault.Wrong{}
	var chosen []string
	for i, slug := range []string{f.First, f.Second, f.Third} {
		switch {
		case slug == "":
		case !slices.Contains(there, slug):
			wrong.Add(places[i].field, "There is no such channel any more.")
		case slices.Contains(chosen, slug):
			wrong.Add(places[i].field, "This one stands further up already.")
		default:
			chosen = append(chosen, slug)
		}
	}
	return chosen, wrong.Err()
}

// ways draws the order in which somebody is told; nil where there is no channel at all.
func ways(now catalog.Catalog, who access.Principal, mail bool, typed []string, wrong error) *view.Ways {
	there := now.Ways(nil, mail)
	if len(there) == 0 {
		return nil
	}
	form := &view.Ways{Address: who.Mail, Wrong: fieldsOf(wrong)}
	for i, place := range places[:min(len(places), len(there))] {
		one := view.WayPlace{Field: place.field, Label: place.label, Choices: []view.Choice{{Label: "no other"}}}
		if i == 0 {
			one.Choices[0].Label = "any that works"
		}
		for _, slug := range there {
			one.Choices = append(one.Choices, view.Choice{Value: slug, Label: now.ChannelName(slug), Chosen: i < len(typed) && typed[i] == slug})
		}
		form.Places = append(form.Places, one)
	}
	return form
}

// chooseChannels keeps by which channels somebody is told.
func (s *Server) chooseChannels(c echo.Context) error {
	form := waysForm{}
	if err := bindForm(c, &form); err != nil {
		return err
	}
	ctx, who := c.Request().Context(), principal(c)
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return err
	}
	chosen, err := form.chosen(version.Ways(nil, s.config.Mail))
	if err != nil {
		return s.mePage(c, http.StatusUnprocessableEntity, []string{form.First, form.Second, form.Third}, err)
	}
	if err := s.store.ChooseChannels(ctx, who, chosen); err != nil {
		return err
	}
	s.flash(c, "You are told "+toldByWords(version.Catalog, chosen)+" from now on.")
	return c.Redirect(http.StatusSeeOther, view.MePath())
}

func toldByWords(now catalog.Catalog, chosen []string) string {
	if len(chosen) == 0 {
		return "by any channel that works"
	}
	words := "by " + now.ChannelName(chosen[0])
	for _, slug := range chosen[1:] {
		words += ", then by " + now.ChannelName(slug)
	}
	return words
}

// toldWords say who was told of a request when, and what has not gone out.
func (s *Server) toldWords(ctx context.Context, now catalog.Catalog, code string) ([]string, error) {
	messages, err := s.store.MessagesAbout(ctx, code)
	messages = notPublic(messages)
	lines := make([]string, len(messages))
	for i, m := range messages {
		lines[i] = m.To.Name + ", " + string(m.Occasion) + " " + approval.Clock(m.At)
		switch {
		case m.SentAt != nil:
			lines[i] += ": sent by " + now.ChannelName(m.Via) + " " + approval.Clock(*m.SentAt)
		case m.GivenUp:
			lines[i] += ": could not be sent. " + m.Failure
		case m.Attempts > 0:
			lines[i] += ": has not gone out after " + counted(m.Attempts, "attempt", "attempts") + ". " + m.Failure
		default:
			lines[i] += ": on its way"
		}
	}
	return lines, err
}
