package workflows

import (
	"fmt"
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

// Workers do what a deployment's processes ask for. Stopping them lets what is at work be found again by its silence.
type Workers struct {
	all []worker.Worker
}

// NewWorkers makes those for a deployment's task queue, and for the one beside it on which access is given and taken.
func NewWorkers(temporal client.Client, queue string, a *Activities) Workers {
	options := worker.Options{
		WorkerStopTimeout:            2 * time.Second,
		MaxHeartbeatThrottleInterval: 500 * time.Millisecond, // a heartbeat is due every two seconds
		Identity:                     "keyholder",
		// A lost site wakes hundreds of processes at once; two pollers, the default, fall behind.
		MaxConcurrentWorkflowTaskPollers: pollers, MaxConcurrentActivityTaskPollers: pollers,
	}
	every := worker.New(temporal, queue, options)
	Register(every, a)
	options.DisableWorkflowWorker, options.MaxConcurrentActivityExecutionSize = true, accessAtOnce
	settles := worker.New(temporal, accessQueue(queue), options)
	settles.RegisterActivityWithOptions(a.Settle, activity.RegisterOptions{Name: activitySettle})
	return Workers{all: []worker.Worker{every, settles}}
}

// Registry is that of the deployment's own queue, for what somebody runs there besides.
func (w Workers) Registry() worker.Registry { return w.all[0] }

// Start starts them, or none.
func (w Workers) Start() error {
	for i, one := range w.all {
		if err := one.Start(); err != nil {
			Workers{all: w.all[:i]}.Stop()
			return fmt.Errorf("start a worker: %w", err)
		}
	}
	return nil
}

// Stop stops them.
func (w Workers) Stop() {
	for _, one := range w.all {
		one.Stop()
	}
}
