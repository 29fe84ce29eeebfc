package pgrole

import (
	"slices"

	"keyholder/internal/connector"
)

// edge says that one role is a member of another.
type edge struct {
	Role    string
	Member  string
	Grantor string // who gave it; empty: no longer there
	Admin   bool   // the member may give it on
	Usable  bool   // the member has what the role may, or may become it
}

// reach knows the ways from members to roles.
type reach map[string][]string

func reachOf(edges []edge) reach {
	r := reach{}
	for _, e := range edges {
		if e.Usable && !slices.Contains(r[e.Member], e.Role) {
			r[e.Member] = append(r[e.Member], e.Role)
		}
	}
	for _, roles := range r {
		slices.Sort(roles)
	}
	return r
}

// ways are the shortest ways from a member to a role, one for each role that the member has directly, because each of these
// keeps it up by itself. A way holds what lies between the two.
func (r reach) ways(member, role string) [][]string {
	var ways [][]string
	for _, first := range r[member] {
		if first == role {
			ways = append(ways, nil)
		} else if between, there := r.shortest(first, role); there {
			ways = append(ways, append([]string{first}, between...))
		}
	}
	return ways
}

func (r reach) shortest(from, to string) (between []string, there bool) {
	cameFrom := map[string]string{from: ""}
	for next := []string{from}; len(next) > 0; next = next[1:] {
		for _, role := range r[next[0]] {
			if _, seen := cameFrom[role]; seen {
				continue
			}
			cameFrom[role] = next[0]
			if role != to {
				next = append(next, role)
				continue
			}
			for at := next[0]; at != from; at = cameFrom[at] {
				between = append(between, at)
			}
			slices.Reverse(between)
			return between, true
		}
	}
	return nil, false
}

// holdings are the roles that one member has, each in each way.
func (r reach) holdings(member login, roles []string) []connector.Holding {
	var list []connector.Holding
	for _, role := range roles {
		for _, via := range r.ways(member.Name, role) {
			list = append(list, connector.Holding{Account: member.Name, Role: role, Via: via, Until: member.Until, SignsIn: member.SignsIn})
		}
	}
	return list
}
