package failover

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"keyholder/internal/catalog"
)

// DiffPlans says in sentences what another version of a plan changes for a mode. Nothing comes back where what would
// run is the same.
func DiffPlans(old, now Plan, m Mode) []string {
	var lines []string
	say := func(changed bool, format string, args ...any) {
		if changed {
			lines = append(lines, fmt.Sprintf(format, args...))
		}
	}
	say(old.Name != now.Name, "The plan is called %q instead of %q.", now.Name, old.Name)
	say(!slices.Equal(old.Services, now.Services), "It moves %s instead of %s.", list(now.Services), list(old.Services))
	say(old.DataSet != now.DataSet, "It moves the data set %s instead of %s.", now.DataSet, old.DataSet)
	say(!slices.Equal(old.Sites, now.Sites), "It works between %s instead of %s.", list(now.Sites), list(old.Sites))
	lines = append(lines, diffNamed("gate", old.GatesIn(m), now.GatesIn(m), Check.named, diffCheck)...)
	lines = append(lines, diffNamed("step", old.StepsIn(m), now.StepsIn(m), Step.named, diffStep)...)
	say(order(old, m) != order(now, m), "The steps come in this order: %s.", order(now, m))
	lines = append(lines, diffVerify(old.Verify, now.Verify)...)
	say(!same(old.WriteSeen, now.WriteSeen), "The first write at the target is seen in another way.")
	say(!same(old.Backlog, now.Backlog), "The drained backlog is seen in another way.")
	say(!same(old.Protection, now.Protection) || old.UnsavedKept != now.UnsavedKept, "Restored protection is seen in another way.")
	return lines
}

func (c Check) named() (slug, name string) { return c.Slug, c.Name }
func (s Step) named() (slug, name string)  { return s.Slug, s.Name }

// diffNamed tells which of some named things are new, gone or different.
func diffNamed[T any](what string, old, now []T, named func(T) (string, string), differ func(old, now T) []string) []string {
	var lines []string
	find := func(all []T, slug string) int {
		return slices.IndexFunc(all, func(t T) bool { s, _ := named(t); return s == slug })
	}
	for _, t := range old {
		if slug, name := named(t); find(now, slug) < 0 {
			lines = append(lines, fmt.Sprintf("The %s %q is gone.", what, name))
		}
	}
	for _, t := range now {
		slug, name := named(t)
		i := find(old, slug)
		if i < 0 {
			lines = append(lines, fmt.Sprintf("The %s %q is new.", what, name))
			continue
		}
		for _, d := range differ(old[i], t) {
			lines = append(lines, fmt.Sprintf("The %s %q %s.", what, name, d))
		}
	}
	return lines
}

func diffCheck(old, now Check) []string {
	var differ []string
	if old.Name != now.Name {
		differ = append(differ, fmt.Sprintf("was called %q", old.Name))
	}
	if old.Override != now.Override {
		differ = append(differ, map[bool]string{true: "may now be overridden", false: "may not be overridden any more"}[now.Override])
	}
	old.Name, old.Override = now.Name, now.Override
	if !same(old, now) {
		differ = append(differ, "looks at something else, or expects something else")
	}
	return differ
}

func diffStep(old, now Step) []string {
	var differ []string
	if old.Name != now.Name {
		differ = append(differ, fmt.Sprintf("was called %q", old.Name))
	}
	if old.Expected != now.Expected {
		differ = append(differ, fmt.Sprintf("is expected to take %s instead of %s", catalog.Lasting(now.Expected.D()), catalog.Lasting(old.Expected.D())))
	}
	if old.Retries != now.Retries {
		differ = append(differ, fmt.Sprintf("is tried again %d times instead of %d", now.Retries, old.Retries))
	}
	if old.OnFailure != now.OnFailure {
		differ = append(differ, "does something else when it fails: "+map[bool]string{true: "abort", false: "pause"}[now.OnFailure == "abort"])
	}
	old.Name, old.Expected, old.Retries, old.OnFailure = now.Name, now.Expected, now.Retries, now.OnFailure
	if !same(old, now) {
		differ = append(differ, "does something else on the real system")
	}
	return differ
}

func diffVerify(old, now Verify) []string {
	var lines []string
	if old.MinSuccess != now.MinSuccess || old.MinVolume != now.MinVolume {
		lines = append(lines, fmt.Sprintf("Verification wants %.1f %% success and %.0f %% volume instead of %.1f %% and %.0f %%.",
			now.MinSuccess*100, now.MinVolume*100, old.MinSuccess*100, old.MinVolume*100))
	}
	if old.Hold != now.Hold || old.Within != now.Within {
		lines = append(lines, fmt.Sprintf("Verification must hold for %s within %s, instead of %s within %s.",
			catalog.Lasting(now.Hold.D()), catalog.Lasting(now.Within.D()), catalog.Lasting(old.Hold.D()), catalog.Lasting(old.Within.D())))
	}
	if old.Success != now.Success || old.Volume != now.Volume || !same(old.Residual, now.Residual) {
		lines = append(lines, "Verification looks at something else.")
	}
	return lines
}

func order(p Plan, m Mode) string {
	names := make([]string, 0, len(p.Steps))
	for _, s := range p.StepsIn(m) {
		names = append(names, s.Name)
	}
	return list(names)
}

// same compares by JSON, which is what the digest of a plan is over.
func same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func list(all []string) string {
	text := ""
	for i, one := range all {
		switch {
		case i == 0:
		case i == len(all)-1:
			text += " and "
		default:
			text += ", "
		}
		text += one
	}
	return text
}
