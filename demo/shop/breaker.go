package shop

import (
	"context"
	"fmt"
	"time"

	"keyholder/demo/shop/control"
)

// maxLag keeps a mistyped lag from looking like a frozen replication for ever.
const maxLag = time.Hour

// Break breaks or mends one thing, and returns when it is so. What was asked for outlives a restart of the shop.
func (s *shop) Break(ctx context.Context, what, site string, lag time.Duration) error {
	switch what {
	case "lease-stop", "lease-start":
		stopped := what == "lease-stop"
		return s.breakPart(ctx, s.lease, !stopped, func(b *control.Breaks) { b.LeaseStopped = stopped })
	case "buyers-stop", "buyers-start":
		stopped := what == "buyers-stop"
		return s.breakPart(ctx, s.buyers, !stopped, func(b *control.Breaks) { b.BuyersStopped = stopped })
	case "lag":
		return s.setLag(lag)
	case "heal-all":
		return s.healAll(ctx)
	}
	if part, lever, broken, known := leverOf(what); known {
		return s.pull(ctx, part, lever, broken)
	}
	if _, known := s.sites[site]; !known {
		return fmt.Errorf("%w: there is no site %q", control.ErrBadOrder, site)
	}
	return s.breakSite(ctx, what, site)
}

// leverOf reads an order like loyalty-stop.
func leverOf(what string) (part string, lever control.Lever, broken, known bool) {
	for _, part := range control.Parts() {
		for _, lever := range control.Levers(part) {
			switch what {
			case part + "-" + lever.Break:
				return part, lever, true, true
			case part + "-" + lever.Mend:
				return part, lever, false, true
			}
		}
	}
	return "", control.Lever{}, false, false
}

func (s *shop) pull(ctx context.Context, part string, lever control.Lever, broken bool) error {
	err := s.breaks.change(func(b *control.Breaks) {
		state := b.Parts[part]
		lever.Set(&state, broken)
		b.Parts[part] = state
	})
	if err != nil {
		return err
	}
	s.connect(part, !s.breaks.part(part).Cut)
	return turn(ctx, s.parts[part], !s.breaks.part(part).Stopped)
}

func (s *shop) breakPart(ctx context.Context, part *control.Switch, on bool, note func(*control.Breaks)) error {
	if err := s.breaks.change(note); err != nil {
		return err
	}
	return turn(ctx, part, on)
}

func turn(ctx context.Context, part *control.Switch, on bool) error {
	if on {
		return part.On(ctx)
	}
	return part.Off()
}

func (s *shop) setLag(lag time.Duration) error {
	if lag < 0 || lag > maxLag {
		return fmt.Errorf("%w: the lag must be between 0 and %s", control.ErrBadOrder, maxLag)
	}
	return s.breaks.change(func(b *control.Breaks) { b.LagMS = lag.Milliseconds() })
}

func (s *shop) breakSite(ctx context.Context, what, site string) error {
	switch what {
	case "crash", "start":
		crash := what == "crash"
		if err := s.breaks.changeSite(site, func(b *control.SiteBreaks) { b.Crashed = crash }); err != nil {
			return err
		}
		return turn(ctx, s.sites[site], !crash)
	case "partition", "heal":
		cut := what == "partition"
		if err := s.breaks.changeSite(site, func(b *control.SiteBreaks) { b.Partitioned = cut }); err != nil {
			return err
		}
		s.connect(site, !cut)
		return nil
	case "freeze", "thaw":
		return s.breaks.changeSite(site, func(b *control.SiteBreaks) { b.Frozen = what == "freeze" })
	default:
		return fmt.Errorf("%w: %q is not something to break or mend", control.ErrBadOrder, what)
	}
}

func (s *shop) connect(part string, connected bool) {
	if connected {
		s.network.Heal(part)
		return
	}
	s.network.Cut(part)
}

func (s *shop) healAll(ctx context.Context) error {
	if err := s.breaks.change(func(b *control.Breaks) { *b = unbroken() }); err != nil {
		return err
	}
	for _, part := range []*control.Switch{s.lease, s.buyers} {
		if err := part.On(ctx); err != nil {
			return err
		}
	}
	for name, part := range s.parts {
		s.connect(name, true)
		if err := part.On(ctx); err != nil {
			return err
		}
	}
	for slug, site := range s.sites {
		s.connect(slug, true)
		if err := site.On(ctx); err != nil {
			return err
		}
	}
	return nil
}
