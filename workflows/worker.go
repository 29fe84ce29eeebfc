package workflows

import (
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// registry is what a worker and the tests' environment have in common.
type registry interface {
	RegisterWorkflowWithOptions(w any, options workflow.RegisterOptions)
	RegisterActivityWithOptions(a any, options activity.RegisterOptions)
}

// Register makes the process and its activities known.
func Register(r registry, a *Activities) {
	r.RegisterWorkflowWithOptions(Failover, workflow.RegisterOptions{Name: failoverWorkflow})
	r.RegisterWorkflowWithOptions(Degraded, workflow.RegisterOptions{Name: degradedWorkflow})
	r.RegisterWorkflowWithOptions(Access, workflow.RegisterOptions{Name: accessWorkflow})
	for name, fn := range map[string]any{
		activityStand: a.Stand, activityDecide: a.Decide, activityWithdraw: a.Withdraw, activityConfirm: a.Confirm,
		activityCommand: a.Command, activityExpire: a.Expire, activityClaim: a.Claim, activityPerform: a.Perform,
		activityUndo: a.Undo, activityWatch: a.Watch, activityModeDo: a.ModeDo, activitySettle: a.Settle,
	} {
		r.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: name})
	}
}

const pollers = 8

// NewWorker makes a worker for a task queue. Stopping it lets what is at work be found again by its silence.
func NewWorker(temporal client.Client, queue string, a *Activities) worker.Worker {
	w := worker.New(temporal, queue, worker.Options{
		WorkerStopTimeout:            2 * time.Second,
		MaxHeartbeatThrottleInterval: 500 * time.Millisecond, // a heartbeat is due every two seconds
		Identity:                     "keyholder",
		// A lost site wakes hundreds of processes at once; two pollers, the default, fall behind.
		MaxConcurrentWorkflowTaskPollers: pollers, MaxConcurrentActivityTaskPollers: pollers,
	})
	Register(w, a)
	return w
}
