package shop

import (
	"context"

	"keyholder/demo/shop/control"
	"keyholder/demo/shop/erp"
	"keyholder/demo/shop/flags"
	"keyholder/demo/shop/loyalty"
	"keyholder/demo/shop/outlets"
	"keyholder/demo/shop/site"
	"keyholder/demo/shop/tax"
)

// runner is a part that has been made.
type runner interface {
	Run(ctx context.Context) error
}

// makePart makes one of control.Parts by its name.
func (s *shop) makePart(name string, broken func() control.PartBreaks, ready func()) (runner, error) {
	dir, at := s.cfg.Dir, s.cfg.Addresses
	switch name {
	case control.PartFlags:
		return flags.New(flags.Config{Dir: dir, Listen: at.Flags, Broken: broken, Holds: s.holds, Ready: ready})
	case control.PartLoyalty:
		return loyalty.New(loyalty.Config{Dir: dir, Listen: at.Loyalty, Broken: broken, Holds: s.holds, Ready: ready})
	case control.PartTax:
		return tax.New(tax.Config{Dir: dir, Listen: at.Tax, Broken: broken, Holds: s.holds, Ready: ready})
	case control.PartERP:
		return erp.New(erp.Config{Dir: dir, Listen: at.ERP, Broken: broken, Holds: s.holds, Ready: ready})
	default:
		return outlets.New(outlets.Config{
			Dir: dir, Listen: at.Outlets, DNS: at.DNS, Record: record, Flags: at.Flags, Client: s.network.Client(control.PartOutlets),
			Broken: broken, Holds: s.holds, Log: s.cfg.Log, Ready: ready,
		})
	}
}

func (s *shop) runPart(name string) control.Part {
	return func(ctx context.Context, ready func()) error {
		part, err := s.makePart(name, func() control.PartBreaks { return s.breaks.part(name) }, ready)
		if err != nil {
			return err
		}
		return part.Run(ctx)
	}
}

func (s *shop) startPart(name string) func(ctx context.Context, ready func()) error {
	return func(ctx context.Context, ready func()) error {
		return s.parts[name].Run(ctx, !s.breaks.part(name).Stopped, ready)
	}
}

func (a Addresses) needs() site.Needs {
	return site.Needs{Flags: a.Flags, Tax: a.Tax, Loyalty: a.Loyalty, ERP: a.ERP}
}
