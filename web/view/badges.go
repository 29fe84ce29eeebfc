package view

import "keyholder/internal/failover"

// stateClass colours only what is not as it should be; red is for what wants someone now.
func stateClass(s failover.State) string {
	switch s {
	case failover.Blocked, failover.Paused, failover.NotFullyUndone, failover.Failed:
		return "bad"
	case failover.Undoing, failover.Rejected, failover.Expired:
		return "warn"
	default:
		return ""
	}
}
