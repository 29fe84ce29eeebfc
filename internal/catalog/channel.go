package catalog

import (
	"slices"
	"strings"
)

// Channel is a way of telling people besides mail: a chat, a pager, a program of the retailer's.
type Channel struct {
	Slug    string `json:"slug"`
	Name    string `json:"name"`
	Address string `json:"address" doc:"Where to find its address, env:NAME or file:PATH on the worker's machine: slack://…, teams://…, pagerduty://… or generic://… It holds a secret, which is never written here."`
}

// ByMail is how the channel is called that needs no record.
const ByMail = "mail"

// IsReference says whether a text leads to a credential, as env:NAME or file:PATH, and so is none itself.
func IsReference(text string) bool {
	kind, name, _ := strings.Cut(text, ":")
	return (kind == "env" || kind == "file") && name != "" && !strings.ContainsAny(name, "\x00\n\r")
}

func checkChannel(c Channel, say sayer) bool {
	if c.Slug == ByMail && !say("slug", "%q is the channel that is there anyway", ByMail) {
		return false
	}
	return c.Address == "" || IsReference(c.Address) || say("address", "must be a reference: env:NAME or file:PATH, never the address itself")
}

// Channel finds a channel by its slug.
func (c Catalog) Channel(slug string) (Channel, bool) { return look[Channel](c, KindChannel, slug) }

// Ways are the channels by which somebody is told, the first first: those that they chose, as far as they are there, or all there are.
func (c Catalog) Ways(chosen []string, mail bool) []string {
	var there []string
	if mail {
		there = append(there, ByMail)
	}
	for _, one := range c.Channels {
		there = append(there, one.Slug)
	}
	var ways []string
	for _, slug := range chosen {
		if slices.Contains(there, slug) && !slices.Contains(ways, slug) {
			ways = append(ways, slug)
		}
	}
	if len(ways) == 0 {
		return there
	}
	return ways
}

// ChannelName is what people call a channel.
func (c Catalog) ChannelName(slug string) string {
	if slug == ByMail {
		return "Mail"
	}
	return c.NameOf(KindChannel, slug)
}
