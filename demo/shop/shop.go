package shop

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sync/errgroup"

	"keyholder/demo/shop/buyers"
	"keyholder/demo/shop/control"
	"keyholder/demo/shop/lease"
	"keyholder/demo/shop/panel"
	"keyholder/demo/shop/site"
	"keyholder/demo/shop/traffic"
	"keyholder/demo/shop/zone"
)

// record is what the tills look up.
const record = "checkout.shop.demo."

type shop struct {
	cfg     Config
	network *control.Network
	holds   *control.Holds
	breaks  *breakBook
	lease   *control.Switch
	sites   map[string]*control.Switch
	parts   map[string]*control.Switch
	buyers  *control.Switch
	zone    *zone.Zone
	crowd   *buyers.Buyers
}

// Run opens the shop where it stopped, or anew, and returns nil when ctx has ended and everything is closed. Ending is as
// abrupt as a kill: the shop relies on nothing but what it has committed.
func Run(ctx context.Context, cfg Config) (err error) {
	if err := cfg.validate(); err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return fmt.Errorf("make the shop's folder: %w", err)
	}
	s, err := build(cfg)
	if err != nil {
		return fmt.Errorf("build the shop: %w", err)
	}
	defer func() { err = errors.Join(err, s.crowd.Close()) }()
	return s.run(ctx)
}

func build(cfg Config) (*shop, error) {
	s := &shop{
		cfg: cfg, network: control.NewNetwork(), holds: control.NewHolds(),
		sites: map[string]*control.Switch{}, parts: map[string]*control.Switch{},
	}
	var err error
	if s.breaks, err = openBreaks(cfg.Dir); err != nil {
		return nil, err
	}
	s.lease = control.NewSwitch("lease service", s.runLease)
	for _, slug := range siteSlugs() {
		s.sites[slug] = control.NewSwitch("site "+slug, s.runSite(slug))
		s.connect(slug, !s.breaks.get().Sites[slug].Partitioned)
	}
	for _, name := range control.Parts() {
		s.parts[name] = control.NewSwitch(name, s.runPart(name))
		s.connect(name, !s.breaks.part(name).Cut)
	}
	s.buyers = control.NewSwitch("buyers", func(ctx context.Context, ready func()) error {
		ready()
		return s.crowd.Run(ctx)
	})
	s.crowd, err = buyers.New(buyers.Config{
		Dir: cfg.Dir, Traffic: cfg.Addresses.Traffic, DNS: cfg.Addresses.DNS, Record: record, Sites: siteSlugs(),
		Client: s.network.Client("buyers"), Log: cfg.Log,
	})
	return s, err
}

func (s *shop) runLease(ctx context.Context, ready func()) error {
	service, err := lease.New(lease.Config{
		Dir: s.cfg.Dir, Listen: s.cfg.Addresses.Lease, Sites: siteSlugs(), First: leeds, Holds: s.holds, Ready: ready,
	})
	if err != nil {
		return err
	}
	return service.Run(ctx)
}

func (s *shop) runSite(slug string) control.Part {
	return func(ctx context.Context, ready func()) error {
		one, err := site.New(site.Config{
			Slug: slug, Dir: s.cfg.Dir, Listen: s.cfg.Addresses.Sites[slug], Lease: s.cfg.Addresses.Lease,
			Peers: s.cfg.Addresses.Sites, Needs: s.cfg.Addresses.needs(), Network: s.network, Holds: s.holds,
			Frozen: func() bool { return s.breaks.frozen(slug) }, Lag: s.breaks.lag,
			Ready: ready, Log: s.cfg.Log,
		})
		if err != nil {
			return err
		}
		return one.Run(ctx)
	}
}

// run starts the parts in the order in which they need each other, so that nobody begins by failing to reach somebody.
func (s *shop) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	broken := s.breaks.get()
	starts := []func(ctx context.Context, ready func()) error{
		func(ctx context.Context, ready func()) error { return s.lease.Run(ctx, !broken.LeaseStopped, ready) },
		s.runTraffic, s.runZone,
	}
	outlets := len(control.Parts()) - 1 // they buy, and so come after the sites
	for _, name := range control.Parts()[:outlets] {
		starts = append(starts, s.startPart(name))
	}
	for _, slug := range siteSlugs() {
		starts = append(starts, func(ctx context.Context, ready func()) error {
			return s.sites[slug].Run(ctx, !broken.Sites[slug].Crashed, ready)
		})
	}
	starts = append(starts, s.startPart(control.Parts()[outlets]), s.runPanel, func(ctx context.Context, ready func()) error {
		return s.buyers.Run(ctx, !broken.BuyersStopped, ready)
	})
	for _, start := range starts {
		serving := make(chan struct{})
		group.Go(func() error { return start(ctx, sync.OnceFunc(func() { close(serving) })) })
		select {
		case <-serving:
		case <-ctx.Done():
			return group.Wait()
		}
	}
	if s.cfg.Ready != nil {
		s.cfg.Ready()
	}
	return group.Wait()
}

func (s *shop) runTraffic(ctx context.Context, ready func()) error {
	manager, err := traffic.New(traffic.Config{
		Listen: s.cfg.Addresses.Traffic, Admin: s.cfg.Addresses.TrafficAdmin, Dir: s.cfg.Dir,
		Sites: s.cfg.Addresses.Sites, Outlets: s.cfg.Addresses.Outlets, Writer: leeds, Client: s.network.Client("traffic"),
		Holds: s.holds, Ready: ready,
	})
	if err != nil {
		return err
	}
	return manager.Run(ctx)
}

func (s *shop) runZone(ctx context.Context, ready func()) (err error) {
	s.zone, err = zone.New(zone.Config{
		Listen: s.cfg.Addresses.DNS, Dir: s.cfg.Dir, SecretFile: s.cfg.TSIGSecretFile, Sites: s.cfg.Addresses.Sites,
		Writer: leeds, Holds: s.holds, Log: s.cfg.Log, Ready: ready,
	})
	if err != nil {
		return err
	}
	return s.zone.Run(ctx)
}

func (s *shop) runPanel(ctx context.Context, ready func()) error {
	page, err := panel.New(panel.Config{
		Listen: s.cfg.Addresses.Panel, Sites: s.cfg.Addresses.Sites, Lease: s.cfg.Addresses.Lease,
		TrafficAdmin: s.cfg.Addresses.TrafficAdmin, DNS: s.cfg.Addresses.DNS, Record: record, Parts: s.cfg.Addresses.parts(),
		Client: s.network.Client("panel"), Breaker: s, Holds: s.holds, Buyers: s.crowd, DNSChanges: s.zone.Changes,
		Log: s.cfg.Log, Ready: ready,
	})
	if err != nil {
		return err
	}
	return page.Run(ctx)
}

// Breaks is what is broken now.
func (s *shop) Breaks() control.Breaks { return s.breaks.get() }

var _ panel.Breaker = (*shop)(nil)
