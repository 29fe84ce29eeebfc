// Package bundle owns reading catalogue and plan files: strict, with the place of what is wrong. It never saves.
package bundle

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"

	"keyholder/internal/catalog"
	"keyholder/internal/connector"
	"keyholder/internal/failover"
	"keyholder/internal/store"
	"keyholder/workflows"
)

// MaxFile bounds a file, in bytes.
const MaxFile = 1 << 20

// file is what one catalogue file may hold.
type file struct {
	catalog.Catalog `json:",inline" yaml:",inline"`
	Policies        []failover.Policy `json:"policies"`
	Plans           []failover.Plan   `json:"plans"`
}

// Read reads a whole catalogue: what there is, the approval policies and the plans. name is for the messages.
func Read(name string, body []byte, kinds connector.Set) (store.Bundle, error) {
	var f file
	if err := decode(name, body, &f); err != nil {
		return store.Bundle{}, err
	}
	b := store.Bundle{Catalog: f.Catalog, Plans: f.Plans, Policies: f.Policies}
	return b, check(name, b, kinds)
}

// ReadPlan reads one plan for a catalogue that is in force.
func ReadPlan(name string, body []byte, in catalog.Catalog, kinds connector.Set) (failover.Plan, error) {
	var plan failover.Plan
	if err := decode(name, body, &plan); err != nil {
		return plan, err
	}
	return plan, place(name, "plan "+plan.Slug, checkPlan(plan, in, kinds))
}

func decode(name string, body []byte, into any) error {
	if len(body) > MaxFile {
		return fmt.Errorf("%s: the file has more than %d bytes", name, MaxFile)
	}
	err := yaml.UnmarshalWithOptions(body, into, yaml.Strict(), yaml.UseJSONUnmarshaler())
	if err == nil {
		return nil
	}
	var syntax yaml.Error
	if errors.As(err, &syntax) && syntax.GetToken() != nil {
		at := syntax.GetToken().Position
		return fmt.Errorf("%s:%d:%d: %s", name, at.Line, at.Column, syntax.GetMessage())
	}
	return fmt.Errorf("%s: %w", name, err)
}

func check(name string, b store.Bundle, kinds connector.Set) error {
	if err := place(name, "catalogue", b.Catalog.Validate()); err != nil {
		return err
	}
	known := map[string]bool{}
	for _, p := range b.Policies {
		known[p.Slug] = true
		if err := place(name, "policy "+p.Slug, p.Validate()); err != nil {
			return err
		}
	}
	for _, p := range b.Plans {
		if !known[p.Policy] {
			return fmt.Errorf("%s: plan %s: there is no policy %q", name, p.Slug, p.Policy)
		}
		if err := place(name, "plan "+p.Slug, checkPlan(p, b.Catalog, kinds)); err != nil {
			return err
		}
	}
	return nil
}

func place(name, what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %s: %w", name, what, err)
}

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
