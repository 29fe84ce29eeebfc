package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// recordOptions are for one transaction in our own database: quick, and tried again for as long as it is away.
func recordOptions(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 5 * time.Second,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: 100 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 2 * time.Second},
	})
}

// actOptions are for acts on real systems: they take minutes, and a worker that died is noticed by its silence. The
// activity settles failures of the real system itself; only our own trouble is tried again here, for ever.
func actOptions(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 30 * time.Minute,
		HeartbeatTimeout:    2 * time.Second,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: 200 * time.Millisecond, BackoffCoefficient: 1.5, MaximumInterval: 2 * time.Second},
	})
}

// modeBeat is how often an act for a degraded mode says that it is alive. Each word is a write of Temporal's, and hundreds of acts wait
// their turn when a site is lost; that their worker died may be noticed a little later.
const modeBeat = 2 * time.Second

// modeOptions are for acts for degraded modes.
func modeOptions(ctx workflow.Context) workflow.Context {
	options := workflow.GetActivityOptions(actOptions(ctx))
	options.HeartbeatTimeout = 3 * modeBeat
	return workflow.WithActivityOptions(ctx, options)
}

// accessOptions are for one attempt to give or take access; the process makes the next. That a worker died must be noticed soon: access
// ends within seconds of the next one's start.
func accessOptions(ctx workflow.Context) workflow.Context {
	options := workflow.GetActivityOptions(actOptions(ctx))
	options.StartToCloseTimeout = 2 * accessWithin
	options.TaskQueue = accessQueue(workflow.GetInfo(ctx).TaskQueueName)
	return workflow.WithActivityOptions(ctx, options)
}

// accessQueue is the task queue of the attempts to give and take access, beside a deployment's own. Each worker has room for so many at a
// time: where thousands end at once the others wait in Temporal, where waiting costs nothing, and not as activities whose signs of life
// alone keep the server busy.
func accessQueue(queue string) string { return queue + "-access" }

const accessAtOnce = 40

// watchOptions are for looking on for days until something is as it should be.
func watchOptions(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 30 * 24 * time.Hour,
		HeartbeatTimeout:    2 * time.Second,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 1, MaximumInterval: time.Second},
	})
}
