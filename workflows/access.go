package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"
)

// Access has one person have on one system what the record says, until nothing of it is left. One process does it for all of the
// person's grants there, so that what is given and what is taken never overtake each other; what is to be there is the record's business.
func Access(ctx workflow.Context, in AccessInput) error {
	looks := workflow.GetSignalChannel(ctx, signalLook)
	for {
		for looks.ReceiveAsync(nil) { // what it was told so far stands on record by now
		}
		var next AccessNext
		if err := workflow.ExecuteActivity(accessOptions(ctx), activitySettle, in).Get(ctx, &next); err != nil {
			return err
		}
		if next.Done && looks.Len() == 0 {
			return nil
		}
		if !next.Done {
			looks.ReceiveWithTimeout(ctx, min(next.Wait, lookAgain), nil)
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			return workflow.NewContinueAsNewError(ctx, accessWorkflow, in)
		}
	}
}

// leastWait keeps a process from asking in a circle where two clocks differ.
const leastWait = time.Millisecond
