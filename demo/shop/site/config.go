package site

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"keyholder/demo/shop/control"
	"keyholder/demo/shop/lease"
)

// Config says what a site is called, where it keeps its orders and whom it talks to.
type Config struct {
	Slug    string
	Dir     string
	Listen  string
	Lease   string            // host:port of the lease service
	Peers   map[string]string // host:port of each other site
	Needs   Needs
	Network *control.Network
	Holds   *control.Holds
	Frozen  func() bool          // whether its replication is frozen; may be nil
	Lag     func() time.Duration // how much older than now an order must be to be copied; may be nil
	Pace    Pace
	Ready   func()
	Log     *slog.Logger
}

// Needs are host:port of what checkout leans on. A site does without what has no address.
type Needs struct {
	Flags   string
	Tax     string
	Loyalty string
	ERP     string
}

// Pace is how fast a site does what it does by itself. Zero values are replaced by DefaultPace.
type Pace struct {
	TTL          time.Duration // of the lease, as the lease service has it
	Pull         time.Duration // between two looks at the writer's log
	Post         time.Duration // between two batches handed to fulfilment
	PostsPerTurn int
}

// DefaultPace posts 20 orders a second, which is twice what the buyers buy.
func DefaultPace() Pace {
	return Pace{TTL: lease.DefaultTTL, Pull: 150 * time.Millisecond, Post: 500 * time.Millisecond, PostsPerTurn: 10}
}

func (p Pace) orDefault() Pace {
	d := DefaultPace()
	if p.TTL == 0 {
		p.TTL = d.TTL
	}
	if p.Pull == 0 {
		p.Pull = d.Pull
	}
	if p.Post == 0 {
		p.Post = d.Post
	}
	if p.PostsPerTurn == 0 {
		p.PostsPerTurn = d.PostsPerTurn
	}
	return p
}

// margin is how long before the end of its lease a site stops to use it: longer than a commit takes.
func (p Pace) margin() time.Duration { return p.TTL / 6 }

func (c Config) validate() error {
	switch {
	case c.Slug == "":
		return errors.New("site: no name given")
	case c.Dir == "" || c.Listen == "" || c.Lease == "":
		return fmt.Errorf("site %s: a folder, an address and the lease service's address are needed", c.Slug)
	case c.Network == nil || c.Holds == nil || c.Log == nil:
		return fmt.Errorf("site %s: network, holds and log are needed", c.Slug)
	}
	return nil
}
