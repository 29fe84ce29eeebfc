package control

import (
	"errors"
	"maps"
	"time"
)

// Breaks is what is broken in the shop, as asked for through the panel. It outlives a restart of the shop.
type Breaks struct {
	Sites         map[string]SiteBreaks `json:"sites"`
	LagMS         int64                 `json:"lag_ms"` // the extra lag of the replication
	LeaseStopped  bool                  `json:"lease_stopped"`
	BuyersStopped bool                  `json:"buyers_stopped"`
	Parts         map[string]PartBreaks `json:"parts"` // what checkout leans on, and the outlets, by name
}

// PartBreaks is what is broken of one part outside the sites. Not every part can be broken in every way.
type PartBreaks struct {
	Stopped bool `json:"stopped"`
	Slow    bool `json:"slow"`    // it does its work SlowBy late
	Garbage bool `json:"garbage"` // it answers nonsense
	Lying   bool `json:"lying"`   // it says done and does nothing
	Cut     bool `json:"cut"`     // it reaches nobody
}

// SiteBreaks is what is broken at one site.
type SiteBreaks struct {
	Crashed     bool `json:"crashed"`
	Partitioned bool `json:"partitioned"`
	Frozen      bool `json:"frozen"` // its replication: it hears of new orders and takes none
}

// Lag is the extra lag of the replication.
func (b Breaks) Lag() time.Duration { return time.Duration(b.LagMS) * time.Millisecond }

// Clone shares nothing with b.
func (b Breaks) Clone() Breaks {
	b.Sites, b.Parts = maps.Clone(b.Sites), maps.Clone(b.Parts)
	return b
}

// ErrBadOrder marks an order to break something that does not exist or cannot be broken so.
var ErrBadOrder = errors.New("this cannot be done")
