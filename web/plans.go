package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/internal/store"
	"keyholder/web/view"
)

func (s *Server) listPlans(c echo.Context) error {
	page := s.page(c, "Plans")
	ctx := c.Request().Context()
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return err
	}
	plans, err := s.store.Plans(ctx)
	if err != nil {
		return err
	}
	p := view.Plans{Page: page}
	for _, plan := range plans {
		p.Plans = append(p.Plans, planLine(version.Catalog, plan))
	}
	return s.render(c, http.StatusOK, view.PlansPage(p))
}

func planLine(c catalog.Catalog, p store.Published[failover.Plan]) view.PlanLine {
	sites := make([]string, len(p.What.Sites))
	for i, slug := range p.What.Sites {
		sites[i] = c.SiteName(slug)
	}
	return view.PlanLine{
		Slug: p.Slug, Path: view.PlanPath(p.Slug), Name: p.What.Name, Services: joined(serviceNames(c, p.What.Services)),
		Sites: joined(sites), Version: p.Version, By: p.By, Published: p.At.UTC(),
		Expected: catalog.Lasting(p.What.Expected(failover.Emergency).D()),
	}
}

// showPlan draws the version that the address asks for, or the one in force.
func (s *Server) showPlan(c echo.Context) error {
	ctx := c.Request().Context()
	versions, err := s.store.PlanVersions(ctx, c.Param("slug"))
	if err != nil {
		return err
	}
	plan, err := chosenVersion(versions, c.QueryParam("version"))
	if err != nil {
		return err
	}
	version, err := s.store.Catalog(ctx)
	if err != nil {
		return err
	}
	page := s.page(c, plan.What.Name)
	p := view.Plan{
		Page: page, Line: planLine(version.Catalog, plan),
		Policy: planPolicies(version.Catalog, plan.What, s.store.Now()), Verify: verifyWords(version.Catalog, plan.What),
	}
	for _, mode := range []failover.Mode{failover.Emergency, failover.Planned} {
		p.Modes = append(p.Modes, planMode(plan.What, mode))
	}
	for _, v := range versions {
		p.Versions = append(p.Versions, view.PlanVersion{
			Version: v.Version, Path: view.PlanVersionPath(v.Slug, v.Version), By: v.By, At: v.At.UTC(), Digest: v.Digest,
		})
	}
	switch {
	case plan.Version != versions[0].Version:
		p.Newest = versions[0].Version
	case principal(c).May(access.Request):
		p.Move = view.MovePath(plan.Slug)
	}
	return s.render(c, http.StatusOK, view.PlanPage(p))
}

func chosenVersion(versions []store.Published[failover.Plan], asked string) (store.Published[failover.Plan], error) {
	if asked == "" {
		return versions[0], nil
	}
	n, err := strconv.Atoi(asked)
	i := slices.IndexFunc(versions, func(v store.Published[failover.Plan]) bool { return v.Version == n })
	if err != nil || i < 0 {
		return versions[0], fault.Missing("version of the plan", asked)
	}
	return versions[i], nil
}

func planMode(p failover.Plan, m failover.Mode) view.PlanMode {
	mode := view.PlanMode{Name: sentence(string(m)), Expected: catalog.Lasting(p.Expected(m).D()), Steps: planSteps(p, m)}
	for _, g := range p.GatesIn(m) {
		mode.Gates = append(mode.Gates, view.PlanGate{Name: g.Name, Override: g.Override})
	}
	return mode
}

// verifyWords says what must hold before a run counts as recovered.
func verifyWords(c catalog.Catalog, p failover.Plan) []string {
	v := p.Verify
	name := func(slug string) string {
		if signal, ok := c.Signal(slug); ok {
			return signal.Name
		}
		return slug
	}
	return []string{
		fmt.Sprintf("%s is at least %.1f %%", name(v.Success), v.MinSuccess*100),
		fmt.Sprintf("%s is at least %.0f %% of what it was before the impact", name(v.Volume), v.MinVolume*100),
		v.Residual.Name,
		fmt.Sprintf("All of it without a break for %s, within %s; else the run pauses and asks", catalog.Lasting(v.Hold.D()), catalog.Lasting(v.Within.D())),
	}
}

// planPolicies says who decides on a plan's moves: in an emergency of unknown cause, at this hour.
func planPolicies(c catalog.Catalog, p failover.Plan, now time.Time) string {
	t := failover.Terms{Services: p.Services, Mode: failover.Emergency, Cause: failover.CauseUnknown}
	rules, err := approval.RulesOf(c, t.Decided(now))
	if err != nil {
		return sentence(err.Error())
	}
	return policyWords(rules)
}
