package catalog

import (
	"slices"
	"strings"
	"time"
)

// roll finds assignments by whom they name, and deputies by who stands in.
type roll struct {
	groups   map[string][]int // group: of Assignments
	people   map[string][]int // address in small letters: of Assignments
	standIns map[string][]int // address in small letters: of Deputies
}

func newRoll(c Catalog) *roll {
	r := &roll{groups: map[string][]int{}, people: map[string][]int{}, standIns: map[string][]int{}}
	for i := range c.Assignments {
		switch a := &c.Assignments[i]; {
		case a.Person != "":
			r.people[strings.ToLower(a.Person)] = append(r.people[strings.ToLower(a.Person)], i)
		case a.Group != "":
			r.groups[a.Group] = append(r.groups[a.Group], i)
		}
	}
	for i := range c.Deputies {
		at := strings.ToLower(c.Deputies[i].Person)
		r.standIns[at] = append(r.standIns[at], i)
	}
	return r
}

func (c Catalog) roll() *roll {
	if c.index != nil {
		return c.index.roll()
	}
	return newRoll(c)
}

// assignmentsOf are those that name somebody by address or by group, in their order.
func (r *roll) assignmentsOf(who Identity) []int {
	var all []int
	if who.Mail != "" {
		all = append(all, r.people[strings.ToLower(who.Mail)]...)
	}
	for _, g := range who.Groups {
		all = append(all, r.groups[g]...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Named goes through whom the assignments in force name: each group and each address once.
func (c Catalog) Named(at time.Time) (groups, people []string) {
	for i := range c.Assignments {
		a := &c.Assignments[i]
		if _, ok := c.during(a.From, a.Until, at); !ok || !a.Role.Known() {
			continue
		}
		if a.Person != "" {
			people = append(people, strings.ToLower(a.Person))
		} else {
			groups = append(groups, a.Group)
		}
	}
	slices.Sort(groups)
	slices.Sort(people)
	return slices.Compact(groups), slices.Compact(people)
}
