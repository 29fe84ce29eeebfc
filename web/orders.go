package web

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/web/view"
)

// orderPage is what the page of a standing order in force says besides its record.
func (s *Server) orderPage(ctx context.Context, c catalog.Catalog, o catalog.StandingOrder, who access.Principal) (*view.Order, error) {
	stands, err := s.store.Standing(ctx, catalog.Ref{Kind: catalog.KindStandingOrder, Slug: o.Slug})
	if err != nil || stands == nil {
		return nil, err
	}
	use, err := s.store.OrderUse(ctx, o, stands.Since)
	if err != nil {
		return nil, err
	}
	p := &view.Order{Started: startedWords(use.Count), Revoke: revocation(o, who)}
	until, lasts := c.Lasts(o, s.store.Now())
	switch {
	case !lasts:
		p.State = "It is over: it has done nothing by itself since " + until.UTC().Format("2006-01-02 15:04 UTC") + "."
	case use.Yields != "":
		p.State = "It would do nothing now, not even ask: " + strings.TrimSuffix(use.Yields, ".") + "."
	case use.Obstacle != "":
		p.State = "It would ask people now: " + strings.TrimSuffix(use.Obstacle, ".") + "."
	default:
		p.State, p.Acts = "It would act by itself, until "+until.UTC().Format("2006-01-02 15:04 UTC")+".", true
	}
	if use.Approved != nil {
		p.By = view.ChangeRequestPath(use.By.Code)
		p.Approved = fmt.Sprintf("Proposed by %s, approved by %s.", use.By.Requester.Name, joined(use.By.Approvers()))
	}
	for _, r := range use.Filed {
		p.Filed = append(p.Filed, view.OrderFiled{Path: view.RequestPath(r.Code), Code: r.Code, What: r.Standing(s.store.Now()).Words(), At: r.FiledAt})
	}
	return p, nil
}

// startedWords says how often an order moved something by itself. What it only asked people for is listed, and not counted.
func startedWords(n int) string {
	switch n {
	case 0:
		return "It has never started anything by itself."
	case 1:
		return "It has started something by itself once."
	}
	return fmt.Sprintf("It has started something by itself %d times.", n)
}

// revocation is the form that takes an order back, for those who may.
func revocation(o catalog.StandingOrder, who access.Principal) *view.OrderRevoke {
	if !who.May(access.RevokeOrder) {
		return nil
	}
	return &view.OrderRevoke{Path: view.RevokeOrderPath(o.Slug), Name: o.Name}
}

// orderWords says what an order does: "Moves Checkout from Leeds to Dublin by itself when Checkout success is bad for 30 s".
func orderWords(c catalog.Catalog, o catalog.StandingOrder) string {
	var signals []string
	for _, slug := range o.Signals {
		signals = append(signals, c.NameOf(catalog.KindSignal, slug))
	}
	return fmt.Sprintf("Moves %s from %s to %s by itself when %s for %s", subject(c, o.Services), c.SiteName(o.From), c.SiteName(o.To),
		verb(signals, "is bad", "are bad"), catalog.Lasting(o.BadFor.D()))
}

// ordersOn lists the standing orders that may move a service.
func ordersOn(c catalog.Catalog, service string, now time.Time) []view.OrderLine {
	var lines []view.OrderLine
	for _, o := range c.OrdersOn(service) {
		line := view.OrderLine{Path: orderPath(o), Name: o.Name, What: orderWords(c, o)}
		if _, lasts := c.Lasts(o, now); !lasts {
			line.What += ". It is over"
		}
		lines = append(lines, line)
	}
	return lines
}

// calledOrders are the orders that act soon, with the way to stop them.
func (s *Server) calledOrders(ctx context.Context, here situation, who access.Principal) ([]view.OrderLine, error) {
	called, err := s.store.CalledOrders(ctx)
	if err != nil {
		return nil, err
	}
	var lines []view.OrderLine
	for _, o := range called {
		terms := failover.OrderTerms(o.Order)
		terms.Services = o.Order.Services
		if here.taken(terms.Services) {
			continue // people are at it
		}
		line := view.OrderLine{Path: orderPath(o.Order), Name: o.Order.Name, What: "By itself: " + ask(here.catalog, terms), At: o.Due, Revoke: revocation(o.Order, who)}
		if line.Yields, err = s.store.OrderYields(ctx, o.Order.Slug); err != nil {
			return nil, err
		}
		if left := o.Due.Sub(here.now); left > 0 {
			line.Left = catalog.Lasting(left)
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// taken says whether somebody has asked to move one of some services, or a run does.
func (here situation) taken(services []string) bool {
	one := func(slug string) bool { return slices.Contains(services, slug) }
	return slices.ContainsFunc(here.requests, func(r failover.Request) bool { return slices.ContainsFunc(r.Terms.Services, one) }) ||
		slices.ContainsFunc(here.runs, func(r failover.Run) bool {
			return r.State != failover.Recovered && slices.ContainsFunc(r.Terms.Services, one)
		})
}

// orderEffects says what a change does to standing orders: which move something by itself then, and which do not any more.
func (s *Server) orderEffects(ctx context.Context, before, after catalog.Catalog) ([]view.EffectLine, error) {
	var lines []view.EffectLine
	for _, o := range after.StandingOrders {
		if was, ok := before.StandingOrder(o.Slug); !ok || !reflect.DeepEqual(was, o) {
			lines = append(lines, view.EffectLine{Title: o.Name, Lines: []string{orderWords(after, o), "until the end of " + o.Until}})
		}
	}
	for _, o := range before.StandingOrders {
		why, err := s.orderEnds(ctx, o, before, after)
		if err != nil {
			return nil, err
		}
		if why != "" {
			lines = append(lines, view.EffectLine{Title: "Standing order " + o.Name, Lines: []string{why}})
		}
	}
	return lines, nil
}

// orderEnds says why an order does not act by itself any more after a change; nothing where it does, or where it is approved anew.
func (s *Server) orderEnds(ctx context.Context, o catalog.StandingOrder, before, after catalog.Catalog) (string, error) {
	is, ok := after.StandingOrder(o.Slug)
	if !ok {
		return "ends", nil
	}
	if _, lasts := before.Lasts(o, s.store.Now()); !lasts || !reflect.DeepEqual(is, o) {
		return "", nil
	}
	terms, err := s.store.TermsNow(ctx, failover.OrderTerms(o), s.store.Now())
	if err != nil {
		return "", err
	}
	why, err := failover.OrderShift(o, terms, before, after)
	if why != "" {
		why = "asks people from then on, until it is approved anew: " + why
	}
	return why, err
}

func orderPath(o catalog.StandingOrder) string {
	return view.RecordPath(catalog.Ref{Kind: catalog.KindStandingOrder, Slug: o.Slug})
}

// revokeOrder takes a standing order back, by one click.
func (s *Server) revokeOrder(c echo.Context) error {
	slug := c.Param("slug")
	ref := catalog.Ref{Kind: catalog.KindStandingOrder, Slug: slug}
	err := s.store.RevokeOrder(c.Request().Context(), principal(c), slug, "Revoked.")
	if fault.KindOf(err) == fault.Conflict {
		return s.recordPageOf(c, ref, retirement{title: "It was not revoked", refused: err})
	}
	if err != nil {
		return err
	}
	s.flash(c, "It is revoked. Nothing moves by it any more.")
	return c.Redirect(http.StatusSeeOther, view.RecordPath(ref))
}
