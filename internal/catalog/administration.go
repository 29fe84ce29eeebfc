package catalog

import (
	"time"

	"keyholder/internal/access"
)

// Administered says whether some assignment makes somebody administer everything, from some moment on without an end. Whether there is
// anybody behind it is not known here.
func (c Catalog) Administered(at time.Time) bool {
	for i := range c.Assignments {
		a := &c.Assignments[i]
		if a.Role == access.Administrator && a.Until == "" && c.InForce(a.From, a.Until, at) && a.Scope().Everywhere() {
			return true
		}
	}
	return false
}
