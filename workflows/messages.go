package workflows

import "time"

// The names under which Temporal knows the processes. They never change: open histories carry them.
const (
	failoverWorkflow = "failover"
	degradedWorkflow = "degraded-mode"
	accessWorkflow   = "access"

	signalLook = "look" // the record has something new

	updateDecide   = "decide"
	updateWithdraw = "withdraw"
	updateConfirm  = "confirm"
	updateCommand  = "command"

	activityStand    = "stand"
	activityDecide   = "decide"
	activityWithdraw = "withdraw"
	activityConfirm  = "confirm"
	activityCommand  = "command"
	activityExpire   = "expire"
	activityClaim    = "claim"
	activityPerform  = "perform"
	activityUndo     = "undo"
	activityWatch    = "watch"

	activityModeDo = "mode-do"

	activitySettle = "access-settle"
)

// FailoverInput starts the process of one request and its run. Fields are only ever added.
type FailoverInput struct {
	Code string `json:"code"`
}

// FailoverResult is how the process ended.
type FailoverResult struct {
	Code string `json:"code"`
}

// DegradedInput starts the process of one degraded mode. Fields are only ever added.
type DegradedInput struct {
	Code string `json:"code"`
}

// AccessInput starts the process of one person's access to one system. Fields are only ever added.
type AccessInput struct {
	System string `json:"system"`
	Person string `json:"person"`
}

// AccessNext is when the process looks again.
type AccessNext struct {
	Done bool          `json:"done,omitempty"`
	Wait time.Duration `json:"wait,omitempty"`
}

// StepInput names one step of a run.
type StepInput struct {
	Code string `json:"code"`
	Step int    `json:"step"`
}

// FailoverID is the id of the process of a request and its run.
func FailoverID(code string) string { return "failover/" + code }

// DegradedID is the id of the process of a degraded mode.
func DegradedID(code string) string { return "degraded-mode/" + code }
