package catalog

import "keyholder/internal/access"

// Administered says whether somebody administers everything, without an end.
func (c Catalog) Administered() bool {
	for i := range c.Assignments {
		if a := &c.Assignments[i]; a.Role == access.Administrator && a.Until == "" && a.Scope().Everywhere() {
			return true
		}
	}
	return false
}
