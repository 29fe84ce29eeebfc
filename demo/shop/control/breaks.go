package control

import (
	"errors"
	"time"
)

// Breaks is what is broken in the shop, as asked for through the panel. It outlives a restart of the shop.
type Breaks struct {
	Sites         map[string]SiteBreaks `json:"sites"`
	LagMS         int64                 `json:"lag_ms"` // the extra lag of the replication
	LeaseStopped  bool                  `json:"lease_stopped"`
	BuyersStopped bool                  `json:"buyers_stopped"`
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
	sites := make(map[string]SiteBreaks, len(b.Sites))
	for slug, broken := range b.Sites {
		sites[slug] = broken
	}
	b.Sites = sites
	return b
}

// ErrBadOrder marks an order to break something that does not exist or cannot be broken so.
var ErrBadOrder = errors.New("this cannot be done")
