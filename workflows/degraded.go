package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"keyholder/internal/degrade"
)

// lookAgain is how long a process trusts that it is told of what is new: the record is looked at once in a while all the same.
const lookAgain = 10 * time.Minute

// Degraded carries one degraded mode from the yes to it to the last item worked off: it does what the record says is next, until
// nothing is.
func Degraded(ctx workflow.Context, in DegradedInput) error {
	looks := workflow.GetSignalChannel(ctx, signalLook)
	for {
		for looks.ReceiveAsync(nil) { // what it was told so far stands on record by now
		}
		var next degrade.Do
		if err := workflow.ExecuteActivity(modeOptions(ctx), activityModeDo, in.Code).Get(ctx, &next); err != nil {
			return err
		}
		if next == degrade.DoAwait {
			looks.ReceiveWithTimeout(ctx, lookAgain, nil)
		}
		if next == degrade.DoNothing && looks.Len() == 0 {
			return nil
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			return workflow.NewContinueAsNewError(ctx, degradedWorkflow, in)
		}
	}
}
