package web

import (
	"strings"

	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/degrade"
	"keyholder/internal/store"
	"keyholder/web/view"
)

// announcements are what a rule tells customers, outlets and the call centre, and how each of them, and the all-clear, stands.
func announcements(c catalog.Catalog, r catalog.DegradedModeRule, stands func(catalog.Audience) string, over func() string) []view.Told {
	var told []view.Told
	for _, a := range r.Audiences() {
		one := view.Told{Slug: a.Slug, To: a.Name, Text: a.Text, State: "nobody is told: no channel is set"}
		if a.Channel != "" {
			one.Channel, one.State = c.ChannelName(a.Channel), stands(a)
		}
		told = append(told, one)
	}
	if len(r.Announced()) == 0 {
		return told
	}
	last := view.Told{Slug: "all-clear", To: "All of them, once it is over", Text: strings.TrimSpace(r.AllClear), State: "nobody is told: no text is set"}
	if last.Text != "" {
		last.State = over()
	}
	return append(told, last)
}

// announced is what people outside were told of a mode, as far as that has gone.
func announced(c catalog.Catalog, m degrade.Mode, messages []store.Message) []view.Told {
	stands := func(a catalog.Audience) string {
		for _, one := range messages {
			if one.Occasion == approval.Announced && one.To.ID == store.AudienceID(a.Slug) {
				return postedWords(one, m)
			}
		}
		return unpostedWords(m)
	}
	over := func() string {
		var all []string
		for _, one := range messages {
			if one.Occasion == approval.AllClear {
				all = append(all, c.ChannelName(one.Address)+": "+postedWords(one, m))
			}
		}
		switch {
		case len(all) > 0:
			return strings.Join(all, "; ")
		case m.Terms.Drill:
			return unpostedWords(m)
		case m.Off != nil:
			return "nobody is told: nobody was told that it began"
		}
		return "not yet: it is not over"
	}
	return announcements(c, m.Terms.Rule, stands, over)
}

// postedWords say how a post stands.
func postedWords(one store.Message, m degrade.Mode) string {
	switch {
	case one.SentAt != nil:
		return "posted " + approval.Clock(*one.SentAt)
	case one.GivenUp && one.Occasion == approval.Announced && m.Off != nil:
		return strings.TrimSpace("not posted: it was over before it could be. " + one.Failure)
	case one.GivenUp:
		return "not posted, and given up. " + one.Failure
	case one.Attempts > 0:
		return "not yet: " + counted(one.Attempts, "attempt", "attempts") + " failed. " + one.Failure
	}
	return "not yet: it is on its way"
}

// unpostedWords say why there is nothing to post.
func unpostedWords(m degrade.Mode) string {
	switch {
	case m.Terms.Drill:
		return "nobody is told: it is a drill"
	case m.On == nil && (m.Off != nil || m.Next() == degrade.DoNothing):
		return "nobody was told: it was never seen to be on"
	}
	return "not yet: it is not on"
}

// notPublic leaves out what is posted for all, which has a place of its own.
func notPublic(messages []store.Message) []store.Message {
	var personal []store.Message
	for _, one := range messages {
		if !one.Public() {
			personal = append(personal, one)
		}
	}
	return personal
}
