package bundle

import (
	"fmt"

	"keyholder/internal/catalog"
	"keyholder/internal/connector"
	"keyholder/internal/failover"
	"keyholder/workflows"
)

// checkPlan validates the plan and, in every direction between its sites, what its connectors are told.
func checkPlan(p failover.Plan, in catalog.Catalog, kinds connector.Set) error {
	if err := p.Validate(in); err != nil {
		return err
	}
	for _, from := range p.Sites {
		for _, to := range p.Sites {
			if from == to {
				continue
			}
			if err := checkParams(p, kinds, workflows.Variables(in, from, to, "FO-EXAMPLE")); err != nil {
				return fmt.Errorf("from %s to %s: %w", from, to, err)
			}
		}
	}
	return nil
}

func checkParams(p failover.Plan, kinds connector.Set, vars map[string]string) error {
	for _, s := range p.Steps {
		if s.Connector == "" {
			continue
		}
		if err := fits(kinds, s.Connector, s.Params, vars); err != nil {
			return fmt.Errorf("step %s: %w", s.Slug, err)
		}
	}
	for _, c := range append([]failover.Check{p.WriteSeen, p.Backlog, p.Protection, p.Verify.Residual}, p.Gates...) {
		if err := fits(kinds, c.Connector, c.Params, vars); err != nil {
			return fmt.Errorf("condition %s: %w", c.Slug, err)
		}
		if err := connector.CheckCondition(c.Expect, vars); err != nil {
			return fmt.Errorf("condition %s: %w", c.Slug, err)
		}
	}
	return nil
}

func fits(kinds connector.Set, kind string, params connector.Params, vars map[string]string) error {
	c, err := kinds.Get(kind)
	if err != nil {
		return err
	}
	filled, err := connector.Fill(params, vars)
	if err != nil {
		return err
	}
	return c.Check(filled)
}
