package view

import (
	"net/url"
	"time"
)

// Messages is what people are told by Keyholder, and how that works.
type Messages struct {
	Page
	Channels []ChannelLine
	Lines    []MessageLine
	Unsent   bool   // only those that have not gone out are shown
	Older    string // path of the next lines; empty at the end
}

// ChannelLine is how one channel works.
type ChannelLine struct {
	Slug, Name, Path string
	SentAt           *time.Time // the last success
	Failing          *time.Time // since when
	Failures         string     // how many since then
	Failure          string     // the last
}

// MessageLine is one message to one person.
type MessageLine struct {
	ID, To, About, AboutPath, Occasion, Subject string
	At                                          time.Time
	SentAt                                      *time.Time
	By                                          string // the channel that took it
	Tried                                       string // how often, where it was
	Failure                                     string // of the last attempt
	GivenUp                                     bool
}

// Ways is the form of the order of channels by which somebody is told.
type Ways struct {
	Places  []WayPlace
	Address string // where mail goes; empty where the provider has verified none
	Wrong   map[string]string
}

// WayPlace is a place in that order.
type WayPlace struct {
	Field, Label string
	Choices      []Choice
}

// MessagesPath is what people were told.
func MessagesPath() string { return "/messages" }

// UnsentPath is what has not gone out.
func UnsentPath() string { return MessagesPath() + "?unsent=yes" }

// MessagesPathBefore is what people were told before a message.
func MessagesPathBefore(id string, unsent bool) string {
	q := url.Values{"before": {id}}
	if unsent {
		q.Set("unsent", "yes")
	}
	return MessagesPath() + "?" + q.Encode()
}

// TestChannelPath sends a test.
func TestChannelPath() string { return MessagesPath() + "/test" }

// ChooseChannelsPath keeps by which channels somebody is told.
func ChooseChannelsPath() string { return MePath() + "/channels" }
