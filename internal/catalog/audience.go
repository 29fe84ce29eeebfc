package catalog

import "strings"

// Audience is who is told of a degraded mode, besides those who run it.
type Audience struct {
	Slug, Name string
	Whom       string // in a sentence
	Text       string // what they are told
	Channel    string // by which that is posted; empty where people tell them
	field      string // of the channel, in the rule
}

func (r DegradedModeRule) allAudiences() []Audience {
	return []Audience{
		{"customers", "Customers", "customers", strings.TrimSpace(r.Message), r.MessageChannel, "message_channel"},
		{"outlets", "Outlets", "outlets", strings.TrimSpace(r.OutletMessage), r.OutletChannel, "outlet_channel"},
		{"call-centre", "Call centre", "the call centre", strings.TrimSpace(r.CallCentreMessage), r.CallCentreChannel, "call_centre_channel"},
	}
}

// Audiences are those for whom a rule has a text.
func (r DegradedModeRule) Audiences() []Audience {
	var told []Audience
	for _, a := range r.allAudiences() {
		if a.Text != "" {
			told = append(told, a)
		}
	}
	return told
}

// Announced are those whose text is posted.
func (r DegradedModeRule) Announced() []Audience {
	var posted []Audience
	for _, a := range r.Audiences() {
		if a.Channel != "" {
			posted = append(posted, a)
		}
	}
	return posted
}

func (r DegradedModeRule) checkAudiences(say sayer) bool {
	channels := 0
	for _, a := range r.allAudiences() {
		if a.Channel == "" {
			continue
		}
		channels++
		if a.Text == "" && !say(a.field, "there is nothing to post on it: what %s should be told is missing", a.Whom) {
			return false
		}
	}
	return strings.TrimSpace(r.AllClear) == "" || channels > 0 ||
		say("all_clear", "it is posted where people were told that it began, and no channel is named for that")
}
