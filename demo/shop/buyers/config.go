package buyers

import (
	"errors"
	"log/slog"
	"net/http"
	"time"
)

// Config is what the buyers need.
type Config struct {
	Dir     string
	Traffic string   // host:port of the traffic manager
	DNS     string   // host:port of the name server
	Record  string   // the SRV record the tills look up; the first label of its target is the slug of a site
	Sites   []string // slugs
	Client  *http.Client
	Pace    Pace
	Log     *slog.Logger // may be nil
	Ready   func()       // called each time the buyers begin; may be nil
}

// Pace is how fast the buyers buy. Zero values are replaced by DefaultPace.
type Pace struct {
	Every    time.Duration // between two purchases
	Tills    int           // one purchase in so many is made at a till
	Deadline time.Duration // how long a buyer tries, with the same key, before the purchase has failed
	Attempt  time.Duration // how long one attempt may take
	Retry    time.Duration // between two attempts
}

// DefaultPace makes ten purchases a second, two of them at tills. The deadline is short enough that a window of three
// seconds over a shop that fails holds failures only.
func DefaultPace() Pace {
	return Pace{
		Every: 100 * time.Millisecond, Tills: 5,
		Deadline: 2 * time.Second, Attempt: time.Second, Retry: 400 * time.Millisecond,
	}
}

func (p Pace) orDefault() Pace {
	d := DefaultPace()
	if p.Every == 0 {
		p.Every = d.Every
	}
	if p.Tills == 0 {
		p.Tills = d.Tills
	}
	if p.Deadline == 0 {
		p.Deadline = d.Deadline
	}
	if p.Attempt == 0 {
		p.Attempt = d.Attempt
	}
	if p.Retry == 0 {
		p.Retry = d.Retry
	}
	return p
}

func (c Config) validate() error {
	switch {
	case c.Dir == "" || c.Traffic == "" || c.DNS == "" || c.Record == "":
		return errors.New("buyers: a folder, the traffic manager, the name server and the tills' record are needed")
	case c.Client == nil:
		return errors.New("buyers: a way to the shop is needed")
	case len(c.Sites) == 0:
		return errors.New("buyers: no sites given")
	}
	return nil
}
